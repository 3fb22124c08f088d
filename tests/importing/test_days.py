"""Days of dates: read where a spelling means one day, left out where it does not."""

import csv
import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.importing import days, placeholders

CERTAIN = days.reader((days.DATE,))
DAY = "2025-11-18"
MESSY = Path(__file__).parent / "messy" / "12_dates.csv"
# What is not DAY among the 49 spellings of messy/12_dates.csv, by the number of the row.
OTHERS = {
    **dict.fromkeys((6, 7), "2025-01-08"),
    # Days that programs write for "none", and words for it.
    **dict.fromkeys((31, 32, 33, 34, 35, 36, 37, 38, 39), ""),
    # Two digits of a year, numbers of a program, days that are none, and a month or a year alone.
    **dict.fromkeys((12, 13, 15, 16, 17, 28, 29, 30, 40, 47, 48), None),
}


def spellings() -> list[tuple[str, str | None]]:
    with MESSY.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [(row["joined_on"], OTHERS.get(int(row["member_id"]), DAY)) for row in rows]


@pytest.mark.parametrize(("cell", "day"), spellings())
def test_a_spelling_that_means_one_day_is_read(cell, day):
    assert CERTAIN(cell) == day


@pytest.mark.parametrize("cell", ["05/06/2025", "5.6.2025", "05-06-2025", "25-11-18", "yesterday"])
def test_the_order_of_day_and_month_is_not_guessed(cell):
    assert CERTAIN(cell) is None


@pytest.mark.parametrize(
    ("formats", "cell"),
    [
        (("%d/%m/%Y",), "18/11/2025"),
        (("%m/%d/%Y", "%m/%d/%Y %H:%M"), "11/18/2025 09:00"),
        (("%d-%b-%y",), "18-NOV-25"),
        (("%y%m%d",), "251118"),
        (("excel",), "45979"),
        (("excel",), "45979.5"),
        (("unix",), "1763424000"),
        (("unix_ms",), "1763424000000"),
        (("unix_ms",), "2025-11-18T00:00:00.000Z"),  # as the import reads one of MongoDB
        (("date", "excel"), "2025. 11. 18."),
        (("datetime",), "2025-11-18T00:30:00+09:00"),
    ],
)
def test_a_format_of_the_mapping_is_read(formats, cell):
    assert days.reader(formats)(cell) == DAY


def test_an_ambiguous_day_is_read_by_the_format_of_the_mapping():
    assert days.reader(("%d/%m/%Y",))("05/06/2025") == "2025-06-05"
    assert days.reader(("%m/%d/%Y",))("05/06/2025") == "2025-05-06"


@pytest.mark.parametrize("text", ["%d/%m/%Y", "date", "excel", "%Y년 %m월 %d일"])
def test_a_format_holds_a_whole_day(text):
    assert days.is_format(text)


@pytest.mark.parametrize("text", ["day", "", "%d/%m", "%Y", "%", "%q"])
def test_a_format_without_a_whole_day_is_none(text):
    assert not days.is_format(text)


DAYS = st.dates(min_value=dt.date(1800, 1, 1), max_value=dt.date(2199, 12, 31)).filter(
    lambda day: day.isoformat() not in placeholders.NO_DAYS
)


@given(DAYS)
def test_every_day_is_read_in_any_order_that_is_certain(day):
    assert CERTAIN(day.isoformat()) == day.isoformat()
    assert CERTAIN(f"{day.year:04}. {day.month}. {day.day}.") == day.isoformat()
    expected = day.isoformat() if day.day > 12 or day.day == day.month else None
    assert CERTAIN(f"{day.day}/{day.month}/{day.year:04}") == expected
    assert CERTAIN(f"{day.month}/{day.day}/{day.year:04}") == expected


@pytest.mark.parametrize("cell", ["2568-11-18", "4358. 11. 18.", "0025-11-18", "18/11/2568"])
def test_a_year_of_another_calendar_is_no_day(cell):
    assert CERTAIN(cell) is None
    assert days.reader(("%d/%m/%Y",))("18/11/2568") is None


@given(st.text(max_size=30) | st.from_regex(r"[0-9./ -]{1,12}", fullmatch=True))
def test_no_text_raises(cell):
    for formats in (("date",), ("excel",), ("unix",), ("unix_ms",), ("%d/%m/%Y",)):
        found = days.reader(formats)(cell)
        assert not found or dt.date.fromisoformat(found)


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2025-11-18T23:30:00Z", "2025-11-19"),
        ("2025-11-18 23:30:00 UTC", "2025-11-19"),
        ("2025-11-18T23:30:00.123456789+0000", "2025-11-19"),
        ("2025-11-18T10:00:00-0800 (PST)", "2025-11-19"),
        ("Tue, 18 Nov 2025 23:03:22 -0000", "2025-11-19"),  # UTC, sent from an unknown time zone
        ("Tue, 18 Nov 2025 23:03:22 +0000 (UTC)", "2025-11-19"),
        ("2025-11-18 10:00:00+09", DAY),
        ("2025-11-19T08:30:00+09:00", "2025-11-19"),
        ("2025-11-18T20:00-08:00", "2025-11-19"),
        ("Tue, 18 Nov 2025 23:03:22 GMT", "2025-11-19"),
        ("2025-11-18 10:00-12:00", DAY),  # from ten to twelve
        ("2025-11-18 23:30:00", DAY),  # of the place where it was written
    ],
)
def test_a_time_with_an_offset_is_a_day_of_the_incidents_time_zone(cell, day):
    assert days.reader(("datetime",), "Asia/Seoul")(cell) == day


@pytest.mark.parametrize(
    "cell", ["1990-05-01T00:00:00Z", "1990-05-01T00:00:00.000+00:00", "1990-05-01 00:00:00 UTC"]
)
@pytest.mark.parametrize("time_zone", ["Asia/Seoul", "America/New_York", "Pacific/Kiritimati"])
def test_midnight_in_utc_is_a_date_in_every_time_zone(cell, time_zone):
    assert days.reader(("date",), time_zone)(cell) == "1990-05-01"
    assert days.reader(("date",), time_zone)(cell.replace(":00", ":01", 1)) is not None
    assert days.reader(("date",), "America/New_York")("1990-05-01T00:00:01Z") == "1990-04-30"


@pytest.mark.parametrize(
    "cell",
    [
        "2025年11月18日",
        "2025年11月18日 09:03",
        "2025/11/18(火)",
        "2025-11-18 (화) 09:03",
        "20251118090322",
        "202511180903",
        "Nov 18, 2025, 9:03:22 AM",
        "Tuesday, November 18, 2025",
    ],
)
def test_further_spellings_of_one_day_are_read(cell):
    assert CERTAIN(cell) == DAY


@pytest.mark.parametrize("cell", ["20251118993322", "2025-13-18T10:00Z", "R7.11.18", "2568-11-18"])
def test_what_is_no_day_for_certain_is_left_out(cell):
    assert CERTAIN(cell) is None
