"""Formats of numbers and times in documents, in the active language."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import ngettext

MOST_HOURS = 72  # up to 72 hours are shown in hours, because laws set a limit of 72
MOST_DAYS_WITH_HOURS = 30


def number(value: int) -> str:
    """Returns the number with the language's thousands separator: `33,673,817`."""
    return number_format(value, force_grouping=True)


def moment(at: datetime) -> str:
    """Returns the date and time of `at` in the active time zone."""
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")


def hours_in_words(hours: int) -> str:
    """Returns hours in words: "31 hours", "4 days 4 hours", "377 days".

    Up to MOST_HOURS they are in hours, then in days and hours, and from MOST_DAYS_WITH_HOURS on in
    days, rounded down.
    """
    if hours <= MOST_HOURS:
        return _hours(hours)
    days, rest = divmod(hours, 24)
    if rest and days < MOST_DAYS_WITH_HOURS:
        return f"{_days(days)} {_hours(rest)}"
    return _days(days)


def _hours(hours: int) -> str:
    return ngettext("%(hours)s hour", "%(hours)s hours", hours) % {"hours": hours}


def _days(days: int) -> str:
    return ngettext("%(days)s day", "%(days)s days", days) % {"days": number(days)}
