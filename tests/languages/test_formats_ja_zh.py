"""Japanese and Chinese pages write dates in full, times with their zone, and grouped numbers."""

from datetime import UTC, date, datetime

import pytest
from django.utils.formats import date_format, number_format
from django.utils.translation import override


@pytest.mark.parametrize("language", ["ja", "zh-hans", "zh-hant"])
def test_dates_and_numbers(language):
    with override(language):
        assert date_format(date(2025, 11, 8)) == "2025年11月8日"
        shown = date_format(datetime(2025, 11, 8, 9, 5, tzinfo=UTC), "DATETIME_FORMAT")
        assert shown == "2025年11月8日 09:05 UTC"
        assert number_format(33_700_000, force_grouping=True) == "33,700,000"
