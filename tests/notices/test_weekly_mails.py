"""The weekly mail: one e-mail a week with the alerts that did not come at once, each named once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from notices import decisions, message_codes, tasks, weekly_mails
from notices.engine import audiences, pacing, planning
from notices.forms.notices import NoticeForm
from notices.models import AlertSubscription, Delivery, Notice
from notices.own_messages import own_messages
from scams.message_check import MessageVerdict, answer_for
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


def weekly_mail() -> Notice:
    """Runs the task of the beat and the workers, and returns the newest weekly mail."""
    for key in weekly_mails.start_due():
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
    assert not weekly_mails.start_due()
    subscribe(seojun, incident)
    AlertSubscription.objects.filter(user=seojun).update(subscribed_at=timezone.now())
    assert not weekly_mails.start_due()  # the alert is older than the subscription


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
    assert not weekly_mails.start_due()


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
    subscription = subscribe(minji, incident, is_weekly=False)
    sent_alert(version)  # at once
    AlertSubscription.objects.filter(pk=subscription.pk).update(is_weekly=True)
    assert not weekly_mails.start_due()
    later = published(
        incident, editor=version.created_by, approver=version.approved_by, kind="update"
    )
    sent_alert(later)
    AlertSubscription.objects.filter(pk=subscription.pk).update(is_weekly=False)
    notice = weekly_mail()
    assert notice.version == later
    assert len(server.taken) == 2
    text = server.taken[-1].message.get_body(("plain",)).get_content()
    assert later.get_absolute_url() in text
    assert version.get_absolute_url() not in text


def test_an_ended_subscription_gets_none(version, incident, minji, server):
    subscription = subscribe(minji, incident)
    sent_alert(version)
    (key,) = weekly_mails.start_due()
    planning.plan_ledger(key)
    AlertSubscription.objects.filter(pk=subscription.pk).update(unsubscribed_at=timezone.now())
    assert work(Notice.objects.get(pk=key)).suppressed == 1
    assert not server.taken


def test_a_task_that_stops_on_the_way_leaves_nothing(version, incident, minji, server, monkeypatch):
    subscribe(minji, incident)
    sent_alert(version)
    with monkeypatch.context() as patch:
        patch.setattr(pacing, "freeze_plan", lambda *_args, **_named: 1 / 0)
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            weekly_mails.start_due()
    assert not Notice.objects.filter(audience="weekly").exists()
    (key,) = weekly_mails.start_due()  # and then the queue's message is lost
    queued: list[int] = []
    monkeypatch.setattr(tasks.plan_notice, "delay", queued.append)
    tasks.sweep_notices()
    assert queued == [key]
    work(Notice.objects.get(pk=key))
    assert len(server.to("minji@example.com")) == 1
    assert weekly_mails.start_due() == []


@pytest.mark.django_db(transaction=True)
def test_two_beats_start_one_mail(incident, version, minji, server):
    subscribe(minji, incident)
    sent_alert(version)

    def start(_number: int) -> list[int]:
        try:
            return weekly_mails.start_due()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        started = [key for keys in pool.map(start, range(4)) for key in keys]
    assert len(started) == 1


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
