"""Text messages leave through a gateway: it takes one text to one number and reports the result.

`settings.SMS_GATEWAY` is the dotted path of the gateway's class, of the protocol `SmsGateway`;
docs/how-to/add-a-text-gateway.md adds one. A text message that may have been sent is never sent
again without a person's decision, because a second one costs money and alarms its recipient.
"""

import json
import ssl
from collections.abc import Mapping, Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, ClassVar, Protocol

import httpx
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.utils.module_loading import import_string

from notices.engine.request_transport import (
    AccountRefusedError,
    Answers,
    RequestTransport,
    RequestUnavailableError,
    UnansweredError,
)
from notices.engine.transport import Reply, Result, redact_number
from notices.ledger_messages import LedgerMessages
from notices.message_filling import OutgoingMessage
from notices.models import DoubtCause

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
    """Carries text messages. Made without arguments, once for each worker's run."""

    required_settings: ClassVar[tuple[str, ...]]
    """Names of settings without which no notice by text message is approved; () for none."""

    def send(self, text: OutgoingMessage) -> Reply:
        """Sends one text to `text.to` (E.164); called from several threads at a time.

        `text.data` is the text in UTF-8, `text.sender` a reference that is the same at every
        attempt. Raises RequestUnavailableError and AccountRefusedError while nothing was sent,
        UnansweredError when the text was handed over and no answer came.
        """

    def close(self) -> None:
        """Ends what it holds open; called when the transport ends."""


def sms_transport() -> RequestTransport:
    """Text messages through the gateway that the settings name."""
    gateway = gateway_class()()

    def ask(texts: Sequence[OutgoingMessage]) -> Answers:
        return {text.delivery_id: gateway.send(text) for text in texts}

    return RequestTransport(ask, batch=1, threads=settings.SMS_CONNECTIONS, close=gateway.close)


def gateway_class() -> type[SmsGateway]:
    """The class that SMS_GATEWAY names. Raises ImportError."""
    found: type[SmsGateway] = import_string(settings.SMS_GATEWAY)
    return found


def missing_settings() -> list[str]:
    """The settings that the gateway needs and that are empty."""
    return [name for name in gateway_class().required_settings if not getattr(settings, name)]


def check_text_gateway(**_options: Any) -> list[CheckMessage]:
    """A system check: SMS_GATEWAY names a class that can be loaded and speaks `Gateway`."""
    try:
        gateway = gateway_class()
    except ImportError as error:
        return [Error(f"SMS_GATEWAY: {error}", id="notices.E003")]
    for method in ("send", "close"):
        if not callable(getattr(gateway, method, None)):
            text = f"SMS_GATEWAY: {settings.SMS_GATEWAY} has no method `{method}`."
            return [Error(text, id="notices.E004")]
    required = getattr(gateway, "required_settings", None)
    if not isinstance(required, tuple):
        text = f"SMS_GATEWAY: {settings.SMS_GATEWAY} has no tuple `required_settings`."
        hint = "Name the settings it needs, or () if it needs none."
        return [Error(text, hint=hint, id="notices.E005")]
    unknown = ", ".join(name for name in required if not hasattr(settings, name))
    if unknown:
        text = f"SMS_GATEWAY: {settings.SMS_GATEWAY} needs unknown settings: {unknown}."
        return [Error(text, id="notices.E006")]
    return []


class HttpGateway:
    """POSTs JSON to `SMS_GATEWAY_URL`: {"to", "from", "text", "reference"}.

    2xx: accepted. 400, 404, 422: this number cannot be written to. 401, 402, 403: we are not
    served. 408, 425, 429: later. Anything else, or no answer after the request went: in doubt.
    """

    required_settings = ("SMS_GATEWAY_URL",)

    def __init__(self) -> None:
        self._client = GatewayClient()

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def send(self, text: OutgoingMessage) -> Reply:
        """Sends one request. Raises the same errors as `SmsGateway.send`."""
        status, words = self._client.post(
            settings.SMS_GATEWAY_URL, body=_body(text), headers=_headers()
        )
        return _judged(status, redact_number(f"{status} {words}", text.to))


class GatewayClient:
    """A pooled HTTP client. All threads of a transport share its connections."""

    def __init__(self) -> None:
        """Opens no connection yet."""
        self._client = httpx.Client(
            headers={"Accept-Encoding": "identity", "User-Agent": "breachportal"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            auth=lambda request: request,  # credentials in the URL are not sent
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

    def post(self, url: str, *, body: bytes, headers: Mapping[str, str]) -> tuple[int, str]:
        """POSTs `body` once, follows no redirect, and returns the status and the answer's text.

        Raises RequestUnavailableError if no connection was made or the request was not written as
        a whole, AccountRefusedError if the certificate is wrong, and UnansweredError if no answer
        came within SECONDS or the connection broke.
        """
        sending = _Sending()
        try:
            with self._client.stream(
                "POST", url, content=body, headers=headers, extensions={"trace": sending.note}
            ) as answer:
                return answer.status_code, _beginning(answer)
        except httpx.TransportError as error:
            if refusal := _certificate_error(error):
                raise AccountRefusedError(
                    LedgerMessages.CERTIFICATE.stored(error=refusal.verify_message)
                ) from None
            if sending.is_cut_short or isinstance(error, _NEVER_SENT):
                raise RequestUnavailableError(type(error).__name__) from None
            is_silent = isinstance(error, httpx.TimeoutException)
            cause = DoubtCause.SERVER_SILENT if is_silent else DoubtCause.CONNECTION_LOST
            raise UnansweredError(type(error).__name__, cause) from None


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
    return Reply(Result.IN_DOUBT, words, DoubtCause.UNCLEAR_ANSWER)
