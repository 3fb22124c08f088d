"""Reads a mail from its source: an .eml file, or what a mail program shows as the original.

A source has the mail's head with the fields of the servers on its way, and its parts in base64 or
quoted-printable. A reader sees the subject, the names and the decoded parts, so these are compared.
What is left out, and what cannot be read, is counted, so that no "sent" rests on it.
"""

import re
from base64 import b64decode
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email import message_from_string
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.policy import Compat32, compat32
from email.utils import parseaddr
from quopri import decodestring

from notices.returned_mail.returned_message import is_bounded
from scams import reader_heads
from scams.address_patterns import DOMAIN, EMAIL
from scams.encoded_texts import decoded
from scams.mail_html import seen_of_html

MOST_CHARACTERS = 200_000
MOST_FILE_BYTES = 1_048_576
_MOST_DECODED = 2_000  # characters of a field
_MOST_BESIDE = 20_000  # characters of fields outside the lists
_FIELD = re.compile(r"(?P<name>[!-9;-~]{1,60}):(?:[ \t].*)?")
_OF_SOURCE = {"mime-version", "content-type", "received"}  # one of them, beside From and Date
_OF_PART = {"content-type", "content-transfer-encoding"}  # a part that was pasted without its mail
_BOUNDARY = re.compile(r"--(?P<boundary>[\w'()+,./:=?-]{1,70})")
_SHOWN = (
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Date",
    "Subject",
    "Comments",
    "List-Unsubscribe",
)
# The fields that servers and mail programs write for one another, with addresses or identifiers.
_ADDRESS_NAMES = """
received return-path delivered-to envelope-to message-id references in-reply-to resent-to
resent-from resent-sender resent-message-id apparently-to errors-to original-recipient
original-message-id content-id
authentication-results authentication-results-original received-spf dkim-signature
domainkey-signature arc-seal arc-message-signature arc-authentication-results thread-index
cmm-authentication-results require-recipient-valid-since x-received x-gm-message-state
x-google-smtp-source x-google-dkim-signature x-original-to x-original-from x-forwarded-to
x-forwarded-for x-forwarded-encrypted x-envelope-to x-envelope-from x-rcpt-to x-return-path x-sender
x-apparently-to x-ms-exchange-crosstenant-fromentityheader x-microsoft-antispam-message-info
x-naver-esv x-session-id x-hm-message-state x-mail-from x-ymailisg x-yahoo-newman-id
x-cnfs-analysis x-cmae-envelope x-spam-status x-spamd-result
"""
_WITH_ADDRESSES = frozenset(_ADDRESS_NAMES.split())
# Those without. An address in one of them is for the reader.
_PLAIN_NAMES = """
mime-version resent-date auto-submitted precedence importance priority
sensitivity content-type content-transfer-encoding content-disposition content-language
content-length content-description dkim-filter feedback-id list-id list-unsubscribe-post
thread-topic bimi-location bimi-selector cmm-sender-ip cmm-x-message-status x-gm-features
x-originating-ip x-mailer x-priority x-msmail-priority x-mimeole x-originalarrivaltime x-sender-ip
x-auto-response-suppress x-spam-score x-spam-level x-spam-flag x-spam-checker-version
x-virus-scanned x-ms-has-attach x-ms-tnef-correlator x-ms-publictraffictype
x-ms-exchange-organization-scl x-ms-exchange-organization-authas
x-ms-exchange-organization-authsource x-ms-exchange-organization-network-message-id
x-ms-exchange-crosstenant-id x-ms-exchange-crosstenant-originalarrivaltime
x-ms-exchange-transport-crosstenantheadersstamped x-ms-exchange-antispam-messagedata-0
x-ms-office365-filtering-correlation-id x-ms-traffictypediagnostic x-microsoft-antispam
x-forefront-antispam-report x-eopattributedmessage x-rcpt-domain x-daum-fromip x-rspamd-server
"""
_PLAIN = frozenset(_PLAIN_NAMES.split())
# What a stranger would write into such a field for a reader: a link or a telephone number.
_LINK_OR_NUMBER = re.compile(
    r"://|\bwww\.|\b(?:https?|tel|sms|mailto):"
    r"|(?<![\w.=+-])(?:\+\d{1,3}[-. ]?|\(?0)\d{1,3}[-. )]{1,2}\d{3,4}[-. ]\d{4}(?!\w)"
    r"|(?<![\w.=+-])0\d{8,10}(?!\w)|(?<![\w.=+-])1[568]\d\d-\d{4}(?!\w)",
    re.IGNORECASE,
)
_LIST_OF_FIELDS = re.compile(r"\bh=[\w:\s-]{1,2000}(?:;|$)")  # of a signature: may name Reply-To
_HOST = re.compile(rf"(?<![\w-]){DOMAIN}")
_FEEDBACK = re.compile(
    r"[\w.-]{1,100}(?::[\w.-]{1,100}){3}", re.ASCII
)  # four fields without blanks: no words
# What Gmail's page of the original says above it.
_CHECKED = re.compile(
    r"(?:SPF|DKIM|DMARC):?[ \t]{1,9}'?(?:PASS|FAIL|SOFTFAIL|NEUTRAL|NONE)\b.*", re.IGNORECASE
)
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_IP = re.compile(rf"(?<=\bIP )(?<![\w.]){_OCTET}(?:\.{_OCTET}){{3}}(?![\w.])")
_IDENTIFIER = re.compile(
    r"(?:message[ -]id|메시지 ?ID|メッセージ ?ID|(?:邮件|消息|郵件|訊息) ?ID"
    r"|Nachrichten-ID|ID du message|ID de(?:l)? mensaje|Mã (?:nhận dạng )?thư|ID thư)[ \t:]{1,9}",
    re.IGNORECASE,
)
# The shifts of ISO 2022: a mail program may read what follows otherwise.
_SHIFT = re.compile(r"[\x0e\x0f\x1b]")
# Others are unreadable: some take quadratic time, and some hide what a mail program shows.
_CHARSET_NAMES = """
utf-8 utf8 us-ascii ascii euc-kr ks_c_5601-1987 ksc5601 cp949 uhc iso-2022-kr iso-2022-jp euc-jp
shift_jis cp932 gb2312 gbk gb18030 big5 koi8-r iso-8859-1 iso-8859-2 iso-8859-9 iso-8859-15
windows-1250 windows-1251 windows-1252 windows-1254 windows-1258
"""
_CHARSETS = frozenset(_CHARSET_NAMES.split())
_AS_OCTETS = {"", "7bit", "8bit", "binary"}  # the encodings that change no octet


@dataclass(frozen=True)
class PastedMail:
    """What a reader sees of a pasted text."""

    text: str
    beside: str = ""  # fields outside the lists: a server's, or a stranger's
    between: str = ""  # what stands between the escapes of an encoded text
    is_whole: bool = True  # whether all of its parts and words could be read


def read(text: str) -> PastedMail:
    """Returns what a reader sees of the mail whose source is in `text`; without a source the text,
    decoded if it was pasted in an encoded form.

    What stands before the source stays. A text that is more nested than a mail is no source.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    start, is_mail = _start_of_source(lines)
    if start is None or not is_bounded(text.encode("utf-8", "replace")):
        plain, between = decoded(text[:MOST_CHARACTERS])
        return PastedMail(plain, between=between, is_whole=len(between) <= _MOST_BESIDE)
    mail = _read_from(lines[:start], lines[start:])
    return mail if is_mail else _beside_its_source(mail, "\n".join(lines))


def _beside_its_source(mail: PastedMail, source: str) -> PastedMail:
    """Returns the mail of a part that was pasted without its mail, beside what a reader sees if
    that is the text of a message.
    """
    plain, between = decoded(source[:MOST_CHARACTERS])
    beside = f"{mail.beside}\n{between or plain}"
    return replace(mail, beside=beside, is_whole=mail.is_whole and len(beside) <= _MOST_BESIDE)


def read_file(data: bytes) -> PastedMail | None:
    """Returns what a reader sees of a mail's file (.eml); None for a file that is no such mail.

    A part is decoded by its charset, everything else as UTF-8.
    """
    data = data.removeprefix(BOM_UTF8)  # which would hide the first field from is_bounded
    lines = data.decode("latin-1").replace("\r\n", "\n").split("\n")  # a character an octet
    shown = [_of_octets(line) for line in lines]
    start, _is_mail = _start_of_source(shown)
    if start is None or not is_bounded(data) or len(data) > MOST_FILE_BYTES:
        return None
    mail = _read_from(shown[:start], lines[start:], _FILE)
    return replace(mail, is_whole=mail.is_whole and "\ufffd" not in mail.text + mail.beside)


class _FilePolicy(Compat32):
    """Reads the fields of a file, in which a character stands for an octet."""

    def header_fetch_parse(self, name: str, value: str) -> str:  # noqa: ARG002 (of the library)
        """Returns the text of a field."""
        return _of_octets(value)


_FILE = _FilePolicy()


def _of_octets(text: str) -> str:
    """Returns the text whose octets in UTF-8 are the characters of `text`."""
    return text.encode("latin-1").decode("utf-8", "replace")


def _read_from(above: list[str], source: list[str], policy: Compat32 = compat32) -> PastedMail:
    if above and (found := _BOUNDARY.fullmatch(above[-1])):
        head = f'Content-Type: multipart/mixed; boundary="{found["boundary"]}"'
        above, source = above[:-1], [head, "", above[-1], *source]
    try:
        mail = message_from_string("\n".join(source), policy=policy)
        return _SourceReader(above, mail).pasted()
    except (RecursionError, ValueError, LookupError, TypeError, MessageError):
        return PastedMail("\n".join([*above, *source]), is_whole=False)


def _start_of_source(lines: list[str]) -> tuple[int | None, bool]:
    """Returns the number of the first line of a head with the fields of a source, or of a part of
    one, None without; and whether it is the head of a mail.

    No link and no message code stands above it: below those, it is part of a message.
    """
    start, names = 0, set[str]()
    for number, line in enumerate(lines):
        if match := _FIELD.fullmatch(line):
            start = start if names else number
            names.add(match["name"].lower())
        elif not (names and line[:1] in (" ", "\t") and line.strip()):
            is_mail = {"from", "date"} <= names and names & _OF_SOURCE
            if not line.strip() and (is_mail or names >= _OF_PART):
                above = "\n".join(lines[:start])
                return start if reader_heads.is_above_message(above) else None, bool(is_mail)
            names = set()
    return None, False


class _SourceReader:
    """Reads one mail, and keeps what it leaves out."""

    def __init__(self, above: list[str], mail: Message) -> None:
        self._above, self._mail = above, mail
        self._is_file = mail.policy is _FILE
        self._beside: list[str] = []
        self._is_whole = True

    def pasted(self) -> PastedMail:
        text = "\n".join([*self._read_above(), *self._message(self._mail)]).strip()
        beside = "\n".join(self._beside)
        is_whole = self._is_whole and len(beside) <= _MOST_BESIDE and not _SHIFT.search(text)
        return PastedMail(text, beside, is_whole=is_whole)

    def _read_above(self) -> Iterator[str]:
        """Yields the lines above the source, without those of Gmail's page."""
        identifier = str(self._mail.get("Message-ID", "")).strip()
        sender = str(self._mail.get("From", ""))[:_MOST_DECODED]  # parsed in quadratic time
        domain = parseaddr(sender)[1].rpartition("@")[2]
        for line in self._above:
            if _CHECKED.fullmatch(line):
                known = rf"(?<![\w.@-]){re.escape(domain)}(?![\w.-])" if domain else "(?!)"
                self._beside.append(re.sub(known, " ", _IP.sub(" ", line)))
            elif not identifier or identifier not in line:
                yield line
            elif not _IDENTIFIER.fullmatch(line.strip().removesuffix(identifier)):
                self._beside.append(line)

    def _message(self, mail: Message) -> Iterator[str]:
        """Yields the fields of a mail that are shown, and its parts."""
        for name in _SHOWN:
            yield from (f"{name}: {self._decoded(value)}" for value in mail.get_all(name, []))
        yield ""
        yield from self._part(mail, {name.lower() for name in _SHOWN})

    def _part(self, part: Message, shown: set[str] | frozenset[str] = frozenset()) -> Iterator[str]:
        """Yields the text of a part and of the parts in it."""
        yield self._decoded(part.get_filename() or "")
        for name, value in part.items():
            if name.lower() not in shown:
                self._leave_out(name.lower(), self._decoded(value))
        types = ("Content-Type", "Content-Transfer-Encoding")
        is_ambiguous = any(len(part.get_all(name, [])) > 1 for name in types)
        if part.defects or part.get_unixfrom() or is_ambiguous:
            self._is_whole = False
        inner = part.get_payload()
        if isinstance(inner, list):
            yield from self._parts_in(part, inner)
        else:
            yield self._text(part, str(inner))

    def _parts_in(self, part: Message, inner: list[Message | str]) -> Iterator[str]:
        is_mail = part.get_content_maintype() == "message"
        self._is_whole &= not is_mail
        yield self._outside(part.preamble)
        for each in inner:
            if isinstance(each, Message):
                yield from self._message(each) if is_mail else self._part(each)
        yield self._outside(part.epilogue)

    def _outside(self, text: str | None) -> str:
        """Returns the text before or after the parts."""
        return _of_octets(text or "") if self._is_file else text or ""

    def _text(self, part: Message, raw: str) -> str:
        """Returns the decoded text of a part; as it is if it cannot be decoded."""
        encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
        kind = part.get_content_type()
        charset = str(part.get_content_charset() or "us-ascii")
        read = _decoded_text if self._is_file else _pasted_text
        text = read(raw, encoding, charset)
        raw = self._outside(raw)
        if kind == "text/html":
            seen, is_whole = seen_of_html(raw if text is None else text)
            self._is_whole &= is_whole and text is not None
            return seen
        if kind == "text/plain" and text is not None:
            return text
        self._is_whole = False
        return "" if encoding == "base64" and _octets_of_base64(raw) is not None else text or raw

    def _leave_out(self, name: str, value: str) -> None:
        """Leaves out a field that a server writes, unless a stranger wrote to the reader in it."""
        if len(value) > _MOST_BESIDE:
            self._is_whole = False
            return
        words = _HOST.sub(" ", _LIST_OF_FIELDS.sub(" ", value))
        if name == "feedback-id" and _FEEDBACK.fullmatch(value):
            words = ""
        is_for_reader = _LINK_OR_NUMBER.search(value) or reader_heads.asks_for_something(words)
        if name not in _WITH_ADDRESSES and (name not in _PLAIN or EMAIL.search(value)):
            self._beside.append(f"{name}: {value}")
        elif is_for_reader:
            self._is_whole = False
            self._beside.append(f"{name}: {value}")

    def _decoded(self, value: object) -> str:
        """Returns a field's text on one line; as it is if its encoded words are malformed.

        The time to decode grows with the square of the length, so a long field stays as it is.
        """
        text = " ".join(str(value).split())
        if "=?" in text and len(text) <= _MOST_DECODED:
            try:
                words = decode_header(text)
                if all(charset is None or charset.lower() in _CHARSETS for _, charset in words):
                    text = str(make_header(words))
            except (ValueError, LookupError, MessageError):
                pass
        self._is_whole &= "=?" not in text
        return text


def _pasted_text(raw: str, encoding: str, charset: str) -> str | None:
    """Returns the text of a pasted part, whose characters beyond ASCII a mail program decoded; None
    if it cannot be decoded exactly.
    """
    if encoding in _AS_OCTETS and charset.lower() in _CHARSETS:
        is_decoded = not raw.isascii()
        if charset.lower().startswith("iso-2022") and (is_decoded or not _SHIFT.search(raw)):
            return None  # the program may have left out the characters that shift
        if is_decoded:
            return raw
    return _decoded_text(raw, encoding, charset)


def _decoded_text(raw: str, encoding: str, charset: str) -> str | None:
    """Returns the text of a part, of which a character is an octet; None if it cannot be decoded
    exactly.
    """
    if charset.lower() not in _CHARSETS:
        return None
    octets: bytes | None = None
    if encoding == "base64":
        octets = _octets_of_base64(raw)
    elif encoding in _AS_OCTETS:
        octets = raw.encode("latin-1")
    elif encoding == "quoted-printable" and raw.isascii():
        octets = decodestring(raw.encode())
    try:
        return None if octets is None else octets.decode(charset)
    except UnicodeDecodeError:
        return None


def _octets_of_base64(raw: str) -> bytes | None:
    try:
        return b64decode("".join(raw.split()), validate=True)
    except ValueError:
        return None
