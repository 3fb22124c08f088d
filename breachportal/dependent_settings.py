"""Finds settings that have no effect: another setting is missing, or the name is misspelt.

A process that starts with them would silently do something else than its operator asked for: send
codes over the server of the notices, or sign in nowhere.
"""

import os
import re
from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.http.request import split_domain_port, validate_host

from breachportal.environment import READ, text, words

# Settings without effect, and those of which each is required for it.
NEEDED: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("CODE_MAIL_PORT", "CODE_MAIL_SECURITY"), ("CODE_MAIL_HOST",)),
    (("CODE_MAIL_USER",), ("CODE_MAIL_HOST", "CODE_MAIL_PASSWORD")),
    (("CODE_MAIL_PASSWORD",), ("CODE_MAIL_HOST", "CODE_MAIL_USER")),
    (("EMAIL_HOST_USER",), ("EMAIL_HOST_PASSWORD",)),
    (("EMAIL_HOST_PASSWORD",), ("EMAIL_HOST_USER",)),
    (("DKIM_SECOND_SELECTOR", "DKIM_SECOND_PRIVATE_KEY"), ("DKIM_SELECTOR", "DKIM_PRIVATE_KEY")),
    (("NOTICE_PROVIDER_CONNECTIONS", "NOTICE_PROVIDER_BATCH"), ("NOTICE_PROVIDER",)),
    (("AUDIT_DIGEST_WEBHOOK",), ("AUDIT_DIGEST_SECRET",)),
    (("AUDIT_DIGEST_SECRET",), ("AUDIT_DIGEST_WEBHOOK",)),
    (("WEB_PUSH_HOSTS",), ("WEB_PUSH_PRIVATE_KEY",)),
    (("SOLAPI_KEY",), ("SOLAPI_SECRET",)),
    (("SOLAPI_SECRET", "SOLAPI_URL"), ("SOLAPI_KEY",)),
    (("SOLAPI_PROFILE",), ("SOLAPI_KEY", "SOLAPI_TEMPLATE")),
    (("SOLAPI_TEMPLATE",), ("SOLAPI_KEY", "SOLAPI_PROFILE")),
    (("TRACES_HEADERS", "TRACES_PERCENT"), ("TRACES_URL",)),
    (("TWILIO_ACCOUNT",), ("TWILIO_TOKEN",)),
    (("TWILIO_TOKEN", "TWILIO_URL", "TWILIO_SENDER"), ("TWILIO_ACCOUNT",)),
)
# Settings that one of our own gateways alone reads, and what SMS_GATEWAY must contain. A gateway of
# the operator's own may read each of them.
_OWN_GATEWAYS = "notices.engine."
OF_GATEWAYS = {
    "SOLAPI_": f"{_OWN_GATEWAYS}solapi.",
    "TWILIO_": f"{_OWN_GATEWAYS}twilio.",
    "SMS_GATEWAY_": f"{_OWN_GATEWAYS}gateways.",
}

_CLOSE = 0.9  # of difflib: a letter of ten
# Other programs have short names of this kind, such as TIMEZONE, LOGLEVEL and DATABASE_URI.
_LONG = 13  # characters of a setting


def refuse_without_effect(known: set[str]) -> dict[str, str]:
    """Checks the environment for settings without effect. `known` are the names of all settings.

    Raises ImproperlyConfigured, which names each such setting and what is missing. Returns the
    variables that may be misspelt, or of another program, each with the setting that may be meant.
    """
    close = _misspelt(known, set(os.environ))
    unclear = {name: meant for name, meant in close.items() if len(meant) < _LONG}
    problems = [
        *_without_others(),
        *_without_gateway(known),
        *_set_twice(known),
        *(f"  {name}: is {close[name]} meant?" for name in close if name not in unclear),
    ]
    if problems:
        raise ImproperlyConfigured(
            "breachportal does not start with settings that have no effect:\n" + "\n".join(problems)
        )
    return unclear


def check_for_doctor(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Returns warnings for names that may be misspelt, and for a host that answers 400.

    A proxy may send the requests for PORTAL_URL with another host.
    """
    found: list[checks.CheckMessage] = [
        checks.Warning(
            f"{name} has no effect here.",
            hint=f"If {meant} is meant, correct the name.",
            id="breachportal.W002",
        )
        for name, meant in settings.UNCLEAR_NAMES.items()
    ]
    host = split_domain_port(settings.PORTAL_HOST)[0]
    if not validate_host(host, settings.ALLOWED_HOSTS):
        text = f"ALLOWED_HOSTS lacks {host}, the host of PORTAL_URL."
        hint = "Add it, unless a proxy sends another host to the portal."
        found.append(checks.Warning(text, hint=hint, id="breachportal.W003"))
    return found


def check_comments(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Returns a warning for each variable whose value may end with a comment.

    A shell leaves a comment out. systemd and container engines keep it in the value, and each page
    would show it in the company's name.
    """
    return [
        checks.Warning(
            f"{name} may end with a comment, which is part of its value.",
            hint="Write the comment on a line of its own. If it is none, leave it.",
            id="breachportal.W004",
        )
        for name in sorted(READ)
        if re.search(r"\s#", os.environ.get(name, ""))
    ]


def _without_others() -> list[str]:
    return [
        f"  {name}: it needs {', '.join(missing)}"
        for names, others in NEEDED
        for name in names
        if text(name) and (missing := [other for other in others if not text(other)])
    ]


def _without_gateway(known: set[str]) -> list[str]:
    gateways = words("SMS_GATEWAY", f"{_OWN_GATEWAYS}gateways.HttpGateway")
    if not all(name.startswith(_OWN_GATEWAYS) for name in gateways):
        return []
    alone = text("SMS_GATEWAY_TOKEN") and not text("SMS_GATEWAY_URL")
    problems = ["  SMS_GATEWAY_TOKEN: it needs SMS_GATEWAY_URL"] if alone else []
    return problems + [
        f"  {name}: SMS_GATEWAY names no gateway of {module.rstrip('.')}"
        for prefix, module in OF_GATEWAYS.items()
        if not any(gateway.startswith(module) for gateway in gateways)
        for name in sorted(known)
        if name.startswith(prefix) and text(name)
    ]


def _misspelt(known: set[str], given: set[str]) -> dict[str, str]:
    """Returns the variables whose names differ by a letter or two from a setting, and its name."""
    names = sorted(name.removesuffix("_FILE") for name in given if name.isupper())
    close = {
        name: get_close_matches(name, known, n=1, cutoff=_CLOSE)
        for name in names
        if name not in known and not name.startswith("BREACHPORTAL_")  # also of container engines
    }
    return {name: other[0] for name, other in close.items() if other}


def _set_twice(known: set[str]) -> list[str]:
    """Returns the settings that are set directly, so that the file with their value is not read."""
    return [
        f"  {name}_FILE: {name} is set, too"
        for name in sorted(known)
        if os.environ.get(name) and os.environ.get(f"{name}_FILE")
    ]
