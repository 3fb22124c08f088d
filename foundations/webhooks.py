"""Posts a message to a webhook: to Slack, to Microsoft Teams, or as plain JSON, each signed.

The signature is the HMAC-SHA256 of the body. Slack and Teams ignore it; a receiver of one's own
checks it, and refuses an old `at` and an `id` that it has seen.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

SIGNATURE = "X-Breachportal-Signature"
SECONDS = 10  # timeout of each step of a request
KINDS = ("json", "slack", "teams")
# What a request that was not answered with success may raise.
ERRORS = (OSError, httpx.HTTPError, httpx.InvalidURL)


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """A receiver of messages, as the settings name it. URL and secret are in no log."""

    name: str
    kind: str  # one of KINDS
    url: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class WebhookMessage:
    """What a webhook receives: a text and a link. `id` is the same in each attempt."""

    id: str
    kind: str
    text: str
    url: str
    at: datetime


def post(webhook: Webhook, message: WebhookMessage) -> None:
    """Posts the message once. Raises one of ERRORS unless the server answers with success.

    A redirect is no success, and no proxy is used.
    """
    post_fields(webhook.url, _fields(webhook.kind, message), secret=webhook.secret)


def post_fields(url: str, fields: Mapping[str, Any], *, secret: str) -> None:
    """Posts the fields as JSON, signed with the secret. Raises as `post` does."""
    body = json.dumps(fields, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json", SIGNATURE: signature(body, secret=secret)}
    # The status is the whole answer. What follows is not read: it may go on without end.
    with httpx.stream(
        "POST", url, content=body, headers=headers, timeout=SECONDS, trust_env=False
    ) as answer:
        if not answer.is_success:
            raise httpx.HTTPStatusError("refused", request=answer.request, response=answer)


def signature(body: bytes, *, secret: str) -> str:
    """Returns the value of the header SIGNATURE: "sha256=" and the HMAC in hexadecimal digits."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def name_of(error: Exception) -> str:
    """Returns the error in words for a log, without the address, which may hold a secret."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"HTTP {error.response.status_code}"
    return type(error).__name__


def _fields(kind: str, message: WebhookMessage) -> Mapping[str, Any]:
    if kind == "slack":
        # Slack reads these three characters as markup.
        text = message.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return {"text": f"{text}\n{message.url}"}
    if kind == "teams":
        return {"type": "message", "attachments": [_card(message)]}
    return {
        "id": message.id,
        "kind": message.kind,
        "text": message.text,
        "url": message.url,
        "at": message.at.isoformat(timespec="seconds"),
    }


def _card(message: WebhookMessage) -> Mapping[str, Any]:
    """Returns the text and the link as an Adaptive Card, the only form that Teams takes.

    A TextBlock would read Markdown in the text, such as a link in the title of an incident.
    """
    link = {"type": "Action.OpenUrl", "title": message.url, "url": message.url}
    return {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "content": {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": [{"type": "RichTextBlock", "inlines": [message.text]}],
            "actions": [link],
        },
    }
