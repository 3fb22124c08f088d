"""Reads a mail from its source: an .eml file, or what a mail program shows as the original.

A source has the mail's head with the fields of the servers on its way, and its parts in base64 or
quoted-printable. A reader sees the subject, the names and the decoded parts, so these are compared.
"""

import re
from collections.abc import Iterator
from email import message_from_string
from email.header import decode_header, make_header
from email.message import Message
from html import unescape

from notices.returned_mail.returned_message import is_bounded

MOST_CHARACTERS = 200_000
_MOST_DECODED = 2_000  # characters of a field
_FIELD = re.compile(r"(?P<name>[!-9;-~]{1,60}):(?:[ \t].*)?")
_OF_SOURCE = {"mime-version", "content-type", "received"}  # one of them, beside From
_SHOWN = ("From", "Sender", "Reply-To", "To", "Cc", "Date", "Subject")
# The fields that servers and mail programs write for one another.
_TECHNICAL = re.compile(
    r"received|return-path|delivered-to|envelope-to|message-id|mime-version|content-.*|x-.*|arc-.*"
    r"|dkim-.*|domainkey-.*|authentication-results|received-spf|auto-submitted|feedback-id"
    r"|list-unsubscribe-post|references|in-reply-to|thread-.*|precedence|importance|spf|dkim|dmarc",
    re.IGNORECASE,
)
# What Gmail's page of the original says above it.
_CHECKED = re.compile(
    r"^(?:SPF|DKIM|DMARC):?[ \t]{1,9}'?(?:PASS|FAIL|SOFTFAIL|NEUTRAL|NONE)\b[^/@\n]{0,100}$",
    re.IGNORECASE | re.MULTILINE,
)
_UNSEEN = re.compile(r"<(style|script)\b[^<>]{0,500}>[^<]{0,50000}</\1>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]{0,4000}>")
_TARGET = re.compile(
    r"\b(?:href|src|action|background)\s{0,3}=\s{0,3}[\"']?((?:[a-z][a-z0-9+.-]{1,20}:)?//[^\s\"'<>]{1,2000}"
    r"|mailto:[^\s\"'<>]{1,500})",
    re.IGNORECASE,
)


def shown_text(text: str) -> str:
    """Returns what a reader sees of the mail whose source is in `text`; `text` without a source.

    What stands before the source stays. A text that is more nested than a mail is no source.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    start = _start_of_source(lines)
    if start is None or not is_bounded(text.encode("utf-8", "replace")):
        return text
    before = "\n".join(lines[:start])
    try:
        mail = message_from_string("\n".join(lines[start:]))
        shown = "\n".join(_shown(mail))
        identifier = str(mail.get("Message-ID", "")).strip()
    except (RecursionError, ValueError, LookupError, TypeError):
        return text
    before = before.replace(identifier, " ") if identifier else before
    return f"{_CHECKED.sub(' ', before)}\n{shown}".strip()


def _start_of_source(lines: list[str]) -> int | None:
    """Returns the number of the first line of a head with the fields of a source; None without."""
    start, names = 0, set[str]()
    for number, line in enumerate(lines):
        if match := _FIELD.fullmatch(line):
            start = start if names else number
            names.add(match["name"].lower())
        elif not (names and line[:1] in (" ", "\t") and line.strip()):
            if not line.strip() and "from" in names and names & _OF_SOURCE:
                return start
            names = set()
    return None


def _shown(mail: Message) -> Iterator[str]:
    """Yields the head, the parts and the other fields of a mail."""
    shown = {name.lower() for name in _SHOWN}
    yield from (f"{name}: {_decoded(value)}" for name in _SHOWN for value in mail.get_all(name, []))
    yield ""
    yield from _parts(mail)
    for name, value in mail.items():
        if name.lower() not in shown and not _TECHNICAL.fullmatch(name):
            yield f"{name}: {_decoded(value)}"


def _parts(part: Message) -> Iterator[str]:
    """Yields the text of a part and of the parts in it."""
    inner = part.get_payload()
    if isinstance(inner, list):
        yield part.preamble or ""
        for each in inner:
            if isinstance(each, Message):
                is_mail = part.get_content_maintype() == "message"
                yield from _shown(each) if is_mail else _parts(each)
        yield part.epilogue or ""
    elif part.get_content_maintype() == "text":
        text = _text_of(part)
        yield _seen_of_html(text) if part.get_content_subtype() == "html" else text


def _text_of(part: Message) -> str:
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if encoding not in ("base64", "quoted-printable"):
        return str(part.get_payload())
    octets = part.get_payload(decode=True)
    charset = str(part.get_content_charset() or "utf-8")
    return octets.decode(charset, "replace") if isinstance(octets, bytes) else ""


def _seen_of_html(html: str) -> str:
    """Returns the text of HTML and the targets of its links, pictures and forms."""
    targets = "\n".join(unescape(target) for target in _TARGET.findall(html))
    return f"{unescape(_TAG.sub(' ', _UNSEEN.sub(' ', html)))}\n{targets}"


def _decoded(value: object) -> str:
    """Returns a field's text on one line; as it is if its encoded words are malformed.

    The time to decode grows with the square of the length, so a long field stays as it is.
    """
    unfolded = " ".join(str(value).split())
    if len(unfolded) > _MOST_DECODED:
        return unfolded
    try:
        return str(make_header(decode_header(unfolded)))
    except (ValueError, LookupError):
        return unfolded
