"""Formats of numbers and times in documents, in the active language."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format, number_format


def number(value: int) -> str:
    """Returns the number with the language's thousands separator: `33,673,817`."""
    return number_format(value, force_grouping=True)


def moment(at: datetime) -> str:
    """Returns the date and time of `at` in the active time zone."""
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")
