"""Parses returned mail: delivery reports (RFC 3464) and complaints (RFC 5965).

Any person can write to a bounce address, so the input is hostile. Its size and its number of parts
are limited before it is parsed, and only the server's reply is stored, without addresses.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import Message
from email.parser import BytesParser
from enum import Enum, auto

MOST_BYTES = 1_048_576
MOST_BOUNDARIES = 20  # occurrences of "boundary"; each nested multipart needs one
MOST_PARTS = 200
MOST_HEADER_LINES = 2_000
MOST_BLANK_LINES = 20_000  # each makes a message of its own inside a delivery status
MOST_TYPE_BYTES = 2_000  # of a Content-Type; the time to parse one grows with its square
MOST_REPLY_CHARACTERS = 500
_LONG_TYPE = re.compile(
    rb"^content-type[ \t]*:(?:[^\n]|\n[ \t]){%d}" % MOST_TYPE_BYTES, re.IGNORECASE | re.MULTILINE
)
_ADDRESS = re.compile(r"<?[^\s<>@;]{1,64}@[^\s<>;]{1,255}>?")
_STATUS = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")


class ReportKind(Enum):
    """The kind of a returned mail."""

    BOUNCE = auto()  # the message did not arrive and will not
    COMPLAINT = auto()  # the recipient marked the message as spam
    NOT_FINAL = auto()  # a delay, a relay, an automatic answer
    UNREADABLE = auto()


@dataclass(frozen=True)
class DeliveryReport:
    """The content of a returned mail.

    `words` is the server's reply, or the kind of the complaint. `senders` are the envelope senders
    that a complaint names.
    """

    kind: ReportKind
    words: str = ""
    senders: tuple[str, ...] = ()


UNREADABLE = DeliveryReport(ReportKind.UNREADABLE)


def read_report(data: bytes) -> DeliveryReport:
    """Parses a returned mail. Returns UNREADABLE for any input that is not a report."""
    if not _is_bounded(data):
        return UNREADABLE
    try:
        message = BytesParser(policy=policy.compat32).parsebytes(data)
        return _read(message)
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError):
        return UNREADABLE


def is_bad_address(reply: str) -> bool:
    """Returns whether a server's reply means that the address itself is bad (RFC 3463, 5.1.x)."""
    found = _STATUS.search(reply)
    return found is not None and found[0].startswith("5.1.")


def _is_bounded(data: bytes) -> bool:
    parts = data.count(b"\n--")
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return (
        len(data) <= MOST_BYTES
        and data.lower().count(b"boundary") <= MOST_BOUNDARIES
        and parts <= MOST_PARTS
        and _header_lines(data) <= MOST_HEADER_LINES
        and lines.count(b"\n\n") <= MOST_BLANK_LINES
        and not _LONG_TYPE.search(lines)
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
    failed = [block for block in blocks if _field(block, "Action").lower() == "failed"]
    if not failed:
        return DeliveryReport(ReportKind.NOT_FINAL)
    block = failed[0]
    status = _STATUS.search(_field(block, "Status"))
    diagnostic = _field(block, "Diagnostic-Code").partition(";")[2]
    reply = f"{status[0] if status else ''} {diagnostic}"
    return DeliveryReport(ReportKind.BOUNCE, _without_addresses(reply, block))


def _blocks(part: Message) -> Iterator[Message]:
    """Yields the groups of fields of a delivery status. Python parses each into a Message."""
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (block for block in payload if isinstance(block, Message))


def _complaint(message: Message, part: Message) -> DeliveryReport:
    block = next(_blocks(part), part)
    if isinstance(part.get_payload(), str):
        text = str(part.get_payload()).encode("ascii", "replace")
        block = BytesParser(policy=policy.compat32).parsebytes(text)
    kind = _field(block, "Feedback-Type").lower() or "abuse"
    senders = [_field(block, "Original-Mail-From")]
    senders += [_field(inner, "Return-Path") for inner in message.walk()]
    if kind == "not-spam":
        return DeliveryReport(ReportKind.NOT_FINAL)
    named = tuple(sender.strip("<> ") for sender in senders if sender)
    return DeliveryReport(ReportKind.COMPLAINT, _clean(_ADDRESS.sub("<…>", kind)), named)


def redact_addresses(reply: str) -> str:
    """Returns a reply as one line, with everything that looks like an address replaced by <…>."""
    return _clean(_ADDRESS.sub("<…>", reply))


def _without_addresses(reply: str, block: Message) -> str:
    """Returns a reply without addresses and without the local part of the recipient.

    Servers often repeat the recipient, and the ledger holds no address.
    """
    reply = _ADDRESS.sub("<…>", reply)
    for name in ("Final-Recipient", "Original-Recipient"):
        local = _field(block, name).partition(";")[2].strip().partition("@")[0]
        if local:
            alone = rf"(?<![\w.]){re.escape(local)}(?![\w.])"
            reply = re.sub(alone, "<…>", reply, flags=re.IGNORECASE)
    return _clean(reply)


def _field(block: Message, name: str) -> str:
    return _clean(str(block.get(name, "")), most=2 * MOST_REPLY_CHARACTERS)


def _clean(text: str, *, most: int = MOST_REPLY_CHARACTERS) -> str:
    printable = "".join(sign if sign.isprintable() else " " for sign in text[: 2 * most])
    return " ".join(printable.split())[:most]
