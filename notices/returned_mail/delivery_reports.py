"""Reads what a returned mail says: a failure, a complaint, a delay, or an automatic answer.

Failures come as delivery reports (RFC 3464 and 6533) and in the older shapes of qmail, Exim,
sendmail, Exchange and providers, which are plain text. Complaints come as RFC 5965 and in Outlook's
own format. Only the server's reply is stored, without addresses.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import partial

from notices.message_codes import hide_envelope_senders
from notices.returned_mail.phrases import shape_pattern
from notices.returned_mail.reply_reading import (
    STATUS,
    STORED_CHARACTERS,
    Cause,
    cause_of,
    may_mean_sender,
)
from notices.returned_mail.returned_message import Fields, ReturnedMessage, UnreadableMailError

_ADDRESS = re.compile(r"<?[^\s<>@;]{1,64}@[^\s<>;]{1,255}>?")
_PERSONS_COMPLAINTS = {"abuse", "fraud", "opt-out", "opt-out-list", "miscategorized", "complaint"}
_REPLY_LINE = re.compile(
    r"(?:^|[\s:(\[<>\"'#])[45]\d\d[ \-#:]|(?<![\d.])[45]\.\d{1,3}\.\d{1,4}(?![\d.])"
)
# The command that a server refused, in a report for people. The recipient's needs no mention.
_COMMAND = re.compile(
    r"\bafter (?:pipelined )?(?:mail from|end of data)\b|does not like sender|^>>> (?:mail|data)\b",
    re.IGNORECASE,
)
_IN_REPLY = re.compile(
    r"\(in\s{1,9}reply\s{1,9}to\s{1,9}[\w\s]{1,40}command\)|^>>> DATA(?=\s{1,9}<<< 5)", re.MULTILINE
)
_LOOKED_UP = r"(\b(?:host named |failure: host |name=|domain=|name server: |550 |421 ))"
# The line before a server's words, of qmail: the address that failed, perhaps one it forwards to.
_HEADING = re.compile(r"^<([^\s<>@]{1,64}@[^\s<>]{1,255})>:[ \t\r]*$", re.MULTILINE)
# The line that begins what a report says of one of several recipients: the address, then a colon,
# the end of the line, or a time.
_RECIPIENT_LINE = re.compile(
    r"""^[ \t]{0,8}[<"']?([^\s<>@;:"',()]{1,64}@[\w.-]{1,255})[>"']?"""
    r"(?=:(?:\s|$)|[ \t]*\r?$| on )",
    re.MULTILINE,
)
_ANSWERED = re.compile(
    r"^(?:(?:re|aw|sv|fwd?|rv|tr|回[复覆復]|答复|답장)[:：] *|[\[【(（「<*]+ *)+", re.IGNORECASE
)
_PHRASES = {
    name: shape_pattern(name)
    for name in (
        *("automatic_subject", "automatic_text", "server", "failure_subject", "failed"),
        *("delayed", "warning", "ended", "boilerplate", "gave_up", "states_failure", "no_reply"),
        "report_of_sender",
    )
}
MOST_RECIPIENTS = 10  # whose failures are told apart; a message of the portal has one recipient
_OUTLOOK_COMPLAINT = ("X-HmXmrOriginalRecipient", "X-HmXmrOriginalRecipent")


class ReportKind(Enum):
    """The kind of a returned mail."""

    BOUNCE = auto()  # the message did not arrive and will not
    COMPLAINT = auto()  # the recipient marked the message as spam
    NOT_FINAL = auto()  # a delay, a relay, an automatic answer, a report about the sender
    UNREADABLE = auto()


@dataclass(frozen=True)
class DeliveryReport:
    """The content of a returned mail.

    `words` is the server's reply, or the kind of the complaint. `senders` are the envelope senders
    that a complaint names. `cause` and `recipients`, the addresses that failed, are those of a
    bounce; `named` are the addresses in its reply. With `is_forwarded`, the server names another
    original recipient than the one that failed. If the mail reports several failures, the fields
    are those of the first, and `of_recipients` has the address of each, and what reads its report.
    """

    kind: ReportKind
    words: str = ""
    senders: tuple[str, ...] = ()
    cause: Cause = Cause.UNCLEAR
    recipients: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    is_forwarded: bool = False
    of_recipients: tuple[tuple[str, Callable[[], "DeliveryReport"]], ...] = ()

    def about(self, address: str) -> "DeliveryReport":
        """Returns what the mail says of `address`; the report itself if it names no failure of it,
        or two.
        """
        own = [read for named, read in self.of_recipients if is_same_mailbox(address, named)]
        return own[0]() if len(own) == 1 else self


UNREADABLE = DeliveryReport(ReportKind.UNREADABLE)
NOT_FINAL = DeliveryReport(ReportKind.NOT_FINAL)


def read_report(data: bytes) -> DeliveryReport:
    """Parses a returned mail. Returns UNREADABLE for any input that is not a report."""
    try:
        mail = ReturnedMessage(data)
    except UnreadableMailError:
        return UNREADABLE
    if mail.complaint:
        return _complaint(mail)
    if blocks := _blocks(mail):
        return _of_blocks(mail, blocks)
    if mail.is_read_receipt and not _is_from_server(mail):
        return NOT_FINAL  # Dovecot sends its refusals as receipts, too
    if any(mail.inner_headers(name) for name in _OUTLOOK_COMPLAINT):
        return DeliveryReport(ReportKind.COMPLAINT, "abuse", tuple(_return_paths(mail)))
    if _is_automatic_answer(mail) or _is_about_sender(mail):
        return NOT_FINAL
    return _of_text(mail)


def redact_addresses(reply: str) -> str:
    """Returns a reply as one line, with everything that looks like an address replaced by <…>, and
    our envelope sender by <sender>.
    """
    return _without_addresses(reply)


def addresses_in(reply: str) -> tuple[str, ...]:
    """Returns the addresses in a reply, except our envelope senders."""
    found = _ADDRESS.findall(hide_envelope_senders(reply))
    return tuple(one.strip("<>()[]{}'").rstrip('",.:') for one in found)


# ---------------------------------------------------------------- delivery reports


def _blocks(mail: ReturnedMessage) -> list[Fields]:
    """Returns the fields of the report. A copy of a report counts if a server sent it, because
    some mail filters wrap reports. A reader may forward one that is about another message.
    """
    return mail.blocks or (mail.blocks_of_copies if _names_server(mail) else [])


def _of_blocks(mail: ReturnedMessage, blocks: list[Fields]) -> DeliveryReport:
    """Returns what the fields of a delivery report say; the first failure counts."""
    failed = [block for block in blocks if _has_failed(block)]
    if not failed and _PHRASES["gave_up"].search(mail.notice):
        failed = blocks  # OpenSMTPD 6.8 reports "delayed" also when it gives up
    if not failed:
        return NOT_FINAL
    has_arrived = any(_has_arrived(block) for block in blocks)
    first = _of_block(mail.notice, failed[0], has_arrived=has_arrived)
    if len(failed) == 1:
        return first
    sections = _sections(mail.notice)
    of_recipients = []
    for block in failed[:MOST_RECIPIENTS]:
        address = _value(block, "final-recipient")
        text = _section_about(sections, address) or mail.notice
        read = partial(_of_block, text, block, has_arrived=has_arrived)
        of_recipients.append((address, read))
    return replace(first, of_recipients=tuple(of_recipients))


def _of_block(notice: str, block: Fields, *, has_arrived: bool) -> DeliveryReport:
    """Returns what the fields of one failure say, with the text about it.

    With `has_arrived` another recipient of the report took the message.
    """
    cause, reply = _cause_and_reply(notice, block)
    if cause is Cause.ADDRESS and has_arrived:
        cause = Cause.UNCLEAR  # of an address that stands for several, one took the message
    final, original = (_value(block, f"{name}-recipient") for name in ("final", "original"))
    return DeliveryReport(
        ReportKind.BOUNCE,
        _without_addresses(reply, final, original),
        cause=cause,
        recipients=tuple(filter(None, (final,))),
        named=addresses_in(reply),
        is_forwarded=bool(final and original and not is_same_mailbox(final, original)),
    )


def _cause_and_reply(notice: str, block: Fields) -> tuple[Cause, str]:
    """Returns the cause of a failure and the server's reply, from the fields and the text."""
    diagnostic = _value(block, "diagnostic-code")
    status = STATUS.search(block.get("status", ""))
    reply = f"{status[0] if status else ''} {diagnostic}".strip()
    if block.get("action", "").lower().startswith("expired"):
        return Cause.EXPIRED, reply
    refused = _IN_REPLY.search(notice)  # Postfix and sendmail name it in the text only
    command = refused[0] if refused else ""
    cause = cause_of(f"{_clean(block.get('status', ''))} {diagnostic} {command}")
    said = _reply_lines(notice)
    if diagnostic.lower() == "550 host unknown":
        reply = f"{reply} {said}"  # sendmail names the host in the text only
    if cause not in (Cause.UNCLEAR, Cause.NETWORK):
        return cause, reply
    told, words = _cause_of_text(notice, f"{reply} {said}" if said else "")
    is_contradicted = told is Cause.ADDRESS and may_mean_sender(reply)
    cause = cause if told is Cause.UNCLEAR or is_contradicted else told
    return cause, reply if diagnostic else f"{reply} {said or words}".strip()


def _has_failed(block: Fields) -> bool:
    action = block.get("action", "").lower()
    if action:
        return action.startswith(("fail", "error", "expired"))
    return block.get("status", "").startswith("5")


def _has_arrived(block: Fields) -> bool:
    return block.get("action", "").lower().startswith(("delivered", "relayed", "expanded"))


def _value(block: Fields, name: str) -> str:
    """Returns a field without its type ("rfc822;", "smtp;")."""
    kind, semicolon, value = block.get(name, "").partition(";")
    return _clean(
        (value if semicolon and " " not in kind.strip() else f"{kind}{semicolon}{value}"),
        most=1_000,
    ).strip("<> ")


def is_same_mailbox(one: str, other: str) -> bool:
    """Returns whether the addresses have one local part. Servers rewrite domains of their own."""
    locals_ = [address.rpartition("@")[0].lower() or address.lower() for address in (one, other)]
    return locals_[0] == locals_[1]


# ---------------------------------------------------------------- plain text


def _of_text(mail: ReturnedMessage) -> DeliveryReport:
    """Returns what a report in plain text says; UNREADABLE if it is none."""
    has_subject = bool(_PHRASES["failure_subject"].search(mail.header("Subject")))
    if not (_is_from_server(mail) or has_subject):
        return NOT_FINAL if _is_automatic(mail) else UNREADABLE
    notice = mail.notice
    said = _reply_lines(notice)
    read = f"{mail.header('Subject')}\n{notice}"
    if _PHRASES["warning"].search(read) or (
        _PHRASES["delayed"].search(notice) and not _PHRASES["ended"].search(notice)
    ):
        return NOT_FINAL
    if not (said or has_subject or _PHRASES["failed"].search(read)):
        return NOT_FINAL if _is_automatic(mail) else UNREADABLE
    failed = mail.header("X-Failed-Recipients").split(",")
    recipients = [one.strip("<> \t\r\n") for one in failed if one.strip()]
    report = _of_failure(notice, recipients or _HEADING.findall(notice))
    sections = _sections(notice)
    if len(sections) < 2:
        return report
    of_recipients = ((address, partial(_of_failure, text, [address])) for address, text in sections)
    return replace(report, of_recipients=tuple(of_recipients))


def _of_failure(notice: str, recipients: list[str]) -> DeliveryReport:
    """Returns what a text says of the failure of `recipients`."""
    said = _reply_lines(notice)
    cause, words = _cause_of_text(notice, said)
    reply = said or _first_failure(notice) or words
    return DeliveryReport(
        ReportKind.BOUNCE,
        _without_addresses(reply, *recipients),
        cause=cause,
        recipients=tuple(recipients),
        named=addresses_in(reply),
    )


def _sections(notice: str) -> list[tuple[str, str]]:
    """Returns the addresses that begin a part of a text with a cause, each with its part after
    the text before the first one.

    What follows another address belongs to the part before it: it may be the server's contact.
    """
    lines = list(_RECIPIENT_LINE.finditer(notice))[:MOST_RECIPIENTS]
    ends = [*(line.start() for line in lines), len(notice)][1:]
    found = [
        (line[1], line.start())
        for line, end in zip(lines, ends, strict=False)
        if _states_cause(notice[line.end() : end])
    ]
    starts = [*(start for _address, start in found), len(notice)]
    return [
        (address, f"{notice[: starts[0]]}{notice[start:end]}")
        for (address, start), end in zip(found, starts[1:], strict=True)
    ]


def _states_cause(text: str) -> bool:
    return bool(_REPLY_LINE.search(text)) or cause_of(text) is not Cause.UNCLEAR


def _section_about(sections: list[tuple[str, str]], address: str) -> str:
    """Returns the part of a text about `address`; "" if there is none, or more than one."""
    own = [text for named, text in sections if is_same_mailbox(named, address)]
    return own[0] if len(own) == 1 else ""


def _is_from_server(mail: ReturnedMessage) -> bool:
    if _names_server(mail):
        return True
    takes_no_answer = _PHRASES["no_reply"].search(mail.header("From")) or _has_null_path(mail)
    return bool(takes_no_answer and _PHRASES["states_failure"].search(mail.notice))


def _names_server(mail: ReturnedMessage) -> bool:
    """Returns whether the head of a mail says that a server reports, whatever its text says."""
    is_server = _PHRASES["server"].search(mail.header("From"))
    return bool(is_server or mail.header("X-Failed-Recipients") or mail.is_delivery_report)


def _cause_of_text(notice: str, said: str) -> tuple[Cause, str]:
    """Returns the cause that a text names: by its codes, beside the address, or anywhere; and the
    words that do.

    The lines with codes belong to each reading, because they may name the sender.
    """
    for words in (
        said,
        f"{said} {_lines_of(notice, _ADDRESS, following=3)}",
        f"{said} {_PHRASES['boilerplate'].sub(' ', notice)}",
    ):
        if words and (cause := cause_of(words)) is not Cause.UNCLEAR:
            return cause, words
    return Cause.UNCLEAR, ""


def _reply_lines(text: str) -> str:
    """Returns the lines with a server's code, each with the next one, which often has the words,
    and with the one before, if it has the command that was refused.
    """
    return _lines_of(text, _REPLY_LINE, following=1)


def _lines_of(text: str, wanted: re.Pattern[str], *, following: int) -> str:
    """Returns the first lines that `wanted` finds, each with the lines that follow it."""
    lines = [_PHRASES["boilerplate"].sub(" ", line[:2_000]) for line in text.split("\n")]
    found = [number for number, line in enumerate(lines) if wanted.search(line)]
    chosen = {near for number in found[:10] for near in range(number, number + following + 1)}
    commands = {number - 1 for number in found[:10] if _COMMAND.search(lines[max(number - 1, 0)])}
    return " ".join(
        lines[number].strip() for number in sorted(chosen | commands) if number < len(lines)
    )


def _first_failure(text: str) -> str:
    """Returns what stands around the first word of a failure, with "…" where it is cut."""
    if (found := _PHRASES["failed"].search(text)) is None:
        return ""
    start, end = max(0, found.start() - 80), found.start() + 400
    if start and (space := re.search(r"\s", text[start : found.start()])):
        start += space.start()  # half an address is another one
    before, after = "…" if text[:start].strip() else "", "…" if text[end:].strip() else ""
    return f"{before}{text[start:end].strip()}{after}"


def _is_automatic_answer(mail: ReturnedMessage) -> bool:
    """Returns whether a program of the reader has answered: an absence, a challenge."""
    if _names_server(mail):
        return False
    subject = _ANSWERED.sub("", mail.header("Subject"))
    if _PHRASES["automatic_subject"].match(subject):
        return True
    is_answer = _is_declared_answer(mail) or _PHRASES["automatic_text"].search(mail.notice[:4_000])
    return bool(is_answer) and not _REPLY_LINE.search(mail.notice)


def _is_declared_answer(mail: ReturnedMessage) -> bool:
    """Returns whether the mail says that it answers by itself (RFC 3834). Servers say so too."""
    return (
        _declared(mail) == "auto-replied"
        or mail.header("Precedence").strip().lower() == "auto_reply"
        or any(mail.header(name) for name in ("X-Autoreply", "X-Autorespond"))
    )


def _declared(mail: ReturnedMessage) -> str:
    """Returns the word of Auto-Submitted; "" without the header."""
    return mail.header("Auto-Submitted").lower().partition(";")[0].strip()


def _is_automatic(mail: ReturnedMessage) -> bool:
    """Returns whether a program sent the mail: it says so, or takes no answer."""
    return (
        _declared(mail) not in ("", "no")
        or bool(mail.header("X-Auto-Response-Suppress"))
        or _has_null_path(mail)
    )


def _has_null_path(mail: ReturnedMessage) -> bool:
    return mail.header("Return-Path").strip() == "<>"


def _is_about_sender(mail: ReturnedMessage) -> bool:
    """Returns whether the mail is a report about us (DMARC, TLS), or a calendar's answer."""
    is_report = _PHRASES["report_of_sender"].search(mail.header("Subject"))
    return bool(is_report or mail.is_calendar_answer)


# ---------------------------------------------------------------- complaints


def _complaint(mail: ReturnedMessage) -> DeliveryReport:
    """Returns the complaint of a person. Reports about the sender (DMARC, virus) are none."""
    kind = mail.complaint.get("feedback-type", "").lower() or "abuse"
    if kind not in _PERSONS_COMPLAINTS:
        return NOT_FINAL
    senders = [mail.complaint.get("original-mail-from", ""), *_return_paths(mail)]
    named = tuple(sender.strip("<> ") for sender in senders if sender)
    return DeliveryReport(ReportKind.COMPLAINT, _clean(_ADDRESS.sub("<…>", kind)), named)


def _return_paths(mail: ReturnedMessage) -> list[str]:
    return [path.strip("<> ") for path in mail.inner_headers("Return-Path")]


# ---------------------------------------------------------------- words that are stored


def _without_addresses(reply: str, *recipients: str) -> str:
    """Returns a reply without addresses and without the local parts of the recipients.

    Servers often repeat the recipient, and the ledger holds no address. Where a server says what it
    looked up, <…> also replaces the domain, so that it is told from a host of ours.
    """
    addresses = (*addresses_in(reply), *(one.strip("<> ") for one in recipients))
    reply = _ADDRESS.sub("<…>", hide_envelope_senders(reply))
    for domain in {address.rpartition("@")[2] for address in addresses if "@" in address}:
        looked_up = rf"{_LOOKED_UP}{re.escape(domain)}(?:\.(?=:))?(?!\.?[\w-])"
        reply = re.sub(looked_up, r"\1<…>", reply, flags=re.IGNORECASE)
    for recipient in recipients:
        local = recipient.strip("<> ").partition("@")[0]
        if local:
            alone = rf"(?<![\w.]){re.escape(local)}(?!\w|\.\w)"
            reply = re.sub(alone, "<…>", reply, flags=re.IGNORECASE)
    return _clean(reply)


def _clean(text: str, *, most: int = STORED_CHARACTERS) -> str:
    """Returns a text as one line of printable characters, with "…" at its end if it is cut."""
    printable = "".join(sign if sign.isprintable() else " " for sign in text[: 2 * most])
    line = " ".join(printable.split())
    is_cut = len(line) > most or len(text) > 2 * most
    return f"{line[: most - 1]}…" if is_cut else line
