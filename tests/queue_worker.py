"""A real Celery worker in the process of a test."""

from collections.abc import Iterator
from contextlib import contextmanager

from celery.contrib.testing.worker import start_worker

from breachportal.celery import app


@contextmanager
def queue_worker(*queues: str) -> Iterator[None]:
    """Runs a worker of these queues until the block ends.

    A worker selects its queues for the whole process, and `app.control.purge` empties the selected
    queues only. So all queues are selected again at the end.
    """
    try:
        with start_worker(app, queues=list(queues), perform_ping_check=False, shutdown_timeout=30):
            yield
    finally:
        app.amqp.queues.select(list(app.amqp.queues))
