"""Reads what mail servers send back: delivery reports (RFC 3464) and complaints (RFC 5965).

Anybody can write to a bounce address, so what is read here is hostile: its size and the number of
its parts are bounded before the parser sees it, and nothing of it is kept but a few words.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import Message
from email.parser import BytesParser
from enum import Enum, auto

MOST_BYTES = 1_048_576
MOST_BOUNDARIES = 20  # "boundary=" anywhere: each nested multipart needs one
MOST_PARTS = 200
MOST_HEADER_LINES = 2_000
WORDS = 500
_ADDRESS = re.compile(r"<?[^\s<>@;]{1,64}@[^\s<>;]{1,255}>?")
_STATUS = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")


class ReportKind(Enum):
    """What a returned mail is."""

    BOUNCE = auto()  # the message did not arrive and will not
    COMPLAINT = auto()  # its reader called it spam
    NOT_FINAL = auto()  # a delay, a relay, an automatic answer
    UNREADABLE = auto()


@dataclass(frozen=True)
class DeliveryReport:
    """What a mail says of one delivery; `senders` are envelope senders it names."""

    kind: ReportKind
    words: str = ""
    senders: tuple[str, ...] = ()


UNREADABLE = DeliveryReport(ReportKind.UNREADABLE)


def read_report(data: bytes) -> DeliveryReport:
    """What a mail reports; never raises, whatever it holds."""
    if not _is_bounded(data):
        return UNREADABLE
    try:
        message = BytesParser(policy=policy.compat32).parsebytes(data)
        return _read(message)
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError):
        return UNREADABLE


def is_bad_address(words: str) -> bool:
    """Whether a server's words say that the address itself is bad (RFC 3463, X.1.x)."""
    found = _STATUS.search(words)
    return found is not None and found[0].startswith("5.1.")


def _is_bounded(data: bytes) -> bool:
    lines = data.count(b"\n--")
    return (
        len(data) <= MOST_BYTES
        and data.lower().count(b"boundary") <= MOST_BOUNDARIES
        and lines <= MOST_PARTS
        and _header_lines(data) <= MOST_HEADER_LINES
    )


def _header_lines(data: bytes) -> int:
    head = re.split(rb"\r?\n\r?\n", data, maxsplit=1)[0]
    return head.count(b"\n")


def _read(message: Message) -> DeliveryReport:
    if message.get_content_type() != "multipart/report":
        is_automatic = str(message.get("Auto-Submitted", "no")).lower() != "no"
        return DeliveryReport(ReportKind.NOT_FINAL) if is_automatic else UNREADABLE
    for part in message.walk():
        match part.get_content_type():
            case "message/delivery-status":
                return _delivery_status(part)
            case "message/feedback-report":
                return _complaint(message, part)
    return UNREADABLE


def _delivery_status(part: Message) -> DeliveryReport:
    blocks = [block for block in _blocks(part) if block.get("Action")]
    if not blocks:
        return UNREADABLE
    failed = [block for block in blocks if _text(block, "Action").lower() == "failed"]
    if not failed:
        return DeliveryReport(ReportKind.NOT_FINAL)
    block = failed[0]
    status = _STATUS.search(_text(block, "Status"))
    diagnostic = _text(block, "Diagnostic-Code").partition(";")[2]
    words = f"{status[0] if status else ''} {diagnostic}"
    return DeliveryReport(ReportKind.BOUNCE, _without_addresses(words, block))


def _blocks(part: Message) -> Iterator[Message]:
    """The groups of fields of a delivery status, which Python parses into messages."""
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (block for block in payload if isinstance(block, Message))


def _complaint(message: Message, part: Message) -> DeliveryReport:
    block = next(_blocks(part), part)
    if isinstance(part.get_payload(), str):
        text = str(part.get_payload()).encode("ascii", "replace")
        block = BytesParser(policy=policy.compat32).parsebytes(text)
    kind = _text(block, "Feedback-Type").lower() or "abuse"
    senders = [_text(block, "Original-Mail-From")]
    senders += [_text(inner, "Return-Path") for inner in message.walk()]
    if kind == "not-spam":
        return DeliveryReport(ReportKind.NOT_FINAL)
    named = tuple(sender.strip("<> ") for sender in senders if sender)
    return DeliveryReport(ReportKind.COMPLAINT, _clean(_ADDRESS.sub("<…>", kind)), named)


def redact_addresses(words: str) -> str:
    """One line without whatever looks like an address."""
    return _clean(_ADDRESS.sub("<…>", words))


def _without_addresses(words: str, block: Message) -> str:
    """`words` without the recipient, whom servers like to repeat; the ledger holds no address."""
    words = _ADDRESS.sub("<…>", words)
    for name in ("Final-Recipient", "Original-Recipient"):
        local = _text(block, name).partition(";")[2].strip().partition("@")[0]
        if local:
            alone = rf"(?<![\w.]){re.escape(local)}(?![\w.])"
            words = re.sub(alone, "<…>", words, flags=re.IGNORECASE)
    return _clean(words)


def _text(block: Message, name: str) -> str:
    return _clean(str(block.get(name, "")), most=2 * WORDS)


def _clean(text: str, *, most: int = WORDS) -> str:
    printable = "".join(sign if sign.isprintable() else " " for sign in text[: 2 * most])
    return " ".join(printable.split())[:most]
