"""The transport of push messages: one POST to a browser's push service for each (RFC 8030).

The composer encrypted the message for the browser. The push service keeps it for TTL seconds while
the browser is away. A repeated message replaces the one before it, by its Topic and in the
browser, so a second attempt shows nothing twice.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from email.utils import parseaddr, parsedate_to_datetime

from django.conf import settings

from foundations.web_push import VapidKey, origin_of
from notices import push_subscriptions
from notices.engine.gateways import GatewayClient
from notices.engine.request_transport import AccountRefusedError, Answers, RequestTransport
from notices.engine.transport import Reply, Result, clean_reply
from notices.ledger_messages import LedgerMessages
from notices.message_filling import OutgoingMessage

TTL_SECONDS = 24 * 3600
BUSY = 429
LONGEST_WAIT = timedelta(hours=2)
USUAL_WAIT = timedelta(minutes=1)  # after 429 without Retry-After
TOKEN_REUSED_SECONDS = 3600


def web_push_transport() -> RequestTransport:
    """Returns the transport over the browsers' push services."""
    sender = WebPushSender()

    def send_all(messages: Sequence[OutgoingMessage]) -> Answers:
        return {message.delivery_id: sender.send(message) for message in messages}

    return RequestTransport(send_all, batch=1, threads=settings.SMS_CONNECTIONS, close=sender.close)


class WebPushSender:
    """Sends push messages. Several threads use it at a time."""

    def __init__(self) -> None:
        """Opens no connection yet."""
        self._client = GatewayClient()
        self._tokens: dict[str, tuple[str, float]] = {}  # by origin, with the time of its making
        self._rests: dict[str, float] = {}  # by origin, until when it takes no message

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def send(self, message: OutgoingMessage) -> Reply:
        """Sends one message to the endpoint `message.to`; `message.sender` is its Topic.

        A service that answered 429 gets nothing before its Retry-After ended. Raises
        RequestUnavailableError, AccountRefusedError and UnansweredError as a gateway does.
        """
        origin = origin_of(message.to)
        if (left := self._rests.get(origin, 0) - time.monotonic()) > 0:
            return Reply(Result.DEFERRED, "429", wait=timedelta(seconds=left))
        status, headers, _text = self._client.exchange(
            "POST", message.to, body=message.data, headers=self._headers(message, origin)
        )
        reply = reply_for(status, headers)
        if status == BUSY and reply.wait:
            self._rests[origin] = time.monotonic() + reply.wait.total_seconds()
        return reply

    def _headers(self, message: OutgoingMessage, origin: str) -> dict[str, str]:
        return {
            "Authorization": self._token(message.to, origin),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(TTL_SECONDS),
            "Topic": message.sender,
            "Urgency": "normal",
        }

    def _token(self, endpoint: str, origin: str) -> str:
        """Returns the authorization for an origin; it is made once an hour."""
        token, made_at = self._tokens.get(origin, ("", 0.0))
        if not token or time.monotonic() > made_at + TOKEN_REUSED_SECONDS:
            key: VapidKey | None = settings.WEB_PUSH_KEY
            if key is None:
                raise AccountRefusedError(LedgerMessages.NO_PUSH_KEY.stored())
            contact = f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}"
            token, made_at = key.authorization(endpoint, contact=contact), time.monotonic()
            self._tokens[origin] = token, made_at
        return token


def reply_for(status: int, headers: Mapping[str, str]) -> Reply:
    """Returns the reply for the answer of a push service.

    The text of an answer is not stored: services repeat the endpoint in it.
    """
    text = clean_reply(str(status))
    if 200 <= status < 300:
        return Reply(Result.ACCEPTED, text)
    if status in push_subscriptions.GONE:
        # Not a bounce: many browsers go, and the guard would pause the notice.
        return Reply(Result.UNREACHABLE, text)
    if status == BUSY or status >= 500:
        usual = USUAL_WAIT if status == BUSY else None
        return Reply(Result.DEFERRED, text, wait=retry_after(headers) or usual)
    return Reply(Result.REFUSED, text)


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Returns the wait of the header Retry-After, in seconds or as a date; at most LONGEST_WAIT.

    Returns None without one that can be read.
    """
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(timedelta(seconds=int(value[:9])), LONGEST_WAIT)
    try:
        left = parsedate_to_datetime(value).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(timedelta(seconds=left), timedelta(seconds=1)), LONGEST_WAIT)
