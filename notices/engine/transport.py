"""What the ledger needs of whatever carries messages, and how a server's words are read.

The ledger has to know when a server took over a message. With SMTP that is the reply to the final
dot and nothing before, with a provider's API the reply to the request. So each message is announced
to the ledger before its first octet goes (`ready`, `begin`), and has exactly one honest result.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol, Self

from notices.message_filling import OutgoingMessage
from notices.models import DoubtCause

REPLY_CHARACTERS = 500
CLOSING = 421
NOT_AUTHENTICATED = (530, 534, 535, 538)
_ENHANCED = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")


class ServerUnavailableError(Exception):
    """No connection, or the server asks to come back later. Nothing was sent."""


class SenderRefusedError(Exception):
    """The server will not serve us at all, whoever the recipient: somebody has to look."""


class Result(Enum):
    """What became of one message."""

    ACCEPTED = auto()
    DEFERRED = auto()  # this recipient, for now
    BOUNCED = auto()  # this recipient, for good
    UNREACHABLE = auto()  # this recipient cannot be written to over this server
    REFUSED = auto()  # the sender, the message or a policy: not the recipient's fault
    NOT_SENT = auto()  # the connection ended before the server could have taken it
    IN_DOUBT = auto()  # the connection ended when the server might have taken it


@dataclass(frozen=True)
class Reply:
    """A result, and the server's own words without the recipient's address.

    `doubt_cause` goes with Result.IN_DOUBT and with no other; anything else raises ValueError.
    """

    result: Result
    words: str
    doubt_cause: DoubtCause | None = None

    def __post_init__(self) -> None:
        if (self.result is Result.IN_DOUBT) != (self.doubt_cause is not None):
            raise ValueError("a reply in doubt has a cause, and no other has one")


@dataclass(frozen=True)
class Outcome:
    """The one reply to one message that was handed over."""

    message: OutgoingMessage
    reply: Reply


class Transport(Protocol):
    """Carries several messages at a time. A context manager: leaving it ends its connections.

    A worker's turn is: `hand_over` as many messages as there is `room` for, `wait`, collect the
    `outcomes`, write them and the messages that are `ready` to the ledger, `begin` those. What was
    handed over and has not begun can be taken back at any time.
    """

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...

    def room(self) -> int:
        """How many more messages could make use of a connection now."""

    def hand_over(self, message: OutgoingMessage) -> None:
        """Gives one message; nothing of its content goes before `begin`."""

    def wait(self, seconds: float) -> None:
        """Works until something happened, for `seconds` at most.

        Raises ServerAwayError and ServerRefusesUsError when no connection is left and none can be
        made; `outcomes` then still holds what is known of the messages.
        """

    def outcomes(self) -> list[Outcome]:
        """What ended since the last call."""

    def ready(self) -> list[OutgoingMessage]:
        """The messages whose content could go on the wire now."""

    def begin(self, messages: Collection[OutgoingMessage]) -> None:
        """Puts these on the wire; the ledger knows."""

    def withdraw(self, delivery_ids: Collection[int]) -> None:
        """Takes back messages that have not begun; there is no outcome of them."""


def classify_reply(code: int, words: str, *, step: str) -> Result:
    """Whose fault a refusal is, by RFC 5321's codes and RFC 3463's enhanced ones."""
    found = _ENHANCED.search(words)
    subject = found[0].split(".")[1] if found else ""
    match code // 100:
        case 4 if code == CLOSING or step == "sender":
            return Result.NOT_SENT
        case 4:
            return Result.DEFERRED
        case 5 if subject == "7" or code in NOT_AUTHENTICATED:
            return Result.REFUSED
        case 5 if step == "recipient" or (step == "message" and subject in ("1", "2")):
            return Result.BOUNCED
        case 5:
            return Result.REFUSED
        case _:
            return Result.NOT_SENT


def redact_address(text: str, to: str) -> str:
    """`text` without the address: the ledger holds none, and servers like to repeat it."""
    for part in filter(None, (to, to.partition("@")[0])):
        if part.lower() in text.lower():  # mostly not, and the pattern is slow to build
            alone = rf"(?<![\w.]){re.escape(part)}(?![\w.])"
            text = re.sub(alone, "<…>", text, flags=re.IGNORECASE)
    return clean(text)


def redact_number(text: str, to: str) -> str:
    """`text` without the telephone number, however the gateway writes it."""
    last = r"[\s().-]{0,3}".join(to[-8:])
    return clean(re.sub(rf"[+(]?(?:\d[\s().-]{{0,3}}){{0,7}}{last}(?!\d)", "<…>", text))


def clean(text: str) -> str:
    """One line of signs that a database takes and a person can see, of a length the ledger takes.

    A server's words are a stranger's: a NUL among them must not keep a result from being written.
    """
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() else " " for sign in text)
    return " ".join(text.split())[:REPLY_CHARACTERS]
