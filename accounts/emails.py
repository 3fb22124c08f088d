"""Mails to one user about the account.

Each mail has three template files in `emails/<name>/`. `code_mails` sends the sign-in codes outside
the request. Upper apps send their own mails with `send`.
"""

from datetime import datetime
from email.message import EmailMessage
from email.utils import make_msgid, parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.timezone import localtime

from accounts.mail_codes import MailKind, account_mail_code
from foundations.automatic_mails import identity_headers
from foundations.dkim import signed
from foundations.languages import portal_name
from foundations.mail_headers import text_header

# Shorter than for notices, because a visitor waits.
CONNECT_SECONDS = 10
_PURPOSES = {  # three fields of Feedback-ID, by the name of the mail
    "sign_in_code": "sign-in:account:code",
    "invitation": "invitation:account:team",
    "ticket_answer": "answer:account:ticket",
}


def connect() -> Any:
    """Returns a connection to the mail server for sign-in codes, not opened yet."""
    options: dict[str, Any] = settings.CODE_MAIL_SERVER
    return get_connection(timeout=CONNECT_SECONDS, **options)


def send_sign_in_code(email: str, code: str, *, connection: Any = None) -> None:
    """Sends a sign-in code in the active language, over an open `connection` or a new one.

    Raises OSError or SMTPException.
    """
    context = {"code": code, "minutes": settings.SIGN_IN_CODE_MINUTES}
    send("sign_in_code", email, context, kind=MailKind.SIGN_IN, connection=connection)


def send_invitation(email: str, *, link: str, invited_by: str, expires_at: datetime) -> None:
    """Sends the invitation to the response team in the active language.

    Raises OSError or SMTPException.
    """
    until = localtime(expires_at)
    shown = f"{date_format(until, 'DATETIME_FORMAT')} {until:%Z}"
    send("invitation", email, {"link": link, "invited_by": invited_by, "expires": shown})


def send(
    name: str,
    email: str,
    context: dict[str, Any],
    *,
    kind: MailKind | None = None,
    message_id: str = "",
    connection: Any = None,
) -> None:
    """Sends the mail of the templates `emails/<name>/` in the active language.

    `context` is completed with the portal's name and address, and with a message code of this
    `kind` if there is one. `message_id` is the local part of the Message-ID, for a mail that may be
    sent again; "" makes a new one. Raises OSError or SMTPException.
    """
    context = {
        **context,
        "message_code": account_mail_code(kind) if kind is not None else "",
        "portal_url": settings.PORTAL_URL,
        "portal_host": settings.PORTAL_HOST,
        "portal_name": portal_name(),
    }
    domain = parseaddr(settings.CODE_MAIL_FROM)[1].rpartition("@")[2] or settings.MAIL_DOMAIN
    made_id = f"<{message_id}@{domain}>" if message_id else make_msgid(domain=domain)
    message = AccountMail(
        subject=" ".join(render_to_string(f"emails/{name}/subject.txt", context).split()),
        body=render_to_string(f"emails/{name}/body.txt", context),
        to=[email],
        headers={"Message-ID": made_id},
        connection=connection or connect(),
        from_email=settings.CODE_MAIL_RETURN_PATH or settings.CODE_MAIL_FROM or None,
    )
    message.purpose = _PURPOSES[name]
    message.attach_alternative(render_to_string(f"emails/{name}/body.html", context), "text/html")
    message.send()


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

    def message(self, **_ignored: Any) -> EncodedMail:
        """Returns the encoded mail. Django's own From and Subject are replaced."""
        encoded: Any = super().message()
        for name in ("From", "Subject"):
            del encoded[name]
        sender = settings.CODE_MAIL_FROM or settings.DEFAULT_FROM_EMAIL
        head = identity_headers(sender, self.purpose)
        head += text_header("Subject", str(self.subject))
        data = head + encoded.as_bytes(linesep="\r\n")
        return EncodedMail(signed(data, settings.DKIM_SIGNERS))
