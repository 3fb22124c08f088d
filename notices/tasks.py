"""The Celery tasks of notices. Each may run twice or be killed at any point, because the rows hold
the state.
"""

import logging
from typing import Any

from celery import shared_task
from celery.contrib.django.task import DjangoTask
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from foundations.queue_length import waiting_tasks
from notices import courses, resends, weekly_mails
from notices.engine import (
    dry_runs,
    ledger,
    planning,
    ramp,
    send_loop,
    stall,
)
from notices.models import Notice
from notices.proof import ledger_digest, transparency

logger = logging.getLogger(__name__)

# If a queue holds this many messages, the workers are behind and no message is lost.
DEFAULT_QUEUE = settings.CELERY_TASK_DEFAULT_QUEUE
QUEUE_IS_FULL = {"send": 1, DEFAULT_QUEUE: 20}


class SweptTask(DjangoTask):  # type: ignore[type-arg]
    """A task whose work is in the database: what the queue does not take, it gets later.

    A sweep queues it again. A count of the audience is offered again on the page of its notice.
    """

    def delay_on_commit(self, *args: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """Queues the task after the commit. A broker that is away is logged, and raises nothing."""

        def queue() -> None:
            try:
                self.delay(*args, **kwargs)
            except OperationalError:
                logger.warning("the queue is away; %s starts later", self.name)

        transaction.on_commit(queue)


@shared_task(base=SweptTask)
def count_audience(notice_id: int) -> None:
    """Counts the audience of a draft."""
    dry_runs.run_dry_run(notice_id)


@shared_task(base=SweptTask)
def plan_notice(notice_id: int) -> None:
    """Writes the ledger of an approved notice. Starts the senders as soon as there is a chunk."""
    with stall.reporting_database_errors():
        is_complete = planning.plan_ledger(
            notice_id, on_first_chunk=lambda: _start_senders(notice_id)
        )
    if is_complete:
        send_chunks.delay(notice_id)  # closes the notice if the others have sent everything


def _start_senders(notice_id: int) -> None:
    for _ in range(settings.NOTICE_SENDERS):
        send_chunks.delay(notice_id)


@shared_task(base=SweptTask)
def send_chunks(notice_id: int) -> None:
    """Sends, or cancels, the due chunks of a notice for a while. Closes the notice if no delivery
    is left.
    """
    while send_loop.send_due(notice_id, seconds=settings.NOTICE_SLICE_SECONDS):
        try:
            send_chunks.delay(notice_id)
        except OperationalError:
            logger.warning("the queue is away; notice %s goes on in this worker", notice_id)
        else:
            return
    ledger.close(notice_id)


@shared_task(base=SweptTask)
def end_holds(notice_id: int) -> None:
    """Lets the people be due whom an earlier sending plan held back, and starts the senders."""
    if ledger.end_holds(Notice.objects.get(pk=notice_id)):
        _start_senders(notice_id)


@shared_task(base=DjangoTask)
def sweep_notices() -> None:
    """Finds work that got lost: queue messages lost with Redis, killed workers, retries that are
    due.

    Records the course of each. While chunks are due it adds one sender at a time, until every
    worker is busy. Also starts the ramp's steps, closes finished notices, and requests missing
    ledger digests.
    """
    for notice in Notice.objects.unfinished():
        courses.keep(notice)
        if notice.state == Notice.State.PLANNING and not _is_full(DEFAULT_QUEUE):
            plan_notice.delay(notice.pk)
        if notice.replanned_at and not _is_full(DEFAULT_QUEUE):
            end_holds.delay(notice.pk)
        if notice.state == Notice.State.SENDING and ramp.sweep_ramp(notice):
            continue
        if ledger.has_due_chunk(notice):
            if not _is_full("send"):
                send_chunks.delay(notice.pk)
        else:
            ledger.close(notice.pk)
    without_digest = Notice.objects.without_digest().first()
    if without_digest and not _is_full(DEFAULT_QUEUE):
        digest_ledger.delay(without_digest.pk)


@shared_task(base=SweptTask)
def mail_resends() -> None:
    """Sends the messages that support had sent again."""
    resends.send_due()


@shared_task(base=DjangoTask)
def start_weekly_mails() -> None:
    """Starts the weekly mails that are due. If the queue is away, the sweep plans them later."""
    for notice_id in weekly_mails.start_due():
        plan_notice.delay(notice_id)


@shared_task(base=DjangoTask)
def digest_ledger(notice_id: int) -> None:
    """Computes the digest of a closed notice's ledger, once."""
    ledger_digest.compute_ledger_digest(notice_id)


@shared_task(base=DjangoTask)
def keep_figures() -> None:
    """Records milestones, and takes the transparency pages' figures when they are due."""
    transparency.record_milestones()
    transparency.take_all()


def _is_full(queue: str) -> bool:
    """Returns whether the queue already holds as many messages as QUEUE_IS_FULL allows."""
    return waiting_tasks(queue) >= QUEUE_IS_FULL[queue]
