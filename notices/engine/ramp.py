"""How fast a notice may go: first a few people, then more, then all; and when it pauses by itself.

Keys are a PRF of the source's, so the first chunks by key are a fair sample of everybody. A step is
the primary key of the last chunk that may be leased (Notice.ramp_to); beyond the last step there is
none. Retries of earlier steps go on meanwhile.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from notices.engine import ledger
from notices.models import Chunk, Notice
from notices.models.chunk import ChunkQuerySet

logger = logging.getLogger(__name__)
Ramp = Notice.Ramp


# ---------------------------------------------------------------- steps


@dataclass(frozen=True)
class RampStep:
    """Where a ramp stands: its share of the people in per cent, and whether that is done."""

    number: int
    of: int
    percent: int
    is_done: bool


def ramp_for(notice: Notice, *, people: int | None) -> Notice.Ramp:
    """How a notice to so many people (None: nobody counted them) shall begin."""
    if notice.ramp != Ramp.BY_SIZE:
        return Ramp(notice.ramp)
    is_large = people is not None and people >= settings.NOTICE_RAMP_FROM_PEOPLE
    return Ramp.INTERVAL if is_large and notice.is_mandatory else Ramp.NONE


def begin(notice: Notice) -> None:
    """Lets the first step go, once the ledger is written and its size known."""
    if notice.ramp in (Ramp.PERSON, Ramp.INTERVAL):
        _go_to(notice, step=1)


def step_of(notice: Notice) -> RampStep | None:
    """Where the ramp stands; None if there is none, or no more."""
    if notice.ramp_to is None or not notice.ramp_step or notice.closed_at:
        return None
    percents = settings.NOTICE_RAMP_PERCENT
    return RampStep(
        number=notice.ramp_step,
        of=len(percents) + 1,
        percent=percents[notice.ramp_step - 1],
        is_done=not _untried(notice).exists(),
    )


def _untried(notice: Notice) -> ChunkQuerySet:
    """Chunks of the step that nobody leased yet, or that somebody works on."""
    of_step = Chunk.objects.filter(notice=notice, pk__lte=notice.ramp_to)
    return of_step.filter(Q(fencing_token=0) | Q(state=Chunk.State.LEASED))


def advance(notice: Notice) -> bool:
    """Lets the next step go. False if somebody did meanwhile, or there is none."""
    return bool(notice.ramp_step) and _go_to(notice, step=notice.ramp_step + 1)


def advance_if_healthy(notice: Notice) -> bool:
    """The same without a person, if the step is done and enough time went by without trouble."""
    if notice.ramp != Ramp.INTERVAL or notice.ramp_at is None:
        return False
    interval = timedelta(minutes=settings.NOTICE_RAMP_MINUTES)
    if timezone.now() < notice.ramp_at + interval or notice.problem:
        return False
    step = step_of(notice)
    return step is not None and step.is_done and advance(notice)


def sweep_ramp(notice: Notice) -> bool:
    """What the sweeper does: pauses it (True), or lets its next step go when it is time."""
    if pause_if_bouncing(notice):
        return True
    if advance_if_healthy(notice):
        notice.refresh_from_db()
    return False


def _go_to(notice: Notice, *, step: int) -> bool:
    """Claims the step by a conditional update: two who let it go at once let one step go."""
    percents = settings.NOTICE_RAMP_PERCENT
    is_last = step > len(percents)
    ramp_to = None if is_last else _chunk_at(notice, percent=percents[step - 1])
    moving = Notice.objects.filter(pk=notice.pk, state__in=ledger.MOVING)
    rows = moving.filter(ramp_step=step - 1).update(
        ramp_step=0 if is_last else step, ramp_to=ramp_to, ramp_at=Now()
    )
    if rows:
        logger.info("notice %s: step %s", notice.pk, "to all" if is_last else step)
    return rows == 1


def _chunk_at(notice: Notice, *, percent: int) -> int:
    """The last chunk of the first so many per cent; at least one chunk is."""
    chunks = Chunk.objects.filter(notice=notice).order_by("pk")
    number = max(1, chunks.count() * percent // 100)
    return next(iter(chunks.values_list("pk", flat=True)[number - 1 : number]), 0)


# ---------------------------------------------------------------- pauses


def pause_if_bouncing(notice: Notice) -> bool:
    """Pauses the notice if too many bounced since somebody last let it go; True if it did."""
    counts = Notice.objects.live_counts(notice.pk)
    bounced = counts["bounced"] - notice.watched_bounced
    tried = bounced + counts["accepted"] - notice.watched_accepted
    percent = settings.NOTICE_PAUSE_BOUNCE_PERCENT
    if tried < settings.NOTICE_PAUSE_AT_LEAST or bounced * 100 <= tried * percent:
        return False
    figures = f"{bounced:,} / {tried:,} ({bounced / tried:.1%} > {percent} %)"
    ledger.stop(notice, figures, paused_for=Notice.PausedFor.BOUNCES)
    logger.warning("notice %s paused: bounced %s", notice.pk, figures)
    return True


def reset_pause_counts(notice: Notice) -> None:
    """Forgets what a person has seen: what counts from now on is what happens from now on."""
    counts = Notice.objects.live_counts(notice.pk)
    Notice.objects.filter(pk=notice.pk).update(
        watched_accepted=counts["accepted"],
        watched_bounced=counts["bounced"],
        refusals=0,
        paused_for="",
    )
