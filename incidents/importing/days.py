"""Reads the day out of a cell with a date.

Without a format, only a spelling that means one day is read: `05/06/2025` is the fifth of June or
the sixth of May, and is no day for certain. A mapping names the format of such a column.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.conf import settings

from foundations.plain_signs import DASHES
from incidents.importing.placeholders import is_placeholder

DATE, DATETIME, UNIX, UNIX_MS, EXCEL = "date", "datetime", "unix", "unix_ms", "excel"
NAMED_FORMATS = (DATE, DATETIME, UNIX, UNIX_MS, EXCEL)

# The day in ISO 8601; "" for a blank cell; None if the day is not certain.
DayReader = Callable[[str], str | None]

_EXCEL_BEGINS = dt.date(1899, 12, 30)  # Excel counts a 29 February 1900, which was not
_EXCEL_CERTAIN = 61  # the serial number of 1 March 1900; earlier ones are a day off
_MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
        start=1,
    )
}
# Years of other calendars are outside: 2568 of Thailand and 4358 of Korea are 2025.
_FIRST_YEAR, _LAST_YEAR = 1800, 2199
_TIME = r"(?:[T\s]\s*(?:오전|오후|[AaPp]\.?[Mm]\.?)?\s*\d{1,2}:\d{2}.{0,40})?"
_WEEKDAY = r"(?:\s?\([^\d()]{1,9}\))?"
_YEAR_FIRST = re.compile(
    r"(\d{4})([-./]|년|年)\s*(\d{1,2})(?:\2|월|月)\s*(\d{1,2})(?:\.|일|日)?" + _WEEKDAY + _TIME
)
_ZONE_NAME = r"(?: \([A-Z]{1,5}\))?"
# A moment with its offset from UTC, which may be on another day in the time zone of the incident.
_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}[.,\d]*)?|\s\d{2}:\d{2}:\d{2}[.,\d]*))"
    rf"\s?([Zz]|UTC|[+-]\d{{2}}(?::?\d{{2}})?){_ZONE_NAME}"
)
# A program that writes a date as a moment takes midnight in UTC.
_MIDNIGHT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T\s]00:00(?::00(?:[.,]0*)?)?\s?(?:[Zz]|UTC|[+-]00(?::?00)?)"
)
_MAIL_MOMENT = re.compile(
    r"[A-Za-z]{3}, \d{1,2} [A-Za-z]{3} \d{4} [\d:]{5,8} (?:GMT|UTC|[+-]\d{4})" + _ZONE_NAME
)
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([-./])\s*(\d{{1,2}})\2\s*(\d{{4}}){_TIME}")
_DIGITS = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})(?:(?:[01]\d|2[0-4])[0-5]\d(?:[0-5]\d)?)?")
_MONTH_NAMED = re.compile(
    r"(?:[A-Za-z]{3,9}\.?,?\s+)?(?:(\d{1,2})[-\s.]*([A-Za-z]{3,9})|([A-Za-z]{3,9})\.?\s+(\d{1,2}))"
    r"[-,\s.]+(\d{4}),?" + _TIME
)
_WEEK = re.compile(r"\d{4}-?W\d{2}-?\d")
_LONGEST_FORMAT = 100  # characters
_EXCEL_ZERO = re.compile(r"1900-01-00.*")


def reader(formats: tuple[str, ...], time_zone: str = "") -> DayReader:
    """Returns a function that reads the day out of a cell.

    `formats` are NAMED_FORMATS or formats of `strptime`, tried in this order.
    `time_zone` is that of the days of Unix times and of times with an offset from UTC, "" for
    settings.TIME_ZONE.
    """
    zone = ZoneInfo(time_zone or settings.TIME_ZONE)
    readers = [_reader(one, zone) for one in formats]

    @lru_cache(maxsize=1 << 14)
    def read(cell: str) -> str | None:
        text = unicodedata.normalize("NFKC", cell).translate(DASHES).strip()
        if not text or _EXCEL_ZERO.fullmatch(text) or is_placeholder(text):
            return ""
        return next(filter(None, (one(text) for one in readers)), None)

    return read


def is_format(text: str) -> bool:
    """Returns whether the text is a named format, or a strptime format that holds a whole day."""
    if text in NAMED_FORMATS:
        return True
    if len(text) > _LONGEST_FORMAT:
        return False
    day = dt.datetime(2025, 11, 18)  # noqa: DTZ001
    try:
        return "%" in text and dt.datetime.strptime(day.strftime(text), text).date() == day.date()  # noqa: DTZ007
    except (ValueError, re.error):  # strptime raises re.error for a directive that occurs twice
        return False


def _reader(form: str, zone: ZoneInfo) -> DayReader:
    match form:
        case "date" | "datetime":
            return lambda text: _certain_day(text, zone)
        case "unix":
            return lambda text: _day_of_seconds(text, 1, zone)
        case "unix_ms":
            # The import reads such a number of MongoDB as the moment that it means.
            return lambda text: _day_of_seconds(text, 1_000, zone) or _day_of_moment(text, zone)
        case "excel":
            return _day_of_excel
    return lambda text: _day_of_format(text, form)


def _certain_day(text: str, zone: ZoneInfo) -> str | None:
    if day := _day_of_moment(text, zone):
        return day
    if found := _YEAR_FIRST.fullmatch(text):
        return _iso(found[1], found[3], found[4])
    if found := _DIGITS.fullmatch(text):
        return _iso(*found.groups())
    if found := _YEAR_LAST.fullmatch(text):
        first, second = int(found[1]), int(found[3])
        if first > 12 >= second or first == second:
            return _iso(found[4], second, first)
        return _iso(found[4], first, second) if second > 12 >= first else None
    if found := _MONTH_NAMED.fullmatch(text):
        month = _MONTHS.get((found[2] or found[3])[:3].lower(), 0)
        return _iso(found[5], month, found[1] or found[4])
    return dt.date.fromisoformat(text).isoformat() if _WEEK.fullmatch(text) else None


def _day_of_moment(text: str, zone: ZoneInfo) -> str | None:
    """Returns the day in the time zone of a moment such as `2025-11-18T23:30:00Z`, or None.

    Midnight in UTC is a date without a time, of which the time zone changes nothing.
    """
    if found := _MIDNIGHT.fullmatch(text):
        return _iso(*found[1].split("-"))
    try:
        if found := _MOMENT.fullmatch(text):
            offset = found[2] if found[2][0] in "+-" else "+00:00"
            moment = dt.datetime.fromisoformat(found[1] + offset)
        elif _MAIL_MOMENT.fullmatch(text):
            moment = parsedate_to_datetime(text)
            if moment.tzinfo is None:  # -0000: the time is in UTC, the zone of the sender unknown
                moment = moment.replace(tzinfo=dt.UTC)
        else:
            return None
        local = moment.astimezone(zone)
    except (ValueError, OverflowError):
        return None
    return _iso(local.year, local.month, local.day)


def _iso(year: str | int, month: str | int, day: str | int) -> str | None:
    if not _FIRST_YEAR <= int(year) <= _LAST_YEAR:
        return None
    try:
        return dt.date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None


def _day_of_seconds(text: str, in_a_second: int, zone: ZoneInfo) -> str | None:
    """Returns the day of seconds (or parts of seconds) since 1970, in the time zone."""
    try:
        seconds = float(text) / in_a_second
        return dt.datetime.fromtimestamp(seconds, zone).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def _day_of_excel(text: str) -> str | None:
    """Returns the day of a serial number of a spreadsheet: 45979 is 18 November 2025."""
    try:
        days = int(float(text))
        return (_EXCEL_BEGINS + dt.timedelta(days)).isoformat() if days >= _EXCEL_CERTAIN else None
    except (ValueError, OverflowError):
        return None


def _day_of_format(text: str, form: str) -> str | None:
    try:
        day = dt.datetime.strptime(text, form)  # noqa: DTZ007
        return _iso(day.year, day.month, day.day)
    except ValueError:
        return None
