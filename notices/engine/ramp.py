"""The ramp: a notice is sent to a few people first, then to more, then to
all.

The primary keys of people are a PRF of the keys in the source file, so the first chunks by key are
a random sample of the audience. A step is stored as the primary key of the last chunk that may be
leased (Notice.ramp_to). After the last step there is no such limit. Deliveries of earlier steps are
retried at any time.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Q, Sum, Window
from django.db.models.functions import Now
from django.utils import timezone

from notices.engine import guards, ledger
from notices.models import Chunk, Notice
from notices.models.chunk import ChunkQuerySet

logger = logging.getLogger(__name__)
Ramp = Notice.Ramp
IN_STEPS = (Ramp.PERSON, Ramp.INTERVAL)


# ---------------------------------------------------------------- steps


@dataclass(frozen=True)
class RampStep:
    """The current step of a ramp: its share of the people in per cent, and whether it is done."""

    number: int
    of: int
    percent: int
    is_done: bool


def ramp_for(notice: Notice, *, people: int | None) -> Notice.Ramp:
    """Returns the ramp for a notice to `people` people; None: they were not counted."""
    if notice.ramp != Ramp.BY_SIZE:
        return Ramp(notice.ramp)
    is_large = people is not None and people >= settings.NOTICE_RAMP_FROM_PEOPLE
    return Ramp.INTERVAL if is_large and notice.is_mandatory else Ramp.NONE


def start_ramp(notice: Notice) -> None:
    """Starts the first step, once the ledger is written and its size is known."""
    if notice.ramp in IN_STEPS:
        _claim_step(notice, step=1)


def step_of(notice: Notice) -> RampStep | None:
    """Returns the current step; None if the notice has no ramp, its last step was started, or it is
    closed.
    """
    if notice.ramp_to is None or not notice.ramp_step or notice.closed_at:
        return None
    percents = settings.NOTICE_RAMP_PERCENT
    return RampStep(
        number=notice.ramp_step,
        of=len(percents) + 1,
        percent=percents[notice.ramp_step - 1],
        is_done=not _unfinished_chunks(notice).exists(),
    )


def _unfinished_chunks(notice: Notice) -> ChunkQuerySet:
    """Returns the chunks of the step that were never leased or that a worker has leased now."""
    of_step = Chunk.objects.filter(notice=notice, pk__lte=notice.ramp_to)
    return of_step.filter(Q(fencing_token=0) | Q(state=Chunk.State.LEASED))


def advance_ramp(notice: Notice) -> bool:
    """Starts the next step. Returns False if another process started it before, or if there is no
    next step.
    """
    return bool(notice.ramp_step) and _claim_step(notice, step=notice.ramp_step + 1)


def advance_ramp_if_healthy(notice: Notice) -> bool:
    """Starts the next step of an automatic ramp if the current step is done, NOTICE_RAMP_MINUTES
    have passed and the notice has no problem. Returns whether it did.
    """
    if notice.ramp != Ramp.INTERVAL or notice.ramp_at is None:
        return False
    interval = timedelta(minutes=settings.NOTICE_RAMP_MINUTES)
    if timezone.now() < notice.ramp_at + interval or notice.problem:
        return False
    step = step_of(notice)
    return step is not None and step.is_done and advance_ramp(notice)


def sweep_ramp(notice: Notice) -> bool:
    """Checks a notice for the sweep: pauses it if too many messages failed (and returns True), or
    starts its next step when it is time.
    """
    if guards.pause_if_failing(notice):
        return True
    if advance_ramp_if_healthy(notice):
        notice.refresh_from_db()
    return False


def _claim_step(notice: Notice, *, step: int) -> bool:
    """Starts a step by a conditional update, so that two processes at the same time start one step.
    Returns whether this call started it.
    """
    percents = settings.NOTICE_RAMP_PERCENT
    is_last = step > len(percents)
    ramp_to = None if is_last else _chunk_at(notice, percent=percents[step - 1])
    notices = Notice.objects.filter(pk=notice.pk, state__in=ledger.MOVING)
    rows = notices.filter(ramp_step=step - 1).update(
        ramp_step=0 if is_last else step, ramp_to=ramp_to, ramp_at=Now()
    )
    if rows:
        logger.info("notice %s: step %s", notice.pk, "to all" if is_last else step)
    return rows == 1


def _chunk_at(notice: Notice, *, percent: int) -> int:
    """Returns the primary key of the last chunk within the first `percent` per cent of the people,
    at least the first chunk; 0 if there are no chunks.
    """
    chunks = Chunk.objects.filter(notice=notice).order_by("pk")
    most = (chunks.aggregate(people=Sum("people"))["people"] or 0) * percent / 100
    so_far = chunks.annotate(so_far=Window(Sum("people"), order_by="pk"))
    within = so_far.filter(so_far__lte=most).values_list("pk", flat=True)
    return within.last() or chunks.values_list("pk", flat=True).first() or 0
