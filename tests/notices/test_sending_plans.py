"""Sending plans: each provider group gets its messages in growing steps, and blocks no other."""

import multiprocessing
import os
import signal
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import exposure_factory
from notices import decisions, tasks
from notices.engine import journal, pacing, sending_plans
from notices.engine.pacing import PlanGate
from notices.engine.sending_plans import (
    IDLE,
    Pace,
    SendingPlan,
    allowed,
    check_sending_plans,
    moved_on,
    number_of,
    plan_of,
    time_to_send,
)
from notices.models import Chunk, Delivery, Notice, NoticeGroup, SendingPace
from tests.killed_process import run_until_killed
from tests.notice_factory import affected, assert_adds_up, work
from tests.smtp_server import recipients

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.usefixtures("short_waits")
NOW = datetime(2026, 11, 29, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
NUMBERS = (100, 200, 400)
PLAN = SendingPlan("test", HOUR, {"naver.com": NUMBERS})


# -------------------------------------------------------------------- the arithmetic


def test_a_step_is_spread_over_its_time():
    pace = Pace(0, NOW)
    minutes = {0: 5, 30: 55, 57: 100, 59: 100}
    for minute, number in minutes.items():
        now = NOW + timedelta(minutes=minute)
        assert allowed(pace, PLAN, NUMBERS, now) == number
        assert allowed(Pace(0, NOW, admitted=40), PLAN, NUMBERS, now) == max(number - 40, 0)


@pytest.mark.parametrize(
    ("pace", "after", "step"),
    [
        (Pace(0, NOW, 100), HOUR, 1),
        (Pace(0, NOW, 50), HOUR, 1),
        (Pace(0, NOW, 49), HOUR, 0),  # too little was sent for the provider to know us
        (Pace(0, NOW, 100, NOW + HOUR / 2), HOUR, 0),  # the provider limited us
        (Pace(0, NOW, 100, NOW - HOUR), HOUR, 1),  # in an earlier step
        (Pace(0, NOW, 100), 9 * HOUR, 1),  # one step at a time
        (Pace(2, NOW, 400), HOUR, 2),  # the last number stays
        (Pace(2, NOW, 400), IDLE + HOUR, 0),  # forgotten
    ],
)
def test_a_step_is_followed_by_the_next_if_it_went_well(pace, after, step):
    assert moved_on(pace, PLAN, NUMBERS, NOW + after).step == step


paces = st.builds(
    Pace,
    st.integers(0, 2),
    st.just(NOW),
    st.integers(0, 400),
    st.none() | st.just(NOW),
)


@given(paces, st.floats(0, 10_000), st.lists(st.integers(1, 10**6), min_size=1, max_size=5))
def test_never_more_than_the_steps_number(pace, minutes, numbers):
    now = NOW + timedelta(minutes=minutes)
    moved = moved_on(pace, PLAN, tuple(numbers), now)
    assert 0 <= allowed(moved, PLAN, tuple(numbers), now) <= number_of(moved, tuple(numbers))


@settings(deadline=None)
@given(st.integers(1, 500), st.lists(st.integers(1, 300), min_size=1, max_size=4))
def test_the_time_that_a_send_takes_is_known_before(messages, numbers):
    numbers = tuple(numbers)
    pace, now, sent = Pace(0, NOW), NOW, 0
    said = time_to_send(pace, PLAN, numbers, NOW, messages=messages)
    while sent < messages:
        pace = moved_on(pace, PLAN, numbers, now)
        number = min(allowed(pace, PLAN, numbers, now), messages - sent)
        pace = Pace(pace.step, pace.step_at, pace.admitted + number)
        sent += number
        now += HOUR / 20
    assert abs((now - NOW) - said) <= HOUR / 10 + HOUR / min(numbers) + HOUR / 20


def test_the_shipped_plans_grow_and_the_checks_find_wrong_files(settings, tmp_path):
    assert set(sending_plans.plans()) == {"hours", "days"}
    for entry in sending_plans.plans().values():
        for numbers in entry.messages.values():
            assert list(numbers) == sorted(set(numbers))
    assert check_sending_plans() == []
    settings.NOTICE_PLAN = "unknown"
    assert [each.id for each in check_sending_plans()] == ["notices.E012"]
    settings.NOTICE_PLAN = "own"
    settings.NOTICE_PLANS_FILE = str(tmp_path / "plans.toml")
    assert [each.id for each in check_sending_plans()] == ["notices.E010"]
    plan = '[[plan]]\nid="own"\nname.en="own"\nstep_minutes=60\nmessages={"nave.com"=[10]}\n'
    (tmp_path / "plans.toml").write_text(plan)
    assert [each.id for each in check_sending_plans()] == ["notices.E011"]
    (tmp_path / "plans.toml").write_text(plan.replace("[10]", "[0]"))
    sending_plans._plans_in.cache_clear()
    assert [each.id for each in check_sending_plans()] == ["notices.E010"]


# -------------------------------------------------------------------- a send


def crowd(incident, **numbers: int) -> None:
    file = exposure_factory.file_of(incident)
    for name, number in numbers.items():
        for one in range(number):
            affected(file, "사람", f"person{one}@{name.replace('_', '.')}")


def approved(draft: Notice, approver, *, step_seconds: float = 3_600, **messages) -> Notice:
    """Returns the approved notice with a plan of these messages by group."""
    Notice.objects.filter(pk=draft.pk).update(sending_plan="hours")
    decisions.approve(draft, by=approver)
    named = {name.replace("_", "."): numbers for name, numbers in messages.items()}
    plan = {"id": "test", "step_seconds": step_seconds, "messages": named}
    Notice.objects.filter(pk=draft.pk).update(frozen_plan=plan)
    draft.refresh_from_db()
    return draft


def let_pass(seconds: float) -> None:
    """Moves all stored times of the plan into the past."""
    passed = timedelta(seconds=seconds)
    for pace in SendingPace.objects.all():
        refused_at = pace.refused_at and pace.refused_at - passed
        rows = SendingPace.objects.filter(pk=pace.pk)
        rows.update(step_at=pace.step_at - passed, refused_at=refused_at)
    Delivery.objects.update(not_before=None)
    Chunk.objects.filter(state=Chunk.State.DUE).update(not_before=None)


def taken_by(server, domain: str) -> int:
    return sum(to.endswith(f"@{domain}") for to in recipients(server.taken))


def test_a_group_waits_for_its_steps_and_the_others_go_on(draft, incident, approver, server):
    crowd(incident, naver_com=60, example_com=20)
    notice = work(approved(draft, approver, naver_com=[20, 40]))
    assert (taken_by(server, "naver.com"), taken_by(server, "example.com")) == (1, 20)
    held = notice.deliveries.filter(state="pending")
    assert held.count() == 59
    assert all(row.not_before and row.attempts == 0 for row in held)
    assert notice.chunks.get().not_before
    let_pass(3_500)
    tasks.send_chunks(notice.pk)
    assert taken_by(server, "naver.com") == 20
    let_pass(110)  # the next step has begun
    tasks.send_chunks(notice.pk)
    assert 20 < taken_by(server, "naver.com") < 30
    let_pass(3_500)
    tasks.send_chunks(notice.pk)
    assert taken_by(server, "naver.com") == 60
    notice.refresh_from_db()
    assert notice.state == Notice.State.CLOSED
    assert_adds_up(notice)


def test_nothing_is_read_again_while_a_group_waits(draft, incident, approver, server):
    crowd(incident, naver_com=30)
    notice = work(approved(draft, approver, naver_com=[20]))
    fence = notice.chunks.get().fencing_token
    for _ in range(20):
        tasks.sweep_notices()
        tasks.send_chunks(notice.pk)
    assert notice.chunks.get().fencing_token == fence
    due_at = notice.chunks.get().not_before
    assert due_at
    assert due_at >= timezone.now() + timedelta(seconds=30)


def test_a_whole_plan_runs_by_itself(draft, incident, approver, server):
    crowd(incident, naver_com=40, gmail_com=10)
    notice = approved(draft, approver, step_seconds=1.0, naver_com=[5, 10, 20], gmail_com=[10])
    tasks.plan_notice(notice.pk)
    began = time.monotonic()
    while Notice.objects.get(pk=notice.pk).state != Notice.State.CLOSED:
        tasks.send_chunks(notice.pk)
        time.sleep(0.05)
        assert time.monotonic() < began + 30
    assert time.monotonic() - began > 2.5
    assert len(server.taken) == len(set(recipients(server.taken))) == 50
    assert SendingPace.objects.get(group="naver.com").step == 2
    assert_adds_up(notice)


def test_many_chunks_are_read_a_few_times_and_the_plan_is_used(
    draft, incident, approver, server, settings
):
    settings.NOTICE_CHUNK_SIZE = 5
    crowd(incident, naver_com=200, gmail_com=50)
    notice = approved(draft, approver, step_seconds=2.0, naver_com=[20, 40, 60], gmail_com=[40])
    tasks.plan_notice(notice.pk)
    began = time.monotonic()
    while Notice.objects.get(pk=notice.pk).state != Notice.State.CLOSED:
        tasks.send_chunks(notice.pk)
        time.sleep(0.02)
        assert time.monotonic() < began + 40
    took = time.monotonic() - began
    fences = list(notice.chunks.values_list("fencing_token", flat=True))
    assert sum(fences) / len(fences) < 8
    assert 7 < took < 16  # 20 + 40 + 60 + 60 + 20 people in steps of two seconds
    assert len(server.taken) == len(set(recipients(server.taken))) == 250


def test_a_limit_of_the_provider_repeats_the_step(draft, incident, approver, server):
    crowd(incident, naver_com=30)
    notice = work(approved(draft, approver, naver_com=[10, 20]))
    plan = plan_of(notice)
    assert plan
    gate = PlanGate(notice, plan)
    let_pass(3_500)
    tasks.send_chunks(notice.pk)
    gate.record_refusal("naver.com")
    let_pass(200)
    tasks.send_chunks(notice.pk)
    assert SendingPace.objects.get().step == 0
    assert taken_by(server, "naver.com") == 10 + 1


def test_the_warm_up_goes_on_with_the_next_notice_of_the_sender(
    draft, incident, approver, server, settings
):
    crowd(incident, naver_com=30)
    notice = approved(draft, approver, naver_com=[10, 20])
    key = {"sender": pacing.sender_name(), "plan": "test", "group": "naver.com"}
    SendingPace.objects.create(**key, step=1, step_at=timezone.now() - timedelta(minutes=59))
    work(notice)
    assert taken_by(server, "naver.com") == 20
    settings.DEFAULT_FROM_EMAIL = "notice@other.example"
    let_pass(0)
    tasks.send_chunks(notice.pk)
    assert taken_by(server, "naver.com") == 21  # another domain begins with the first step


def test_people_whom_the_plan_holds_past_the_deadline_are_still_sent_to(
    draft, incident, approver, server
):
    crowd(incident, naver_com=10)
    notice = work(approved(draft, approver, naver_com=[5]))
    Notice.objects.update(deadline_at=timezone.now() - timedelta(hours=1))
    for _ in range(5):
        let_pass(3_700)
        tasks.send_chunks(notice.pk)
        let_pass(3_500)
        tasks.send_chunks(notice.pk)
    notice.refresh_from_db()
    assert (notice.accepted, notice.unreachable) == (10, 0)


def test_workers_together_stay_within_the_plan_also_if_they_are_killed(transactional_db, draft):
    """Twelve processes reserve; some are killed with what they reserved."""
    plan = SendingPlan("test", HOUR, {"naver.com": (1_000,)})
    SendingPace.objects.create(
        sender=pacing.sender_name(),
        plan="test",
        group="naver.com",
        step_at=timezone.now() - timedelta(minutes=58),
    )

    def reserve(number: int, results) -> None:
        connections.close_all()
        gate = PlanGate(draft, plan)
        while gate.has_room("naver.com"):
            gate.count("naver.com", is_first=True)
            results.put(1)
            if number % 3 == 0 and gate._left["naver.com"] == 25:
                time.sleep(0.2)
                os.kill(os.getpid(), signal.SIGKILL)
        connections.close_all()

    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()
    connections.close_all()
    processes = [context.Process(target=reserve, args=(n, results)) for n in range(12)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    admitted = 0
    while not results.empty():
        admitted += results.get()
    assert SendingPace.objects.get().admitted == 1_000
    assert 1_000 - 4 * pacing.RESERVED <= admitted <= 1_000


def test_a_send_that_is_killed_stays_within_the_plan_and_sends_to_all(
    transactional_db, draft, incident, approver, server, monkeypatch
):
    crowd(incident, naver_com=60, example_com=5)
    notice = approved(draft, approver, naver_com=[40])
    tasks.plan_notice(notice.pk)
    key = {"sender": pacing.sender_name(), "plan": "test", "group": "naver.com"}
    SendingPace.objects.create(**key, step_at=timezone.now() - timedelta(minutes=59))

    def send() -> None:
        record, turns = journal.record_turn, 0

        def record_and_die(*args, **kwargs):
            nonlocal turns
            turns += 1
            answer = record(*args, **kwargs)
            if turns == 8:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        journal.record_turn = record_and_die
        tasks.send_chunks(notice.pk)

    run_until_killed(send)
    before = taken_by(server, "naver.com")
    Chunk.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    tasks.send_chunks(notice.pk)
    assert before <= taken_by(server, "naver.com") <= 40
    assert SendingPace.objects.get().admitted == 40
    for _ in range(3):
        let_pass(3_650)
        tasks.send_chunks(notice.pk)
        let_pass(3_500)
        tasks.send_chunks(notice.pk)
    notice.refresh_from_db()
    assert (notice.accepted, notice.state) == (65, Notice.State.CLOSED)
    assert set(recipients(server.taken)) == {
        *(f"person{one}@naver.com" for one in range(60)),
        *(f"person{one}@example.com" for one in range(5)),
    }


def test_the_size_of_each_group_is_estimated_at_the_approval(draft, incident, approver, server):
    crowd(incident, naver_com=30, hanmail_net=5, daum_net=5, example_com=10)
    Notice.objects.filter(pk=draft.pk).update(sending_plan="days")
    decisions.approve(draft, by=approver)
    counts = dict(NoticeGroup.objects.values_list("group", "people"))
    assert counts == {"naver.com": 30, "kakao.com": 10, "other": 10}


def test_the_retries_end_later_if_the_plan_takes_longer(draft, incident, approver, settings):
    crowd(incident, naver_com=30)
    settings.NOTICE_PLAN = "own"
    entry = sending_plans.PlanEntry.model_validate(
        {"id": "own", "name": {"en": "own"}, "step_minutes": 1440, "messages": {"*": [10]}}
    )
    sending_plans.plans()["own"] = entry
    try:
        decisions.approve(draft, by=approver)
    finally:
        del sending_plans.plans()["own"]
    notice = Notice.objects.get(pk=draft.pk)
    assert notice.deadline_at
    assert notice.approved_at
    assert notice.deadline_at - notice.approved_at > timedelta(hours=72 + 60)
