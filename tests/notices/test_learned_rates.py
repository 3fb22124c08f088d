"""What a destination takes in a time is learned from its temporary refusals."""

import time
from collections import deque
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from foundations import latency
from harness import exposure_factory
from harness.sign_in import sign_in_to_desk
from notices import decisions
from notices.engine import learned_rates
from notices.engine.learned_rates import LearnedRates, greylist_wait, names_a_rate
from tests.notice_factory import affected, assert_adds_up, delivery_to, work, work_again

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.usefixtures("short_waits")
RATE = "450 4.7.1 Error: too many messages from your host, rate limit exceeded"


@pytest.fixture(autouse=True)
def _nothing_learned():
    latency.client().delete(learned_rates.KEY)
    yield
    latency.client().delete(learned_rates.KEY)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    moved = Clock()
    monkeypatch.setattr(time, "time", moved)
    monkeypatch.setattr(learned_rates, "READ_SECONDS", 0)
    return moved


@pytest.mark.parametrize(("most", "window"), [(600, 60), (1_000, 3_600)])
def test_the_rate_converges_to_the_limit_of_a_server(clock, monkeypatch, most, window):
    monkeypatch.setattr(learned_rates, "READ_SECONDS", 60)  # no other worker learns anything
    worker, refused = LearnedRates(), 0
    taken: deque[float] = deque()
    end, due = clock.now + 12 * 3_600, 0.0
    while clock.now < end:
        clock.now += 0.5
        if worker.rest_seconds("naver.com"):
            continue
        due = min(due + 0.5 * (worker.per_second("naver.com") or 400), 400)
        while due >= 1:
            due -= 1
            while taken and taken[0] <= clock.now - window:
                taken.popleft()
            if len(taken) >= most:
                refused += 1
                worker.record_refusal("naver.com")
                break
            taken.append(clock.now)
            worker.count_acceptance("naver.com")
    hours = (worker._accepted["naver.com"] + worker._rates["naver.com"].accepted) * window
    assert hours / (12 * 3_600) > 0.5 * most  # at least half of what the server would take
    assert refused < 150


def test_workers_share_what_they_learn(clock):
    first, second = LearnedRates(), LearnedRates()
    for _ in range(120):
        first.count_acceptance("naver.com")
    clock.now += 1
    first.record_refusal("naver.com")
    assert second.rest_seconds("naver.com") == 60
    second.record_refusal("naver.com")  # of a message that was on its way
    clock.now += 60
    assert second.rest_seconds("naver.com") == 0
    assert second.per_second("naver.com") == pytest.approx(0.9 * 120 / 61)
    assert second.per_second("gmail.com") is None


@pytest.mark.parametrize(
    "reply",
    [
        RATE,
        "421 4.7.28 Gmail has detected an unusual rate of unsolicited mail",
        "451 4.7.0 [TSS04] Messages temporarily deferred due to unexpected volume",
        "452 4.5.3 too many recipients this hour",
        "454 Throttling failure: Maximum sending rate exceeded.",
        "450 4.7.1 시간당 발송 한도를 초과했습니다",
    ],
)
def test_a_reply_that_names_a_rate_is_recognised(reply):
    assert names_a_rate(reply)


@pytest.mark.parametrize(
    "reply", ["450 4.2.2 mailbox full", "451 4.3.0 local error", "451 4.7.1 Greylisted"]
)
def test_another_temporary_refusal_names_no_rate(reply):
    assert not names_a_rate(reply)


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        ("451 4.7.1 Greylisting in action, please come back in 4 minutes", 240),
        ("450 4.2.0 <…>: Recipient address rejected: Greylisted, try again in 600 seconds", 600),
        ("451 4.7.1 Greylisted", 300),
        ("451 greylisted for 1 second", 30),
        ("451 4.7.1 그레이리스트: 10분 후 다시 시도", 600),
        ("450 4.2.2 mailbox full", None),
    ],
)
def test_the_wait_of_a_greylisting_server_is_read(reply, seconds):
    wait = greylist_wait(reply)
    assert (wait and wait.total_seconds()) == seconds


def test_a_destination_with_a_rate_rests_and_the_others_go_on(
    client, draft, incident, approver, server, settings
):
    settings.NOTICE_CONNECTIONS = 1
    file = exposure_factory.file_of(incident)
    for number in range(20):
        domain = "naver.com" if number % 2 else "example.com"
        affected(file, "사람", f"person{number}@{domain}")
    for number in range(1, 20, 2):
        server.reply_next("recipient", f"person{number}@naver.com", RATE)
    decisions.approve(draft, by=approver)
    notice = work(draft)
    assert notice.accepted == 10
    assert notice.deliveries.filter(attempts=0).count() >= 7  # not tried while it rests
    due_at = notice.chunks.get().not_before
    assert due_at
    assert due_at > timezone.now() + timedelta(seconds=50)
    sign_in_to_desk(client, approver)
    page = client.get(reverse("admin:notices_notice_change", args=[notice.pk])).text
    assert "Limit of naver.com: about 1 message a minute." in page
    server._script.clear()
    latency.client().delete(learned_rates.KEY)
    work_again(notice)
    assert notice.accepted == 20
    assert_adds_up(notice)


def test_a_greylisted_message_comes_again_when_the_server_asks(notice, people, server):
    server.reply_next("recipient", "minji@example.com", "451 4.7.1 Greylisted for 200 seconds")
    work(notice)
    delivery = delivery_to(notice, people["minji"])
    assert delivery.not_before
    wait = delivery.not_before - timezone.now()
    assert timedelta(seconds=190) < wait <= timedelta(seconds=200)
