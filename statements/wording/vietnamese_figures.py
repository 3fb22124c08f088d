"""How Vietnamese writes dates, times of day, numbers and small numbers in words."""

import re
from collections.abc import Iterator
from decimal import Decimal

from statements.wording import decimal_comma
from statements.wording.figure_day import Day, days_of

Match = re.Match[str]

# ---------------------------------------------------------------- dates

_YEAR = r"(?P<year>(?:19|20)\d{2})"
_DAY = r"(?P<day>\d{1,2})"
_LAST = r"(?P<last_day>\d{1,2})"
_MONTH = rf"tháng\s(?P<month>\d{{1,2}})(?!\d|[.,]\d)(?:(?:,?\s(?:năm\s)?|/){_YEAR}(?!\d))?"
DATE = re.compile(
    rf"(?<![\d.,]){_DAY}(?:\s?(?:-|–|—|đến|và|tới)\s?(?:hết\s)?(?:ngày\s)?{_LAST})?\s{_MONTH}",
    re.IGNORECASE,
)
MONTH = re.compile(rf"\b{_MONTH}", re.IGNORECASE)
# Without a year, only a word shows that "18/11" is a date.
NUMERIC_DATE = re.compile(
    rf"(?<![\d./-])(?P<day>\d{{1,2}})(?P<sign>[./-])(?P<month>\d{{1,2}})(?P=sign){_YEAR}(?![\d-])"
    r"|\bngày\s(?P<its_day>\d{1,2})/(?P<its_month>\d{1,2})(?![\d/])",
    re.IGNORECASE,
)


def days(match: Match) -> Iterator[Day]:
    """Yields the dates of a match of DATE or MONTH."""
    return days_of(match, int(match["month"]), int(match["year"]) if match["year"] else None)


def numbered_days(match: Match) -> Iterator[Day]:
    """Yields the date of a match of NUMERIC_DATE, which has the day first."""
    if match["day"]:
        return days(match)
    month, day = int(match["its_month"]), int(match["its_day"])
    return iter([Day(month, day)] if 1 <= month <= 12 and 1 <= day <= 31 else [])


# ---------------------------------------------------------------- times of day

_PART = r"\s?(?P<part>sáng|trưa|chiều|tối|đêm)\b"
# "trong 72 giờ" and "sau 24 giờ" are no times of day.
TIMES = re.compile(
    r"(?:\b(?:lúc|từ|đến|tới|trước|khoảng)\s(?:(?P<first>\d{1,2})(?:\s?(?:giờ|h))?"
    r"\s?(?:đến|tới|-|–|—)\s?)?|(?<![\d.,:]))"
    rf"(?P<hour>\d{{1,2}})\s?(?:giờ|h)\s?(?:(?P<minute>\d{{2}})(?!\d)(?:\s?phút)?)?(?:{_PART})?",
    re.IGNORECASE,
)
HALF_DAY_CLOCK = re.compile(
    rf"(?<![\d:])(?P<first>)(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}}){_PART}", re.IGNORECASE
)


def times(match: Match) -> Iterator[str]:
    """Yields the times of a match as "HH:MM" in 24 hours; none if it is a number of hours."""
    part = (match["part"] or "").lower()
    has_word = match[0][:1].isalpha()
    if int(match["hour"]) > 24 or not (has_word or match["minute"] or part):
        return
    if match["first"] and int(match["first"]) <= 24:
        yield _clock(int(match["first"]), None, part)
    yield _clock(int(match["hour"]), match["minute"], part)


def _clock(hour: int, minute: str | None, part: str) -> str:
    """Returns the time; 1 giờ trưa is 13:00, 11 giờ đêm is 23:00 and 12 giờ đêm is 0:00."""
    is_later = {
        "chiều": hour < 12,
        "tối": hour < 12,
        "trưa": hour < 10,
        "đêm": 7 <= hour <= 12,
    }
    return f"{(hour + 12 * is_later.get(part, False)) % 24:02}:{int(minute or 0):02}"


# ---------------------------------------------------------------- numbers

_SCALES = {
    "nghìn tỷ": 10**12,
    "nghìn tỉ": 10**12,
    "tỷ": 10**9,
    "tỉ": 10**9,
    "triệu": 10**6,
    "nghìn": 10**3,
    "ngàn": 10**3,
}
NUMBER = decimal_comma.scaled(_SCALES)
PERCENT = decimal_comma.percent("phần trăm")


def numbers(match: Match) -> Iterator[Decimal]:
    """Yields the number of a match of NUMBER."""
    scale = _SCALES.get((match["scale"] or "").lower(), 1)
    yield decimal_comma.decimal(match["number"] or match["alone"]) * scale


# For each number, from 0, the words that may stand for it.
SMALL_NUMBERS = (
    "không|chưa",
    "một|mỗi|nhất|đầu tiên|duy nhất",
    "hai|đôi|cả hai|nhì",
    "ba",
    "bốn|tư",
    "năm",
    "sáu",
    "bảy|tuần",
    "tám",
    "chín",
    "mười",
    "mười một",
    "mười hai|tá|năm",
)
