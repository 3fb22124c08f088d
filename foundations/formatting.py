"""Numbers and moments as documents write them, in the active language."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format, number_format


def number(value: int) -> str:
    """`33,673,817`, with the language's separator."""
    return number_format(value, force_grouping=True)


def moment(at: datetime) -> str:
    """Day and time in the active time zone."""
    return date_format(timezone.localtime(at), "DATETIME_FORMAT")
