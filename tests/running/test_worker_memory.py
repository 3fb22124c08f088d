"""A worker's process that used too much memory is replaced; no task is lost or done twice."""

import time

import psutil
import pytest
import redis
from django.conf import settings

from breachportal.celery import app
from harness import exposure_factory
from notices import decisions, tasks
from notices.models import Delivery, Notice
from tests.notice_factory import affected
from tests.running import growing_task
from tests.running.growing_task import grow
from tests.running.test_processes import running
from tests.smtp_server import recipients

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 240
PEOPLE = 20
DONE = "tests.grown"
MOST = settings.CELERY_WORKER_MAX_MEMORY_PER_CHILD >> 10  # in MiB
INCLUDED = ("--include", growing_task.__name__)


@pytest.fixture(autouse=True)
def _empty_queues():
    app.control.purge()
    with redis.Redis.from_url(settings.REDIS_URL) as server:
        server.delete(DONE)
        yield
        server.delete(DONE)
    app.control.purge()


def put(number: int, mebibytes: int = 0) -> None:
    grow.apply_async((number, mebibytes, DONE), queue="send")


def done(count: int) -> list[tuple[int, int]]:
    """Returns the numbers of the tasks that ran, and their processes, when `count` are there."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with redis.Redis.from_url(settings.REDIS_URL) as server:
        while server.llen(DONE) < count:
            assert time.monotonic() < deadline, server.lrange(DONE, 0, -1)
            time.sleep(0.05)
        time.sleep(0.5)  # a task that is done twice comes now
        lines = [line.decode().split() for line in server.lrange(DONE, 0, -1)]
    return [(int(number), int(process)) for number, process in lines]


def test_a_process_that_used_too_much_is_replaced_and_nothing_is_lost_or_done_twice(
    incident, draft, approver, server
):
    file = exposure_factory.file_of(incident)
    for number in range(PEOPLE):
        affected(file, f"고객 {number}", f"customer{number}@example.com")
    decisions.approve(draft, by=approver)
    mail = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(server.port)}
    with running("send", *INCLUDED, SEND_WORKERS="1", **mail):
        for number, mebibytes in enumerate([0, MOST + 1, 0]):
            put(number, mebibytes)
        tasks.plan_notice(draft.pk)
        for number, mebibytes in enumerate([0, MOST + 1, 0], start=3):
            put(number, mebibytes)
        ran = done(6)
        wait_until_accepted(draft)
    assert [number for number, _process in ran] == [0, 1, 2, 3, 4, 5]
    processes = [process for _number, process in ran]
    assert processes[0] == processes[1] != processes[2] == processes[3] == processes[4]
    assert processes[4] != processes[5]
    assert not any(psutil.pid_exists(process) for process in processes[:5])
    assert len(set(recipients(server.taken))) == len(server.taken) == PEOPLE
    assert Delivery.objects.filter(notice=draft, attempts=1).count() == PEOPLE


def wait_until_accepted(notice: Notice) -> None:
    accepted = notice.deliveries.filter(state=Delivery.State.ACCEPTED)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while accepted.count() < PEOPLE:
        assert time.monotonic() < deadline, accepted.count()
        time.sleep(0.2)
