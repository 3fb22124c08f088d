"""The weekly mail: one e-mail a week with the alerts that did not come at once, each named once."""

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from accounts.models import User
from breachportal.management.commands import restore
from foundations.formatting import moment
from incidents.models import Incident
from notices import decisions, joined_accounts, message_codes, tasks, weekly_mails
from notices.engine import audiences, pacing, planning, sending_plans
from notices.forms.alerts import AlertsForm
from notices.forms.notices import NoticeForm
from notices.models import AlertSubscription, Delivery, Notice
from notices.own_messages import own_messages
from notices.proof.notice_summary import notice_summary
from scams.message_check import MessageVerdict, answer_for
from statements import publishing
from statements.models import StatementVersion
from tests.incident_factory import another_incident
from tests.notice_factory import assert_adds_up, draft_notice, published, work

pytest_plugins = ["tests.notice_fixtures"]


def subscribe(user: User, incident, **fields) -> AlertSubscription:
    fields = {"topic": "updates", "is_weekly": True, **fields}
    subscription = AlertSubscription.objects.create(user=user, incident=incident, **fields)
    long_ago = timezone.now() - timedelta(days=60)
    AlertSubscription.objects.filter(pk=subscription.pk).update(subscribed_at=long_ago)
    return subscription


def sent_alert(version, *, before_due: timedelta = timedelta(hours=1), **fields) -> Notice:
    """Returns an alert of updates that was sent at once, so long before the last due time."""
    fields = {"kind": "alert", "topic": "updates", **fields}
    alert = draft_notice(version, version.created_by, **fields)
    decisions.approve(alert, by=version.approved_by)
    work(alert)
    at = weekly_mails.last_due(alert.incident, timezone.now()) - before_due
    Notice.objects.filter(pk=alert.pk).update(approved_at=at, planned_at=at)
    return alert


def start_due() -> list[int]:
    """Starts the weekly mail of the last Monday, on whatever day the test runs."""
    return weekly_mails.start_due(latest=timedelta(days=8))


def choose(user: User, incident: Incident, how_often: str) -> None:
    """Chooses on the page of alerts how often the updates come."""
    form = AlertsForm(
        {incident.slug: ["updates"], f"how_often_{incident.pk}": how_often}, user=user
    )
    assert form.is_valid()
    form.save()


def weekly_mail() -> Notice:
    """Runs the task of the beat and the workers, and returns the newest weekly mail."""
    for key in start_due():
        work(Notice.objects.get(pk=key))
    return Notice.objects.filter(audience="weekly").latest("pk")


def test_each_gets_an_alert_once_and_the_weekly_mail_names_the_page(
    version, incident, minji, seojun, server, client
):
    weekly = subscribe(minji, incident)
    subscribe(seojun, incident, is_weekly=False)
    alert = sent_alert(version)
    assert [mail.message["To"] for mail in server.taken] == ["seojun@example.com"]
    notice = weekly_mail()
    (mail,) = server.to("minji@example.com")
    assert len(server.taken) == 2
    assert mail["Subject"] == "한빛상점: 이번 주의 새 소식"
    url = message_codes.unsubscribe_url(weekly.pk, "ko")
    assert mail["List-Unsubscribe"] == f"<{url}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    code = message_codes.message_code(Delivery.objects.get(notice=notice).pk)
    for part in ("plain", "html"):
        text = mail.get_body((part,)).get_content()
        for shown in ("개인정보 유출 안내", version.get_absolute_url(), url, code):
            assert shown in text
    assert_adds_up(notice)
    assert (notice.created_by, notice.approved_by) == (alert.created_by, version.approved_by)
    (own,) = own_messages(minji, str)
    assert (own.code, own.subject) == (code, mail["Subject"])
    answer = answer_for(mail.get_body(("plain",)).get_content())
    assert answer.verdict == MessageVerdict.SENT
    page = client.post("/ko/check/answer/", {"text": code}).text
    assert version.get_absolute_url() in page
    assert "이번 주의 새 소식" in page


def test_nothing_is_sent_when_nothing_is_new(version, incident, minji, seojun, server):
    subscribe(minji, incident, is_weekly=False)
    sent_alert(version)
    assert not start_due()
    subscribe(seojun, incident)
    AlertSubscription.objects.filter(user=seojun).update(subscribed_at=timezone.now())
    assert not start_due()  # the alert is older than the subscription


def test_who_subscribes_while_an_alert_waits_gets_it_with_the_weekly_mail(
    version, incident, minji, server
):
    alert = sent_alert(version)
    alert.refresh_from_db()
    assert alert.planned_at
    day, planned_at = timedelta(days=1), alert.planned_at
    Notice.objects.filter(pk=alert.pk).update(approved_at=planned_at - 9 * day)
    subscription = subscribe(minji, incident)
    AlertSubscription.objects.filter(pk=subscription.pk).update(subscribed_at=planned_at - day)
    assert weekly_mail().accepted == 1
    assert len(server.to("minji@example.com")) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"topic": "scams"},
        {"channel": "push"},
        {"state": Notice.State.CANCELLED},
        {"state": Notice.State.PAUSED},
        {"planned_at": timezone.now()},
        {"planned_at": None, "state": Notice.State.PLANNING},
        {"planned_at": timezone.now() - timedelta(weeks=6)},
    ],
    ids=[
        "scams",
        "push",
        "cancelled",
        "paused",
        "planned just now",
        "in planning",
        "six weeks old",
    ],
)
def test_what_a_weekly_mail_does_not_name(version, incident, minji, server, changes):
    subscribe(minji, incident)
    alert = sent_alert(version)
    Notice.objects.filter(pk=alert.pk).update(**changes)
    assert not start_due()


def test_an_alert_is_in_one_weekly_mail_only(version, incident, minji, server):
    subscribe(minji, incident)
    sent_alert(version, before_due=timedelta(days=8))
    first = weekly_mail()
    assert first.weekly_on
    before = first.weekly_on - timedelta(weeks=1)
    Notice.objects.filter(pk=first.pk).update(weekly_on=before)
    assert weekly_mail() == first
    assert len(server.taken) == 1


def test_a_user_who_changes_the_choice_gets_each_alert_once(version, incident, minji, server):
    subscribe(minji, incident, is_weekly=False)
    sent_alert(version)  # at once
    choose(minji, incident, "weekly")
    assert not start_due()
    later = published(
        incident, editor=version.created_by, approver=version.approved_by, kind="update"
    )
    sent_alert(later)
    choose(minji, incident, "at_once")
    notice = weekly_mail()
    assert notice.version == later
    assert len(server.taken) == 2
    text = server.taken[-1].message.get_body(("plain",)).get_content()
    assert later.get_absolute_url() in text
    assert version.get_absolute_url() not in text


def test_who_chose_at_once_and_had_no_address_gets_no_weekly_mail(
    version, incident, minji, seojun, server
):
    subscribe(seojun, incident)
    subscribe(minji, incident, is_weekly=False)
    User.objects.filter(pk=minji.pk).update(email=None)
    sent_alert(version)
    User.objects.filter(pk=minji.pk).update(email="minji@example.com")
    weekly_mail()
    assert [mail.message["To"] for mail in server.taken] == ["seojun@example.com"]


def test_an_address_that_is_added_later_gets_no_alert_of_before(
    version, incident, minji, seojun, server
):
    subscribe(seojun, incident)
    subscribe(minji, incident)
    User.objects.filter(pk=minji.pk).update(email=None)
    alert = sent_alert(version)
    assert alert.unreachable == 1  # nothing brings it: the desk counts her
    assert_adds_up(alert)
    User.objects.filter(pk=minji.pk).update(email="minji@example.com")
    weekly_mail()
    assert [mail.message["To"] for mail in server.taken] == ["seojun@example.com"]


def test_joined_accounts_have_what_one_of_them_chose(version, incident, minji, seojun, server):
    subscribe(minji, incident)
    subscribe(seojun, incident, is_weekly=False)
    sent_alert(version)
    joined_accounts.move_rows(minji, seojun)
    (kept,) = seojun.subscriptions.live()
    assert kept.is_weekly
    assert not start_due()  # it came at once


@pytest.mark.parametrize("is_still_weekly", [True, False])
def test_a_weekly_alert_of_a_joined_account_comes_with_the_mail_of_the_other(
    version, incident, minji, seojun, server, is_still_weekly
):
    subscribe(minji, incident)
    sent_alert(version)
    if not is_still_weekly:
        choose(minji, incident, "at_once")
    subscribe(seojun, incident)
    seojun.subscriptions.update(subscribed_at=timezone.now())
    joined_accounts.move_rows(minji, seojun)
    weekly_mail()
    assert [mail.message["To"] for mail in server.taken] == ["seojun@example.com"]


def test_an_alert_that_came_at_once_does_not_come_again_after_accounts_are_joined(
    version, incident, minji, seojun, server
):
    subscribe(minji, incident, is_weekly=False)
    sent_alert(version)
    subscribe(seojun, incident)
    seojun.subscriptions.update(subscribed_at=timezone.now())
    joined_accounts.move_rows(minji, seojun)
    assert not start_due()
    assert len(own_messages(seojun, str)) == 1


def test_a_version_that_was_replaced_without_an_alert_is_not_called_new(
    version, incident, minji, server
):
    subscribe(minji, incident)
    sent_alert(version)
    later = published_again(version)
    notice = weekly_mail()
    text = server.taken[-1].message.get_body(("plain",)).get_content()
    assert later.get_absolute_url() in text
    assert version.get_absolute_url() not in text
    published_again(version)
    assert notice.weekly_versions() == [later]  # what the mail named


def test_a_version_that_a_mail_named_is_not_new_in_the_next_one(
    version, incident, minji, seojun, server
):
    subscribe(minji, incident)
    sent_alert(version, before_due=timedelta(days=8))
    later = published_again(version)
    first = weekly_mail()
    assert first.version == later  # in the proof, too
    with timezone.override(incident.zone), override("en"):
        facts = [row for part in notice_summary(first).blocks for row in getattr(part, "rows", [])]
    assert ("Text", "“About your data”, version 2") in facts
    assert first.weekly_on
    Notice.objects.filter(pk=first.pk).update(weekly_on=first.weekly_on - timedelta(weeks=1))
    sent_alert(later)
    assert not start_due()
    subscribe(seojun, incident)  # after the first mail, and before the alert
    second = weekly_mail()
    assert second != first
    (row,) = Delivery.objects.filter(notice=second)
    assert row.subscription
    assert row.subscription.user == seojun


def test_an_ended_subscription_gets_none(version, incident, minji, server):
    subscription = subscribe(minji, incident)
    sent_alert(version)
    (key,) = start_due()
    planning.plan_ledger(key)
    AlertSubscription.objects.filter(pk=subscription.pk).update(unsubscribed_at=timezone.now())
    assert work(Notice.objects.get(pk=key)).suppressed == 1
    assert not server.taken


def test_a_task_that_stops_on_the_way_leaves_nothing(version, incident, minji, server, monkeypatch):
    subscribe(minji, incident)
    sent_alert(version)
    with monkeypatch.context() as patch:
        patch.setattr(pacing, "freeze_plan", lambda *_args, **_named: sys.exit())
        with pytest.raises(SystemExit), transaction.atomic():
            start_due()
    assert not Notice.objects.filter(audience="weekly").exists()
    (key,) = start_due()  # and then the queue's message is lost
    queued: list[int] = []
    monkeypatch.setattr(tasks.plan_notice, "delay", queued.append)
    tasks.sweep_notices()
    assert queued == [key]
    work(Notice.objects.get(pk=key))
    assert len(server.to("minji@example.com")) == 1
    assert start_due() == []


def test_a_fault_of_one_incident_stops_no_other_mail(version, incident, minji, server, monkeypatch):
    subscribe(minji, incident)
    sent_alert(version)
    another_incident(incident, "other")
    real = weekly_mails._start
    asked = []

    def start(incident_id: int, due: datetime) -> Notice | None:
        asked.append(incident_id)
        if len(asked) == 1:
            raise ValueError
        return real(incident.pk, due)

    monkeypatch.setattr(weekly_mails, "_start", start)
    assert len(start_due()) == 1
    assert len(asked) == 2


@pytest.mark.parametrize(("hours", "starts"), [(0, True), (23, True), (24, False), (100, False)])
def test_it_starts_within_a_day_of_monday_at_nine(
    version, incident, minji, server, monkeypatch, hours, starts
):
    subscribe(minji, incident)
    sent_alert(version)
    due = weekly_mails.last_due(incident, timezone.now())
    monkeypatch.setattr(timezone, "now", lambda: due + timedelta(hours=hours))
    assert bool(weekly_mails.start_due()) == starts
    monkeypatch.setattr(timezone, "now", lambda: due + timedelta(weeks=1))
    assert bool(weekly_mails.start_due()) != starts


def test_a_restored_weekly_mail_waits_for_a_person(version, incident, minji, server):
    subscribe(minji, incident)
    alert = sent_alert(version)  # the backup is of an hour later, and of before Monday at nine
    restore.Command(stdout=StringIO())._pause_notices()
    notice = Notice.objects.get(audience="weekly")
    assert notice.state == Notice.State.PAUSED
    alert.refresh_from_db()
    assert alert.weekly_mail == notice
    assert not start_due()


@pytest.mark.django_db(transaction=True)
def test_two_beats_start_one_mail(incident, version, minji, server):
    subscribe(minji, incident)
    sent_alert(version)

    def start(_number: int) -> list[int]:
        try:
            return start_due()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        started = [key for keys in pool.map(start, range(4)) for key in keys]
    assert len(started) == 1


@pytest.mark.django_db(transaction=True)
def test_an_incident_that_is_locked_waits_for_the_next_run(incident, version, minji, server):
    subscribe(minji, incident)
    sent_alert(version)

    def start() -> list[int]:
        try:
            return start_due()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Incident.objects.select_for_update().get(pk=incident.pk)
        assert pool.submit(start).result(timeout=20) == []
    assert len(start_due()) == 1


def test_the_database_refuses_a_second_one_of_a_week(version, incident, minji, server):
    subscribe(minji, incident)
    sent_alert(version)
    notice = weekly_mail()
    notice.pk = None
    with pytest.raises(IntegrityError, match="one_weekly_mail_a_week"), transaction.atomic():
        notice.save()


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-30T08:59", "2026-11-23T09:00"),
        ("2026-11-30T09:00", "2026-11-30T09:00"),
        ("2026-12-06T23:00", "2026-11-30T09:00"),
    ],
)
@pytest.mark.parametrize("zone", ["Asia/Seoul", "America/New_York"])
def test_it_is_due_on_monday_at_nine_in_the_incidents_zone(incident, zone, now, due):
    incident.time_zone = zone
    moment = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo(zone))
    found = weekly_mails.last_due(incident, moment).astimezone(ZoneInfo(zone))
    assert found.replace(tzinfo=None) == datetime.fromisoformat(due)


def test_the_approver_reads_who_gets_it_when(
    version, incident, minji, seojun, editor, approvers_desk, english
):
    subscribe(minji, incident)
    subscribe(seojun, incident, is_weekly=False)
    draft = draft_notice(version, editor, kind="alert", topic="updates")
    page = approvers_desk.get(reverse("admin:notices_notice_approve", args=[draft.pk])).text
    assert '<th scope="row">People who get it at once</th><td>1</td>' in page
    row = '<th scope="row">Subscribers who get it with the next weekly mail</th><td>1</td>'
    assert row in page
    draft.channel = "push"
    assert set(audiences.subscribers(draft).values_list("user", flat=True)) == {minji.pk, seojun.pk}
    assert planning.count_now(draft).weekly == 0


def test_the_desk_cannot_draft_one():
    assert 'value="weekly"' not in str(NoticeForm()["audience"])


def test_the_summary_names_the_approvals_of_its_alerts(version, incident, minji, server):
    subscribe(minji, incident)
    alert = sent_alert(version)
    notice = weekly_mail()
    with timezone.override(incident.zone), override("en"):
        approved, created = moment(alert_time(alert)), moment(notice.created_at)
        facts = [row for part in notice_summary(notice).blocks for row in getattr(part, "rows", [])]
    assert ("Created by", "the portal, from approved alerts") in facts
    assert ("Created on", created) in facts
    by = f"by {alert.created_by}, approved by {alert.approved_by}, {approved}"
    assert ("Approved alert", f"About your data, version 1: {by}") in facts
    assert not {"Approved by", "Approved on"} & {row[0] for row in facts}


def published_again(version):
    draft = publishing.draft_next(version.statement, by=version.created_by)
    StatementVersion.objects.filter(pk=draft.pk).update(change_reason={"ko": "바뀜", "en": "New"})
    return publishing.publish(draft, by=version.approved_by)


def alert_time(alert: Notice) -> datetime:
    alert.refresh_from_db()
    assert alert.approved_at
    return alert.approved_at


def test_the_check_names_what_the_mail_names_and_links_public_pages_only(
    version, incident, minji, server
):
    subscribe(minji, incident)
    sent_alert(version)
    later = published_again(version)
    sent_alert(later)
    notice = weekly_mail()
    assert notice.weekly_versions() == [later]
    text = server.taken[-1].message.get_body(("plain",)).get_content()

    (sent,) = answer_for(text).sent
    shown = render_to_string("scams/sent_message.html", {"sent": sent})
    assert later.get_absolute_url() in shown
    assert version.get_absolute_url() not in shown
    sent.notice.incident.is_public = False
    shown = render_to_string("scams/sent_message.html", {"sent": sent})
    assert str(later.title) in shown
    assert "<a " not in shown


def test_the_shortest_wait_counts_from_the_start_of_the_mail(version, incident, minji, server):
    subscribe(minji, incident)
    sent_alert(version, before_due=timedelta(days=5))
    notice = weekly_mail()
    plan = sending_plans.SendingPlan("days", timedelta(days=1), {})
    gate = pacing.PlanGate(notice, plan)
    assert gate._shortest_wait(timezone.now()) == plan.step / 100
