"""The functions that read the settings of mail servers, DKIM, push messages and codes by text
message, for `breachportal.settings`.
"""

from email.utils import parseaddr
from typing import Any

import phonenumbers
from django.core.exceptions import ImproperlyConfigured

from breachportal.environment import number, text, words
from breachportal.setting_values import host as host_name
from foundations.dkim import DkimError, DkimSigner
from foundations.web_push import VapidKey, WebPushError

EMAIL_SECURITIES = ("starttls", "tls", "none")


def email_security(default: str) -> str:
    """Returns how connections to the mail server are encrypted: "starttls", "tls" or "none".

    Raises ImproperlyConfigured for an unknown value, because a typing error must not switch off
    encryption.
    """
    return _security("EMAIL_SECURITY", text("EMAIL_SECURITY", default))


def _security(name: str, value: str) -> str:
    if value not in EMAIL_SECURITIES:
        raise ImproperlyConfigured(
            f"{name} is {value!r}; it is one of {', '.join(EMAIL_SECURITIES)}."
        )
    return value


def code_mail_server() -> dict[str, Any]:
    """Returns the options of the mail server for sign-in codes; {} for that of the notices."""
    host = host_name("CODE_MAIL_HOST")
    if not host:
        return {}
    security = _security("CODE_MAIL_SECURITY", text("CODE_MAIL_SECURITY", "starttls"))
    return {
        "host": host,
        "port": number("CODE_MAIL_PORT", 587),
        "username": text("CODE_MAIL_USER"),
        "password": mail_password("CODE_MAIL_PASSWORD"),
        "use_tls": security == "starttls",
        "use_ssl": security == "tls",
    }


def mail_password(name: str) -> str:
    """Returns the password of a mail server. Raises ImproperlyConfigured for one not in ASCII.

    Python's client for SMTP cannot send it, so no mail would leave.
    """
    value = text(name)
    if not value.isascii():
        raise ImproperlyConfigured(f"{name} has other characters than ASCII; choose another one.")
    return value


def dkim_signers(*, senders: dict[str, str]) -> tuple[DkimSigner, ...]:
    """Returns the signers of mails: none if all DKIM_* are unset, two with DKIM_SECOND_*.

    `senders` are the mailboxes in From, by the name of their setting. DMARC counts a signature only
    if its domain is that of From, or one above it. Raises ImproperlyConfigured.
    """
    domain = {"DKIM_DOMAIN": text("DKIM_DOMAIN")}
    first = {"DKIM_SELECTOR": text("DKIM_SELECTOR"), "DKIM_PRIVATE_KEY": text("DKIM_PRIVATE_KEY")}
    second = {
        "DKIM_SECOND_SELECTOR": text("DKIM_SECOND_SELECTOR"),
        "DKIM_SECOND_PRIVATE_KEY": text("DKIM_SECOND_PRIVATE_KEY"),
    }
    keys = [first] if any([*domain.values(), *first.values()]) else []
    keys += [second] if any(second.values()) else []
    signers = tuple(_dkim_signer(domain | key) for key in keys)
    if len({signer.record_name for signer in signers}) < len(signers):
        raise ImproperlyConfigured("DKIM_SECOND_SELECTOR is that of the first key.")
    for signer in signers:
        _check_senders(signer, senders)
    return signers


def _dkim_signer(values: dict[str, str]) -> DkimSigner:
    if missing := [name for name, value in values.items() if not value]:
        raise ImproperlyConfigured(f"{', '.join(missing)} is missing; mails cannot be signed.")
    domain, selector, private_key = values.values()
    try:
        return DkimSigner(domain=domain, selector=selector, private_key=private_key)
    except DkimError as error:
        raise ImproperlyConfigured(f"{', '.join(values)}: {error}.") from None


def _check_senders(signer: DkimSigner, senders: dict[str, str]) -> None:
    for name, mailbox in senders.items():
        host = parseaddr(mailbox)[1].rpartition("@")[2].lower()
        if mailbox and not f".{host}".endswith(f".{signer.domain}"):
            raise ImproperlyConfigured(f"{name} is not at DKIM_DOMAIN {signer.domain} or below it.")


def vapid_key() -> VapidKey | None:
    """Returns the key of push messages; None if WEB_PUSH_PRIVATE_KEY is unset.

    Raises ImproperlyConfigured.
    """
    private_key = text("WEB_PUSH_PRIVATE_KEY")
    try:
        return VapidKey(private_key) if private_key else None
    except WebPushError as error:
        raise ImproperlyConfigured(f"WEB_PUSH_PRIVATE_KEY: {error}.") from None


def code_text_cost(prices: dict[str, Any]) -> int:
    """Returns what codes by text message may cost in a day, in the currency of `prices`; 0: any.

    Raises ImproperlyConfigured if the cost cannot be computed.
    """
    cost = number("CODE_TEXT_COST_PER_DAY", 0)
    if cost and not ("segment" in prices or {"sms", "lms"} <= prices.keys()):
        raise ImproperlyConfigured("CODE_TEXT_COST_PER_DAY has no effect: SMS_PRICES is missing.")
    return cost


def regions(name: str, default: str, *, most: int | None = None) -> list[str]:
    """Returns regions (ISO 3166) in a list with commas, in capitals.

    Raises ImproperlyConfigured for a region without country code, and unless there are `most`.
    """
    found = [region.upper() for region in words(name, default)]
    for region in found:
        if not phonenumbers.country_code_for_region(region):
            raise ImproperlyConfigured(f"{name}: {region} is not like KR.")
    if most and len(found) != most:
        raise ImproperlyConfigured(f"{name}: {','.join(found)} is not like KR.")
    return found
