"""The numbers, dates, times and contacts in a text, as values that do not depend on spelling.

"3,370만", "3370만" and "33.7 million" give the same number. "2025년 11월 18일" and
"18 November 2025" give the same date. The finders run in a fixed order, and a text that one has
recognized is blanked. The day of a date is therefore not found again as a number.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple

from django.conf import settings

from statements.wording import (
    decimal_comma,
    german_french_figures,
    han_figures,
    phone_figures,
    spanish_figures,
    vietnamese_figures,
)
from statements.wording.figure_day import Day, days_of
from statements.wording.plain_text import links, plain_text_of
from statements.wording.scaled_numbers import NUMBER, Scale, decimal

Match = re.Match[str]


@dataclass(frozen=True)
class Figure:
    """A fact in a text that a translation must not change."""

    kind: Literal["date", "time", "number", "percent", "phone", "email", "link"]
    value: Day | Decimal | str
    quote: str  # the spelling of the text

    def agrees_with(self, other: "Figure") -> bool:
        """Returns whether both state the same fact."""
        if isinstance(self.value, Day) and isinstance(other.value, Day):
            return self.value.agrees_with(other.value)
        return self.kind == other.kind and self.value == other.value


def figures(text: str, language: str) -> list[Figure]:
    """Returns the figures of a Markdown text without repetition, links first, then by finder.

    A language that is none of COMPARED_LANGUAGES gives links and addresses only.
    """
    found = dict[tuple[str, object], Figure]()
    for figure in _links(text):
        found.setdefault((figure.kind, figure.value), figure)
    rest = "\n".join(sentence.text for sentence in plain_text_of(text).sentences())
    rest = _blanked(rest, [link.span for link in links(rest)])
    for finder in _FINDERS.get(language, []):
        spans = list[tuple[int, int]]()
        for match in finder.pattern.finditer(rest):
            values = list(finder.values(match))
            for value in values:
                key = (finder.kind, value)
                found.setdefault(key, Figure(finder.kind, value, match[0].strip()))
            if values or finder.is_mask:
                spans.append(match.span())
        rest = _blanked(rest, spans)
    return list(found.values())


def _blanked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Returns the text with line breaks in place of the spans, which are in their order."""
    parts, position = list[str](), 0
    for start, end in spans:
        parts += [text[position:start], "\n" * (end - start)]
        position = end
    return "".join(parts) + text[position:]


def _links(text: str) -> Iterator[Figure]:
    for link in links(text):
        if link.is_email:
            yield Figure("email", link.text.lower(), link.text)
        else:
            # A page's address without its language, so that both languages of the page are equal.
            path = _without_language(link.path)
            place = link.host.removeprefix("www.") + path.rstrip("/")
            yield Figure("link", place, link.text)


def _without_language(path: str) -> str:
    codes = "|".join([*(code for code, _name in settings.LANGUAGES), "kor", "eng", "kr"])
    return re.sub(rf"^/(?:{codes})(?=/|$)", "", path, flags=re.IGNORECASE)


class _Finder(NamedTuple):
    """A pattern, and the function that returns the values of a match; empty if it is no figure."""

    kind: Literal["date", "time", "number", "percent", "phone"]
    pattern: re.Pattern[str]
    values: Callable[[Match], Iterable[Day | Decimal | str]]
    is_mask: bool = False  # a match is blanked even if it has no values


# ---------------------------------------------------------------- dates


def _year(match: Match) -> int | None:
    return int(match["year"]) if match["year"] else None


def _of_numbered_month(match: Match) -> Iterator[Day]:
    return days_of(match, int(match["month"]), _year(match))


_MONTHS = "January February March April May June July August September October November December"
_MONTH_NUMBERS = {name[:3]: number for number, name in enumerate(_MONTHS.split(), 1)}


def _of_named_month(match: Match) -> Iterator[Day]:
    return days_of(match, _MONTH_NUMBERS[match["month"][:3].title()], _year(match))


_YEAR = r"(?P<year>(?:19|20)\d{2})"
_DAY = r"(?P<day>\d{1,2})"
_LAST_DAY = r"(?P<last_day>\d{1,2})"
_NUMERIC_DATE = re.compile(
    rf"(?<![\d.-]){_YEAR}(?P<sign>\s?[./-])\s?(?P<month>\d{{1,2}})(?P=sign)\s?{_DAY}(?![\d-])\.?"
)
_KO_MONTH = rf"(?:{_YEAR}\s?년\s?)?(?<!\d)(?P<month>\d{{1,2}})\s?월"
_KO_DATE = re.compile(rf"{_KO_MONTH}\s?{_DAY}\s?일")
# "18일부터 30일까지" is a range of dates. "18일부터 30일 이상" is a date and a number of days.
_KO_DATES = re.compile(
    rf"{_KO_MONTH}\s?{_DAY}\s?(?:일?\s?(?:[~∼〜–—-]|과|와|및|·)\s?{_LAST_DAY}\s?일"
    rf"|일부터\s?{_LAST_DAY.replace('last_day', 'end')}\s?일\s?까지)"
)
_KO_MONTH_ALONE = re.compile(_KO_MONTH)
_NAMED_MONTH = (
    r"\b(?P<month>"
    + "|".join(f"{name}|{name.upper()}" for name in _MONTHS.split())
    + r"|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?)(?![A-Za-z])"
)
# 11/18/2025 is American and 18/11/2025 British. 05/06/2025 is either, so it is no date but numbers.
_EN_SLASHED_DATE = re.compile(
    r"(?<![\d/.])(?P<one>\d{1,2})/(?P<other>\d{1,2})/(?P<year>(?:19|20)\d{2})(?![\d/])"
)


def _of_clear_month(match: Match) -> Iterator[Day]:
    month, day = sorted((int(match["one"]), int(match["other"])))
    if 1 <= month <= 12 and day <= 31 and (day > 12 or month == day):
        yield Day(month, day, _year(match))


_ORDINAL = r"(?:st|nd|rd|th)?"
_TO = r"(?:\s?(?:-|–|—|to|and|until)\s?)"
_EN_DAY_FIRST = re.compile(
    rf"(?<![\d.,]){_DAY}{_ORDINAL}(?:{_TO}{_LAST_DAY}{_ORDINAL})?(?:\sof)?\s{_NAMED_MONTH}"
    rf"(?:,?\s{_YEAR}(?![\d,]))?"
)
_EN_MONTH_FIRST = re.compile(
    rf"{_NAMED_MONTH}\s{_DAY}{_ORDINAL}(?!\d|[.,]\d)(?:{_TO}{_LAST_DAY}{_ORDINAL}(?![\d]))?"
    rf"(?:,?\s{_YEAR}(?![\d,]))?"
)
# "May" alone is a verb. With a word such as "in", "of" or "since" before it, or a year after it, it
# is a month.
_IS_MAY = r"(?:(?=May\s(?:19|20)\d\d)|(?<=\b[io][nf] )|(?<=\bsince )|(?<=\buntil )|(?<=\bfrom ))"
_EN_MONTH_ALONE = re.compile(
    rf"(?:(?!\bM(?:ay|AY)\b)|{_IS_MAY}){_NAMED_MONTH}(?:,?\s{_YEAR}(?!\d))?"
)


# ---------------------------------------------------------------- times of day


def _clock(hour: str, minute: str | None, part: str | None) -> str:
    """Returns the time as "HH:MM" in 24 hours; `part` is the word for the half of the day."""
    hours = int(hour) % 24
    if part:
        hours = int(hour) % 12 + 12 * (part in ("오후", "저녁") or part[0] in "pP")
    return f"{hours:02}:{int(minute or 0):02}"


def _ko_times(match: Match) -> Iterator[str]:
    part = match["part"]
    if match["first"]:
        yield _clock(match["first"], None, part)
    minute = "30" if match["half"] else match["minute"]
    yield _clock(match["hour"], minute, part)


def _en_times(match: Match) -> Iterator[str]:
    if match["first"]:
        yield _clock(match["first"], match["first_minute"], match["part"])
    yield _clock(match["hour"], match["minute"], match["part"])


def _half_day_clock(match: Match) -> Iterator[str]:
    yield _clock(match["hour"], match["minute"], match["part"])


def _plain_time(match: Match) -> Iterator[str]:
    if int(match["hour"]) <= 24 and int(match["minute"]) < 60:
        yield _clock(match["hour"], match["minute"], None)


_KO_TIME = re.compile(
    r"(?:(?P<part>오전|오후|새벽|아침|저녁)\s?)?(?:(?P<first>\d{1,2})\s?[~∼〜–-]\s?)?"
    r"(?<!\d)(?P<hour>\d{1,2})시(?!간)(?:\s?(?P<minute>\d{1,2})분|\s?(?P<half>반))?"
)
_KO_HALF_DAY_CLOCK = re.compile(r"(?P<part>오전|오후)\s?(?P<hour>\d{1,2}):(?P<minute>\d{2})(?!\d)")
_EN_TIME = re.compile(
    rf"(?:(?P<first>\d{{1,2}})(?:[:.](?P<first_minute>\d{{2}}))?{_TO})?"
    r"(?<![\d.])(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2}))?\s?(?P<part>[ap]\.?m\b\.?)",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"(?<![\d:])(?P<hour>\d{1,2}):(?P<minute>\d{2})(?![\d:])")


# ---------------------------------------------------------------- numbers

_ALONE = r"(?<![A-Za-z0-9_])"
_KO_SCALE = Scale({"십": 10, "백": 100, "천": 1000}, {"만": 10**4, "억": 10**8, "조": 10**12})
# 조 also means "Article", so it counts only before a currency or a smaller unit. 만 before a number
# means "full years of age".
_KO_PART = rf"{NUMBER}[천백십]?(?:만|억|조(?=\s?(?:원|달러|\d+[천백십]?[억만])))?"
_KO_NUMBER = re.compile(rf"{_ALONE}{_KO_PART}(?:(?<=[천백십만억조])\s?{_KO_PART})*")
_EN_SCALE = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_EN_SCALE |= {"k": 10**3, "m": 10**6, "bn": 10**9}
_EN_NUMBER = re.compile(
    rf"{_ALONE}(?P<number>{NUMBER})"
    r"(?:(?:\s|-)?(?P<scale>thousand|million|billion|trillion)\b|(?P<short>k|m|bn)\b)?",
    re.IGNORECASE,
)
_VERSION = re.compile(r"(?<![A-Za-z0-9.])\d+(?:\.\d+){2,}(?!\d)")
_PERCENT = re.compile(
    rf"{_ALONE}(?P<number>{NUMBER})\s?(?:%|퍼센트|프로(?![가-힣])|per\s?cent\b)", re.IGNORECASE
)
# English writes "third party" and "secondary harm" as words, but Korean writes a digit.
_KO_WORDS = re.compile(r"제\s?3자|[12]차(?=\s?(?:피해|유출|인증|가해|사고))")


def _ko_number(match: Match) -> Iterator[Decimal]:
    return _KO_SCALE.numbers_of(match[0])


def _en_number(match: Match) -> Iterator[Decimal]:
    scale = (match["scale"] or match["short"] or "").lower()
    yield decimal(match["number"]) * _EN_SCALE.get(scale, 1)


def _one_number(match: Match) -> Iterator[Decimal]:
    yield decimal(match["number"])


def _as_written(match: Match) -> Iterator[str]:
    yield match[0]


def _nothing(_match: Match) -> Iterator[str]:
    return iter(())


_HAN = [
    _Finder("date", _NUMERIC_DATE, _of_numbered_month),
    _Finder("date", han_figures.SHORT_DATE, han_figures.short_days),
    _Finder("date", han_figures.DATE_IN_WORDS, han_figures.days_in_words),
    _Finder("date", han_figures.DATES, han_figures.days),
    _Finder("date", han_figures.DATE, han_figures.days),
    _Finder("date", han_figures.MONTH, han_figures.days),
    _Finder("time", han_figures.HALF_DAY_CLOCK, han_figures.times),
    _Finder("time", _CLOCK, _plain_time),
    _Finder("time", han_figures.TIME, han_figures.times),
    _Finder("time", han_figures.POINT_TIME, han_figures.times),
    _Finder("phone", phone_figures.PHONE, phone_figures.phone),
    _Finder("percent", han_figures.PERCENT, han_figures.percent),
    _Finder("percent", han_figures.PERCENT_IN_WORDS, han_figures.percent_in_words),
    _Finder("number", han_figures.NUMBER_IN_WORDS, han_figures.numbers_in_words),
    _Finder("number", _VERSION, _as_written),
    _Finder("number", han_figures.NUMBER, han_figures.numbers),
]
# English writes "secondary harm" as words, but Japanese may write a digit.
_JA_WORDS = re.compile(r"2次(?=被害|流出|漏えい)")
_GERMAN_AND_FRENCH = [
    _Finder("time", _CLOCK, _plain_time),
    _Finder("phone", phone_figures.PHONE, phone_figures.phone),
    _Finder("percent", german_french_figures.PERCENT, german_french_figures.number),
    _Finder("number", german_french_figures.VERSION, _as_written),
    _Finder("number", german_french_figures.NUMBER, german_french_figures.number),
]
_FINDERS: dict[str, list[_Finder]] = {
    "ko": [
        _Finder("number", _KO_WORDS, _nothing, is_mask=True),
        _Finder("date", _NUMERIC_DATE, _of_numbered_month),
        _Finder("date", _KO_DATES, _of_numbered_month),
        _Finder("date", _KO_DATE, _of_numbered_month),
        _Finder("date", _KO_MONTH_ALONE, _of_numbered_month),
        _Finder("time", _KO_HALF_DAY_CLOCK, _half_day_clock),
        _Finder("time", _CLOCK, _plain_time),
        _Finder("time", _KO_TIME, _ko_times),
        _Finder("phone", phone_figures.PHONE, phone_figures.phone),
        _Finder("percent", _PERCENT, _one_number),
        _Finder("number", _VERSION, _as_written),
        _Finder("number", _KO_NUMBER, _ko_number),
    ],
    "en": [
        _Finder("date", _NUMERIC_DATE, _of_numbered_month),
        _Finder("date", _EN_SLASHED_DATE, _of_clear_month),
        _Finder("date", _EN_DAY_FIRST, _of_named_month),
        _Finder("date", _EN_MONTH_FIRST, _of_named_month),
        _Finder("date", _EN_MONTH_ALONE, _of_named_month),
        _Finder("time", _EN_TIME, _en_times),
        _Finder("time", _CLOCK, _plain_time),
        _Finder("phone", phone_figures.PHONE, phone_figures.phone),
        _Finder("percent", _PERCENT, _one_number),
        _Finder("number", _VERSION, _as_written),
        _Finder("number", _EN_NUMBER, _en_number),
    ],
    "ja": [_Finder("number", _JA_WORDS, _nothing, is_mask=True), *_HAN],
    "zh-hans": _HAN,
    "zh-hant": _HAN,
    "es": [
        _Finder("number", decimal_comma.IP_ADDRESS, _as_written),
        _Finder("date", _NUMERIC_DATE, _of_numbered_month),
        _Finder("date", spanish_figures.NUMERIC_DATE, spanish_figures.numbered_days),
        _Finder("date", spanish_figures.DATE, spanish_figures.named_days),
        _Finder("date", spanish_figures.MONTH, spanish_figures.named_days),
        _Finder("time", spanish_figures.TIMES, spanish_figures.times),
        _Finder("time", _CLOCK, _plain_time),
        _Finder("phone", phone_figures.PHONE, phone_figures.phone),
        _Finder("number", spanish_figures.PHONE_GROUPS, spanish_figures.groups),
        _Finder("percent", spanish_figures.PERCENT, decimal_comma.one_number),
        _Finder("number", decimal_comma.VERSION, _as_written),
        _Finder("number", spanish_figures.NUMBER, spanish_figures.numbers),
    ],
    "vi": [
        _Finder("number", decimal_comma.IP_ADDRESS, _as_written),
        _Finder("date", _NUMERIC_DATE, _of_numbered_month),
        _Finder("date", vietnamese_figures.NUMERIC_DATE, vietnamese_figures.numbered_days),
        _Finder("date", vietnamese_figures.DATE, vietnamese_figures.days),
        _Finder("date", vietnamese_figures.MONTH, vietnamese_figures.days),
        _Finder("time", vietnamese_figures.HALF_DAY_CLOCK, vietnamese_figures.times),
        _Finder("time", vietnamese_figures.TIMES, vietnamese_figures.times),
        _Finder("time", _CLOCK, _plain_time),
        _Finder("phone", phone_figures.PHONE, phone_figures.phone),
        _Finder("percent", vietnamese_figures.PERCENT, decimal_comma.one_number),
        _Finder("number", decimal_comma.VERSION, _as_written),
        _Finder("number", vietnamese_figures.NUMBER, vietnamese_figures.numbers),
    ],
    "de": [
        _Finder("number", decimal_comma.IP_ADDRESS, _as_written),
        _Finder("date", _NUMERIC_DATE, _of_numbered_month),
        *(_Finder(*finder) for finder in german_french_figures.GERMAN),
        *_GERMAN_AND_FRENCH,
    ],
    "fr": [
        _Finder("number", decimal_comma.IP_ADDRESS, _as_written),
        _Finder("date", _NUMERIC_DATE, _of_numbered_month),
        *(_Finder(*finder) for finder in german_french_figures.FRENCH),
        *_GERMAN_AND_FRENCH,
    ],
}
COMPARED_LANGUAGES = _FINDERS.keys()
