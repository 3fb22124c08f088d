"""How German and French write dates, times and numbers.

A comma stands before decimals; a full stop, a space or an apostrophe groups thousands. "33,7
Millionen", "33.700.000" and "33 700 000" are one number. "18. November 2025", "18 novembre 2025"
and "18.11.2025" are one date.
"""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Literal

from statements.wording.figure_day import Day, days_of

# ---------------------------------------------------------------- dates

_DAY = r"(?<![\d.,/])(?P<day>\d{1,2})"
_LAST_DAY = r"(?P<last_day>\d{1,2})"
_YEAR = r"(?P<year>(?:19|20)\d{2})(?![.,]?\d)"
_GERMAN = {
    "januar": 1,
    "jänner": 1,
    "februar": 2,
    "märz": 3,
    "april": 4,
    "mai": 5,
    "juni": 6,
    "juli": 7,
    "august": 8,
    "september": 9,
    "oktober": 10,
    "november": 11,
    "dezember": 12,
}
_FRENCH = {
    "janvier": 1,
    "février": 2,
    "mars": 3,
    "avril": 4,
    "mai": 5,
    "juin": 6,
    "juillet": 7,
    "août": 8,
    "aout": 8,
    "septembre": 9,
    "octobre": 10,
    "novembre": 11,
    "décembre": 12,
}
_SHORT_GERMAN = "Jan Feb Mär Apr Jun Jul Aug Sept Sep Okt Nov Dez"
_SHORT_FRENCH = "janv févr fév avr juil sept oct nov déc"


def _month(names: dict[str, int], short: str = "") -> str:
    """Returns the pattern of a month; its short forms need a full stop."""
    shortened = "".join(rf"|{name}\." for name in short.split())
    return rf"(?P<month>(?:{'|'.join(names)})\b{shortened})"


def _whole(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_GERMAN_TO = r"\s?(?:-|–|—|bis(?: zum)?|und)\s?"
_FRENCH_TO = r"\s?(?:-|–|—|au|et)\s?"
GERMAN_DATE = _whole(
    rf"{_DAY}\.(?:{_GERMAN_TO}{_LAST_DAY}\.)?\s?{_month(_GERMAN, _SHORT_GERMAN)}(?:\s{_YEAR})?"
)
GERMAN_MONTH = _whole(rf"\b{_month(_GERMAN)}(?:\s{_YEAR})?")
FRENCH_DATE = _whole(
    rf"{_DAY}(?:er)?(?:{_FRENCH_TO}{_LAST_DAY}(?:er)?)?\s{_month(_FRENCH, _SHORT_FRENCH)}"
    rf"(?:\s{_YEAR})?"
)
FRENCH_MONTH = _whole(rf"\b{_month(_FRENCH)}(?:\s{_YEAR})?")
# "18.11.2025", "18/11/2025"; German also writes "18.11." without a year.
DAY_FIRST = _whole(rf"{_DAY}(?P<sign>[./-])\s?(?P<month>\d{{1,2}})(?P=sign)\s?{_YEAR}")
DAY_AND_MONTH = _whole(rf"{_DAY}\.\s?(?P<month>\d{{1,2}})\.(?!\s?\d)(?P<year>)")


def _year(match: re.Match[str]) -> int | None:
    return int(match["year"]) if match["year"] else None


def _days_by_name(match: re.Match[str], names: dict[str, int]) -> Iterator[Day]:
    said = match["month"].lower().rstrip(".")
    month = next(number for name, number in names.items() if name.startswith(said))
    return days_of(match, month, _year(match))


def german_days(match: re.Match[str]) -> Iterator[Day]:
    """Yields the dates of a match of GERMAN_DATE or GERMAN_MONTH."""
    return _days_by_name(match, _GERMAN)


def french_days(match: re.Match[str]) -> Iterator[Day]:
    """Yields the dates of a match of FRENCH_DATE or FRENCH_MONTH."""
    return _days_by_name(match, _FRENCH)


def numbered_days(match: re.Match[str]) -> Iterator[Day]:
    """Yields the date of a match of DAY_FIRST or DAY_AND_MONTH."""
    return days_of(match, int(match["month"]), _year(match))


# ---------------------------------------------------------------- times of day

_HOUR = r"(?<![\d.,])(?P<hour>\d{1,2})"
_FIRST = r"(?<![\d.,])(?P<first>\d{1,2})"
_MINUTE = r"(?P<minute>[0-5]\d)(?!\d)"
_FIRST_MINUTE = r"(?P<first_minute>[0-5]\d)"
GERMAN_TIME = re.compile(
    rf"(?:{_FIRST}(?:[:.]{_FIRST_MINUTE})?(?:\s?Uhr)?\s?(?:-|–|—|bis|und)\s?)?"
    rf"{_HOUR}(?:[:.]{_MINUTE})?\s?Uhr\b"
)
# "72 h" and "24 heures" are lengths of time. A time has minutes, a range or a word such as "à".
FRENCH_TIMES = re.compile(
    rf"{_FIRST}\s?(?:h(?:eures?)?\s?{_FIRST_MINUTE}?)?\s?(?:-|–|—|à)\s?"
    rf"{_HOUR}\s?h(?:eures?\b)?(?:\s?{_MINUTE})?(?![a-z])"
)
FRENCH_TIME = re.compile(rf"{_HOUR}\s?h(?:eures?)?\s?{_MINUTE}")
FRENCH_HOUR = re.compile(
    rf"(?:(?<=\bà )|(?<=\bdès )|(?<=\bvers )|(?<=\bavant )){_HOUR}\s?h(?:eures?)?\b(?!\s?/)"
    r"(?P<minute>)"
)


def times(match: re.Match[str]) -> Iterator[str]:
    """Yields the times of a match as "HH:MM"; none if an hour is above 24."""
    groups = match.groupdict(default="")
    parts = [(groups["hour"], groups["minute"])]
    if groups.get("first"):
        parts.insert(0, (groups["first"], groups.get("first_minute", "")))
    if all(int(hour) <= 24 for hour, _minute in parts):
        for hour, minute in parts:
            yield f"{int(hour) % 24:02}:{int(minute or 0):02}"


Finder = tuple[
    Literal["date", "time"],
    re.Pattern[str],
    Callable[[re.Match[str]], Iterator[Day] | Iterator[str]],
]
GERMAN: list[Finder] = [
    ("date", DAY_FIRST, numbered_days),
    ("date", DAY_AND_MONTH, numbered_days),
    ("date", GERMAN_DATE, german_days),
    ("date", GERMAN_MONTH, german_days),
    ("time", GERMAN_TIME, times),
]
FRENCH: list[Finder] = [
    ("date", DAY_FIRST, numbered_days),
    ("date", FRENCH_DATE, french_days),
    ("date", FRENCH_MONTH, french_days),
    ("time", FRENCH_TIMES, times),
    ("time", FRENCH_TIME, times),
    ("time", FRENCH_HOUR, times),
]

# ---------------------------------------------------------------- numbers

_GROUPS = r"(?:(?:\.\d{3})+|(?:['’]\d{3})+|(?<!\d \d)(?<!\d \d\d)(?<!\d \d{3})(?: \d{3})+(?! ?\d))"
_DIGITS = rf"(?:\d{{1,3}}{_GROUPS}(?!\d)(?:,\d+)?|\d+\.\d{{1,2}}(?![.\d])|\d+(?:,\d+)?)"
_ALONE = r"(?<![A-Za-z0-9_])"
_SCALES = (
    ("mrd", 10**9),
    ("millia", 10**9),
    ("mio", 10**6),
    ("milli", 10**6),
    ("billi", 10**12),
    ("tausend", 1000),
    ("tsd", 1000),
    ("mille", 1000),
)
NUMBER = _whole(
    rf"{_ALONE}(?P<number>{_DIGITS})(?:\s?(?P<scale>tausend|tsd\b\.?|mio\b\.?|mrd\b\.?"
    r"|milli(?:on|arde?)(?:s|e?n)?|billion(?:s|en)?|mille)(?!\w))?"
)
# "1.2.10", but not "33.673.817".
VERSION = _whole(r"(?<![a-z0-9.])(?!\d{1,3}(?:\.\d{3})+(?![.\d]))\d+(?:\.\d+){2,}(?!\d)")
PERCENT = _whole(rf"{_ALONE}(?P<number>{_DIGITS})\s?(?:%|Prozent\b|pour\s?cents?\b)")


def _decimal(text: str) -> Decimal:
    if re.fullmatch(r"\d+\.\d{1,2}", text):  # such as the number of a version
        return Decimal(text)
    return Decimal(re.sub(r"[.'’ ]", "", text).replace(",", "."))


def number(match: re.Match[str]) -> Iterator[Decimal]:
    """Yields the number of a match of NUMBER or PERCENT."""
    scale = (match.groupdict().get("scale") or "").lower()
    factor = next((value for start, value in _SCALES if scale.startswith(start)), 1)
    yield _decimal(match["number"]) * factor


# For each number, from 0, the words that may stand for it.
GERMAN_SMALL_NUMBERS = (
    r"null|kein\w*|nicht",
    r"ein(?:e[mnrs]?|s|mal|zige\w*)?|erste[mnrs]?",
    r"zwei\w*|beide[mnrs]?|doppelt\w*",
    r"drei\w*|dritte[mnrs]?",
    r"vier(?:te\w*|stellig\w*)?",
    r"fünf\w*",
    r"sechs(?:te\w*|stellig\w*)?",
    r"sieben|siebte\w*|wochen?|wöchentlich\w*",
    r"acht(?:e[mnrs]?|stellig\w*)?",
    r"neun(?:te\w*)?",
    r"zehn(?:te\w*)?",
    r"elf(?:te\w*)?",
    r"zwölf\w*|dutzend|jahr(?:e|es)?|jährlich\w*",
)
FRENCH_SMALL_NUMBERS = (
    "zéro|aucune?|pas",
    "une?|seule?|premi(?:er|ère)s?",
    r"deux(?:ième)?|seconde?s?|secondaires?|doubles?",
    "trois(?:ième)?|tiers|tierce",
    "quatre|quatrième",
    "cinq|cinquième",
    "six|sixième",
    "sept|septième|semaines?",
    "huit|huitième",
    "neuf|neuvième",
    "dix|dixième",
    "onze|onzième",
    "douze|douzième|douzaine|ans?|années?",
)
