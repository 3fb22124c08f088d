"""Mails to one user about the account.

Each mail has three template files in `emails/<name>/`. `code_mails` sends the sign-in codes outside
the request. Upper apps send their own mails with `send`.
"""

import secrets
from datetime import datetime
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from functools import lru_cache
from smtplib import SMTP
from typing import Any, Self

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.message import sanitize_address
from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import get_language

from accounts.mail_codes import MailKind, account_mail_code
from foundations.automatic_mails import identity_headers
from foundations.dkim import signed
from foundations.languages import portal_name
from foundations.mail_headers import is_plain_address, text_header

# Shorter than for notices, because a visitor waits.
CONNECT_SECONDS = 10
_PURPOSES = {  # three fields of Feedback-ID, by the name of the mail
    "sign_in_code": "sign-in:account:code",
    "invitation": "invitation:account:team",
    "ticket_answer": "answer:account:ticket",
    "ticket_extended": "answer:account:ticket",
    "company_account": "notice:account:team",
    "new_device": "notice:account:device",
    "look_up_key": "notice:account:key",
    "accounts_joined": "notice:account:joined",
    "address_changed": "notice:account:address",
    "address_claimed": "notice:account:address",
    "step_reminder": "reminder:account:steps",
}


def connect() -> Any:
    """Returns a connection to the mail server for sign-in codes, not opened yet."""
    options: dict[str, Any] = settings.CODE_MAIL_SERVER
    return get_connection(timeout=CONNECT_SECONDS, **options)


def send_sign_in_code(email: str, code: str, *, connection: Any = None) -> None:
    """Sends a sign-in code in the active language, over an open `connection` or a new one.

    Raises OSError or SMTPException.
    """
    context = _complete({"minutes": settings.SIGN_IN_CODE_MINUTES}, MailKind.SIGN_IN)
    if is_plain_address(email):
        made = KeptMail.of("sign_in_code", context)
        if made and len(code) == len(_CODE):
            made.send(email, {"code": code}, connection=connection or connect())
            return
    _made("sign_in_code", email, {**context, "code": code}, connection=connection).send()


def send_invitation(email: str, *, link: str, invited_by: str, expires_at: datetime) -> None:
    """Sends the invitation to the response team in the active language.

    Raises OSError or SMTPException.
    """
    shown = date_format(localtime(expires_at), "DATETIME_FORMAT")
    send("invitation", email, {"link": link, "invited_by": invited_by, "expires": shown})


def send(
    name: str,
    email: str,
    context: dict[str, Any],
    *,
    kind: MailKind | None = None,
    message_id: str = "",
    unsubscribe_url: str = "",
    connection: Any = None,
) -> "AccountMail":
    """Sends the mail of the templates `emails/<name>/` in the active language. Returns it.

    `context` is completed with the portal's name and address, and with a message code of this
    `kind` if there is one. `message_id` is the local part of the Message-ID, for a mail that may be
    sent again; "" makes a new one. `unsubscribe_url` ends mails of this kind by one click (RFC
    8058). Raises OSError or SMTPException.
    """
    complete = _complete(context, kind)
    message = _made(name, email, complete, message_id=message_id, connection=connection)
    message.message_code = complete["message_code"]
    message.extra_headers |= _unsubscribe_headers(unsubscribe_url)
    message.send()
    return message


def send_kept(
    name: str,
    email: str,
    *,
    url: str,
    kind: MailKind,
    message_id: str,
    connection: Any,
) -> tuple[str, str, str]:
    """Does what `send` does, for a mail of many in which only `url` differs: it ends the mails.

    The mail is rendered and encoded once a minute and language. Returns its subject, its text and
    its message code. Raises OSError or SMTPException.
    """
    context = _complete({}, kind)
    made = KeptMail.of(name, context, slot="url") if is_plain_address(email) else None
    if made is None:
        mail = send(
            name,
            email,
            {"url": url},
            kind=kind,
            message_id=message_id,
            unsubscribe_url=url,
            connection=connection,
        )
        return str(mail.subject), str(mail.body), mail.message_code
    made.send(email, {"url": url}, message_id=message_id, connection=connection)
    return made.subject, made.text_with({"url": url}), context["message_code"]


def _complete(context: dict[str, Any], kind: MailKind | None) -> dict[str, Any]:
    return {
        **context,
        "message_code": account_mail_code(kind) if kind is not None else "",
        "portal_url": settings.PORTAL_URL,
        "portal_host": settings.PORTAL_HOST,
        "portal_name": portal_name(),
    }


def _made(
    name: str, email: str, context: dict[str, Any], *, message_id: str = "", connection: Any = None
) -> "AccountMail":
    """Returns the mail of the templates `emails/<name>/`, not sent yet."""
    made_id = f"<{message_id}@{_id_domain()}>" if message_id else make_msgid(domain=_id_domain())
    message = AccountMail(
        subject=_subject(name, context),
        body=render_to_string(f"emails/{name}/body.txt", context),
        to=[email],
        headers={"Message-ID": made_id},
        connection=connection or connect(),
        from_email=settings.CODE_MAIL_RETURN_PATH or settings.CODE_MAIL_FROM or None,
    )
    message.purpose = _PURPOSES[name]
    message.attach_alternative(render_to_string(f"emails/{name}/body.html", context), "text/html")
    return message


def subject_of(name: str) -> str:
    """Returns the subject of the mail `emails/<name>/`, which states only the portal's name."""
    return _subject(name, {"portal_name": portal_name()})


def _subject(name: str, context: dict[str, Any]) -> str:
    return " ".join(render_to_string(f"emails/{name}/subject.txt", context).split())


def _id_domain() -> str:
    """Returns the domain of Message-IDs."""
    return parseaddr(settings.CODE_MAIL_FROM)[1].rpartition("@")[2] or settings.MAIL_DOMAIN


def _unsubscribe_headers(url: str) -> dict[str, str]:
    if not url:
        return {}
    return {
        "List-Unsubscribe": f"<{url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


class EncodedMail(EmailMessage):
    """A mail that is sent as the bytes it was made of; `email` would fold its headers again."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._data = data

    def as_bytes(self, *_ignored: Any, linesep: str = "\n", **_more: Any) -> bytes:
        """Returns the mail with the line ends `linesep`."""
        return self._data.replace(b"\r\n", linesep.encode())


class AccountMail(EmailMultiAlternatives):
    """A mail whose headers read back the same in every mail program."""

    purpose = ""  # three fields of Feedback-ID
    message_code = ""

    def message(self, **_ignored: Any) -> EncodedMail:
        """Returns the encoded mail. Django's own From and Subject are replaced."""
        return EncodedMail(signed(self.unsigned(), settings.DKIM_SIGNERS))

    def unsigned(self) -> bytes:
        """Returns the mail with the line ends CRLF, without the signatures of DKIM."""
        encoded: Any = super().message()
        for name in ("From", "Subject"):
            del encoded[name]
        sender = settings.CODE_MAIL_FROM or settings.DEFAULT_FROM_EMAIL
        head = identity_headers(sender, self.purpose)
        head += text_header("Subject", str(self.subject))
        return bytes(head + encoded.as_bytes(linesep="\r\n"))


# What stands in a kept mail for the parts that differ: each process draws its own, so that no text
# contains them. The code's has the length of a code, so that no line changes its length.
_CODE = secrets.token_hex(4)
_SLOTS = {"code": _CODE, "url": f"https://{secrets.token_hex(8)}.invalid/"}
_TO = f"{secrets.token_hex(8)}@kept.invalid"
_ID, _DATE = secrets.token_hex(8), secrets.token_hex(8)


class KeptMail:
    """A mail that was rendered and encoded once, for all recipients of one minute and language.

    To render and encode takes most of the time of a code mail.
    """

    def __init__(self, mail: AccountMail, data: bytes) -> None:
        self._mail, self._data = mail, data
        self._envelope_sender = sanitize_address(mail.from_email, "utf-8")
        self.subject = str(mail.subject)

    @classmethod
    def of(cls, name: str, context: dict[str, Any], *, slot: str = "code") -> Self | None:
        """Returns the mail of the templates `emails/<name>/` in the active language.

        `context` holds everything but `slot`, "code" or "url"; by the URL one click ends such
        mails. Returns None if the encoded mail does not show the parts that differ as they are, as
        a body in base64 would not.
        """
        senders = (settings.CODE_MAIL_FROM, settings.DEFAULT_FROM_EMAIL, settings.MAIL_REPLY_TO)
        domains = (settings.CODE_MAIL_RETURN_PATH, settings.MAIL_DOMAIN)
        look = (get_language(), *context.values(), *senders, *domains)
        return cls._make(name, slot, tuple(context), look)

    @classmethod
    @lru_cache(maxsize=64)
    def _make(
        cls, name: str, slot: str, names: tuple[str, ...], look: tuple[Any, ...]
    ) -> Self | None:
        part = _SLOTS[slot]
        mail = _made(name, _TO, {**dict(zip(names, look[1:], strict=False)), slot: part})
        ending = _unsubscribe_headers(part if slot == "url" else "")
        mail.extra_headers = {"Date": _DATE, "Message-ID": _ID, **ending}
        data = mail.unsigned()
        shown = [str(mail.body), str(mail.alternatives[0][0]), *ending.values()]
        times = {_TO: 1, _ID: 1, _DATE: 1, part: sum(text.count(part) for text in shown)}
        is_whole = all(data.count(each.encode()) == number for each, number in times.items())
        return cls(mail, data) if is_whole else None

    def send(
        self, email: str, values: dict[str, str], *, message_id: str = "", connection: Any
    ) -> None:
        """Sends the mail to `email` with the value of its slot, and the time.

        `message_id` is the local part of the Message-ID; "" makes a new one. The value holds no
        character that HTML escapes.

        An open connection of SMTP gets the bytes at once: Django would check both addresses again,
        which takes half of the time of a mail. Raises OSError or SMTPException.
        """
        domain = _id_domain()
        made_id = f"<{message_id}@{domain}>" if message_id else make_msgid(domain=domain)
        date = formatdate(localtime=settings.EMAIL_USE_LOCALTIME)
        parts = {_TO: email, _ID: made_id, _DATE: date, **_by_part(values)}
        data = self._data
        for part, value in parts.items():
            data = data.replace(part.encode(), value.encode())
        smtp = getattr(connection, "connection", None)
        if isinstance(smtp, SMTP):
            smtp.sendmail(self._envelope_sender, [email], signed(data, settings.DKIM_SIGNERS))
        else:
            headers = {"Message-ID": made_id, **_unsubscribe_headers(values.get("url", ""))}
            filled = FilledMail(self._mail, data, email, values, connection)
            filled.extra_headers = headers
            filled.send()

    def text_with(self, values: dict[str, str]) -> str:
        """Returns the plain text with the value of the slot."""
        return _filled(str(self._mail.body), values)


def _by_part(values: dict[str, str]) -> dict[str, str]:
    return {_SLOTS[name]: value for name, value in values.items()}


def _filled(text: str, values: dict[str, str]) -> str:
    for part, value in _by_part(values).items():
        text = text.replace(part, value)
    return text


class FilledMail(AccountMail):
    """A kept mail with its recipient and the value of its slot."""

    def __init__(
        self, kept: AccountMail, data: bytes, email: str, values: dict[str, str], connection: Any
    ) -> None:
        super().__init__(
            subject=kept.subject,
            body=_filled(str(kept.body), values),
            to=[email],
            connection=connection,
            from_email=kept.from_email,
            alternatives=[(_filled(str(kept.alternatives[0][0]), values), "text/html")],
        )
        self._data = data

    def unsigned(self) -> bytes:
        """Returns the mail with the line ends CRLF, without the signatures of DKIM."""
        return self._data
