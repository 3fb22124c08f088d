"""Text messages leave through a gateway: it takes one text to one number and reports the result.

`settings.SMS_GATEWAY` names the class. A new gateway is a class with `send` and `close`; `send`
raises AwayError while nothing was sent, RefusedError if we are not served at all, and returns the
result otherwise. A text that may have been sent is never sent again without a person's decision:
every text costs money.
"""

import json
import ssl
from collections.abc import Mapping, Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Protocol

import httpx
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

SECONDS = 20  # for each step: connecting, writing, reading
# Shorter than servers keep an idle connection (2 s and more): a request on a connection that the
# server closes at that moment ends in doubt.
IDLE_SECONDS = 1
NOT_SERVED = (401, 402, 403)
LATER = (408, 425, 429)
_ANSWER_BYTES = 65_536
# The request did not reach the gateway as a whole, so the gateway cannot have acted on it.
_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.WriteError,
    httpx.WriteTimeout,
)


class SmsGateway(Protocol):
    """Carries text messages."""

    def send(self, text: OutgoingMessage) -> Reply:
        """Sends one text to `text.to` (E.164). Raises AwayError and RefusedError."""

    def close(self) -> None:
        """Ends what it holds open; called when the transport ends."""


def sms_transport() -> RequestTransport:
    """Text messages through the gateway that the settings name."""
    gateway: SmsGateway = import_string(settings.SMS_GATEWAY)()

    def ask(texts: Sequence[OutgoingMessage]) -> Answers:
        return {text.delivery_id: gateway.send(text) for text in texts}

    return RequestTransport(ask, batch=1, threads=settings.SMS_CONNECTIONS, close=gateway.close)


class HttpGateway:
    """POSTs JSON to `SMS_GATEWAY_URL`: {"to", "from", "text", "reference"}.

    2xx: accepted. 400, 404, 422: this number cannot be written to. 401, 402, 403: we are not
    served. 408, 425, 429: later. Anything else, or no answer after the request went: in doubt.
    """

    def __init__(self) -> None:
        """Opens no connection yet; all threads of a transport share the connections."""
        self._client = httpx.Client(
            headers={"Accept-Encoding": "identity", "User-Agent": "breachportal"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            auth=lambda request: request,  # a name in the URL is no login
            verify=ssl.create_default_context(),
            trust_env=False,  # no proxy
            timeout=SECONDS,
            limits=httpx.Limits(
                max_connections=settings.SMS_CONNECTIONS, keepalive_expiry=IDLE_SECONDS
            ),
        )

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def send(self, text: OutgoingMessage) -> Reply:
        """One request. Raises AwayError and RefusedError."""
        sending = _Sending()
        try:
            with self._client.stream(
                "POST",
                settings.SMS_GATEWAY_URL,
                content=_body(text),
                headers=_headers(),
                extensions={"trace": sending.note},
            ) as answer:
                words = _beginning(answer)
        except httpx.TransportError as error:
            if refusal := _certificate_error(error):
                raise AccountRefusedError(
                    LedgerMessages.CERTIFICATE.said(error=refusal.verify_message)
                ) from None
            if sending.is_cut_short or isinstance(error, _NEVER_SENT):
                raise RequestUnavailableError(type(error).__name__) from None
            return Reply(Result.IN_DOUBT, type(error).__name__)
        code = answer.status_code
        return _judged(code, redact_number(f"{code} {words}", text.to))


class _Sending:
    """Whether the request went out as a whole.

    httpx does not raise what fails while it writes: it still reads, for a server may have answered
    early.
    """

    is_cut_short = False

    def note(self, event: str, _details: Mapping[str, Any]) -> None:
        """Takes the events of one request, as httpx's extension "trace" names them."""
        if event.endswith(("send_request_headers.failed", "send_request_body.failed")):
            self.is_cut_short = True


def _beginning(answer: httpx.Response) -> str:
    """At most _ANSWER_BYTES of the answer, as they came: nothing is decompressed."""
    found = b""
    for piece in answer.iter_raw():
        found += piece
        if len(found) >= _ANSWER_BYTES:
            break
    return found[:_ANSWER_BYTES].decode("utf-8", "replace")


def _certificate_error(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """The reason why the server's certificate was not accepted, if that is the cause."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


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
