"""The SMS gateways. A gateway accepts one message to one number and reports the result.

`settings.SMS_GATEWAY` is the dotted path of the gateway's class, which follows the protocol
`SmsGateway`, or several such paths, of which the later ones are fallbacks.
docs/how-to/add-a-text-gateway.md explains how to add one. An SMS that may have been sent is not
sent again without a person's decision, because a second one costs money and alarms its recipient.
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

from foundations.http_answers import start_of
from notices.engine.request_transport import (
    AccountRefusedError,
    Answers,
    RequestTransport,
    RequestUnavailableError,
    UnansweredError,
)
from notices.engine.transport import Reply, Result, redact_number
from notices.ledger_messages import LedgerMessages
from notices.message_codes import receipt_reference
from notices.message_filling import OutgoingMessage
from notices.models import DoubtCause

SECONDS = 20  # timeout of each step: connecting, writing, reading
# Shorter than the time for which servers hold an idle connection (2 s and more). A request on a
# connection that the server closes at that moment would end in doubt.
IDLE_SECONDS = 1
ACCOUNT_STATUSES = (401, 402, 403)
RETRY_STATUSES = (408, 425, 429)
REFUSED_STATUS = 451  # not 409, which gateways give for a reference that they already have
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
    """The protocol of a gateway. An instance is made without arguments for each worker's run."""

    required_settings: ClassVar[tuple[str, ...]]
    """Names of settings without which no notice by SMS can be approved; () for none.

    A gateway that sends approved templates only has the attribute `has_fixed_texts = True` as well:
    it gets no sign-in codes and no alerts.
    """

    def send(self, message: OutgoingMessage) -> Reply:
        """Sends one message to `message.to` (E.164). Several threads call it at a time.

        `message.data` is the text in UTF-8. `message.sender` is a reference that is the same for
        every attempt. Raises RequestUnavailableError or AccountRefusedError if nothing was sent,
        and UnansweredError if the message was submitted and no answer arrived.
        """

    def close(self) -> None:
        """Closes the gateway's connections. Called when the transport ends."""


def sms_transport(gateways: Sequence[type[SmsGateway]]) -> RequestTransport:
    """Returns the transport over `gateways`: the first, and its fallbacks."""
    gateway = GatewayRow([found() for found in gateways])

    def send_all(messages: Sequence[OutgoingMessage]) -> Answers:
        return {message.delivery_id: gateway.send(message) for message in messages}

    return RequestTransport(
        send_all, batch=1, threads=settings.SMS_CONNECTIONS, close=gateway.close
    )


def gateway_classes() -> list[type[SmsGateway]]:
    """Returns the classes that SMS_GATEWAY names, separated by commas: the first, and its
    fallbacks. Raises ImportError.
    """
    return [import_string(name.strip()) for name in settings.SMS_GATEWAY.split(",")]


def free_text_gateways() -> list[type[SmsGateway]]:
    """Returns the gateways that take any text. Others, such as AlimTalk, send approved templates
    only. Raises ImportError.
    """
    return [found for found in gateway_classes() if not getattr(found, "has_fixed_texts", False)]


def take_any_text() -> bool:
    """Returns whether one of the gateways takes any text, and none of these lacks a setting."""
    found = free_text_gateways()
    return bool(found) and not missing_settings(found)


def missing_settings(gateways: Sequence[type[SmsGateway]] = ()) -> list[str]:
    """Returns the names of settings that `gateways`, by default all, require and that are empty."""
    required = [name for found in gateways or gateway_classes() for name in found.required_settings]
    return [name for name in dict.fromkeys(required) if not getattr(settings, name)]


def check_text_gateway(**_options: Any) -> list[CheckMessage]:
    """Checks that SMS_GATEWAY names classes that can be imported and follow `SmsGateway` (a system
    check).
    """
    try:
        gateways = gateway_classes()
    except ImportError as error:
        return [Error(f"SMS_GATEWAY: {error}", id="notices.E003")]
    return [problem for gateway in gateways for problem in _check_class(gateway)]


def _check_class(gateway: type[SmsGateway]) -> list[CheckMessage]:
    name = f"{gateway.__module__}.{gateway.__qualname__}"
    for method in ("send", "close"):
        if not callable(getattr(gateway, method, None)):
            text = f"SMS_GATEWAY: {name} has no method `{method}`."
            return [Error(text, id="notices.E004")]
    required = getattr(gateway, "required_settings", None)
    if not isinstance(required, tuple):
        text = f"SMS_GATEWAY: {name} has no tuple `required_settings`."
        hint = "Name the settings it needs, or () if it needs none."
        return [Error(text, hint=hint, id="notices.E005")]
    unknown = ", ".join(one for one in required if not hasattr(settings, one))
    if unknown:
        text = f"SMS_GATEWAY: {name} needs unknown settings: {unknown}."
        return [Error(text, id="notices.E006")]
    return []


class GatewayRow:
    """Several gateways in a row. The next one takes a message only if the one before it sent
    nothing: it was not reached, refuses us or the message, or does not serve the number.
    """

    def __init__(self, gateways: Sequence[SmsGateway]) -> None:
        self._gateways = gateways

    def close(self) -> None:
        """Closes the connections of all gateways."""
        for gateway in self._gateways:
            gateway.close()

    def send(self, message: OutgoingMessage) -> Reply:
        """Sends one message. Raises the last gateway's error, and AccountRefusedError if there is
        no gateway.

        Where the last gateway does not serve the number, what the first one said counts that may
        take the message later: its refusal or its absence ends no delivery.
        """
        if not self._gateways:  # SMS_GATEWAY changed since the approval
            raise AccountRefusedError(LedgerMessages.NO_GATEWAY.stored())
        later: Reply | None = None
        for gateway in self._gateways[:-1]:
            try:
                reply = gateway.send(message)
            except RequestUnavailableError as error:
                reply = Reply(Result.DEFERRED, str(error))
            except AccountRefusedError as error:
                reply = Reply(Result.REFUSED, str(error))
            else:
                if reply.result not in (Result.REFUSED, Result.UNREACHABLE):
                    return reply
            if reply.result is not Result.UNREACHABLE:
                later = later or reply
        reply = self._gateways[-1].send(message)
        return later if later and reply.result is Result.UNREACHABLE else reply


class PooledGateway:
    """The base of the gateways that send through a `GatewayClient` of their own."""

    def __init__(self) -> None:
        self._client = GatewayClient()

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()


class HttpGateway(PooledGateway):
    """A gateway that POSTs JSON to `SMS_GATEWAY_URL`: {"to", "from", "text", "reference",
    "receipt_reference"}.

    The answer's status decides the result. 2xx: accepted. 400, 404, 422: bounced. 401, 402, 403:
    the gateway refuses our account. 451: it refuses the number's country, our number or the text.
    408, 425, 429: deferred. Any other status, or no answer after the request was sent: in doubt.
    """

    required_settings = ("SMS_GATEWAY_URL",)

    def send(self, message: OutgoingMessage) -> Reply:
        """Sends one request. Raises the same errors as `SmsGateway.send`."""
        status, server_reply = self._client.post(
            settings.SMS_GATEWAY_URL, body=_body(message), headers=_headers()
        )
        return _reply_for(status, redact_number(f"{status} {server_reply}", message.to))


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

        Raises the errors of `request`.
        """
        return self.request("POST", url, body=body, headers=headers)

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> tuple[int, str]:
        """Returns the status and the answer's text; see `exchange`."""
        status, _headers, text = self.exchange(method, url, body=body, headers=headers)
        return status, text

    def exchange(
        self, method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> tuple[int, Mapping[str, str], str]:
        """Sends one request, follows no redirect, and returns the status, the headers and the text
        of the answer. The names of headers are found in any case.

        Raises RequestUnavailableError if no connection was made or the request was not written as a
        whole, AccountRefusedError if the certificate is wrong, and UnansweredError if no answer
        arrived within SECONDS or the connection broke.
        """
        sending = _Sending()
        try:
            with self._client.stream(
                method, url, content=body, headers=headers, extensions={"trace": sending.note}
            ) as answer:
                text = start_of(answer).decode("utf-8", "replace")
                return answer.status_code, answer.headers, text
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
    """A record of whether a request was written as a whole.

    httpx does not raise an error that occurs while it writes. It still reads, because a server may
    have answered before the end of the request.
    """

    is_cut_short = False

    def note(self, event: str, _details: Mapping[str, Any]) -> None:
        """Notes an event of the request, by the names of httpx's extension "trace"."""
        if event.endswith(("send_request_headers.failed", "send_request_body.failed")):
            self.is_cut_short = True


def _certificate_error(error: BaseException) -> ssl.SSLCertVerificationError | None:
    """Returns the certificate error that caused `error`; None if there is none."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None


def json_object(text: str) -> dict[str, Any]:
    """Returns the JSON object in an answer; {} if it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _body(message: OutgoingMessage) -> bytes:
    content = {
        "to": message.to,
        "from": settings.SMS_SENDER,
        "text": message.data.decode(),
        "reference": message.sender,  # the same for every attempt
        "receipt_reference": receipt_reference(message.delivery_id),
    }
    return json.dumps(content, ensure_ascii=False).encode()


def _headers() -> dict[str, str]:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if settings.SMS_GATEWAY_TOKEN:
        headers["Authorization"] = f"Bearer {settings.SMS_GATEWAY_TOKEN}"
    return headers


def _reply_for(status: int, server_reply: str) -> Reply:
    if 200 <= status < 300:
        return Reply(Result.ACCEPTED, server_reply)
    if status in ACCOUNT_STATUSES:
        raise AccountRefusedError(server_reply)
    if status in RETRY_STATUSES:
        return Reply(Result.DEFERRED, server_reply)
    if status == REFUSED_STATUS:
        return Reply(Result.REFUSED, server_reply)
    if status in (400, 404, 422):
        return Reply(Result.BOUNCED, server_reply)
    return Reply(Result.IN_DOUBT, server_reply, DoubtCause.UNCLEAR_ANSWER)
