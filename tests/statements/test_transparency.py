"""The transparency page: how many people were notified and how soon, and no single person."""

import html
import itertools
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from harness.exposure_factory import file_of
from incidents.models import ExposureBatch, Incident, ScopeCount
from notices import tasks
from notices.models import Milestone, Notice, PublicFigures
from notices.proof import transparency
from notices.proof.transparency import CELLS, FEWEST, SMALL, THRESHOLD, shown_cells

pytest_plugins = ["tests.notice_fixtures"]

ENDS = {"accepted": 3_000_000, "bounced": 1_004, "unreachable": 52_310, "in_doubt": 17}


def sent(version, editor, approver, **counters: int) -> Notice:
    """Returns a closed mandatory notice with these counts of end states."""
    counters = counters or ENDS
    now = timezone.now()
    notice = Notice.objects.create(
        incident=version.statement.incident,
        version=version,
        kind="mandatory",
        state="closed",
        created_by=editor,
        approved_by=approver,
        approved_at=now,
        planned_at=now,
        closed_at=now,
        planned=sum(counters.values()),
        **counters,
    )
    tasks.keep_figures()
    return notice


def moved(notice: Notice, **counters: int) -> None:
    """Sets later values of the counters; their sum must stay the same."""
    Notice.objects.filter(pk=notice.pk).update(**counters)


def a_day_later(monkeypatch) -> None:
    """Takes the figures of the next day."""
    last = PublicFigures.objects.latest().taken_at
    monkeypatch.setattr(timezone, "now", lambda: last + timedelta(days=1))
    tasks.keep_figures()


def page(incident: Incident, language: str = "en") -> str:
    with override(language):
        response = Client().get(reverse("transparency", args=[incident.slug]))
    assert response.status_code == 200
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def test_the_page_shows_how_many_people_were_notified(incident, version, editor, approver):
    sent(version, editor, approver)
    text = page(incident)
    assert "People to tell about 3,053,330" in text
    assert "accepted for delivery about 3,000,000" in text
    assert "came back about 1,000" in text
    assert "Not reachable over this channel about 52,310" in text
    assert "알릴 사람 약 3,053,330명" in page(incident, "ko")


def test_the_page_shows_how_soon_people_were_notified(incident, version, editor, approver):
    aware = timezone.now() - timedelta(hours=70, minutes=30)
    Incident.objects.update(aware_at=aware)
    notice = sent(version, editor, approver)
    Milestone.objects.get(notice=notice, kind="first")
    assert not notice.milestones.filter(kind="nearly_all").exists()  # 98.3 %
    text = page(incident)
    assert "From becoming aware to the first message 71 hours" in text
    assert "From becoming aware to 99 per cent told not reached" in text


def test_a_milestone_is_passed_once(incident, version, editor, approver):
    notice = sent(version, editor, approver, accepted=990, bounced=10)
    first = dict(notice.milestones.values_list("kind", "at"))
    assert set(first) == {"first", "nearly_all"}
    moved(notice, accepted=900, bounced=100)
    tasks.keep_figures()
    assert dict(notice.milestones.values_list("kind", "at")) == first


def test_a_notice_to_few_is_not_broken_down(incident, version, editor, approver):
    sent(version, editor, approver, accepted=60, bounced=38)
    text = page(incident)
    assert f"People to tell Fewer than {FEWEST}" in text
    for word in ("accepted for delivery about", "came back about", "hour"):
        assert word not in text


def test_tests_drafts_and_alerts_are_not_counted(incident, version, editor, approver):
    notice = sent(version, editor, approver)
    Notice.objects.filter(pk=notice.pk).update(audience="test")
    other = Notice.objects.create(
        incident=incident, version=version, kind="mandatory", created_by=editor
    )
    assert str(other.pk) not in PublicFigures.objects.latest().counts["notices"]
    assert list(transparency._sent(incident)) == []


def test_small_counts_are_not_shown_and_cannot_be_worked_out(incident, version, editor, approver):
    sent(version, editor, approver, accepted=99_983, bounced=7, unreachable=3, in_doubt=1_000)
    text = page(incident)
    assert f"came back fewer than {SMALL}" in text
    assert f"Not reachable over this channel fewer than {SMALL}" in text
    # The figure is the rest: 100,993 people without the 1,000 in doubt.
    assert "accepted for delivery about 99,990" in text


COUNTS = st.integers(0, 60) | st.integers(0, 400_000)


@given(st.fixed_dictionaries(dict.fromkeys(CELLS, COUNTS)), st.data())
def test_another_small_count_makes_the_same_page(counts, data):
    """The exact number of people does not help to work out a small count."""
    small = [name for name in CELLS if counts[name] < THRESHOLD]
    if not small or sum(counts.values()) < FEWEST:
        return
    largest = max(CELLS, key=lambda name: counts[name])
    other = dict(counts)
    for name in small:
        other[name] = data.draw(st.integers(0, THRESHOLD - 1))
    other[largest] += sum(counts.values()) - sum(other.values())
    if max(CELLS, key=lambda name: other[name]) != largest or other[largest] < THRESHOLD:
        return
    with override("en"):
        assert shown_cells(counts | {"planned": sum(counts.values())}) == shown_cells(
            other | {"planned": sum(other.values())}
        )


@given(st.lists(st.integers(0, 200), min_size=2, max_size=30))
def test_no_count_moves_for_fewer_than_the_threshold(seen):
    taken = [{"accepted": seen[0]}]
    for now in seen[1:]:
        taken.append(transparency._steadied({"accepted": now}, taken[-1]))
    for before, after in itertools.pairwise(taken):
        step = abs(after["accepted"] - before["accepted"])
        assert step == 0 or step >= THRESHOLD


def test_one_persons_bounce_changes_nothing(incident, version, editor, approver, monkeypatch):
    notice = sent(version, editor, approver, accepted=995, bounced=14)
    before = page(incident)
    moved(notice, accepted=994, bounced=15)
    a_day_later(monkeypatch)
    assert page(incident) == before
    moved(notice, accepted=985, bounced=24)
    a_day_later(monkeypatch)
    assert "came back about 20" in page(incident)


def test_figures_do_not_change_for_a_day(incident, version, editor, approver, monkeypatch):
    notice = sent(version, editor, approver)
    before = page(incident)
    moved(notice, accepted=2_000_000, bounced=1_001_004)
    tasks.keep_figures()
    assert page(incident) == before
    a_day_later(monkeypatch)
    assert "came back about 1,001,000" in page(incident)


def test_a_notice_that_closes_shows_at_once(incident, version, editor, approver):
    sent(version, editor, approver)
    sent(version, editor, approver, accepted=500, bounced=500)
    assert "came back about 500" in page(incident)


def test_the_page_counts_no_people(incident, version, editor, approver):
    sent(version, editor, approver)
    with CaptureQueriesContext(connection) as queries:
        page(incident)
    asked = " ".join(query["sql"] for query in queries)
    for table in ("notices_delivery", "incidents_affectedperson", "incidents_exposure"):
        assert f'"{table}"' not in asked
    assert len(queries) < 12


def test_every_reader_gets_the_same_bytes(incident, version, editor, approver, minji):
    sent(version, editor, approver)
    customer = Client()
    customer.force_login(minji)
    with override("en"):
        url = reverse("transparency", args=[incident.slug])
    answers = [client.get(url) for client in (Client(), customer)]
    assert answers[0].content == answers[1].content
    assert answers[0]["Cache-Control"].startswith("public")
    assert not answers[1].cookies
    assert Client().get(url, headers={"if-none-match": answers[0]["ETag"]}).status_code == 304


def test_before_the_first_message_the_page_says_so(incident):
    assert "No notice has gone out yet." in page(incident)


def test_the_incidents_page_leads_there(incident, client):
    with override("en"):
        shown = client.get(reverse("incident", args=[incident.slug])).content.decode()
        assert reverse("transparency", args=[incident.slug]) in shown
        Incident.objects.update(is_public=False)
        assert client.get(reverse("transparency", args=[incident.slug])).status_code == 404


def test_published_figures_can_be_neither_changed_nor_deleted(incident, version, editor, approver):
    sent(version, editor, approver)
    for rows in (PublicFigures.objects.all(), Milestone.objects.all()):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        PublicFigures.objects.update(counts={})
    with pytest.raises(IntegrityError), transaction.atomic():
        Milestone.objects.update(at=timezone.now())


@pytest.mark.parametrize(
    ("passed", "english", "korean"),
    [
        (timedelta(hours=1), "1 hour", "1시간"),
        (timedelta(minutes=61), "2 hours", "2시간"),
        (timedelta(hours=72), "72 hours", "72시간"),
        (timedelta(hours=72, minutes=1), "3 days 1 hour", "3일 1시간"),
        (timedelta(hours=96), "4 days", "4일"),
        (timedelta(days=370, hours=4, minutes=10), "371 days", "371일"),
        (timedelta(days=1200), "1,200 days", "1,200일"),
    ],
)
def test_durations_are_shown_in_readable_units(passed, english, korean):
    start = datetime(2025, 11, 18, tzinfo=UTC)
    for language, words in {"en": english, "ko": korean}.items():
        with override(language):
            assert transparency._span(start, start + passed) == words


def test_it_says_how_many_are_affected_once_a_scope_version_is_closed(
    incident, version, editor, approver, monkeypatch
):
    sent(version, editor, approver)
    assert "People whose data leaked" not in page(incident)
    batch = file_of(incident, state="closed").batch
    ExposureBatch.objects.filter(pk=batch.pk).update(counted_at=timezone.now())
    ScopeCount.objects.create(incident=incident, relation=1, language="ko", people=33_673_817)
    a_day_later(monkeypatch)
    assert "People whose data leaked about 33,673,820" in page(incident)


@pytest.mark.parametrize(
    ("language", "amount"),
    [("en", "12 rows of the leaked data could not be read"), ("ko", "행 12개")],
)
def test_it_says_what_was_written_off(incident, language, amount):
    assert amount not in page(incident, language)
    batch = file_of(incident, state="closed").batch
    ExposureBatch.objects.filter(pk=batch.pk).update(rows_unread=12)
    confirmed = {"en": "Two people of the company have confirmed", "ko": "두 사람이 확인했습니다"}
    shown = page(incident, language)
    assert amount in shown
    assert confirmed[language] in shown


@pytest.mark.django_db(transaction=True)
def test_an_import_that_holds_the_incident_is_not_waited_for(incident):
    with ThreadPoolExecutor(1) as other, transaction.atomic():
        Incident.objects.select_for_update(no_key=True).get(pk=incident.pk)
        assert other.submit(taken_elsewhere, incident).result(timeout=5) is False
    assert transparency.take_figures(incident) is True


def taken_elsewhere(incident: Incident) -> bool:
    """Takes the figures on another connection."""
    try:
        return transparency.take_figures(incident)
    finally:
        connection.close()
