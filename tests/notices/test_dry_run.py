"""The dry run of an audience: a small one is counted at once, a large one by a worker."""

from datetime import timedelta

import psycopg
import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from breachportal.celery import app
from harness.sign_in import sign_in_to_desk
from incidents import scope_counts
from incidents.models import ExposureFile
from notices import decisions, tasks
from notices.engine import dry_runs, planning
from notices.models import Notice
from tests.database import conninfo
from tests.desk_pages import approve, notice_url

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.usefixtures("english")

WAITING = "The people are being counted."
RELOADS = 'http-equiv="refresh"'


@pytest.fixture
def many(settings, people):
    """An incident that is too large to be counted while a page is rendered."""
    settings.NOTICE_COUNT_AT_ONCE = 2
    ExposureFile.objects.update(rows_taken=3)
    return people


def page(response) -> str:
    assert response.status_code == 200
    return " ".join(response.text.split())


def approval(approvers_desk, notice: Notice, query: str = "") -> str:
    return page(approvers_desk.get(notice_url("approve", notice) + query))


def test_a_large_audience_is_counted_by_a_worker_and_stored(approvers_desk, draft, many):
    assert "The people are not counted yet." in approval(approvers_desk, draft)
    approvers_desk.post(notice_url("count", draft))
    waiting = approval(approvers_desk, draft)
    assert WAITING in waiting
    assert RELOADS in waiting
    assert "홍길동" in waiting  # the sample messages do not need the count
    tasks.count_audience(draft.pk)
    text = approval(approvers_desk, draft)
    assert WAITING not in text
    assert RELOADS not in text
    assert "It goes to 3 people" in text
    assert "Counted just now." in text
    assert '<th scope="row">Reachable</th><td>2</td>' in text
    assert '<th scope="row">Language: English</th><td>1</td>' in text
    draft.refresh_from_db()
    assert dry_runs.current_dry_run(draft).run == planning.count_now(draft)
    assert draft.dry_run["audience"] == "everybody"


def test_it_says_how_long_ago_the_people_were_counted(approvers_desk, draft, many):
    tasks.count_audience(draft.pk)
    Notice.objects.update(dry_run_at=timezone.now() - timedelta(seconds=61))
    text = approval(approvers_desk, draft)
    assert "Counted 1 minute ago." in text
    assert "just now" not in text


def test_the_page_never_scans_a_large_audience(approvers_desk, draft, many):
    tasks.count_audience(draft.pk)
    with CaptureQueriesContext(connection) as queries:
        approval(approvers_desk, draft)
    assert not [one for one in queries if 'FROM "incidents_affectedperson"' in one["sql"]]


def test_the_notice_goes_to_the_counted_number_of_people(approvers_desk, draft, many, approver):
    tasks.count_audience(draft.pk)
    assert "not the number of people" in page(approve(approvers_desk, draft, "2"))
    approve(approvers_desk, draft, "3")
    draft.refresh_from_db()
    assert (draft.state, draft.approved_by) == (Notice.State.PLANNING, approver)
    entry = LogEntry.objects.filter(user=approver).latest("pk")
    assert entry.get_change_message().startswith("Approved for 3 people (counted 20")


def test_the_number_may_be_typed_as_the_page_shows_it(approvers_desk, draft, many):
    tasks.count_audience(draft.pk)
    draft.refresh_from_db()
    Notice.objects.filter(pk=draft.pk).update(dry_run=draft.dry_run | {"people": 33_673_817})
    assert "It goes to 33,673,817 people." in approval(approvers_desk, draft)
    approve(approvers_desk, draft, "33,673,817")
    draft.refresh_from_db()
    assert draft.state == Notice.State.PLANNING


def test_it_can_be_approved_without_the_count_and_begins_in_steps(
    approvers_desk, draft, many, approver
):
    assert 'name="people"' not in approval(approvers_desk, draft)
    asked = approval(approvers_desk, draft, "?uncounted=1")
    assert f"Number of this notice: {draft.pk}." in asked
    assert RELOADS not in asked
    wrong = page(approve(approvers_desk, draft, "99999", "?uncounted=1"))
    assert "This is not the notice&#x27;s number." in wrong
    approve(approvers_desk, draft, str(draft.pk))
    draft.refresh_from_db()
    assert (draft.state, draft.ramp) == (Notice.State.PLANNING, Notice.Ramp.INTERVAL)
    entry = LogEntry.objects.filter(user=approver).latest("pk")
    assert entry.get_change_message() == "Approved; nobody had counted the people."


def test_a_count_that_finishes_before_the_approval_applies(approvers_desk, draft, many):
    approval(approvers_desk, draft, "?uncounted=1")
    tasks.count_audience(draft.pk)
    refused = page(approve(approvers_desk, draft, str(draft.pk)))
    assert "not the number of people" in refused
    draft.refresh_from_db()
    assert draft.state == Notice.State.DRAFT


def test_the_author_cannot_approve_with_or_without_a_count(client, draft, many, editor):
    sign_in_to_desk(client, editor)
    assert "Another person must approve" in approval(client, draft, "?uncounted=1")
    approve(client, draft, str(draft.pk))
    tasks.count_audience(draft.pk)
    approve(client, draft, "3")
    draft.refresh_from_db()
    assert draft.state == Notice.State.DRAFT


def test_writing_a_notice_has_it_counted(
    client, editor, version, many, django_capture_on_commit_callbacks, monkeypatch
):
    asked: list[int] = []
    monkeypatch.setattr(tasks.count_audience, "delay", asked.append)
    sign_in_to_desk(client, editor)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(
            reverse("admin:notices_notice_add"),
            {"version": version.pk, "kind": "mandatory", "topic": ""},
        )
    assert asked == [Notice.objects.get().pk]


def test_one_worker_at_a_time_counts(approvers_desk, draft, many):
    assert decisions.request_audience_count(draft)
    assert not decisions.request_audience_count(draft)
    Notice.objects.update(dry_run_asked_at=timezone.now() - dry_runs.LOST_AFTER - timedelta(1))
    with psycopg.connect(conninfo(), autocommit=True) as worker:
        lock = [dry_runs._LOCK_SPACE, draft.pk]
        worker.execute("SELECT pg_try_advisory_lock(%s, %s)", lock)
        assert not decisions.request_audience_count(draft)
    assert "Count the people" in approval(approvers_desk, draft)  # because that worker was lost
    assert decisions.request_audience_count(draft)


def test_a_count_that_waits_in_the_queue_is_not_lost(approvers_desk, draft, many):
    app.control.purge()
    long_ago = timezone.now() - dry_runs.LOST_AFTER - timedelta(1)
    Notice.objects.update(dry_run_asked_at=long_ago)
    tasks.count_audience.delay(draft.pk)
    try:
        assert not decisions.request_audience_count(draft)
        assert RELOADS in approval(approvers_desk, draft)
    finally:
        app.control.purge()
    assert decisions.request_audience_count(draft)


def test_a_count_that_fails_can_be_asked_for_again(draft, many, monkeypatch):
    decisions.request_audience_count(draft)
    monkeypatch.setattr(planning, "count_now", lambda _notice: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tasks.count_audience(draft.pk)
    assert decisions.request_audience_count(draft)


def test_the_old_count_is_shown_during_a_new_count(approvers_desk, draft, many):
    tasks.count_audience(draft.pk)
    approvers_desk.post(notice_url("count", draft))
    text = approval(approvers_desk, draft)
    assert WAITING in text
    assert RELOADS not in text  # a reload would delete typed text
    assert "It goes to 3 people" in text


def test_a_notice_approved_meanwhile_is_not_counted(draft, many, approver):
    decisions.approve(draft, by=approver)
    tasks.count_audience(draft.pk)
    draft.refresh_from_db()
    assert draft.dry_run is None


def test_only_approvers_may_request_a_count(client, draft, many):
    support = User.objects.create_user("support@breachportal.example", is_staff=True)
    sign_in_to_desk(client, support)
    assert client.post(notice_url("count", draft)).status_code == 403
    draft.refresh_from_db()
    assert draft.dry_run_asked_at is None


def test_a_count_is_requested_by_post_only(approvers_desk, draft, many):
    assert approvers_desk.get(notice_url("count", draft)).status_code == 405


def test_stored_counts_give_the_size_of_an_incident(draft, people, settings):
    settings.NOTICE_COUNT_AT_ONCE = 2
    assert not dry_runs.needs_worker(draft)  # no file is recorded with rows
    scope_counts.recount(draft.incident)
    draft.incident.refresh_from_db()
    assert dry_runs.needs_worker(draft)
    settings.NOTICE_COUNT_AT_ONCE = 3
    assert not dry_runs.needs_worker(draft)


def test_a_test_notice_is_counted_at_once_in_any_incident(draft, many):
    Notice.objects.filter(pk=draft.pk).update(audience="test")
    draft.refresh_from_db()
    assert dry_runs.current_dry_run(draft).people == 0
