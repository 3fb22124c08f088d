"""Until when a ticket is answered: by the laws of the incident, in its time zone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundations.toml_files import TomlFileError, load
from incidents.models import Incident, IncidentJurisdiction
from tickets import answer_periods
from tickets.answer_periods import AnswerPeriod, PeriodUnit, all_answer_periods, promise_for
from tickets.models import Ticket


def period(unit: str, amount: int | None) -> AnswerPeriod:
    texts = {"law": {"en": "a law"}, "source": "a source"}
    return AnswerPeriod.model_validate(
        {"jurisdiction": "EU", "kinds": ["access"], "unit": unit, "amount": amount, **texts}
    )


@pytest.mark.parametrize(
    ("unit", "amount", "received", "due"),
    [
        ("days", 10, "2025-11-29", "2025-12-09"),
        ("days", 10, "2024-02-20", "2024-03-01"),  # a leap year
        ("days", 45, "2025-12-01", "2026-01-15"),
        ("months", 1, "2025-11-29", "2025-12-29"),
        ("months", 1, "2025-01-31", "2025-02-28"),
        ("months", 1, "2024-01-31", "2024-02-29"),
        ("months", 1, "2024-02-29", "2024-03-29"),
        ("months", 1, "2025-08-31", "2025-09-30"),
        ("months", 1, "2025-12-31", "2026-01-31"),
        ("months", 3, "2025-11-30", "2026-02-28"),
        ("months", 13, "2025-12-15", "2027-01-15"),
        ("business_days", 15, "2025-11-28", "2025-12-19"),  # a Friday
        ("business_days", 1, "2025-11-29", "2025-12-01"),  # a Saturday
        ("business_days", 5, "2025-12-01", "2025-12-08"),
    ],
)
def test_the_last_day_of_a_period(unit, amount, received, due):
    found = period(unit, amount).due_on(date.fromisoformat(received))
    assert found == date.fromisoformat(due)


def test_without_delay_names_no_day():
    assert period("without_delay", None).due_on(date(2025, 11, 29)) is None


DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))


@given(DAYS, st.integers(1, 40))
def test_a_month_later_is_the_same_day_or_the_last_one(day, months):
    due = period("months", months).due_on(day)
    assert due is not None
    assert (due.year * 12 + due.month) - (day.year * 12 + day.month) == months
    is_last = (due + timedelta(days=1)).month != due.month
    assert due.day == day.day or (due.day < day.day and is_last)


@given(DAYS, DAYS, st.sampled_from(PeriodUnit), st.integers(1, 60))
def test_who_asks_later_never_gets_an_earlier_answer(one, other, unit, amount):
    if unit == PeriodUnit.WITHOUT_DELAY:
        return
    first, second = sorted((one, other))
    by_law = period(unit, amount)
    earlier, later = by_law.due_on(first), by_law.due_on(second)
    assert earlier is not None
    assert later is not None
    assert first < earlier <= later


@given(DAYS, st.integers(1, 60))
def test_business_days_end_on_one_and_skip_weekends(day, number):
    due = period("business_days", number).due_on(day)
    assert due is not None
    assert due.weekday() < 5
    between = [day + timedelta(days=n) for n in range(1, (due - day).days + 1)]
    assert sum(each.weekday() < 5 for each in between) == number


def under(incident: Incident, *laws: str) -> Incident:
    incident.jurisdictions.all().delete()
    for law in laws:
        IncidentJurisdiction.objects.create(incident=incident, jurisdiction=law)
    return incident


NOON = datetime(2025, 11, 29, 3, tzinfo=UTC)  # noon in Seoul


@pytest.mark.parametrize(
    ("laws", "kind", "due"),
    [
        (["KR"], "access", "2025-12-09"),
        (["KR"], "erasure", "2025-12-09"),
        (["EU"], "access", "2025-12-29"),
        (["UK"], "complaint", "2025-12-29"),
        (["US-CA"], "erasure", "2026-01-13"),
        (["US-CA"], "objection", "2025-12-19"),
        (["SG"], "access", "2025-12-29"),
        (["AU"], "rectification", "2025-12-29"),
        (["KR", "EU"], "access", "2025-12-09"),  # the shortest counts
        (["EU", "US-CA"], "access", "2025-12-29"),
        (["KR"], "question", "2025-12-11"),  # our own promise
        (["JP"], "access", "2025-12-11"),  # without delay: no number in the law
        (["JP", "EU"], "access", "2025-12-29"),
        ([], "access", "2025-12-11"),
        (["HOUSE-LAW"], "access", "2025-12-11"),  # a law file of the company
    ],
)
def test_the_shortest_period_of_the_incidents_laws_counts(incident, settings, laws, kind, due):
    settings.TICKET_DAYS = 12
    promise = promise_for(under(incident, *laws), kind, NOON)
    assert promise.due_on == date.fromisoformat(due)


@pytest.mark.parametrize(
    ("zone", "moment", "due"),
    [
        ("Asia/Seoul", "2025-11-29T14:59:59+00:00", "2025-12-09"),
        ("Asia/Seoul", "2025-11-29T15:00:00+00:00", "2025-12-10"),
        ("America/Los_Angeles", "2025-11-30T07:59:59+00:00", "2025-12-09"),
        ("Pacific/Kiritimati", "2025-11-29T10:00:00+00:00", "2025-12-10"),
        ("Europe/Berlin", "2026-03-29T00:30:00+00:00", "2026-04-08"),  # the hour that is skipped
    ],
)
def test_the_day_of_receipt_is_one_of_the_incidents_zone(incident, zone, moment, due):
    under(incident, "KR").time_zone = zone
    promise = promise_for(incident, "access", datetime.fromisoformat(moment))
    assert promise.due_on == date.fromisoformat(due)


def test_the_days_left_are_counted_in_the_incidents_zone(incident, monkeypatch):
    ticket = Ticket(incident=incident, due_on=date(2025, 12, 9))
    now = datetime(2025, 12, 9, 23, 59, tzinfo=ZoneInfo("Asia/Seoul"))
    monkeypatch.setattr("tickets.models.timezone.now", lambda: now)
    assert ticket.days_left == 0
    monkeypatch.setattr("tickets.models.timezone.now", lambda: now + timedelta(minutes=1))
    assert ticket.days_left == -1


def test_each_jurisdiction_that_ships_has_a_period_and_each_kind_exists(settings):
    periods = all_answer_periods()
    assert {each.jurisdiction for each in periods} == set(IncidentJurisdiction.Name.values)
    assert {kind for each in periods for kind in each.kinds} <= set(Ticket.Kind.values)
    pairs = [(each.jurisdiction, kind) for each in periods for kind in each.kinds]
    assert len(pairs) == len(set(pairs))
    assert all(set(each.law.languages()) >= set(settings.SHIPPED_LANGUAGES) for each in periods)


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ('unit = "days"', "every unit except without_delay needs one"),
        ('unit = "without_delay"\namount = 3', "every unit except without_delay needs one"),
        ('unit = "days"\namount = 0', "amount"),
        ('unit = "weeks"\namount = 3', "unit"),
        ('unit = "days"\namount = 3\nday = 1', "unknown key"),
    ],
)
def test_a_wrong_period_is_refused_with_its_place(tmp_path, wrong, problem):
    file = tmp_path / "answer_periods.toml"
    file.write_text(
        '[[period]]\njurisdiction = "EU"\nkinds = ["access"]\nlaw.en = "x"\nsource = "x"\n' + wrong
    )
    with pytest.raises(TomlFileError, match=problem):
        load(file, answer_periods._AnswerPeriods)


def test_a_law_has_one_period_for_each_kind_of_a_ticket():
    """The desk names the law of an extension by its jurisdiction."""
    pairs = [(each.jurisdiction, kind) for each in all_answer_periods() for kind in each.kinds]
    assert len(pairs) == len(set(pairs))
