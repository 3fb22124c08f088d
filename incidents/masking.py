"""Showing somebody their own value without showing it to whoever looks over their shoulder.

Enough stays for the owner to recognise the value, and never all of it. What leaks came from a
dump and can be anything, so a value that is not what its class says is masked as plain text.
"""

import itertools
import re
import unicodedata

import phonenumbers

from accounts.contacts import DEFAULT_REGION, normalise_phone
from incidents.models import DataClass

HIDDEN = "***"  # the same for every length
DOTS = "••••••"
_KOREAN_REGION = re.compile(
    r"(?:서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|충북|충남|전북|전남|경북|경남|제주)"
    r"|[가-힣]+[시도군구]"
)
# What is not shown decides nothing: a value may be a megabyte, and some steps take its square.
_LOOKED_AT = 500
_LONGEST_NAME, _LONG_TEXT, _FEWEST_HIDDEN_DIGITS = 24, 8, 3


def mask(value: str, masking: str) -> str:
    """`value` as `masking` (a DataClass.Masking) shows it; an unknown masking hides everything."""
    value = value[:_LOOKED_AT]
    match masking:
        case DataClass.Masking.NAME:
            return _name(value)
        case DataClass.Masking.EMAIL:
            return _email(value)
        case DataClass.Masking.PHONE:
            return _phone(value)
        case DataClass.Masking.ADDRESS:
            return _address(value)
        case DataClass.Masking.TEXT:
            return _text(value)
        case _:
            return DOTS


def _characters(text: str) -> list[str]:
    """What a reader sees as single characters: accents and joined emoji stay together.

    Control and formatting characters are dropped: one of them can turn a whole line around.
    """
    found: list[str] = []
    joins = False
    for char in unicodedata.normalize("NFC", text):
        is_modifier = unicodedata.category(char) in ("Mn", "Me", "Mc") or "🏻" <= char <= "🏿"
        if found and (joins or is_modifier or char == "\u200d"):
            found[-1] += char
        elif not unicodedata.category(char).startswith("C"):
            found.append(char)
        joins = char == "\u200d"
    return found


def _text(value: str) -> str:
    seen = _characters(value.strip())
    if len(seen) < 2:
        return HIDDEN
    return "".join(seen[: 2 if len(seen) >= _LONG_TEXT else 1]) + HIDDEN


def _name(value: str) -> str:
    """`류시우` → `류*우`, `김철` → `김*`, `Jane Doe` → `J**e D*e`."""
    if len(value) > _LONGEST_NAME:
        return _text(value)
    return " ".join(_word(_characters(word)) for word in value.split()) or HIDDEN


def _word(seen: list[str]) -> str:
    if len(seen) < 2:
        return "*"
    if len(seen) == 2:
        return seen[0] + "*"
    return seen[0] + "*" * (len(seen) - 2) + seen[-1]


def _email(value: str) -> str:
    """`user@gmail.example` → `u***@g***.example`."""
    local, _, domain = value.strip().rpartition("@")
    host, _, ending = domain.rpartition(".")
    if not (local and host and ending.isalpha()):
        return _text(value)
    return f"{_start(local)}@{_start(host)}.{ending}"


def _start(text: str) -> str:
    seen = _characters(text)
    return (seen[0] if len(seen) > 1 else "") + HIDDEN


def _phone(value: str) -> str:
    """`+821012345678` → `010-****-5678`, `+14155550132` → `+1 ***-***-0132`."""
    written = written_phone(value)
    return _text(value) if written is None else _hide_digits(written)


def written_phone(value: str) -> str | None:
    """`+821012345678` → `010-1234-5678`, `+14155550132` → `+1 415-555-0132`; None if no number."""
    e164 = normalise_phone(value)
    if e164 is None:
        return None
    number = phonenumbers.parse(e164)
    form = phonenumbers.PhoneNumberFormat
    is_korean = number.country_code == phonenumbers.country_code_for_region(DEFAULT_REGION)
    return phonenumbers.format_number(number, form.NATIONAL if is_korean else form.INTERNATIONAL)


def _hide_digits(written: str) -> str:
    """The first group and the last four digits stay, unless that is nearly all of them."""
    digits = sum(char.isdigit() for char in written)
    first = re.match(r"\+?(\d+)[ -]", written)
    kept_first = len(first[1]) if first else 0
    if digits - kept_first - 4 < _FEWEST_HIDDEN_DIGITS:
        kept_first = 0
    if digits - 4 < _FEWEST_HIDDEN_DIGITS:
        return HIDDEN
    place = itertools.count()
    return re.sub(
        r"\d",
        lambda digit: digit[0] if not kept_first <= next(place) < digits - 4 else "*",
        written,
    )


def _address(value: str) -> str:
    """`서울특별시 강남구 테헤란로 1` → `서울특별시 강남구 ***`; others begin with no region."""
    words = value.split()
    regions = itertools.takewhile(_KOREAN_REGION.fullmatch, words[: min(2, len(words) - 1)])
    kept = " ".join(regions)
    return f"{kept} {HIDDEN}" if kept else _text(value)
