"""The protocol of all transports, and the classification of servers' replies.

The ledger must know when a server accepts a message. With SMTP this is the reply to the final dot
and no earlier reply; with a provider's API it is the answer to the request. So the journal records
each message before its first octet is sent (`ready`, then `start`), and each message has exactly
one result.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import NamedTuple, Protocol, Self

from notices.message_codes import hide_envelope_senders
from notices.message_filling import OutgoingMessage
from notices.models import DoubtCause
from notices.returned_mail.phrases import shape_pattern
from notices.returned_mail.reply_reading import (
    Cause,
    asks_for_later,
    cause_of,
    is_of_recipient_for_now,
)

REPLY_CHARACTERS = 500
CLOSING = 421
NOT_AUTHENTICATED = (530, 534, 535, 538)
_OURS = (Cause.SENDER, Cause.CONTENT)
_RECIPIENTS = (Cause.ADDRESS, Cause.MAILBOX)
# OpenSMTPD says so of unknown recipients, and of all of them if it does not relay for us.
_OF_RELAY_TOO = shape_pattern("of_relay_too")
_ENHANCED = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
# With these codes servers refuse unknown recipients, too. The others of 5.7 are about us.
_POLICY_OF_RECIPIENT = ("5.7.0", "5.7.1")


class ServerUnavailableError(Exception):
    """There is no connection, or the server asks us to retry later. Nothing was sent."""


class ConnectionDeniedError(ServerUnavailableError):
    """The server answers a new connection with a temporary refusal."""


class SenderRefusedError(Exception):
    """The server refuses us as a sender, for every recipient. A person must find out why."""


class Result(Enum):
    """The result of one message."""

    ACCEPTED = auto()
    DEFERRED = auto()  # the server refuses this recipient for now
    POSTPONED = auto()  # the server asks for a later attempt, and may refuse all recipients
    BOUNCED = auto()  # the server refuses this recipient permanently
    UNREACHABLE = auto()  # this server cannot send to this recipient's address
    REFUSED = auto()  # the server refuses the sender or the content, not the recipient
    UNCLEAR = auto()  # the server refuses at the recipient and does not say whom or what
    NOT_SENT = auto()  # the connection ended before the server could accept the message
    IN_DOUBT = auto()  # the server may have accepted the message, the reply is missing


@dataclass(frozen=True)
class Reply:
    """A result, and the server's reply without the recipient's address.

    `doubt_cause` belongs to Result.IN_DOUBT and to no other result. Raises ValueError otherwise.
    `wait` is how long the server asks to wait before the next attempt; None: it names no time.
    `is_of_server` means that the server refused the first MAIL of a connection, so that the reply
    belongs to no recipient and to no destination.
    """

    result: Result
    server_reply: str
    doubt_cause: DoubtCause | None = None
    wait: timedelta | None = None
    is_of_server: bool = False

    def __post_init__(self) -> None:
        if (self.result is Result.IN_DOUBT) != (self.doubt_cause is not None):
            raise ValueError("a reply in doubt has a cause, and no other has one")


class Outcome(NamedTuple):
    """The one reply to one message that was submitted."""

    message: OutgoingMessage
    reply: Reply


class Transport(Protocol):
    """A carrier of several messages at a time. As a context manager it closes its connections at
    the end.

    A worker's turn has these steps: `submit` as many messages as the `capacity`, `wait`, collect
    the `outcomes`, journal them together with the messages that are `ready`, and `start` these
    messages. A submitted message that was not started can be withdrawn at any time.
    """

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...

    def capacity(self) -> int:
        """Returns how many more messages could use a connection now."""

    def submit(self, message: OutgoingMessage) -> None:
        """Accepts one message. None of its content is sent before `start`."""

    def wait(self, seconds: float) -> None:
        """Reads and writes until something happened, for `seconds` at most.

        Raises ServerUnavailableError or SenderRefusedError when no connection is left and none can
        be opened. `outcomes` then still returns the known results.
        """

    def outcomes(self) -> list[Outcome]:
        """Returns the outcomes since the last call."""

    def ready(self) -> list[OutgoingMessage]:
        """Returns the messages that can go on the wire now."""

    def start(self, messages: Collection[OutgoingMessage]) -> None:
        """Puts the messages on the wire. The caller has journaled them."""

    def withdraw(self, delivery_ids: Collection[int]) -> None:
        """Removes messages that were not started. They have no outcome."""


def classify_reply(code: int, server_reply: str, *, step: str) -> Result:
    """Returns the result for a reply other than acceptance. It separates a recipient's fault from
    ours, by the codes of RFC 5321 and the enhanced codes of RFC 3463.

    `server_reply` begins with its code. `step` is the command that the reply answers: "sender",
    "recipient", "data" or "message". Words that name the sender or the content count more than the
    step: a relay that refuses us often does so at the recipient. Only words and codes that name the
    recipient end a delivery, and none that asks for a later attempt.
    """
    match code // 100:
        case 4 if code == CLOSING or step == "sender":
            return Result.NOT_SENT
        case 4:
            return Result.DEFERRED
        case 5 if code in NOT_AUTHENTICATED:
            return Result.REFUSED
        case 5 if asks_for_later(server_reply):
            return _judge_later(server_reply, step=step)
        case 5 if step in ("sender", "data"):
            return Result.REFUSED
        case 5:
            return _judge_words(server_reply, step=step)
        case _:
            return Result.NOT_SENT


def _judge_later(server_reply: str, *, step: str) -> Result:
    """Returns the result of a permanent refusal that asks for a later attempt."""
    if step == "sender":
        return Result.NOT_SENT
    return Result.DEFERRED if is_of_recipient_for_now(server_reply) else Result.POSTPONED


def _judge_words(server_reply: str, *, step: str) -> Result:
    """Returns the result that the words and codes of a permanent refusal name."""
    found = _ENHANCED.search(server_reply)
    status = found[0] if found else ""
    if step == "recipient" and not status and _OF_RELAY_TOO.search(server_reply):
        return Result.UNCLEAR
    cause = cause_of(server_reply)
    is_policy = status[2:4] == "7."
    if is_policy and not (cause is Cause.ADDRESS and status in _POLICY_OF_RECIPIENT):
        return Result.REFUSED
    if cause in _RECIPIENTS:
        return Result.BOUNCED
    is_unclear = step == "recipient" and cause not in _OURS
    return Result.UNCLEAR if is_unclear else Result.REFUSED


def redact_address(text: str, to: str) -> str:
    """Returns `text` as `clean_reply` does, without the address `to` and without its local part.
    The ledger stores no addresses, and servers often repeat them.
    """
    for part in filter(None, (to, to.partition("@")[0])):
        # Most texts do not contain it, and the pattern is slow to build.
        if part.lower() in text.lower():
            pattern = rf"(?<![\w.]){re.escape(part)}(?!\w|\.\w)"
            text = re.sub(pattern, "<…>", text, flags=re.IGNORECASE)
    return clean_reply(text)


def redact_number(text: str, to: str) -> str:
    """Returns `text` on one line without the number `to`, in any spelling of the gateway."""
    last = r"[\s().-]{0,3}".join(to[-8:])
    return clean_reply(re.sub(rf"[+(]?(?:\d[\s().-]{{0,3}}){{0,7}}{last}(?!\d)", "<…>", text))


def clean_reply(text: str) -> str:
    """Returns `text` as one line of printable characters, without our envelope senders and
    references. One that is longer than REPLY_CHARACTERS is cut, and ends in "…".

    A server's reply is untrusted input. PostgreSQL rejects a NUL in a text, and then the result
    could not be written.
    """
    text = hide_envelope_senders(text)
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(text.split())
    return line if len(line) <= REPLY_CHARACTERS else f"{line[: REPLY_CHARACTERS - 1]}…"
