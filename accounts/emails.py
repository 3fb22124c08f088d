"""Mails to one user about the account.

Each mail has a function here and three template files in `emails/<name>/`. `code_mails` sends the
sign-in codes outside the request.
"""

from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.utils.translation import get_language

# Shorter than for notices, because a visitor waits.
CONNECT_SECONDS = 10


def send_sign_in_code(email: str, code: str, *, connection: Any = None) -> None:
    """Sends a sign-in code in the active language, over an open `connection` or a new one.

    Raises OSError or SMTPException.
    """
    context = {"code": code, "minutes": settings.SIGN_IN_CODE_MINUTES}
    _send("sign_in_code", email, context, connection)


def _send(name: str, email: str, context: dict[str, Any], connection: Any) -> None:
    context = {
        **context,
        "portal_url": settings.PORTAL_URL,
        "portal_host": settings.PORTAL_HOST,
        "portal_name": settings.PORTAL_NAME[get_language() or settings.LANGUAGE_CODE],
    }
    message = EmailMultiAlternatives(
        subject=" ".join(render_to_string(f"emails/{name}/subject.txt", context).split()),
        body=render_to_string(f"emails/{name}/body.txt", context),
        to=[email],
        headers={"Auto-Submitted": "auto-generated"},
        connection=connection or get_connection(timeout=CONNECT_SECONDS),
    )
    message.attach_alternative(render_to_string(f"emails/{name}/body.html", context), "text/html")
    message.send()
