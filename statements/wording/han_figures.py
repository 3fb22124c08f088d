"""How Japanese and Chinese write dates, times and numbers.

"2025年11月18日", "令和7年11月18日" and "民國114年11月18日" give the same date. Numbers that are
written in characters, such as 三百, are not found.
"""

import re
from collections.abc import Iterator
from decimal import Decimal

from statements.wording import scaled_numbers
from statements.wording.figure_day import Day, days_of
from statements.wording.scaled_numbers import Scale, decimal

_DIGITS = scaled_numbers.NUMBER
_ALONE = r"(?<![A-Za-z0-9_])"

# ---------------------------------------------------------------- dates

# The year before the first one of each era.
_ERAS = {"令和": 2018, "平成": 1988, "民国": 1911, "民國": 1911}
_MONTH = (
    rf"(?:(?:(?P<year>(?:19|20)\d{{2}})|(?P<era>{'|'.join(_ERAS)})\s?(?P<era_year>\d{{1,3}}|元))"
    r"\s?年\s?)?(?<!\d)(?P<month>\d{1,2})\s?月"
)
_DAY = r"(?P<day>\d{1,2})"
DATE = re.compile(rf"{_MONTH}\s?{_DAY}\s?[日号號]")
# "18日から20日まで" is a range of dates. "18日から30日以内" is a date and a number of days.
DATES = re.compile(
    rf"{_MONTH}\s?{_DAY}\s?(?:[日号號]?\s?(?:[~∼〜–—-]|[至到和与與及、と]|および|及び)\s?"
    r"(?P<last_day>\d{1,2})\s?[日号號](?![間间以之内內])"
    r"|日から\s?(?P<end>\d{1,2})\s?日\s?まで)"
)
MONTH = re.compile(_MONTH)


def days(match: re.Match[str]) -> Iterator[Day]:
    """Yields the dates of a match of DATE, DATES or MONTH."""
    year = int(match["year"]) if match["year"] else None
    if match["era"]:
        counted = 1 if match["era_year"] == "元" else int(match["era_year"])
        year = _ERAS[match["era"]] + counted
    return days_of(match, int(match["month"]), year)


# ---------------------------------------------------------------- times of day

_MORNING = "午前|上午|凌晨|清晨|早上|早晨"
_AFTERNOON = "午後|下午|中午|傍晚"
_NIGHT = "晚上|晚间|晚間|夜間|夜"
_PART = rf"(?P<part>{_MORNING}|{_AFTERNOON}|{_NIGHT})\s?"
_MINUTE = r"(?:\s?(?P<minute>\d{1,2})分(?!之)|\s?(?P<half>半))?"
_FROM = r"(?:(?P<first>\d{1,2})\s?[时時点點]?\s?(?:[~∼〜–-]|から|至|到)\s?)?"
HALF_DAY_CLOCK = re.compile(rf"{_PART}(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})(?!\d)")
TIME = re.compile(rf"(?:{_PART})?{_FROM}(?<!\d)(?P<hour>\d{{1,2}})[时時](?![間间]){_MINUTE}")
# 点 without a part of the day means "points": "以下3点".
POINT_TIME = re.compile(rf"{_PART}{_FROM}(?<!\d)(?P<hour>\d{{1,2}})[点點]{_MINUTE}")


def times(match: re.Match[str]) -> Iterator[str]:
    """Yields the times of a match as "HH:MM" in 24 hours; none if there is no such time."""
    groups = match.groupdict()
    minute = 30 if groups.get("half") else int(groups["minute"] or 0)
    if int(groups["hour"]) > 24 or minute > 59:
        return
    if groups.get("first"):
        yield _clock(int(groups["first"]), 0, groups["part"])
    yield _clock(int(groups["hour"]), minute, groups["part"])


def _clock(hour: int, minute: int, part: str | None) -> str:
    if hour == 12 and part in _NIGHT.split("|"):
        hour = 0
    elif part and hour <= 12:
        hour = hour % 12 + 12 * (part not in _MORNING.split("|"))
    return f"{hour % 24:02}:{minute:02}"


# ---------------------------------------------------------------- numbers

_SCALE = Scale(
    small={"十": 10, "百": 100, "千": 1000},
    large={"万": 10**4, "萬": 10**4, "億": 10**8, "亿": 10**8, "兆": 10**12},
)
_NUMBER_PART = rf"{_DIGITS}[千百十]?[万萬億亿兆]?"
NUMBER = re.compile(rf"{_ALONE}{_NUMBER_PART}(?:(?<=[千百十万萬億亿兆])\s?{_NUMBER_PART})*")
PERCENT = re.compile(
    rf"{_ALONE}(?P<number>{_DIGITS})\s?(?:%|パーセント)|百分之(?P<hundredths>{_DIGITS})"
    rf"|{_ALONE}(?P<tenths>\d(?:\.\d)?)割(?!引)"
)


def numbers(match: re.Match[str]) -> Iterator[Decimal]:
    """Yields the numbers of a match of NUMBER."""
    return _SCALE.numbers_of(match[0])


def percent(match: re.Match[str]) -> Iterator[Decimal]:
    """Yields the per cent of a match of PERCENT; "3割" is 30 per cent."""
    if match["tenths"]:
        yield decimal(match["tenths"]) * 10
    else:
        yield decimal(match["number"] or match["hundredths"])
