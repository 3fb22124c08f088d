"""The page of a stalled send explains that the database accepts no writes."""

import threading
import time
from contextlib import ExitStack, contextmanager

import pytest
from django.conf import settings as django_settings
from django.db import connection, connections
from django.db.utils import OperationalError
from django.urls import reverse

from foundations import latency
from notices import tasks
from notices.engine import stall
from notices.models import Chunk, Notice
from tests.notice_factory import assert_adds_up, work, work_again
from tests.smtp_server import recipients

pytest_plugins = ["tests.notice_fixtures"]

FULL = "The database takes nothing at the moment: its disk is full."
AWAY = "The database takes nothing at the moment: workers cannot reach it."
SILENT = "No worker has written anything for a minute"


@pytest.fixture(autouse=True)
def _nothing_is_known(db):
    latency.client().delete(stall.KEY)
    yield
    latency.client().delete(stall.KEY)


def page_of(approvers_desk, notice: Notice) -> str:
    response = approvers_desk.get(reverse("admin:notices_notice_change", args=[notice.pk]))
    assert response.status_code == 200
    return " ".join(response.text.split())


@contextmanager
def database_that_refuses(table: str, *, code: str):
    """Context manager: every change of a table fails, as with a full disk (SQLSTATE 53100)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE 'minji@example.com' USING ERRCODE = '{code}'; END $$"
        )
        cursor.execute(
            f"CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON {table} EXECUTE FUNCTION refuse()"
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION refuse CASCADE")


@contextmanager
def sender_of(notice: Notice):
    """Context manager: a worker sends in a thread, and has ended at the exit."""

    def send() -> None:
        tasks.send_chunks(notice.pk)
        connections.close_all()

    thread = threading.Thread(target=send)
    thread.start()
    yield
    thread.join(30)
    assert not thread.is_alive()


def until(condition, *, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("code", "words"), [("53100", FULL), ("57P03", AWAY)])
def test_the_page_shows_the_reason_only_while_the_stall_lasts(
    approvers_desk, notice, people, server, code, words
):
    tasks.plan_notice(notice.pk)
    assert words not in page_of(approvers_desk, notice)
    with sender_of(notice):
        with database_that_refuses("notices_chunk", code=code):
            until(lambda: latency.client().get(stall.KEY))
            text = page_of(approvers_desk, notice)
            assert words in text
            assert "goes on by itself" in text
            assert "minji" not in text
            approvers_desk.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "ko"
            assert "저절로 이어집니다" in page_of(approvers_desk, notice)
            assert latency.client().ttl(stall.KEY) <= stall.KEPT_SECONDS
        until(lambda: not latency.client().get(stall.KEY))
    notice.refresh_from_db()
    assert notice.state == Notice.State.CLOSED
    assert_adds_up(notice)


@pytest.mark.django_db(transaction=True)
def test_a_refusal_that_cannot_be_counted_loses_no_acceptance(notice, people, server):
    """The database fails after the worker received results, when it counts a refusal."""
    server.reply_next("message", "minji@example.com", "554 5.6.0 we do not like this")
    tasks.plan_notice(notice.pk)
    with ExitStack() as sender:
        with database_that_refuses("notices_notice", code="57P03"):
            sender.enter_context(sender_of(notice))
            until(lambda: latency.client().get(stall.KEY))
        until(lambda: not latency.client().get(stall.KEY))
    notice.refresh_from_db()
    assert (notice.state, notice.refusals, notice.accepted) == (Notice.State.SENDING, 1, 1)
    work_again(notice)
    assert notice.state == Notice.State.CLOSED
    assert not notice.deliveries.filter(is_possible_duplicate=True).exists()
    assert recipients(server.taken) == ["minji@example.com", "seojun@example.com"]
    assert_adds_up(notice)


@pytest.mark.django_db(transaction=True)
def test_the_page_shows_why_planning_is_stalled(approvers_desk, notice, people, server):
    with (
        database_that_refuses("notices_delivery", code="53100"),
        pytest.raises(OperationalError),
    ):
        tasks.plan_notice(notice.pk)
    assert FULL in page_of(approvers_desk, notice)
    latency.client().delete(stall.KEY)  # as after it expired
    assert work(notice).state == Notice.State.CLOSED


def left_alone(notice: Notice, *, seconds: int) -> None:
    """Sets a chunk to leased, with a lease that ended `seconds` ago."""
    tasks.plan_notice(notice.pk)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE notices_chunk SET state = %s, leased_until = now() - %s * interval '1 second'",
            [Chunk.State.LEASED, seconds],
        )


@pytest.mark.parametrize("redis", ["knows nothing", "is away"])
def test_expired_leases_show_a_stall_without_redis(
    approvers_desk, notice, settings, monkeypatch, redis
):
    left_alone(notice, seconds=stall.SILENT_SECONDS + 5)
    if redis == "is away":
        settings.REDIS_URL = "redis://127.0.0.1:9/0"
        latency.client.cache_clear()
    try:
        assert SILENT in page_of(approvers_desk, notice)
    finally:
        latency.client.cache_clear()


def test_a_worker_that_just_died_is_not_a_stall(approvers_desk, notice):
    left_alone(notice, seconds=5)
    assert SILENT not in page_of(approvers_desk, notice)


def test_a_paused_notice_is_not_called_stalled(approvers_desk, notice):
    left_alone(notice, seconds=600)
    Notice.objects.filter(pk=notice.pk).update(state=Notice.State.PAUSED)
    assert SILENT not in page_of(approvers_desk, notice)


def test_only_known_stall_reasons_from_redis_are_shown(approvers_desk, notice):
    latency.client().set(stall.KEY, "<b>anything</b>", ex=60)
    assert "anything" not in page_of(approvers_desk, notice)
