"""While Redis is away, people sign in, with stricter limits that the database counts."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from django.conf import settings as django_settings
from django.core import mail
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import code_limits, code_states
from accounts.models import CodeState
from accounts.tasks import purge_sessions
from breachportal import embedded_servers
from breachportal.demo.app_codes import code_at
from foundations import rate_limits
from harness.sign_in import ask_for_code, enter_code, give_app, newest_code, sign_in, wrong
from tests.pages.test_no_leaks import Visitor, code_in
from tests.smtp_server import SmtpServer
from tests.web_processes import web_processes

SOON_SECONDS = 3


@pytest.fixture(autouse=True)
def _a_process_that_has_just_started(monkeypatch):
    monkeypatch.setattr(code_states, "_away_until", 0.0)
    monkeypatch.setattr(code_states, "_is_logged_away", False)


@pytest.fixture(scope="module")
def full_redis(tmp_path_factory) -> Iterator[str]:
    """A Redis whose memory is full: it answers, and refuses each write."""
    with own_redis(tmp_path_factory.mktemp("full")) as url:
        with redis.Redis.from_url(url) as client:
            client.config_set("maxmemory", 1)
        yield url


@pytest.fixture(params=["away", "full"])
def _redis_is_away(request, settings):
    """Redis does not answer, or takes no writes, for this process."""
    is_full = request.param == "full"
    url = request.getfixturevalue("full_redis") if is_full else "unix:///nonexistent/redis.sock"
    settings.REDIS_URL = url
    cache = django_settings.CACHES["default"]
    settings.CACHES = {"default": cache | {"LOCATION": url}}


def is_signed_in(client: Client) -> bool:
    return client.get(reverse("account")).status_code == 200


@pytest.mark.django_db
@pytest.mark.usefixtures("_redis_is_away")
class TestInOneProcess:
    def test_a_customer_signs_in(self, client, minji):
        sign_in(client, minji.email)
        assert is_signed_in(client)

    def test_a_code_works_once_and_after_five_wrong_ones_never(self, client, minji):
        ask_for_code(client, minji.email)
        code = newest_code()
        for _try in range(5):
            enter_code(client, wrong(code))
        enter_code(client, code)
        assert not is_signed_in(client)

    def test_an_address_gets_fewer_mails_and_its_owner_signs_in_with_the_newest(self, minji):
        for _number in range(4):
            ask_for_code(Client(), minji.email)
        assert len(mail.outbox) == 1  # 5 in ten minutes, with Redis
        owner = Client()
        ask_for_code(owner, minji.email)
        enter_code(owner, newest_code())
        assert is_signed_in(owner)

    def test_guesses_at_the_newest_code_are_fewer(self, minji):
        ask_for_code(Client(), minji.email)
        code, tried = newest_code(), 0
        for _visitor in range(3):
            stranger = Client()
            ask_for_code(stranger, minji.email)
            for _guess in range(4):
                tried += enter_code(stranger, wrong(code)).status_code == 200
        assert tried == 2  # 10 in an hour, with Redis

    def test_one_limit_holds_for_known_and_unknown_addresses(self, minji):
        for email in (minji.email, "unknown@example.com"):
            answers = [ask_for_code(Client(), email) for _number in range(3)]
            assert {(one.status_code, one["Location"]) for one in answers} == {
                (302, reverse("sign_in_code"))
            }
        assert len(mail.outbox) == 2

    def test_the_budget_of_the_portal_holds(self, settings):
        rates = {"all_mails": f"{2 * code_limits.STRICTER}/m/key"}
        settings.CODE_RATES = settings.CODE_RATES | rates
        found = [ask_for_code(Client(), f"c{number}@example.com") for number in range(3)]
        assert [one.status_code for one in found] == [302, 302, 429]
        assert 1 <= int(found[2].headers["Retry-After"]) <= 60

    def test_the_rows_show_no_address_and_are_deleted_when_they_expire(self, client, minji):
        sign_in(client, minji.email)
        rows = CodeState.objects.values_list("key", "value")
        assert rows
        assert "minji" not in str(rows)
        assert "127.0.0.1" not in str(rows)
        CodeState.objects.update(expires_at=timezone.now())
        purge_sessions()
        assert not CodeState.objects.exists()

    def test_the_team_opens_the_desk_and_each_code_works_once(self, editor):
        code, is_open = code_at(give_app(editor), time.time()), []
        for _browser in range(2):
            client = Client()
            sign_in(client, editor.email)
            client.post(reverse("mfa_authenticate"), {"code": code})
            is_open.append(client.get("/admin/").status_code == 200)
        assert is_open == [True, False]

    def test_guesses_at_a_second_factor_are_limited(self, client, editor):
        secret = give_app(editor)
        sign_in(client, editor.email)
        for guess in range(5):
            client.post(reverse("mfa_authenticate"), {"code": f"abc{guess}"})
        client.post(reverse("mfa_authenticate"), {"code": code_at(secret, time.time())})
        assert not is_signed_in(client)

    def test_values_are_shown_after_a_step_up(self, client, minji):
        client.force_login(minji)
        client.post(reverse("step_up_send"))
        response = client.post(reverse("step_up"), {"code": newest_code()})
        assert response.status_code == 302


REDIS_ALARM = "Redis does not answer, or its memory is full."


@pytest.mark.django_db
@pytest.mark.usefixtures("_redis_is_away")
def test_the_desk_shows_that_redis_is_away(editors_desk, minji):
    ask_for_code(Client(), minji.email)
    assert REDIS_ALARM in editors_desk.get("/admin/").content.decode()


@pytest.mark.django_db
def test_the_desk_shows_that_redis_is_away_from_another_host(editors_desk, monkeypatch):
    assert REDIS_ALARM not in editors_desk.get("/admin/").content.decode()
    code_states.note_redis_away()
    monkeypatch.setattr(code_states, "_away_until", 0.0)
    assert REDIS_ALARM in editors_desk.get("/admin/").content.decode()
    CodeState.objects.update(expires_at=timezone.now())
    assert REDIS_ALARM not in editors_desk.get("/admin/").content.decode()


@pytest.mark.django_db
def test_each_change_of_redis_is_one_line_in_the_log(settings, monkeypatch, caplog):
    redis_url, gone = settings.REDIS_URL, "unix:///nonexistent/redis.sock"
    for url in (redis_url, gone, gone, redis_url, redis_url):
        settings.REDIS_URL = url
        monkeypatch.setattr(code_states, "_away_until", 0.0)
        ask_for_code(Client(), "minji@example.com")
    lines = [line.message for line in caplog.records if "counts sign-in codes" in line.message]
    assert lines == [
        "Redis is away: the database counts sign-in codes",
        "Redis answers again: it counts sign-in codes",
    ]


@pytest.mark.django_db
def test_a_code_of_before_is_no_second_code_in_the_database(client, minji, settings):
    """The tries of a code are counted in one place only."""
    ask_for_code(client, minji.email)
    code = newest_code()
    gone = {"LOCATION": "unix:///nonexistent/redis.sock"}
    settings.CACHES = {"default": django_settings.CACHES["default"] | gone}
    assert enter_code(client, code).status_code == 503
    assert not is_signed_in(client)
    assert not CodeState.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_requests_at_the_same_moment_are_counted_one_by_one():
    def count(_number: int) -> int:
        try:
            return code_states.count("key", seconds=60)[0]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(count, range(40))) == list(range(1, 41))


def test_no_rate_becomes_larger_in_the_database():
    for rates in django_settings.CODE_RATES.values():
        for rate in rate_limits.parse_rates(rates):
            most = max(1, rate.amount // code_limits.STRICTER)
            assert 2 * most <= rate.amount or rate.amount == 1


@contextmanager
def own_redis(var: Path) -> Iterator[str]:
    """Context manager: a Redis that a test may stop; gives its URL."""
    url = embedded_servers.redis_url(var)
    yield url
    embedded_servers._stop_redis(var / "redis")


@pytest.mark.django_db(transaction=True)
def test_sign_in_goes_on_when_redis_stops_and_when_it_comes_back(tmp_path):
    with (
        SmtpServer() as mails,
        own_redis(tmp_path) as url,
        web_processes(
            "--workers 1 --blocking-threads 4",
            REDIS_URL=url,
            EMAIL_HOST="127.0.0.1",
            EMAIL_PORT=str(mails.port),
            EMAIL_SECURITY="none",
        ) as port,
    ):
        visitors = {name: Visitor(port) for name in ("before", "away", "again", "after")}
        began = time.monotonic()
        sign_in_as("before", visitors, mails)
        usual = time.monotonic() - began  # on a machine as busy as this one is now
        embedded_servers._stop_redis(tmp_path / "redis")
        sign_in_as("away", visitors, mails)
        began = time.monotonic()
        sign_in_as("again", visitors, mails)
        assert time.monotonic() - began < SOON_SECONDS + 2 * usual
        assert visitors["before"].get("/en/account/").url.path == "/en/account/"
        embedded_servers._start_redis(
            tmp_path / "redis", embedded_servers._socket_dir(tmp_path) / "redis.sock"
        )
        time.sleep(code_states.AWAY_SECONDS)
        in_database = CodeState.objects.count()
        sign_in_as("after", visitors, mails)
    assert in_database
    assert CodeState.objects.count() == in_database


def sign_in_as(name: str, visitors: dict[str, Visitor], mails: SmtpServer) -> None:
    visitor, email = visitors[name], f"{name}@example.com"
    visitor.sign_in(email, mails)
    assert code_in(mails, email)
    assert visitor.get("/en/account/").url.path == "/en/account/"
