"""Masking: a value is shown with most of its characters hidden.

A mask protects a user against a person who sees the screen. The visible rest lets the user
recognise the value, and is never the whole value. A value comes from a company's export and can be
anything. So a value that does not fit its masking, such as a broken e-mail address, is masked as
text.
"""

import itertools
import re
import unicodedata

from accounts.contacts import formatted_phone
from foundations.shown_text import composed
from incidents.kinds import Masking

HIDDEN = "***"  # hides the length too
DOTS = "••••••"
_KOREAN_REGION = re.compile(
    r"(?:서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|충북|충남|전북|전남|경북|경남|제주)"
    r"|[가-힣]+[시도군구]"
)
_DIGITS = re.compile(r"\+?[\d(][\d ()./-]{6,30}", re.ASCII)
# Only this many characters are read: a value may have a megabyte, and some steps take quadratic
# time.
_READ_CHARACTERS = 500
_LONGEST_NAME, _LONG_TEXT, _FEWEST_HIDDEN_DIGITS = 24, 8, 3


def mask(value: str, masking: str) -> str:
    """Returns `value` masked by `masking`, a Masking.

    SECRET and an unknown masking hide everything.
    """
    value = value[:_READ_CHARACTERS]
    match masking:
        case Masking.NAME:
            return _name(value)
        case Masking.EMAIL:
            return _email(value)
        case Masking.PHONE:
            return _phone(value)
        case Masking.ADDRESS:
            return _address(value)
        case Masking.TEXT:
            return _text(value)
        case _:
            return DOTS


def _characters(text: str) -> list[str]:
    """Splits a text into the characters that a reader sees: accents and joined emoji stay together.

    Drops control and formatting characters, because one of them can reverse the order of a line.
    """
    found: list[str] = []
    joins = False
    for char in composed(text):
        is_modifier = unicodedata.category(char) in ("Mn", "Me", "Mc") or "🏻" <= char <= "🏿"
        if found and (joins or is_modifier or char == "\u200d"):
            found[-1] += char
        elif not unicodedata.category(char).startswith("C"):
            found.append(char)
        joins = char == "\u200d"
    return found


def _text(value: str) -> str:
    """Shows the first character, or the first two of at least _LONG_TEXT."""
    characters = _characters(value.strip())
    if len(characters) < 2:
        return HIDDEN
    return "".join(characters[: 2 if len(characters) >= _LONG_TEXT else 1]) + HIDDEN


def _name(value: str) -> str:
    """Shows the first and the last character of each word.

    `류시우` → `류*우`, `김철` → `김*`, `Jane Doe` → `J**e D*e`.
    """
    if len(value) > _LONGEST_NAME:
        return _text(value)
    return " ".join(_word(_characters(word)) for word in value.split()) or HIDDEN


def _word(characters: list[str]) -> str:
    if len(characters) < 2:
        return "*"
    if len(characters) == 2:
        return characters[0] + "*"
    return characters[0] + "*" * (len(characters) - 2) + characters[-1]


def _email(value: str) -> str:
    """Shows the first characters and the ending: `user@gmail.example` → `u***@g***.example`."""
    local, _, domain = value.strip().rpartition("@")
    host, _, ending = domain.rpartition(".")
    if not (local and host and ending.isalpha()):
        return _text(value)
    return f"{_start(local)}@{_start(host)}.{ending}"


def _start(text: str) -> str:
    characters = _characters(text)
    return (characters[0] if len(characters) > 1 else "") + HIDDEN


def _phone(value: str) -> str:
    """Shows prefix and last four digits.

    `+821012345678` → `010-****-5678`, `+14155550132` → `+1 ***-***-0132`.
    """
    formatted = formatted_phone(value) or value
    return _hide_digits(formatted) if _DIGITS.fullmatch(formatted) else _text(value)


def _hide_digits(formatted: str) -> str:
    """Shows the first group and the last four digits.

    Shows less if fewer than _FEWEST_HIDDEN_DIGITS digits would be hidden.
    """
    digits = sum(char.isdigit() for char in formatted)
    first = re.match(r"\+?(\d+)[ -]", formatted)
    shown_first = len(first[1]) if first else 0
    if digits - shown_first - 4 < _FEWEST_HIDDEN_DIGITS:
        shown_first = 0
    if digits - 4 < _FEWEST_HIDDEN_DIGITS:
        return HIDDEN
    place = itertools.count()
    return re.sub(
        r"\d",
        lambda digit: digit[0] if not shown_first <= next(place) < digits - 4 else "*",
        formatted,
    )


def _address(value: str) -> str:
    """Shows city and district: `서울특별시 강남구 테헤란로 1` → `서울특별시 강남구 ***`.

    An address that does not begin with a Korean region is masked as text.
    """
    words = value.split()
    regions = itertools.takewhile(_KOREAN_REGION.fullmatch, words[: min(2, len(words) - 1)])
    shown = " ".join(regions)
    return f"{shown} {HIDDEN}" if shown else _text(value)
