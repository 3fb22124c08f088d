"""Dates are written in full, and times with their zone, in German and French."""

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.translation import override

from foundations.formatting import moment

DAY = date(2025, 11, 18)
AT = datetime(2025, 11, 18, 13, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "day", "at"),
    [
        ("de", "18. November 2025", "18. November 2025, 14:05\u00a0Uhr\u00a0CET"),
        ("fr", "18 novembre 2025", "18 novembre 2025 à 14\u00a0h\u00a005 CET"),
    ],
)
def test_dates_and_times_with_their_zone(language, day, at):
    with override(language), timezone.override("Europe/Berlin"):
        assert date_format(DAY) == day
        assert moment(AT) == at


@pytest.mark.parametrize(
    ("language", "at"), [("de", "13:05\u00a0Uhr"), ("fr", "13\u00a0h\u00a005")]
)
def test_times_of_day(language, at):
    with override(language):
        assert time_format(AT.time()) == at
