"""How Japanese and Chinese write dates, times and numbers.

"2025年11月18日", "令和7年11月18日", "R7.11.18" and "114年11月18日" give the same date, and so does
二〇二五年十一月十八日. Numbers in characters are found in dates, in per cent and from 万 on: not
三百 alone, because its characters stand in words, too.
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
# Taiwan often leaves out 民國: 114年 is 2025.
_MONTH = (
    rf"(?:(?:(?P<year>(?:19|20)\d{{2}})|(?<!\d)(?P<taiwan>1[0-4]\d)(?=\s?年)|(?P<era>{'|'.join(_ERAS)})\s?(?P<era_year>\d{{1,3}}|元))"
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
    if match["taiwan"]:
        year = _ERAS["民國"] + int(match["taiwan"])
    if match["era"]:
        counted = 1 if match["era_year"] == "元" else int(match["era_year"])
        year = _ERAS[match["era"]] + counted
    return days_of(match, int(match["month"]), year)


_WORD = "[一二三四五六七八九十]{1,3}"
DATE_IN_WORDS = re.compile(
    rf"(?:(?:(?P<year>[一二〇零三四五六七八九]{{4}})|(?P<era>{'|'.join(_ERAS)})(?P<era_year>{_WORD}|元))年)?"
    rf"(?<![一二三四五六七八九十])(?P<month>{_WORD})月(?P<day>{_WORD})[日号號]"
)
# The letter of an era, as in forms: R7.11.18.
SHORT_DATE = re.compile(
    r"(?<![A-Za-z0-9])(?P<era>[RH])(?P<era_year>\d{1,2})\.(?P<month>\d{1,2})\.(?P<day>\d{1,2})(?![\d.])"
)


def days_in_words(match: re.Match[str]) -> Iterator[Day]:
    """Yields the date of a match of DATE_IN_WORDS."""
    year = None
    if match["year"]:
        year = int("".join(str(_WORDS[sign]) for sign in match["year"]))
    elif match["era"]:
        year = _ERAS[match["era"]] + (1 if match["era_year"] == "元" else _value(match["era_year"]))
    month, day = _value(match["month"]), _value(match["day"])
    if 1 <= month <= 12 and 1 <= day <= 31:
        yield Day(month, day, year)


def short_days(match: re.Match[str]) -> Iterator[Day]:
    """Yields the date of a match of SHORT_DATE."""
    era = {"R": "令和", "H": "平成"}[match["era"]]
    return days_of(match, int(match["month"]), _ERAS[era] + int(match["era_year"]))


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

_UNITS = {"十": 10, "百": 100, "千": 1000}
_LARGE = {"万": 10**4, "萬": 10**4, "億": 10**8, "亿": 10**8, "兆": 10**12}
_SCALE = Scale(small=_UNITS, large=_LARGE)
_NUMBER_PART = rf"{_DIGITS}[千百十]?[万萬億亿兆]?"
NUMBER = re.compile(rf"{_ALONE}{_NUMBER_PART}(?:(?<=[千百十万萬億亿兆])\s?{_NUMBER_PART})*")
_WORDS = {sign: value for value, sign in enumerate("〇一二三四五六七八九")} | {
    "零": 0,
    "两": 2,
    "兩": 2,
}
_SIGN = "(?:[一二三四五六七八九十百千零〇]|(?<![一二三四五六七八九])[两兩](?=[百千万萬億亿]))"
# 十万 and 百万 are numbers, but not in 数百万, 十万火急 and 百万長者. 千万 also means
# "by all means", so it counts only before what is counted.
_BEGINS_NUMBER = (
    "(?:(?=[十百千零〇]*[一二三四五六七八九两兩])"
    "|(?<![数數几幾何])(?:(?=[十百]+[万萬億亿])(?![十百][万萬](?:火急|富翁|長者|长者))"
    r"|(?=千[万萬億亿]\s?[余餘多]?\s?[人名件个個户戶円元社台通口条條份筆])))"
)
# The time is linear: no match begins within a number.
NUMBER_IN_WORDS = re.compile(
    rf"(?<![\d一二三四五六七八九十百千万萬億亿零〇两兩]){_BEGINS_NUMBER}(?:{_SIGN}+[万萬億亿])+{_SIGN}*"
)
PERCENT_IN_WORDS = re.compile(r"百分之(?P<words>[一二三四五六七八九十百]+)")


def _value(words: str) -> int:
    """Returns the number below 10,000 that characters write: 三千三百七十 and 三三七〇 are 3370."""
    total, last = 0, 0
    for sign in words:
        if sign in _UNITS:
            total, last = total + (last or 1) * _UNITS[sign], 0
        else:
            last = last * 10 + _WORDS[sign]
    return total + last


def numbers_in_words(match: re.Match[str]) -> Iterator[Decimal]:
    """Yields the number of a match of NUMBER_IN_WORDS."""
    total, part = 0, ""
    for sign in match[0]:
        if sign in _LARGE:
            total, part = total + _value(part) * _LARGE[sign], ""
        else:
            part += sign
    yield Decimal(total + _value(part))


def percent_in_words(match: re.Match[str]) -> Iterator[Decimal]:
    """Yields the per cent of a match of PERCENT_IN_WORDS."""
    yield Decimal(_value(match["words"]))


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
