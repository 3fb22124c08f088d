"""The desk chooses a sending plan, says before the approval when it ends, and shows each group."""

from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from celery import Task
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from kombu.exceptions import OperationalError

from harness.sign_in import sign_in_to_desk
from incidents.models import Incident
from notices import decisions, tasks
from notices.engine import group_counts, ledger, planning, sending_plans, starting
from notices.models import Notice, NoticeGroup, SendingPace
from tests.database import conninfo
from tests.notice_factory import work
from tests.notices.test_sending_plans import approved, crowd

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.usefixtures("short_waits")


@pytest.fixture
def slow_plan(settings):
    """A plan of ten messages a day for each group, as the default of the settings."""
    entry = sending_plans.PlanEntry.model_validate(
        {
            "id": "slow",
            "name": {"en": "very slow", "ko": "아주 느림"},
            "step_minutes": 1440,
            "messages": {"*": [10]},
        }
    )
    sending_plans.plans()["slow"] = entry
    settings.NOTICE_PLAN = "slow"
    yield
    del sending_plans.plans()["slow"]


@pytest.fixture
def desk(client, approver):
    sign_in_to_desk(client, approver)
    client.cookies["language"] = "en"
    return client


def approve_page(desk, draft: Notice) -> str:
    return desk.get(reverse("admin:notices_notice_approve", args=[draft.pk])).text


def test_a_new_notice_can_have_a_plan(editors_desk, version):
    add = reverse("admin:notices_notice_add")
    assert "by the hour: for a sender that the providers know" in editors_desk.get(add).text
    values = {"version": version.pk, "kind": "mandatory", "sending_plan": "days"}
    editors_desk.post(add, values)
    notice = Notice.objects.get()
    assert notice.sending_plan == "days"
    page = editors_desk.get(reverse("admin:notices_notice_change", args=[notice.pk])).text
    assert "by the day: for a new sending domain or relay" in page
    editors_desk.post(add, values | {"sending_plan": "yesterday"})
    assert Notice.objects.count() == 1


def test_a_plan_for_text_messages_is_refused(editors_desk, version):
    values = {"version": version.pk, "kind": "mandatory", "channel": "sms"}
    page = editors_desk.post(
        reverse("admin:notices_notice_add"), values | {"sending_plan": "days"}
    ).text
    assert "Only e-mail has a sending plan." in page
    assert not Notice.objects.exists()


def test_a_draft_with_a_plan_that_the_file_lost_is_not_approved(desk, draft, incident, approver):
    Notice.objects.filter(pk=draft.pk).update(sending_plan="lost")
    crowd(incident, naver_com=5)
    assert "There is no sending plan “lost” any more." in approve_page(desk, draft)
    with pytest.raises(decisions.ApprovalRefusedError):
        decisions.approve(draft, by=approver)


@pytest.mark.parametrize(("ago", "late"), [(10, "57 hours"), (-46, "1 hour")])
def test_a_plan_that_misses_the_legal_deadline_is_named_before_the_approval(
    desk, draft, incident, slow_plan, ago, late
):
    Incident.objects.filter(pk=incident.pk).update(aware_at=timezone.now() - timedelta(hours=ago))
    crowd(incident, naver_com=50, gmail_com=10)
    page = approve_page(desk, draft)
    assert "very slow" in page
    assert "the last people get the message 4 days 23 hours after the approval" in page
    assert f"This is {late} after the legal deadline" in page
    assert "naver.com" in page


def test_a_plan_that_is_fast_enough_has_no_objection(desk, draft, incident, settings):
    settings.NOTICE_PLAN = "hours"
    Incident.objects.filter(pk=incident.pk).update(aware_at=timezone.now() - timedelta(hours=10))
    crowd(incident, naver_com=50)
    page = approve_page(desk, draft)
    assert "get the message 0 hours after the approval" in page
    assert "legal deadline" not in page


def test_without_a_plan_the_page_says_nothing_of_it(desk, draft, incident):
    crowd(incident, naver_com=5)
    assert "When it arrives" not in approve_page(desk, draft)


def test_the_end_is_said_in_korean(client, draft, incident, approver, slow_plan):
    crowd(incident, naver_com=50)
    sign_in_to_desk(client, approver)
    client.cookies["language"] = "ko"
    page = approve_page(client, draft)
    assert "승인 후 4일 23시간이 지난" in page
    assert "메일 사업자" in page


def test_the_notices_page_shows_each_groups_pace(desk, draft, incident, approver, server):
    crowd(incident, naver_com=30, example_com=5)
    notice = work(approved(draft, approver, naver_com=[20, 40]))
    page = desk.get(reverse("admin:notices_notice_change", args=[notice.pk])).text
    assert "1 of 20" in page
    assert "other destinations" in page
    assert "no limit" in page
    counts = {row.group: (row.people, row.tried) for row in NoticeGroup.objects.all()}
    assert counts == {"naver.com": (30, 1), "other": (5, 5)}
    assert SendingPace.objects.get().group == "naver.com"


def test_a_large_audience_is_estimated_from_a_sample(incident, draft, monkeypatch):
    monkeypatch.setattr(group_counts, "SAMPLE", 20)
    crowd(incident, naver_com=60, gmail_com=20)
    found = group_counts.count_groups(draft, people=80)
    assert sum(found.values()) in (79, 80, 81)
    assert 30 <= found["naver.com"] <= 80
    assert sum(group_counts.count_groups(draft, people=None).values()) == 20


def test_a_person_changes_the_plan_of_a_running_notice(desk, draft, incident, approver, server):
    crowd(incident, naver_com=30)
    notice = work(approved(draft, approver, step_seconds=86_400, naver_com=[20]))
    held = notice.deliveries.filter(state="pending").latest("not_before")
    assert held.not_before
    assert held.not_before > timezone.now() + timedelta(minutes=10)
    url = reverse("admin:notices_notice_change_plan", args=[notice.pk])
    assert "by the hour" in desk.get(url).text
    desk.post(url, {"sending_plan": "none"})
    tasks.end_holds(notice.pk)
    notice = work(notice)
    assert notice.accepted == 30
    assert notice.state == Notice.State.CLOSED
    history = desk.get(reverse("admin:notices_notice_history", args=[notice.pk])).text
    assert "Another sending plan: none." in history
    assert "Its state: closed" in desk.post(url, {"sending_plan": "hours"}, follow=True).text


def test_the_plan_of_a_notice_that_waits_counts_from_its_start(
    draft, incident, approver, server, slow_plan
):
    crowd(incident, naver_com=30)
    begins_at = timezone.now() + timedelta(days=7)
    Notice.objects.filter(pk=draft.pk).update(begins_at=begins_at, sending_plan="none")
    decisions.approve(draft, by=approver, people=30)
    assert decisions.change_plan(draft, "slow")
    draft.refresh_from_db()
    tried_for = timedelta(hours=settings.NOTICE_DEADLINE_HOURS)
    assert draft.deadline_at > begins_at + timedelta(days=2) + tried_for
    crowd(incident, daum_net=10)
    began = timezone.now()
    Notice.objects.filter(pk=draft.pk).update(begins_at=began)
    work(draft)
    assert draft.deadline_at < began + timedelta(days=4) + tried_for
    groups = dict(NoticeGroup.objects.values_list("group", "people"))
    assert groups == {"naver.com": 30, "kakao.com": 10}


def test_far_more_people_between_the_pages_of_a_ledger_have_as_much_time_as_their_plan_takes(
    draft, incident, approver, slow_plan, monkeypatch
):
    monkeypatch.setattr(starting, "FEW_MORE", 1)
    monkeypatch.setattr(settings, "NOTICE_CHUNK_SIZE", 1)
    crowd(incident, naver_com=20)
    decisions.approve(draft, by=approver, people=20)
    crowd(incident, daum_net=60)
    planning.plan_ledger(draft.pk)
    draft.refresh_from_db()
    assert (draft.paused_for, draft.planned) == (Notice.PausedFor.MORE, 20)
    tried_for = timedelta(hours=settings.NOTICE_DEADLINE_HOURS)
    assert draft.deadline_at > timezone.now() + timedelta(days=4) + tried_for
    groups = dict(NoticeGroup.objects.values_list("group", "people"))
    assert groups == {"naver.com": 20, "kakao.com": 60}


def test_a_plan_that_is_changed_while_the_broker_is_away_ends_the_holds_later(
    desk, draft, incident, approver, server, monkeypatch, django_capture_on_commit_callbacks
):
    crowd(incident, naver_com=3)
    notice = work(approved(draft, approver, step_seconds=86_400, naver_com=[2]))
    is_away, queued = True, list[str]()

    def queue(task: Any, *_arguments: object, **_options: object) -> None:
        if is_away:
            raise OperationalError
        queued.append(task.name)

    monkeypatch.setattr(Task, "apply_async", queue)
    url = reverse("admin:notices_notice_change_plan", args=[notice.pk])
    with django_capture_on_commit_callbacks(execute=True):
        assert desk.post(url, {"sending_plan": "none"}).status_code == 302
    assert not ledger.has_due_chunk(notice)
    is_away = False
    tasks.sweep_notices()
    assert queued == [tasks.end_holds.name]
    tasks.end_holds(notice.pk)
    assert ledger.has_due_chunk(notice)
    assert Notice.objects.get(pk=notice.pk).replanned_at is None
    with CaptureQueriesContext(connection) as queries:
        tasks.end_holds(notice.pk)  # queued once more by a sweep meanwhile
    assert queued == [tasks.end_holds.name, *[tasks.send_chunks.name] * settings.NOTICE_SENDERS]
    assert not any("notices_chunk" in query["sql"] for query in queries)
    Notice.objects.filter(pk=notice.pk).update(replanned_at=timezone.now())
    with psycopg.connect(conninfo(), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [ledger._HOLDS_LOCK, notice.pk])
        assert not ledger.end_holds(notice)
    assert Notice.objects.get(pk=notice.pk).replanned_at


def test_a_worker_with_the_old_plan_does_not_hold_people_by_it(
    draft, incident, approver, server, monkeypatch
):
    crowd(incident, naver_com=10)
    notice = approved(draft, approver, step_seconds=86_400, naver_com=[20])
    change = partial(decisions.change_plan, notice, "hours")
    finish = ledger.release

    def release(lease, **how):
        change()
        finish(lease, **how)

    monkeypatch.setattr(ledger, "release", release)
    notice = work(notice)
    latest = notice.deliveries.filter(state="pending").latest("not_before").not_before
    assert latest
    assert latest <= timezone.now() + timedelta(seconds=61)
