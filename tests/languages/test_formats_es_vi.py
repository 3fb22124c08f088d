"""Dates, times and numbers in Spanish and Vietnamese."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils.formats import date_format, number_format
from django.utils.translation import override

MOMENT = datetime(2025, 11, 18, 14, 5, tzinfo=ZoneInfo("Asia/Seoul"))


@pytest.mark.parametrize(
    ("language", "date", "moment", "number"),
    [
        (
            "es",
            "18 de noviembre de 2025",
            "18 de noviembre de 2025, 14:05 KST",
            "33\u00a0673\u00a0817",
        ),
        (
            "vi",
            "ngày 18 tháng 11 năm 2025",
            "14:05 KST, ngày 18 tháng 11 năm 2025",
            "33.673.817",
        ),
    ],
)
def test_dates_are_full_times_have_their_zone_and_numbers_have_groups(
    language, date, moment, number
):
    with override(language):
        assert date_format(MOMENT) == date
        assert date_format(MOMENT, "DATETIME_FORMAT") == moment
        assert number_format(33673817, force_grouping=True) == number
