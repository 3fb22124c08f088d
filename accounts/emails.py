"""Mails to one user about the account.

Each mail has a function here and three template files in `emails/<name>/`. `code_mails` sends the
sign-in codes outside the request.
"""

from email.utils import make_msgid, parseaddr
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.utils.translation import get_language

from accounts.mail_codes import account_mail_code
from foundations.mail_headers import folded_address, folded_text, replace_headers

# Shorter than for notices, because a visitor waits.
CONNECT_SECONDS = 10


class SignInMail(EmailMultiAlternatives):
    """A mail about the account, with headers that every mail server accepts."""

    def message(self, **_options: Any) -> Any:
        """Returns the message; its Message-ID does not name the host of the portal."""
        message = super().message()
        subject = folded_text("Subject", str(self.subject))
        sender = settings.CODE_MAIL_FROM or settings.DEFAULT_FROM_EMAIL
        headers = {"Subject": subject, "From": folded_address("From", sender)}
        domain = parseaddr(settings.CODE_MAIL_FROM)[1].rpartition("@")[2] or settings.MAIL_DOMAIN
        headers["Message-ID"] = make_msgid(domain=domain)
        replace_headers(message, headers)
        return message


def connect() -> Any:
    """Returns a connection to the mail server for sign-in codes, not opened yet."""
    options: dict[str, Any] = settings.CODE_MAIL_SERVER
    return get_connection(timeout=CONNECT_SECONDS, **options)


def send_sign_in_code(email: str, code: str, *, connection: Any = None) -> None:
    """Sends a sign-in code in the active language, over an open `connection` or a new one.

    Raises OSError or SMTPException.
    """
    context = {"code": code, "minutes": settings.SIGN_IN_CODE_MINUTES}
    _send("sign_in_code", email, context, connection)


def _send(name: str, email: str, context: dict[str, Any], connection: Any) -> None:
    context = {
        **context,
        "message_code": account_mail_code(),
        "portal_url": settings.PORTAL_URL,
        "portal_host": settings.PORTAL_HOST,
        "portal_name": settings.PORTAL_NAME[get_language() or settings.LANGUAGE_CODE],
    }
    message = SignInMail(
        subject=" ".join(render_to_string(f"emails/{name}/subject.txt", context).split()),
        body=render_to_string(f"emails/{name}/body.txt", context),
        to=[email],
        # The second header is Microsoft's: no answer of an absent reader comes back.
        headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
        connection=connection or connect(),
        from_email=settings.CODE_MAIL_RETURN_PATH or None,
    )
    message.attach_alternative(render_to_string(f"emails/{name}/body.html", context), "text/html")
    message.send()
