"""Previews of mails on the desk."""

import json
import re
import secrets
from email import message_from_bytes, policy
from email.message import EmailMessage

from django.http import HttpResponse


def parse_mail(data: bytes) -> EmailMessage:
    """Parses an encoded mail."""
    return message_from_bytes(data, policy=policy.default)


def mail_part(mail: EmailMessage, subtype: str) -> str:
    """Returns the content of the mail's `plain` or `html` part; "" if it has no such part."""
    part = mail.get_body((subtype,))
    return part.get_content() if part else ""


def html_preview(mail: EmailMessage) -> HttpResponse:
    """Returns the HTML part of a mail as a page that can load and run nothing.

    Mails have their styles in style attributes, which the portal's Content-Security-Policy forbids.
    The attributes become rules of one style element. Only this response allows that element, and
    the mail's own one for the dark scheme.
    """
    nonce = secrets.token_urlsafe(16)
    styles: dict[str, str] = {}

    def class_attribute(found: re.Match[str]) -> str:
        return f'class="{styles.setdefault(found[1], f"s{len(styles)}")}"'

    body = re.sub(r'style="([^"<>]*)"', class_attribute, mail_part(mail, "html"))
    rules = "".join(f".{name}{{{style}}}" for style, name in styles.items())
    head = f'<style nonce="{nonce}">{rules}</style></head>'
    page = body.replace("<style>", f'<style nonce="{nonce}">', 1).replace("</head>", head, 1)
    csp = f"default-src 'none'; style-src 'nonce-{nonce}'; sandbox; frame-ancestors 'none'"
    return HttpResponse(page, headers={"Content-Security-Policy": csp})


def push_text(data: bytes) -> str:
    """Returns what a push message says: its title, and its link on a line of its own."""
    content = json.loads(data)
    return f"{content['title']}\n{content['url']}"
