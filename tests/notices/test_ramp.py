"""The ramp: a large notice goes to a few people first, and pauses after many bounces."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from harness import exposure_factory
from harness.sign_in import sign_in_to_desk
from incidents.models import AffectedPerson
from notices import decisions, tasks
from notices.engine import planning, send_loop, starting
from notices.engine import ramp as engine_ramp
from notices.models import Notice
from tests.notice_factory import affected, assert_adds_up, work

pytest_plugins = ["tests.notice_fixtures"]


@pytest.fixture
def crowd(incident) -> list[str]:
    """The e-mail addresses of twenty affected people."""
    file = exposure_factory.file_of(incident)
    emails = [f"person{number}@example.com" for number in range(20)]
    for email in emails:
        affected(file, "사람", email)
    return emails


@pytest.fixture(autouse=True)
def _small(settings):
    settings.NOTICE_CHUNK_SIZE = 1
    settings.NOTICE_RAMP_PERCENT = (5, 25)
    settings.NOTICE_PAUSE_AT_LEAST = 4


def begun(draft: Notice, approver, ramp: str, people: int = 20) -> Notice:
    Notice.objects.filter(pk=draft.pk).update(ramp=ramp)
    decisions.approve(draft, by=approver, people=people)
    return work(draft)


def test_each_step_waits_for_a_person(client, draft, crowd, approver, server):
    notice = begun(draft, approver, "person")
    assert len(server.taken) == 1
    tasks.sweep_notices()
    tasks.send_chunks(notice.pk)
    assert len(server.taken) == 1
    sign_in_to_desk(client, approver)
    address = reverse("admin:notices_notice_change", args=[notice.pk])
    page = client.get(address).text
    assert "Step 1 of 3: 5 % of the people." in page
    assert "waits for a person" in page
    next_step = reverse("admin:notices_notice_next_step", args=[notice.pk])
    for after, expected in enumerate((5, 20), 1):
        assert f'name="after" value="{after}"' in client.get(address).text
        for _press in range(2):  # the second one was meant for the same step
            client.post(next_step, {"after": after})
        tasks.send_chunks(notice.pk)
        assert len(server.taken) == expected
    notice.refresh_from_db()
    assert notice.state == Notice.State.CLOSED
    assert not decisions.start_next_step(notice)
    assert_adds_up(notice)


@pytest.mark.parametrize(("people", "sent"), [(150, [1, 15, 150]), (30, [1, 3, 30])])
def test_one_per_cent_of_a_small_notice_is_one_per_cent(
    draft, incident, approver, server, settings, people, sent
):
    settings.NOTICE_CHUNK_SIZE, settings.NOTICE_RAMP_PERCENT = 500, (1, 10)
    file = exposure_factory.file_of(incident)
    for number in range(people):
        affected(file, "사람", f"person{number}@example.com")
    notice = begun(draft, approver, "person", people)
    assert [len(server.taken), *_after_each_step(notice, server)] == sent


def _after_each_step(notice: Notice, server) -> list[int]:
    """Lets each further step go. Returns how many messages were sent after it."""
    found = []
    while decisions.start_next_step(notice):
        tasks.send_chunks(notice.pk)
        notice.refresh_from_db()
        found.append(len(server.taken))
    return found


def test_each_step_starts_after_a_time_without_problems(draft, crowd, approver, server):
    notice = begun(draft, approver, "interval")
    assert not engine_ramp.advance_ramp_if_healthy(notice)  # too early
    for expected in (5, 20):
        Notice.objects.update(ramp_at=timezone.now() - timedelta(hours=1))
        tasks.sweep_notices()
        tasks.send_chunks(notice.pk)
        assert len(server.taken) == expected
    assert Notice.objects.get().state == Notice.State.CLOSED


def test_a_problem_delays_the_next_step(draft, crowd, approver, server):
    notice = begun(draft, approver, "interval")
    Notice.objects.update(ramp_at=timezone.now() - timedelta(hours=1), problem="server away")
    notice.refresh_from_db()
    assert not engine_ramp.advance_ramp_if_healthy(notice)


def test_two_starts_at_once_start_one_step(draft, crowd, approver, server):
    notice = begun(draft, approver, "person")
    same = Notice.objects.get()
    assert engine_ramp.advance_ramp(notice)
    assert not engine_ramp.advance_ramp(same)
    assert Notice.objects.get().ramp_step == 2


@pytest.mark.parametrize(
    ("kind", "people", "ramp"),
    [("mandatory", 30, "interval"), ("mandatory", 10, "none"), ("alert", 30, "none")],
)
def test_a_large_mandatory_notice_begins_in_steps(draft, settings, kind, people, ramp):
    settings.NOTICE_RAMP_FROM_PEOPLE = 20
    draft.kind = kind
    assert engine_ramp.ramp_for(draft, people=people) == ramp


def test_a_notice_that_waited_has_the_ramp_of_its_size_at_the_start(
    draft, crowd, approver, server, settings
):
    settings.NOTICE_RAMP_FROM_PEOPLE = 20
    Notice.objects.filter(pk=draft.pk).update(begins_at=timezone.now() + timedelta(days=1))
    decisions.approve(draft, by=approver, people=19)
    Notice.objects.filter(pk=draft.pk).update(begins_at=timezone.now())
    assert (work(draft).ramp, len(server.taken)) == ("interval", 1)


def test_people_added_while_it_was_paused_before_its_first_page_give_it_a_ramp(
    draft, crowd, approver, server, settings
):
    settings.NOTICE_RAMP_FROM_PEOPLE = 21
    decisions.approve(draft, by=approver, people=20)
    decisions.pause(draft)
    affected(exposure_factory.file_of(draft.incident), "나중", "later@example.com")
    decisions.resume(draft)
    assert (work(draft).ramp, draft.planned, len(server.taken)) == ("interval", 21, 1)


def test_a_first_page_that_is_stopped_while_it_is_written_leaves_the_ramp_open(
    draft, crowd, approver, server, settings, monkeypatch
):
    settings.NOTICE_RAMP_FROM_PEOPLE = 21
    decisions.approve(draft, by=approver, people=20)

    def stop(*_page):
        raise planning._StoppedError

    with monkeypatch.context() as patch:
        patch.setattr(planning, "_write_rows", stop)  # a person pauses it at this moment
        assert not planning.plan_ledger(draft.pk)
    decisions.pause(draft)
    affected(exposure_factory.file_of(draft.incident), "나중", "later@example.com")
    decisions.resume(draft)
    assert (work(draft).ramp, draft.planned, len(server.taken)) == ("interval", 21, 1)


def test_far_more_people_while_the_ledger_is_written_are_confirmed_by_a_person(
    draft, crowd, approver, server, monkeypatch
):
    monkeypatch.setattr(starting, "FEW_MORE", 1)
    decisions.approve(draft, by=approver, people=20)
    planning.plan_ledger(draft.pk, on_first_chunk=lambda: decisions.pause(draft))
    draft.refresh_from_db()
    assert (draft.state, draft.planned) == (Notice.State.PAUSED, 10)
    file = exposure_factory.file_of(draft.incident)
    for number in range(40):
        affected(file, "나중", f"later{number}@example.com")
    later = AffectedPerson.objects.filter(pk__gt=draft.planned_to).count()
    decisions.resume(draft)
    work(draft)
    assert (draft.state, draft.paused_for) == (Notice.State.PAUSED, Notice.PausedFor.MORE)
    assert draft.planned <= 22
    assert draft.problem.startswith(f"{10 + later} people now")
    decisions.resume(draft)
    work(draft)
    assert (draft.state, draft.planned) == (Notice.State.CLOSED, 10 + later)
    assert_adds_up(draft)


def test_far_more_people_before_the_first_page_of_a_notice_give_it_a_ramp(
    draft, crowd, approver, server, settings, monkeypatch
):
    monkeypatch.setattr(starting, "FEW_MORE", 1)
    settings.NOTICE_CHUNK_SIZE, settings.NOTICE_RAMP_FROM_PEOPLE = 500, 30
    decisions.approve(draft, by=approver, people=20)
    file = exposure_factory.file_of(draft.incident)
    for number in range(20):
        affected(file, "나중", f"later{number}@example.com")
    assert (work(draft).paused_for, draft.planned) == (Notice.PausedFor.MORE, 0)
    decisions.resume(draft)
    assert (work(draft).ramp, draft.planned, len(server.taken)) == ("interval", 40, 2)


def test_far_more_people_between_the_pages_give_the_notice_a_ramp(
    draft, crowd, approver, server, settings, monkeypatch
):
    monkeypatch.setattr(starting, "FEW_MORE", 1)
    settings.NOTICE_RAMP_FROM_PEOPLE = 60
    decisions.approve(draft, by=approver, people=20)
    file = exposure_factory.file_of(draft.incident)
    for number in range(60):
        affected(file, "나중", f"later{number}@example.com")

    def send_first_page() -> None:
        while len(server.taken) < 10:
            send_loop.send_due(draft.pk, seconds=1)

    planning.plan_ledger(draft.pk, on_first_chunk=send_first_page)
    draft.refresh_from_db()
    assert (draft.paused_for, draft.planned) == (Notice.PausedFor.MORE, 20)
    decisions.resume(draft)
    assert (work(draft).ramp, draft.ramp_step, draft.planned) == ("interval", 1, 80)
    assert len(server.taken) == 10  # more than 5 per cent of 80
    assert _after_each_step(draft, server) == [20, 80]
    assert_adds_up(draft)


def test_a_notice_that_stays_small_has_no_steps_once_its_ledger_is_complete(
    draft, crowd, approver, server, settings
):
    settings.NOTICE_RAMP_FROM_PEOPLE = 21
    decisions.approve(draft, by=approver, people=20)
    assert (work(draft).ramp, draft.state) == ("none", Notice.State.CLOSED)


def test_a_cancelled_ramp_ends_every_delivery_and_shows_no_next_step(
    client, draft, crowd, approver, server
):
    notice = begun(draft, approver, "person")
    decisions.cancel(notice)
    sign_in_to_desk(client, approver)
    page = client.get(reverse("admin:notices_notice_change", args=[notice.pk])).text
    assert "Step 1 of 3" in page
    assert "waits for a person" not in page
    work(notice)
    assert (notice.accepted, notice.cancelled) == (1, 19)
    assert notice.closed_at


# -------------------------------------------------------------------- automatic pauses


def test_too_many_bounces_pause_the_notice_and_the_page_says_so(
    client, draft, crowd, approver, server
):
    for email in crowd:
        server.reply_next("recipient", email, "550 5.1.1 no such user")
    notice = begun(draft, approver, "none")
    tasks.sweep_notices()
    notice.refresh_from_db()
    assert (notice.state, notice.paused_for) == (Notice.State.PAUSED, "bounces")
    assert notice.problem.endswith("(100.0% > 5 %)")
    sign_in_to_desk(client, approver)
    page = client.get(reverse("admin:notices_notice_change", args=[notice.pk])).text
    assert "It paused by itself: too many messages bounced." in page
    assert notice.problem.split("(")[0] in page
    assert "Nothing is sent until a person lets it go on." in page
    assert "First see why so many come back" in page
    [read] = re.findall(r'name="read" value="(\w+)"', page)
    client.post(reverse("admin:notices_notice_resume", args=[notice.pk]), {"read": read})
    page = client.get(reverse("admin:notices_notice_change", args=[notice.pk])).text
    assert "Nothing is sent until" not in page


def test_a_worker_stops_for_a_pause_between_two_chunks(draft, crowd, approver, server):
    for email in crowd:
        server.reply_next("recipient", email, "550 5.1.1 no such user")
    notice = begun(draft, approver, "none")
    assert notice.state == Notice.State.PAUSED
    assert notice.bounced < 20
    assert_adds_up(notice)


def test_after_a_resume_only_new_bounces_count(draft, crowd, approver, server):
    for email in crowd:
        server.reply_next("recipient", email, "550 5.1.1 no such user")
    notice = begun(draft, approver, "none")
    bounced = notice.bounced
    server._script.clear()
    assert decisions.resume(notice)
    work(notice)
    assert notice.state == Notice.State.CLOSED
    assert (notice.paused_for, notice.bounced) == ("", bounced)
    assert_adds_up(notice)


def test_a_few_bounces_pause_nothing(draft, crowd, approver, server, settings):
    settings.NOTICE_PAUSE_BOUNCE_PERCENT = 50
    server.reply_next("recipient", crowd[0], "550 5.1.1 no such user")
    assert begun(draft, approver, "none").state == Notice.State.CLOSED
