"""What slows a send: limits of destinations, with and without Redis, and slow pages."""

import time

import pytest
import redis
from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.retry import Retry

from breachportal import setting_values
from foundations import latency
from notices.engine.throttling import DestinationLimiter, Governor
from notices.models import Notice
from tests.notice_factory import affected, assert_adds_up, work
from tests.smtp_server import recipients

pytest_plugins = ["tests.notice_fixtures"]


@pytest.fixture
def no_redis(monkeypatch, tmp_path):
    """A Redis client without a server."""
    gone = redis.Redis(unix_socket_path=str(tmp_path / "nobody"), retry=Retry(NoBackoff(), 0))
    monkeypatch.setattr(latency, "client", lambda: gone)


def admitted(limits: DestinationLimiter, domain: str, *, seconds: float) -> int:
    """Returns how many messages a worker may send if it asks for `seconds`."""
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        number += limits.take_token(domain)
        time.sleep(0.001)
    return number


def test_a_destination_gets_its_rate_from_all_workers_together(settings):
    settings.NOTICE_RATES = {"slow.example": 40.0}
    workers = [DestinationLimiter(), DestinationLimiter()]
    first = sum(admitted(each, "slow.example", seconds=0.2) for each in workers)
    assert first <= 40 + 40 * 0.8  # the full bucket, and the tokens of 0.8 s
    end, later = time.monotonic() + 1.0, 0
    while time.monotonic() < end:
        later += sum(each.take_token("slow.example") for each in workers)
        time.sleep(0.002)
    assert first + later <= 40 + 40 * 2.0
    assert later >= 20
    assert all(workers[0].take_token("fast.example") for _ in range(1000))


def test_without_redis_a_limited_destination_is_slow_and_others_are_not(settings, no_redis):
    settings.NOTICE_RATES = {"*": 1000.0}
    settings.NOTICE_RATE_WITHOUT_REDIS = 5.0
    assert 1 <= admitted(DestinationLimiter(), "slow.example", seconds=0.5) <= 4
    settings.NOTICE_RATES = {"slow.example": 1000.0}
    assert admitted(DestinationLimiter(), "other.example", seconds=0.1) > 10


def test_a_limited_destination_does_not_delay_others(notice, people, server, settings):
    settings.NOTICE_RATES = {"slow.example": 1.0}
    settings.NOTICE_SLICE_SECONDS = 1
    file = people["minji"].exposures.first().file
    for number in range(4):
        affected(file, f"고객 {number}", f"customer{number}@slow.example")
    work(notice)
    assert {"minji@example.com", "seojun@example.com"} <= set(recipients(server.taken))
    assert 1 <= len(server.taken) - 2 <= 3
    assert notice.state == Notice.State.SENDING
    settings.NOTICE_RATES = {}
    work(notice)
    assert len(server.taken) == len(set(recipients(server.taken))) == 6
    assert notice.state == Notice.State.CLOSED
    assert_adds_up(notice)


@pytest.mark.parametrize("text", ["naver.com", "naver.com=0", "naver.com=fast", "naver.com=-1"])
def test_an_invalid_rate_is_refused(monkeypatch, text):
    monkeypatch.setenv("NOTICE_RATES", text)
    with pytest.raises(ImproperlyConfigured):
        setting_values.rates("NOTICE_RATES")


def test_rates_are_read(monkeypatch):
    monkeypatch.setenv("NOTICE_RATES", "Naver.com=50, *=0.5")
    assert setting_values.rates("NOTICE_RATES") == {"naver.com": 50.0, "*": 0.5}


def test_the_send_slows_while_pages_are_slow_and_speeds_up_again(settings, monkeypatch):
    monkeypatch.setattr(Governor, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    governor, paces = Governor(), []
    for seconds in (0.1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.1, 0.1):
        latency.client().set(latency.KEY, seconds)
        governor.rest(0.0)
        paces.append(governor.pace)
    assert paces == [1.0, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 16, 1 / 8, 1 / 4]


def test_a_slow_send_waits_in_proportion(monkeypatch):
    monkeypatch.setattr(Governor, "LOOK_SECONDS", 60.0)
    rests: list[float] = []
    governor = Governor()
    governor.rest(0.0)
    monkeypatch.setattr(time, "sleep", rests.append)
    governor.pace = 0.25
    governor.rest(0.1)
    assert rests == [pytest.approx(0.3)]


def test_pages_say_how_long_they_took(client, db, monkeypatch):
    client.get("/")
    assert 0 < (latency.latest() or 0) < 30


def test_pages_are_served_without_redis(client, db, no_redis):
    assert client.get("/").status_code < 400


def test_a_send_continues_without_redis(notice, people, server, no_redis):
    work(notice)
    assert len(server.taken) == 2
