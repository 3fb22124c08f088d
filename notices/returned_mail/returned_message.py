"""The parts of a returned mail that say what became of a message: fields, text, complaint.

Any person can write to a bounce address, so the input is hostile. Its size and its number of parts
are limited before it is parsed.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator
from contextlib import suppress
from email import policy
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from html import unescape

MOST_BYTES = 1_048_576
MOST_BOUNDARIES = 20  # occurrences of "boundary"; each nested multipart needs one
MOST_PARTS = 200
MOST_HEADER_LINES = 2_000
MOST_BLANK_LINES = 20_000  # each makes a message of its own inside a delivery status
MOST_FIELD_BYTES = 2_000  # of a field with parameters; the time to parse it grows with its square
MOST_TEXT = 64_000  # characters of text that are read
_LONG_FIELD = re.compile(
    rb"^content-(?:type|disposition)[ \t]*:(?:[^\n]|\n[ \t]){%d}" % MOST_FIELD_BYTES,
    re.IGNORECASE | re.MULTILINE,
)
_STATUS_TYPES = {"message/delivery-status", "message/global-delivery-status"}
_RECEIPT_TYPE = "message/disposition-notification"
_COPY_TYPES = {"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"}
# The line after which a server repeats the message that it returns.
_COPY = re.compile(
    r"^(?:[-=*_ >]{0,12}(?:this is a copy of (?:the|your) |below this line is a copy|unsent message"
    r"|original message|returned message|message header|the (?:body|header|text) of (?:the|your)"
    r"|(?:here|following) (?:is|are) (?:a copy of )?(?:the|your) (?:original|returned|message)"
    r"|included is a copy|copy of the (?:message|mail)|원본 ?메일|원문|반송된 메일|received: )"
    r"|return-path:|received: from )",
    re.IGNORECASE | re.MULTILINE,
)
_JAPANESE_SHIFT = b"\x1b$"  # begins Japanese characters in ISO-2022-JP (RFC 1468)
# The charsets of servers that name none, each with words of their replies.
_UNNAMED_CHARSETS = {
    "cp949": re.compile("습니다|메일|사용자|주소|수신|계정|없는|없음|발신|실패|오류|차단|거부"),
    "cp932": re.compile("ません|ました|です|ユーザ|アドレス|メール|サーバ|宛先|エラー"),
    "gb18030": re.compile("不存在|用户|邮件|邮箱|地址|帐号|账号|拒绝|无效|收件|发件"),
    "big5": re.compile("不存在|使用者|郵件|信箱|地址|帳號|拒絕|無效|收件|寄件"),
}
_UNSEEN = re.compile(r"<(style|script|title)\b[^<>]{0,500}>[^<]{0,20000}</\1>", re.IGNORECASE)
_TAGS = re.compile(r"<[^<>]{0,2000}>")
Fields = dict[str, str]  # field values by name, in lower case


class UnreadableMailError(Exception):
    """The mail is larger or more nested than a report, or cannot be parsed."""


class ReturnedMessage:
    """A parsed returned mail.

    `blocks` are the fields of its report. `blocks_of_copies` are those of a report that it has a
    copy of; [] if it reports itself.
    """

    def __init__(self, data: bytes) -> None:
        """Parses the mail. Raises UnreadableMailError."""
        if not is_bounded(data):
            raise UnreadableMailError
        try:
            self._message = BytesParser(policy=policy.compat32).parsebytes(data)
            self._parts = list(self._message.walk())
            self._own_parts = list(_parts_outside_copies(self._message))
            self.text = "\n".join(self._texts())[:MOST_TEXT]
            self.blocks = list(_blocks(self._own_parts))
            self.blocks_of_copies = [] if self.blocks else list(_blocks(self._copied_parts()))
            self.complaint = self._complaint()
        except (RecursionError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise UnreadableMailError from error

    def _copied_parts(self) -> list[Message]:
        own = set(map(id, self._own_parts))
        return [part for part in self._parts if id(part) not in own]

    def header(self, name: str) -> str:
        """Returns a header of the mail itself, decoded; "" if it has none."""
        wanted = name.lower()
        for each, value in self._message.raw_items():
            if each.lower() == wanted:
                return _decoded(str(value), self._charset())
        return ""

    def _charset(self) -> str:
        """Returns the first charset that a part names, which headers without one may be in."""
        return next(filter(None, (part.get_content_charset() for part in self._parts)), "utf-8")

    def inner_headers(self, name: str) -> list[str]:
        """Returns the values of a header in all parts, such as the copy of the message."""
        return [str(part[name]) for part in self._parts if part[name]]

    @property
    def is_read_receipt(self) -> bool:
        """Returns whether a part says what a reader did with the message (RFC 8098)."""
        return any(part.get_content_type() == _RECEIPT_TYPE for part in self._own_parts)

    @property
    def is_delivery_report(self) -> bool:
        """Returns whether the mail says that it is a delivery report, whatever it holds."""
        kind = str(self._message.get_param("report-type", ""))
        return self._message.get_content_type() == "multipart/report" and kind == "delivery-status"

    @property
    def is_calendar_answer(self) -> bool:
        """Returns whether a part is a calendar's, such as an accepted invitation."""
        return any(part.get_content_type() == "text/calendar" for part in self._own_parts)

    @property
    def notice(self) -> str:
        """The text without the copy of the message that the server returns."""
        found = _COPY.search(self.text, 1)
        return self.text[: found.start()] if found else self.text

    def _texts(self) -> Iterator[str]:
        """Yields the text of the parts before the first copy of a message."""
        for part in self._parts:
            kind = part.get_content_type()
            if kind in _COPY_TYPES or kind in _STATUS_TYPES:
                return
            is_broken = part.get_content_maintype() == "multipart" and not part.is_multipart()
            if is_broken or kind in ("text/plain", "text/html"):
                text = _text_of(part)
                yield _visible(text) if "html" in kind else text

    def _complaint(self) -> Fields:
        """Returns the fields of a complaint (RFC 5965); {} if the mail has none."""
        for part in self._own_parts:
            if part.get_content_type() == "message/feedback-report":
                return next(_groups(_text_of(part)), {}) | {"": "report"}
        return {}


def is_bounded(data: bytes) -> bool:
    """Returns whether a mail is small and flat enough to be parsed in little time."""
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return (
        len(data) <= MOST_BYTES
        and data.lower().count(b"boundary") <= MOST_BOUNDARIES
        and lines.count(b"\n--") <= MOST_PARTS
        and lines.partition(b"\n\n")[0].count(b"\n") <= MOST_HEADER_LINES
        and lines.count(b"\n\n") <= MOST_BLANK_LINES
        and not _LONG_FIELD.search(lines)
    )


def _parts_outside_copies(part: Message) -> Iterator[Message]:
    """Yields a part and the parts in it, without those of a message that it has a copy of."""
    yield part
    inner = part.get_payload()
    if part.get_content_type() not in _COPY_TYPES and isinstance(inner, list):
        for each in inner:
            if isinstance(each, Message):
                yield from _parts_outside_copies(each)


def _blocks(parts: list[Message]) -> Iterator[Fields]:
    """Yields the groups of fields that have a recipient or an action."""
    for part in parts:
        kind = part.get_content_type()
        is_text = kind == "text/plain" or not part.is_multipart()
        is_text_copy = is_text and "action:" in _text_of(part).lower()
        if kind in _STATUS_TYPES or is_text_copy:
            for block in _groups(_text_of(part)):
                if "action" in block or {"final-recipient", "status"} <= block.keys():
                    yield block


def _visible(html: str) -> str:
    """Returns the text of HTML that a reader sees."""
    return unescape(_TAGS.sub(" ", _UNSEEN.sub(" ", html)))


def _text_of(part: Message) -> str:
    """Returns the decoded text of a part, also of one that Python parses into messages."""
    payload = part.get_payload()
    if isinstance(payload, list):
        raw = b"\n".join(inner.as_bytes() for inner in payload if isinstance(inner, Message))
        encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
        if encoding == "base64":
            try:
                raw = b64decode(raw)
            except Base64Error:
                return ""
    else:
        decoded = part.get_payload(decode=True)
        raw = decoded if isinstance(decoded, bytes) else b""
    return decoded_octets(raw, str(part.get_content_charset() or "utf-8"))


def decoded_octets(raw: bytes, charset: str = "utf-8") -> str:
    """Returns the text of octets in `charset`, or in one that servers use without saying so.

    The same octets may be Korean and Chinese text. The first encoding counts that yields a word
    which replies of servers have.
    """
    if _JAPANESE_SHIFT in raw:
        charset = "iso2022_jp"
    for name in (charset, "utf-8"):
        with suppress(UnicodeDecodeError, LookupError):
            return raw.decode(name)
    texts: list[str] = []
    for name, words in _UNNAMED_CHARSETS.items():
        with suppress(UnicodeDecodeError):
            texts.append(raw.decode(name))
            if words.search(texts[-1]):
                return texts[-1]
    return texts[0] if texts else raw.decode("utf-8", "replace")


def _groups(text: str) -> Iterator[Fields]:
    """Yields the groups of fields between blank lines. The first of equal names counts."""
    unfolded = re.sub(r"\r?\n[ \t]+", " ", text.replace("\r\n", "\n").replace("\r", "\n"))
    for group in re.split(r"\n[ \t]*\n", unfolded):
        fields: Fields = {}
        for line in group.split("\n"):
            name, colon, value = line.partition(":")
            if colon and re.fullmatch(r"[!-9;-~]{1,60}", name.strip()):
                fields.setdefault(name.strip().lower(), value.strip())
        if fields:
            yield fields


def _decoded(raw: str, charset: str) -> str:
    """Returns a header's text; as it is if its encoded words are malformed."""
    octets = raw.encode("utf-8", "surrogateescape")
    text = decoded_octets(octets, charset) if not raw.isascii() or "\x1b" in raw else raw
    try:
        return str(make_header(decode_header(text)))
    except (ValueError, LookupError, TypeError, MessageError):
        return text
