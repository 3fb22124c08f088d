"""How Spanish writes dates, times of day, numbers and small numbers in words."""

import re
from collections.abc import Iterator
from decimal import Decimal

from statements.wording import decimal_comma
from statements.wording.figure_day import Day, days_of

Match = re.Match[str]

# ---------------------------------------------------------------- dates

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "enero|ene",
            "febrero|feb",
            "marzo|mar",
            "abril|abr",
            "mayo|may",
            "junio|jun",
            "julio|jul",
            "agosto|ago",
            "septiembre|setiembre|sept|sep",
            "octubre|oct",
            "noviembre|nov",
            "diciembre|dic",
        ),
        1,
    )
    for name in names.split("|")
}
_LONG = "|".join(name for name in _MONTHS if len(name) > 4 or name == "mayo")
_SHORT = "|".join(name for name in _MONTHS if len(name) < 5 and name != "mayo")
_YEAR = r"(?P<year>(?:19|20)\d{2})"
_DAY = r"(?P<day>\d{1,2})(?:o\b|\.o\b)?"  # "1.º" is "1.o" in NFKC
_LAST = r"(?P<last_day>\d{1,2})"
_OF_YEAR = rf"(?:,?\s(?:del?\s)?{_YEAR}(?!\d))?"
_MONTH = rf"\b(?P<month>{_LONG}|(?:{_SHORT})\b\.?)(?![A-Za-zñáéíóú])"
DATE = re.compile(
    rf"(?<![\d.,]){_DAY}(?:\s?(?:-|–|—|al?|y|hasta el)\s?{_LAST})?\s(?:de\s)?{_MONTH}{_OF_YEAR}",
    re.IGNORECASE,
)
# The third month's short form is also a word: "mar".
MONTH = re.compile(
    rf"\b(?P<month>{_LONG})\b{_OF_YEAR}|\b(?P<short>{_SHORT})\b\.?\s(?:de\s)?(?P<its_year>20\d\d)\b",
    re.IGNORECASE,
)
NUMERIC_DATE = re.compile(
    r"(?<![\d./-])(?P<day>\d{1,2})(?P<sign>[./-])(?P<month>\d{1,2})(?P=sign)"
    rf"{_YEAR}(?![\d-])"
)


def named_days(match: Match) -> Iterator[Day]:
    """Yields the dates of a match of DATE or MONTH."""
    groups = match.groupdict()
    name = (groups["month"] or groups["short"]).rstrip(".").lower()
    year = groups["year"] or groups.get("its_year")
    return days_of(match, _MONTHS[name], int(year) if year else None)


def numbered_days(match: Match) -> Iterator[Day]:
    """Yields the date of a match of NUMERIC_DATE, which has the day first."""
    return days_of(match, int(match["month"]), int(match["year"]))


# ---------------------------------------------------------------- times of day

_HOURS = r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?"
_FIRST = r"(?P<first>\d{1,2})(?:[:.](?P<first_minute>\d{2}))?"
_HALF = r"(?P<part>[ap]\.?\s?m\b\.?|de la (?:mañana|madrugada|tarde|noche))"
_UNTIL = r"\s?(?:a|hasta|y|-|–|—)\s?(?:las? )?"
# "en 72 h" and "en las 72 horas siguientes" are no times of day.
TIMES = re.compile(
    rf"(?<![\d.:,])(?:{_FIRST}{_UNTIL})?{_HOURS}(?:\s?h(?:oras)?)?\s?{_HALF}"
    rf"|\b(?:de|desde las|entre las) (?P<from>\d{{1,2}})(?:[:.](?P<from_minute>\d{{2}}))?"
    r"(?:\s?h)?\s?(?:a|hasta|y|-|–)\s?(?:las? )?(?P<to>\d{1,2})(?:[:.](?P<to_minute>\d{2}))?"
    r"\s?h(?:oras)?\b"
    r"|\b(?:a|de|desde|hasta) las? (?P<at>\d{1,2})(?:[:.](?P<at_minute>\d{2}))?"
    r"(?=\s?h\b|\s?horas?\b(?! siguientes)|\s?[,.;)]?(?:\s|$)(?!\s?(?!del |hasta )[a-zñáéíóú]{3,}))"
    r"|(?<![\d.:,])(?P<clock>\d{1,2})[.:](?P<clock_minute>\d{2})\s?h\b",
    re.IGNORECASE,
)


def times(match: Match) -> Iterator[str]:
    """Yields the times of a match as "HH:MM" in 24 hours."""
    for name in ("first", "hour", "from", "to", "at", "clock"):
        if match[name] and int(match[name]) <= 24:
            minute = match["minute" if name == "hour" else f"{name}_minute"]
            yield _clock(int(match[name]), minute, (match["part"] or "").lower())


def _clock(hour: int, minute: str | None, part: str) -> str:
    if part:
        is_afternoon = part.startswith("p") or part.endswith(("tarde", "noche"))
        hour = hour % 12 + 12 * is_afternoon
    return f"{hour % 24:02}:{int(minute or 0):02}"


# ---------------------------------------------------------------- numbers

_SCALES = {
    "mil millones": 10**9,
    "millones": 10**6,
    "millón": 10**6,
    "mil": 10**3,
    "billones": 10**12,
    "billón": 10**12,
}
NUMBER = decimal_comma.scaled(_SCALES)
PERCENT = decimal_comma.percent("por ciento")
# European service numbers and telephone numbers without a country code are written with spaces. A
# translation has the same groups.
PHONE_GROUPS = re.compile(
    r"\b116 \d{3}\b(?! ?\d)"
    r"|(?:\bal |\bel |[Tt]el[eé]fono:? |[Tt]el\.:? )[6-9]\d{2}(?: \d{3}){2}\b(?! ?\d)"
)


def numbers(match: Match) -> Iterator[Decimal]:
    """Yields the number of a match of NUMBER."""
    scale = _SCALES.get((match["scale"] or "").lower(), 1)
    yield decimal_comma.decimal(match["number"] or match["alone"]) * scale


def groups(match: Match) -> Iterator[Decimal]:
    """Yields each group of digits of a match of PHONE_GROUPS as a number."""
    return map(Decimal, re.findall(r"\d+", match[0]))


# For each number, from 0, the words that may stand for it.
SMALL_NUMBERS = (
    "cero|no|sin|ning[uú]n[oa]?",
    "un|una|uno|primer[oa]?|cada|sol[oa]|únic[oa]|vez",
    "dos|segund[oa]|amb[oa]s|doble",
    "tres|tercer[oa]?",
    "cuatro|cuart[oa]",
    "cinco|quint[oa]",
    "seis|sext[oa]",
    "siete|séptim[oa]|semanas?",
    "ocho|octav[oa]",
    "nueve|noven[oa]",
    "diez|décim[oa]",
    "once",
    "doce|docenas?|años?",
)
