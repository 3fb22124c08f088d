"""Finds the message codes and traces in a pasted text: links, addresses and numbers.

It also finds disguised ones. The input is hostile. It is cut to MOST_CHARACTERS first, and the
parts of each pattern exclude each other, so that the time grows linearly with the length.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from scams import reader_heads, wrapped_links
from scams.address_patterns import DOMAIN, EMAIL

MOST_CHARACTERS = 20_000
MOST_HOST_CHARACTERS, MOST_LABEL_CHARACTERS = 253, 63  # RFC 1035
MOST_CODES = 40  # tried in one text, because English prose has many words of four letters
# Hosts with pages of many owners. Their traces include the name of the page.
SHARED_HOSTS = frozenset(
    (
        *("pf.kakao.com", "open.kakao.com", "blog.naver.com", "cafe.naver.com", "post.naver.com"),
        *("form.naver.com", "smartstore.naver.com", "talk.naver.com", "band.us", "brunch.co.kr"),
        *("facebook.com", "instagram.com", "twitter.com", "x.com", "threads.net", "youtube.com"),
        *("linkedin.com", "forms.gle", "docs.google.com", "sites.google.com", "drive.google.com"),
        *("github.com", "gitlab.com", "medium.com", "linktr.ee", "line.me", "t.me", "wa.me"),
    )
)
_SLICE = 128  # NFKC takes quadratic time for a run of combining marks

# Letters and marks without a shape that their category does not show: Unicode calls them
# default-ignorable. Inside a link or a number they hide it from a pattern but not from a reader.
_SHAPELESS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# Single characters that NFKC expands to many letters.
_WORD_SIGNS = re.compile("[\ufdfa\ufdfb]")
# Ways to write links and addresses that cannot be clicked: evil[.]com, hxxps://,
# name[at]example.com.
_DEFANGED = [
    (re.compile(r"[\[({] ?(?:\.|dot|점|쩜|닷) ?[\])}]", re.IGNORECASE), "."),
    (re.compile(r"[\[({] ?(?:@|at|골뱅이) ?[\])}]", re.IGNORECASE), "@"),
    (re.compile(r"[\[({]:(?://)?[\])}](?=/|\w)"), "://"),
    (re.compile(r"\bh(?:xx|\*\*|tt)p(?=s?:)", re.IGNORECASE), "http"),
    # Browsers read these as dots. Between sentences without blanks they are none.
    (
        re.compile(
            r"(?<=\w)[。｡](?=(?![\u3005-\u30ff\u3400-\u9fff가-힣])\w"
            r"|(?:中国|中國|公司|网[络址店站]|網[絡站]|在线|中文网|商[标城]|集团|我爱你|移动|企业|手机|娱乐|世界"
            r"|信息|招聘|健康|台[湾灣]|香港|新加坡|みんな|コム|クラウド|ストア|セール|ファッション|ポイント"
            r"|通販|購物|食品|家電|書籍|한국|닷컴|닷넷|삼성)(?!\w))"
        ),
        ".",
    ),
    (
        re.compile(
            r"(?<=[0-9A-Za-z])[ \t]{0,2}(?:\.|(?i:dot)|닷|점)[ \t]{0,2}"
            r"(?=(?:com|net|org|kr|co\.kr|xyz|io|cc)(?![0-9A-Za-z]))"
        ),
        ".",
    ),
]
_GROUP = r"([0-9A-Za-z]{4})"
_BETWEEN = r"[\s\-\u2010-\u2015\u2212_.·*>|]{0,6}"
_CODE = re.compile(
    rf"(?<![0-9A-Za-z])(?={_GROUP}({_BETWEEN}){_GROUP}({_BETWEEN}){_GROUP}(?![0-9A-Za-z]))"
)
_URL = re.compile(
    r"(?<![a-z0-9])([a-z][a-z0-9+.-]{1,20}):(?://|[/\\]{1,3}|(?<=http:)|(?<=https:))"
    r"((?:\[[0-9a-f:.]{2,45}\])?[^\s<>\"'’”)\[\]|]{1,2000}"
    r"(?:(?<=@)\[[0-9a-f:.]{2,45}\][^\s<>\"'’”)\[\]|]{0,2000})?)",
    re.IGNORECASE,
)
# A host may follow dots: readers and mail programs see a link in "확인하세요…evil.com". An attached
# file is none, because no top-level domain has such a name.
_FILE = r"[\w-]{1,63}\.(?:eml|msg|pdf|png|jpe?g|gif|bmp|heic|docx?|xlsx?|pptx?|hwpx?|html?|txt|ics)"
_HOST = re.compile(
    rf"(?<![\w-])(?!{_FILE}(?![\w-]|\.\w))({DOMAIN})(/[\w.~%@+-]{{0,200}})?", re.IGNORECASE
)
# A host after "@" that is no domain: https://ours.example|@0xC0A80101/ opens 192.168.1.1.
_HOST_AFTER_AT = re.compile(
    r"@(\[[0-9a-f:.]{2,45}\]|(?:0x[0-9a-f]|[\w.-]{0,63}%[0-9a-f]{2})[\w.%-]{0,190}"
    r"|[\w.-]{1,253}(?=(?::\d{1,5})?[/\\]|[?#]\S))",
    re.IGNORECASE | re.ASCII,
)
_BARE_IP = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?=/)")
# Words that often precede a number without a space. Other Latin letters, and four of them with a
# hyphen, are more likely a message code. Korean letters are never part of a code.
_CALL = "".join(
    rf"|(?<=(?<![0-9A-Za-z]){word}{joint})"
    for word in ("tel", "call", "phone", "mobile", "fax", "ars", "hp", "no", "t", "m", "h", "p")
    for joint in ("", "[_-]")
)
_DIGITS = re.compile(
    rf"(?=[+(]?\d)(?:(?<![0-9A-Za-z])(?<![0-9A-Za-z]{{4}}[_-])(?<!\d[./_-]){_CALL})"
    r"[+(]?\d[\d \t().\-\u2010-\u2015]{5,120}\d(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_LABEL_ENDS = re.compile("[.\u3002\uff0e\uff61]")  # RFC 3490, section 3.1
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[~_,·•*](?=\d)")
_DAY, _MONTH = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])"
_JOINT = r"(?:[.\-/][ \t]?)"
_HOUR = r"[. ()]{0,3}(?:[가-힣A-Za-z]{1,4}[. )]{0,3})?[ \t]?\d{1,2}[:시]"
# Further digits after it may belong to a telephone number.
_DOTTED_TIME = r"(?:[01]?\d|2[0-3])\.[0-5]\d\.[0-5]\d(?![.\d])"
_ZONE = r"(?: [+-](?:0\d|1[0-4])(?:00|30|45)(?!\d))?"
_NO_DIGITS = r"(?![ \t().+\-\u2010-\u2015]{0,9}\d)"
# Dates with a four-digit year, and dates with two digits before a time of day.
_DATE = re.compile(
    rf"(?<![\d.\-/+(])\(?(?:"
    rf"(?:19|20)\d\d{_JOINT}{_MONTH}{_JOINT}{_DAY}"
    rf"|{_DAY}{_JOINT}{_MONTH}{_JOINT}(?:19|20)\d\d"
    rf"|{_MONTH}{_JOINT}{_DAY}{_JOINT}(?:19|20)\d\d"
    rf"|\d\d{_JOINT}{_MONTH}{_JOINT}{_DAY}(?={_HOUR})"
    rf"|(?<=[a-zæøåäö] )20\d\d {_DOTTED_TIME}{_ZONE}{_NO_DIGITS}"
    rf"|(?<=klo ){_DOTTED_TIME}{_NO_DIGITS}"
    rf")(?![\d\-/]|\.\d)\.?(?:{_HOUR})?"
)


class TraceKind(StrEnum):
    """The kind of a trace."""

    LINK = "link"
    EMAIL = "email"
    NUMBER = "number"


@dataclass(frozen=True)
class Trace:
    """A link's host, an e-mail address or a number, in the one spelling of this module."""

    kind: TraceKind
    value: str


def readable(text: str) -> str:
    """Returns the text in plain characters, cut to MOST_CHARACTERS.

    Full-width letters become normal letters, invisible characters are removed, and defanged links
    and addresses are restored.
    """
    text = _WORD_SIGNS.sub(" ", text[:MOST_CHARACTERS])
    slices = (text[start : start + _SLICE] for start in range(0, len(text), _SLICE))
    plain = "".join(unicodedata.normalize("NFKC", part) for part in slices)
    visible = "".join(sign for sign in plain if sign in "\n\t" or is_visible(sign))
    for pattern, replacement in _DEFANGED:
        visible = pattern.sub(replacement, visible)
    return visible


def is_visible(sign: str) -> bool:
    """Returns whether `sign` is neither a control character nor a character without a shape."""
    return unicodedata.category(sign) not in ("Cf", "Cc", "Cs", "Co") and not _SHAPELESS.match(sign)


def message_codes_in(text: str) -> list[str]:
    """Returns the candidates for message codes in a readable text, most likely first.

    Each has twelve characters. There are at most MOST_CODES.
    """
    alone = re.sub(r"[^0-9A-Za-z]", "", text) if len(text) <= 64 else ""
    found = {alone: 0} if len(alone) == 12 else {}
    for match in _CODE.finditer(text):
        first, gap, second, other_gap, third = match.groups()
        code = first + second + third
        has_digit = any(sign.isdigit() for sign in code)
        is_hyphened = bool(gap.strip()) and bool(other_gap.strip())
        found.setdefault(code, 3 - has_digit - 2 * is_hyphened)
    return sorted(found, key=found.__getitem__)[:MOST_CODES]


def traces_in(text: str, recipients: Counter[str] | None = None) -> list[Trace]:
    """Returns the traces of a readable text, each once, ordered by kind.

    There is no limit, because a trace after a limit would count as part of our message. An address
    that occurs only as a recipient in the head of a mail is no trace; `recipients` are those of a
    head that the text may have in parts.
    """
    return list(dict.fromkeys(_traces(_prepared(text), recipients or Counter())))


def recipients_in(text: str) -> Counter[str]:
    """Returns the addresses of the recipients in the heads of a readable text, in lower case."""
    text = _prepared(text)
    above = reader_heads.lines_above_message(text)
    text = _BARE_IP.sub(" ", _URL.sub(" ", text))
    return reader_heads.heads_in(text, within=above).recipients


def links_in(text: str) -> frozenset[str]:
    """Returns the whole links of a readable text, in lower case."""
    return frozenset(match[0].lower() for match in _URL.finditer(text))


def _prepared(text: str) -> str:
    bare = "".join(sign for sign in text if unicodedata.category(sign) not in ("Mn", "Me"))
    return wrapped_links.with_schemes(reader_heads.without_footers(bare))


def _traces(text: str, recipients: Counter[str]) -> Iterator[Trace]:
    """Yields the traces. Each pattern searches the text that the patterns before it left."""
    above = reader_heads.lines_above_message(text)
    yield from _urls(text)
    text = _URL.sub(" ", text)
    yield from (Trace(TraceKind.LINK, normal_host(match[0])) for match in _BARE_IP.finditer(text))
    text = _BARE_IP.sub(" ", text)
    yield from _emails(text, recipients | reader_heads.heads_in(text, within=above).recipients)
    text = EMAIL.sub(" ", text)
    yield from (
        Trace(TraceKind.LINK, _normal_link(match[1], match[2])) for match in _HOST.finditer(text)
    )
    text = _HOST.sub(" ", text)
    for match in _HOST_AFTER_AT.finditer(text):
        yield Trace(TraceKind.LINK, normal_host(match[1]))
    text = _DATE.sub(" | ", text)
    text = _BETWEEN_DIGITS.sub("-", text)
    for match in _DIGITS.finditer(text):
        for digits in map(normal_number, _split_numbers(match[0])):
            if 7 <= len(digits) <= 16:
                yield Trace(TraceKind.NUMBER, digits)


def _urls(text: str) -> Iterator[Trace]:
    for match in _URL.finditer(text):
        if match[2].strip("/\\"):
            target = _link_target(match[1], match[2])
            yield Trace(TraceKind.LINK, target or match[0].lower())


def _emails(text: str, recipients: Counter[str]) -> Iterator[Trace]:
    """Yields the addresses that occur more often than as recipients in the head of a mail."""
    all_addresses = Counter(match[0].lower() for match in EMAIL.finditer(text))
    for match in EMAIL.finditer(text):
        if all_addresses[match[0].lower()] > recipients[match[0].lower()]:
            yield Trace(TraceKind.EMAIL, normal_email(match[0]))


def _split_numbers(run: str) -> Iterator[str]:
    """Splits a run of digits and spaces into numbers.

    A part that is long enough is a number. Shorter parts belong together, as in 010 1234 5678.
    """
    held = ""
    for part in run.split():
        if _continues(held, part):
            held = f"{held} {part}".strip()
        else:
            yield held
            held = part
    yield held


def _continues(held: str, part: str) -> bool:
    """Returns whether `part` continues the number `held`."""
    size, held_size = (len(re.sub(r"\D", "", text)) for text in (part, held))
    if held.startswith("+"):
        return held_size + size <= 12
    if held_size >= 7:
        return held[0] == "0" and part[0] not in "0+(" and held_size + size <= 11
    return size < 7 or (0 < held_size <= 4 and size <= 8)


def _link_target(scheme: str, rest: str) -> str:
    """Returns the host that a browser would open in the end, without the filters that rewrote the
    link. The part before an @ is not the host.
    """
    scheme, rest = wrapped_links.target_of(scheme, rest)
    authority, _end, after = re.sub(r"[/?#\\]", "\n", rest.lstrip("/\\"), count=1).partition("\n")
    name = _normal_link(authority.rpartition("@")[2], f"/{after}")
    if scheme.lower() in ("http", "https"):
        return name
    return f"{scheme.lower()}://{name}"


def _normal_link(name: str, path: str | None) -> str:
    """Returns the host of a link; of one of SHARED_HOSTS with the name of the page."""
    host = normal_host(name)
    page = re.split(r"[/?#]", (path or "").lstrip("/"), maxsplit=1)[0]
    is_shared = host.removeprefix("www.").removeprefix("m.") in SHARED_HOSTS
    return f"{host}/{page}" if is_shared and page else host


def normal_host(name: str) -> str:
    """Returns a host in one spelling: lower case, without port, other scripts as xn--."""
    name = re.sub(r":\d*$", "", name.strip().lower()).strip(".,;:!?·…")
    if is_possible_host(name):
        with suppress(UnicodeError):
            return name.encode("idna").decode()
    return name[:MOST_HOST_CHARACTERS]


def is_possible_host(name: str) -> bool:
    """Returns whether a host and its labels are short enough for DNS.

    Only such a host may be encoded or decoded: the time of Punycode grows with the square of the
    length of a label.
    """
    labels = _LABEL_ENDS.split(name)
    return len(name) <= MOST_HOST_CHARACTERS and all(
        len(label) <= MOST_LABEL_CHARACTERS for label in labels
    )


def normal_email(address: str) -> str:
    """Returns an address in one spelling, with the domain as `normal_host` writes it."""
    local, _at, domain = address.rpartition("@")
    return f"{local.lower()}@{normal_host(domain)}"


def normal_number(text: str) -> str:
    """Returns the digits of a number. A Korean number is as it is dialled in Korea, without +82."""
    digits = re.sub(r"\D", "", text)
    if text.lstrip(" (").startswith("+82") or re.fullmatch(r"82(?:10\d{8}|[2-6]\d{7,9})", digits):
        digits = "0" + digits[2:].removeprefix("0")
    return digits
