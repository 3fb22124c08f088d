"""Reads what somebody pasted: the codes, links, addresses and numbers in it, however disguised.

Everything here takes hostile text. It is cut to MOST_CHARACTERS first, and each pattern's parts
exclude each other, so that the time grows with the length and with nothing else.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

MOST_CHARACTERS = 20_000
MOST_CODES = 40  # tried in one text: English prose is full of words of four letters
# There the host alone says nothing of whose page it is.
SHARED_HOSTS = frozenset(
    (
        *("pf.kakao.com", "open.kakao.com", "blog.naver.com", "cafe.naver.com", "post.naver.com"),
        *("form.naver.com", "smartstore.naver.com", "talk.naver.com", "band.us", "brunch.co.kr"),
        *("facebook.com", "instagram.com", "twitter.com", "x.com", "threads.net", "youtube.com"),
        *("linkedin.com", "forms.gle", "docs.google.com", "sites.google.com", "drive.google.com"),
        *("github.com", "gitlab.com", "medium.com", "linktr.ee", "line.me", "t.me", "wa.me"),
    )
)
_SLICE = 128  # NFKC takes time in the square of a run of combining marks

# Letters and marks without a shape, beside those whose category says so: what Unicode calls
# default-ignorable. One of them within a link or a number hides it from a pattern, not from people.
_SHAPELESS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
# Single signs that NFKC spells out in many letters.
_WORD_SIGNS = re.compile("[\ufdfa\ufdfb]")
# What people write so that nobody clicks: evil[.]com, hxxps://, name[at]example.com.
_DISARMED = [
    (re.compile(r"[\[({] ?(?:\.|dot|점|쩜|닷) ?[\])}]", re.IGNORECASE), "."),
    (re.compile(r"[\[({] ?(?:@|at|골뱅이) ?[\])}]", re.IGNORECASE), "@"),
    (re.compile(r"[\[({]:(?://)?[\])}](?=/|\w)"), "://"),
    (re.compile(r"\bh(?:xx|\*\*|tt)p(?=s?:)", re.IGNORECASE), "http"),
    (re.compile(r"(?<=\w)[。｡](?=\w)"), "."),  # browsers take these for dots
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
# A last label in letters of any script; Hangul only where it is a real one, because particles
# follow an address without a space.
_TOP = r"(?:[^\W\d_가-힣]{2,24}|xn--[a-z0-9-]{2,59}|한국|닷컴|닷넷)"
_DOMAIN = rf"(?:[\w-]{{1,63}}\.){{1,30}}{_TOP}(?![0-9A-Za-z_-])"
_EMAIL = re.compile(
    rf"(?<![\w.!#$%&'*+/=?^`{{|}}~-])[\w.!#$%&'*+/=?^`{{|}}~-]{{1,64}}@{_DOMAIN}", re.IGNORECASE
)
_URL = re.compile(
    r"(?<![a-z0-9])([a-z][a-z0-9+.-]{1,20}):(?://|[/\\]{1,3}|(?<=http:)|(?<=https:))"
    r"([^\s<>\"'’”)\]]{1,2000})",
    re.IGNORECASE,
)
# A host stands out after dots, too: "확인하세요…evil.com" is read, and often linked, as a link.
_HOST = re.compile(rf"(?<![\w-])({_DOMAIN})(/[\w.~%@+-]{{0,200}})?", re.IGNORECASE)
_BARE_IP = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?=/)")
# What a number is often glued to. Other Latin letters, and four of them with a hyphen, are more
# likely one of our own codes; Korean letters never are.
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
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[~_,·•*](?=\d)")
_DATE = re.compile(r"\(?(?:19|20)\d\d[.\-/ ]{1,2}\d{1,2}[.\-/ ]{1,2}\d{1,2}[. ()]{0,3}\d{0,2}")
# The line of a forwarded mail that names who got it.
_TO_LINE = re.compile(
    r"^[> \t*]*(?:to|cc|delivered-to|받는 ?사람|수신|참조)[* ]{0,3}:(?P<rest>[^\n]{0,500})$",
    re.IGNORECASE | re.MULTILINE,
)


class TraceKind(StrEnum):
    """What a trace leads to."""

    LINK = "link"
    EMAIL = "email"
    NUMBER = "number"


@dataclass(frozen=True)
class Trace:
    """A link's host, an e-mail address or a number in one spelling, as found in a text."""

    kind: TraceKind
    value: str


def readable(text: str) -> str:
    """The text in plain characters: full-width letters, invisible ones and disguises undone."""
    text = _WORD_SIGNS.sub(" ", text[:MOST_CHARACTERS])
    slices = (text[start : start + _SLICE] for start in range(0, len(text), _SLICE))
    plain = "".join(unicodedata.normalize("NFKC", part) for part in slices)
    seen = "".join(sign for sign in plain if sign in "\n\t" or is_visible(sign))
    for pattern, replacement in _DISARMED:
        seen = pattern.sub(replacement, seen)
    return seen


def is_visible(sign: str) -> bool:
    """Whether it is neither a control character nor one without a shape."""
    return unicodedata.category(sign) not in ("Cf", "Cc", "Cs", "Co") and not _SHAPELESS.match(sign)


def codes(text: str) -> list[str]:
    """What may be message codes in a readable text, each as twelve characters, likeliest first."""
    alone = re.sub(r"[^0-9A-Za-z]", "", text) if len(text) <= 64 else ""
    found = {alone: 0} if len(alone) == 12 else {}
    for match in _CODE.finditer(text):
        first, gap, second, other_gap, third = match.groups()
        code = first + second + third
        has_digit = any(sign.isdigit() for sign in code)
        is_hyphened = bool(gap.strip()) and bool(other_gap.strip())
        found.setdefault(code, 3 - has_digit - 2 * is_hyphened)
    return sorted(found, key=found.__getitem__)[:MOST_CODES]


def traces(text: str) -> list[Trace]:
    """The links, addresses and numbers of a readable text, each once, in the order of kinds.

    All of them: what stood behind a limit would pass for a part of our message.
    """
    bare = "".join(sign for sign in text if unicodedata.category(sign) not in ("Mn", "Me"))
    return list(dict.fromkeys(_traces(bare)))


def _traces(text: str) -> Iterator[Trace]:
    """Each pattern looks at what the ones before have left."""
    yield from _urls(text)
    text = _URL.sub(" ", text)
    yield from (Trace(TraceKind.LINK, host(match[0])) for match in _BARE_IP.finditer(text))
    text = _BARE_IP.sub(" ", text)
    yield from _emails(text)
    text = _EMAIL.sub(" ", text)
    yield from (Trace(TraceKind.LINK, place(match[1], match[2])) for match in _HOST.finditer(text))
    text = _BETWEEN_DIGITS.sub("-", _HOST.sub(" ", text))
    for match in _DIGITS.finditer(text):
        for digits in map(number, _numbers(match[0])):
            if 7 <= len(digits) <= 16:
                yield Trace(TraceKind.NUMBER, digits)


def _urls(text: str) -> Iterator[Trace]:
    for match in _URL.finditer(text):
        if value := _linked(match[1], match[2]):
            yield Trace(TraceKind.LINK, value)


def _emails(text: str) -> Iterator[Trace]:
    """All but those of whom a forwarded mail went to, unless they stand elsewhere, too."""
    named = Counter(match[0].lower() for match in _EMAIL.finditer(text))
    lines = (_only(line["rest"]) for line in _TO_LINE.finditer(text))
    own = Counter(address.lower() for addresses in lines for address in addresses)
    for match in _EMAIL.finditer(text):
        if named[match[0].lower()] > own[match[0].lower()]:
            yield Trace(TraceKind.EMAIL, email(match[0]))


def _numbers(run: str) -> Iterator[str]:
    """The numbers of a run of digits and spaces: what is long enough stands by itself, and what
    is not belongs together, as in 010 1234 5678.
    """
    held = ""
    for part in run.split():
        if _DATE.fullmatch(part):
            yield held
            held = ""
        elif _goes_on(held, part):
            held = f"{held} {part}".strip()
        else:
            yield held
            held = part
    yield held


def _goes_on(held: str, part: str) -> bool:
    size, held_size = (len(re.sub(r"\D", "", text)) for text in (part, held))
    if held.startswith("+"):
        return held_size + size <= 12
    if held_size >= 7:
        return held[0] == "0" and part[0] not in "0+(" and held_size + size <= 11
    return size < 7 or (0 < held_size <= 4 and size <= 8)


def _linked(scheme: str, rest: str) -> str:
    """Where a link leads: the host a browser would go to, whatever stands before an @."""
    authority, _end, after = re.sub(r"[/?#\\]", "\n", rest.lstrip("/\\"), count=1).partition("\n")
    name = place(authority.rpartition("@")[2], f"/{after}")
    if scheme.lower() in ("http", "https"):
        return name
    return f"{scheme.lower()}://{name}"


def place(name: str, path: str | None) -> str:
    """The host of a link; where many people have pages on one host, with the page's name."""
    written = host(name)
    page = re.split(r"[/?#]", (path or "").lstrip("/"), maxsplit=1)[0]
    is_shared = written.removeprefix("www.").removeprefix("m.") in SHARED_HOSTS
    return f"{written}/{page}" if is_shared and page else written


def _only(rest: str) -> list[str]:
    """The addresses of a To line that holds at most two of them, after their names; else none: a
    line that says more, or goes on after them, may be part of the scam.
    """
    addresses: list[str] = _EMAIL.findall(rest)
    *names, after = _EMAIL.split(rest)
    is_short = len(addresses) <= 2 and len(" ".join(names).split()) <= 6
    return addresses if is_short and not after.strip(" \t\r<>()[];,*\"'") else []


def host(name: str) -> str:
    """A host in one spelling: lower case, without port, letters of other scripts as xn--."""
    name = re.sub(r":\d*$", "", name.strip().lower()).strip(".,;:!?·…")
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return name[:253]


def email(address: str) -> str:
    """An address in one spelling, its domain as `host` has it."""
    local, _at, domain = address.rpartition("@")
    return f"{local.lower()}@{host(domain)}"


def number(text: str) -> str:
    """A number's digits; a Korean one as it is dialled at home, however it was written."""
    digits = re.sub(r"\D", "", text)
    if text.lstrip(" (").startswith("+82") or re.fullmatch(r"82(?:10\d{8}|[2-6]\d{7,9})", digits):
        digits = "0" + digits[2:].removeprefix("0")
    return digits
