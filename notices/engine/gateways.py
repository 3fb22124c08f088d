"""Where text messages leave: a gateway takes one text to one number, and says what became of it.

`settings.SMS_GATEWAY` names the class. A new gateway is a class with `send`; it raises AwayError
while nothing was sent, RefusedError if we are not served at all, and returns the result otherwise.
A text message that may have been sent is never sent again by itself: people pay for doubt.
"""

import http.client
import json
import ssl
from collections.abc import Sequence
from typing import Protocol
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.module_loading import import_string

from notices.engine.request_transport import (
    AccountRefusedError,
    Answers,
    RequestTransport,
    RequestUnavailableError,
)
from notices.engine.transport import Reply, Result, redact_number
from notices.ledger_messages import LedgerMessages
from notices.message_templates import OutgoingMessage

SECONDS = 20
NOT_SERVED = (401, 402, 403)
LATER = (408, 425, 429)
_ANSWER_BYTES = 65_536


class SmsGateway(Protocol):
    """Carries text messages."""

    def send(self, text: OutgoingMessage) -> Reply:
        """Sends one text to `text.to` (E.164). Raises AwayError and RefusedError."""


def sms_transport() -> RequestTransport:
    """Text messages through the gateway that the settings name."""
    gateway: SmsGateway = import_string(settings.SMS_GATEWAY)()

    def ask(texts: Sequence[OutgoingMessage]) -> Answers:
        return {text.delivery_id: gateway.send(text) for text in texts}

    return RequestTransport(ask, batch=1, threads=settings.SMS_CONNECTIONS)


class HttpGateway:
    """POSTs JSON to `SMS_GATEWAY_URL`: {"to", "from", "text", "reference"}.

    2xx: accepted. 400, 404, 422: this number cannot be written to. 401, 402, 403: we are not
    served. 408, 425, 429: later. Anything else, or no answer after the request went: in doubt.
    """

    def send(self, text: OutgoingMessage) -> Reply:
        """One request over a connection of its own."""
        url = urlsplit(settings.SMS_GATEWAY_URL)
        connection = _connected(url.scheme, url.hostname or "", url.port)
        try:
            path = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
            connection.request("POST", path, body=_body(text), headers=_headers())
        except OSError as error:
            connection.close()
            raise RequestUnavailableError(type(error).__name__) from None
        try:
            answer = connection.getresponse()
            words = answer.read(_ANSWER_BYTES).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            return Reply(Result.IN_DOUBT, type(error).__name__)
        finally:
            connection.close()
        return _judged(answer.status, redact_number(f"{answer.status} {words}", text.to))


def _connected(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context()
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, port, timeout=SECONDS, context=context
        )
    else:
        connection = http.client.HTTPConnection(host, port, timeout=SECONDS)
    try:
        connection.connect()
    except ssl.SSLCertVerificationError as error:
        raise AccountRefusedError(
            LedgerMessages.CERTIFICATE.said(error=error.verify_message)
        ) from None
    except OSError as error:
        raise RequestUnavailableError(type(error).__name__) from None
    return connection


def _body(text: OutgoingMessage) -> bytes:
    content = {
        "to": text.to,
        "from": settings.SMS_SENDER,
        "text": text.data.decode(),
        "reference": text.sender,  # the same at every attempt
    }
    return json.dumps(content, ensure_ascii=False).encode()


def _headers() -> dict[str, str]:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if settings.SMS_GATEWAY_TOKEN:
        headers["Authorization"] = f"Bearer {settings.SMS_GATEWAY_TOKEN}"
    return headers


def _judged(status: int, words: str) -> Reply:
    if 200 <= status < 300:
        return Reply(Result.ACCEPTED, words)
    if status in NOT_SERVED:
        raise AccountRefusedError(words)
    if status in LATER:
        return Reply(Result.DEFERRED, words)
    if status in (400, 404, 422):
        return Reply(Result.BOUNCED, words)
    return Reply(Result.IN_DOUBT, words)
