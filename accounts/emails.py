"""Single mails about an account: one function a message, over the three files of
`emails/<name>/`. They are sent at once, within the request; see send_sign_in_code.
"""

from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.utils.translation import get_language

# A visitor waits for this; the bulk mails' patience would keep a web worker busy for nothing.
CONNECT_SECONDS = 10


def send_sign_in_code(email: str, code: str) -> None:
    """The six digits, in the active language. Raises OSError or SMTPException.

    Not through the queue: the visitor sees at once if the mail server is down, and the code never
    lies readable in Redis.
    """
    _send("sign_in_code", email, {"code": code, "minutes": settings.SIGN_IN_CODE_MINUTES})


def _send(name: str, email: str, context: dict[str, Any]) -> None:
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
        connection=get_connection(timeout=CONNECT_SECONDS),
    )
    message.attach_alternative(render_to_string(f"emails/{name}/body.html", context), "text/html")
    message.send()
