"""A notice is sent through a real broker and a real Celery worker."""

import gc

import pytest
from celery import signals
from django.db import connections

from breachportal.celery import app
from harness import exposure_factory
from notices import decisions
from notices.models import Delivery
from tests.notice_factory import affected, assert_adds_up, wait_until_closed
from tests.queue_worker import queue_worker
from tests.smtp_server import recipients

pytest_plugins = ["tests.notice_fixtures"]
PATIENCE_SECONDS = 60
PEOPLE = 60


@pytest.fixture
def worker(transactional_db):
    app.control.purge()
    with queue_worker("send", "default"):
        yield
    connections.close_all()


def test_an_approved_notice_reaches_every_recipient_through_the_broker(
    worker, incident, draft, approver, server, settings
):
    settings.NOTICE_CHUNK_SIZE = 7
    file = exposure_factory.file_of(incident)
    for number in range(PEOPLE):
        affected(file, f"고객 {number}", f"customer{number}@example.com")
    decisions.approve(draft, by=approver)
    notice = wait_until_closed(draft, seconds=PATIENCE_SECONDS)
    assert notice.accepted == PEOPLE
    assert len(set(recipients(server.taken))) == len(server.taken) == PEOPLE
    assert Delivery.objects.filter(notice=notice, attempts=1).count() == PEOPLE
    assert_adds_up(notice)


def test_a_sender_never_collects_what_it_inherits():
    """Nearly all objects of a worker live as long as its processes; a collection takes 0.14 s."""
    gc.unfreeze()  # so that what tests/environment.py left out does not count
    assert gc.get_freeze_count() == 0
    signals.worker_before_create_process.send(sender=None)
    assert gc.get_freeze_count() > 100_000
