"""The ledger's rows: who may write them, and how each write keeps the counters exact.

A worker holds a lease on one chunk. Its fence number rises with every lease, and every write is
made in a transaction that first takes the chunk's row *if the fence is still the worker's own*.
So whoever slept past its lease, however long, can change nothing any more. Rows are always locked
in the order chunk, delivery, notice.
"""

import random
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Min, Q, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Least, Now
from django.utils import timezone

from notices.models import Chunk, Delivery, Notice
from notices.models.sending import END_STATES, DeliveryQuerySet

State = Delivery.State
TAKEN_OVER = "the worker stopped while it sent this message"


class LeaseLostError(Exception):
    """Another worker has the chunk now: whatever this one wanted to write is not its business."""


class NotToBeSentError(Exception):
    """The notice is paused, cancelled or closed."""


@dataclass(frozen=True)
class Lease:
    """The right to work on one chunk, for as long as `fence` is its last."""

    chunk: Chunk
    notice: Notice
    fence: int


@dataclass(frozen=True)
class Verdict:
    """A row's next state, why, and how long it waits before it is due again."""

    state: Delivery.State
    reply: str = ""
    wait: timedelta | None = None
    is_possible_duplicate: bool = False


def deferred(notice: Notice, delivery: Delivery, reply: str) -> Verdict:
    """The server said "later": so be it, up to the notice's deadline."""
    if notice.deadline_at is not None and timezone.now() >= notice.deadline_at:
        return Verdict(
            State.IN_DOUBT if delivery.is_possible_duplicate else State.UNREACHABLE, reply
        )
    return Verdict(State.DEFERRED, reply, wait=_backoff(delivery.attempts))


def in_doubt(notice: Notice, delivery: Delivery, reply: str) -> Verdict:
    """Nobody knows whether the server took it. What the law demands is sent once more, flagged;
    an alert is not, and neither is a message that was in doubt twice: a person decides.
    """
    if notice.state == Notice.State.CANCELLED or not notice.is_mandatory:
        return Verdict(State.IN_DOUBT, reply)
    if delivery.is_possible_duplicate:
        return Verdict(State.IN_DOUBT, reply)
    wait = _backoff(delivery.attempts)
    return Verdict(State.DEFERRED, reply, wait=wait, is_possible_duplicate=True)


def take(notice: Notice) -> Lease | None:
    """Leases the next chunk that is due and nobody's; None if there is none now.

    What an earlier worker left on the wire is settled in the same transaction, so that there is no
    moment in which that worker could still write.
    """
    with transaction.atomic():
        chunk = (
            Chunk.objects.leasable(notice).select_for_update(skip_locked=True, no_key=True).first()
        )
        if chunk is None:
            return None
        fence = chunk.fence + 1
        Chunk.objects.filter(pk=chunk.pk).update(fence=fence, leased_until=_lease_end())
        lease = Lease(chunk=chunk, notice=notice, fence=fence)
        for delivery in Delivery.objects.of_chunk(chunk).filter(state=State.SENDING):
            rows = Delivery.objects.filter(pk=delivery.pk)
            _write(rows, in_doubt(notice, delivery, TAKEN_OVER), notice=notice)
    return lease


def has_due_chunk(notice: Notice) -> bool:
    """Whether a worker would find something to do."""
    return Chunk.objects.leasable(notice).exists()


def start(lease: Lease, delivery: Delivery) -> bool:
    """Journals that this message goes on the wire now; False if the row is not waiting any more.

    Raises LeaseLostError, and NotToBeSentError once the notice is paused or cancelled: read here,
    before each message, that takes effect at once.
    """
    is_sending = Notice.objects.filter(pk=lease.notice.pk, state=Notice.State.SENDING)
    with transaction.atomic():
        _hold(lease)
        if not is_sending.exists():
            raise NotToBeSentError
        waiting = Delivery.objects.waiting().filter(pk=delivery.pk)
        started = waiting.update(
            state=State.SENDING, fence=lease.fence, attempts=F("attempts") + 1, not_before=None
        )
        delivery.attempts += started
        return started == 1


def record(lease: Lease, delivery: Delivery, verdict: Verdict) -> None:
    """Writes what became of a message this lease started. Raises LeaseLostError."""
    rows = Delivery.objects.filter(pk=delivery.pk, state=State.SENDING, fence=lease.fence)
    with transaction.atomic():
        _hold(lease)
        _write(rows, verdict, notice=lease.notice)


def settle(lease: Lease, delivery: Delivery, verdict: Verdict) -> None:
    """Ends a row whose message never goes on the wire. Raises LeaseLostError."""
    with transaction.atomic():
        _hold(lease)
        rows = Delivery.objects.waiting().filter(pk=delivery.pk)
        _write(rows, verdict, notice=lease.notice)


def pause(lease: Lease, delivery: Delivery, reply: str) -> None:
    """Puts a message back that was refused for no fault of its recipient, and stops the notice."""
    with transaction.atomic():
        record(lease, delivery, Verdict(State.PENDING, reply))
        stop(lease.notice, reply)


def stop(notice: Notice, problem: str) -> None:
    """Pauses the notice and says why; somebody has to look before it goes on."""
    sending = Notice.objects.filter(pk=notice.pk, state=Notice.State.SENDING)
    sending.update(state=Notice.State.PAUSED, problem=problem)


def report(notice: Notice, problem: str) -> None:
    """Shows what stands in the way; the next acceptance clears it."""
    Notice.objects.filter(pk=notice.pk).update(problem=problem)


def cancel_rest(lease: Lease) -> None:
    """Ends all rows of the chunk that wait. Whoever may have got the message stays in doubt."""
    with transaction.atomic():
        _hold(lease)
        rows = Delivery.objects.of_chunk(lease.chunk).waiting()
        maybe_sent = rows.filter(is_possible_duplicate=True)
        _write(maybe_sent, Verdict(State.IN_DOUBT, "cancelled"), notice=lease.notice)
        _write(rows, Verdict(State.CANCELLED), notice=lease.notice)


def close(notice_id: int) -> bool:
    """Ends a notice of which everybody has an end state and the sums are exact.

    A cancelled one stays cancelled, and gets the time at which its last row was.
    """
    finished = Notice.objects.finished().filter(pk=notice_id)
    sent = finished.filter(state=Notice.State.SENDING)
    cancelled = finished.filter(state=Notice.State.CANCELLED, closed_at__isnull=True)
    return bool(
        sent.update(state=Notice.State.CLOSED, closed_at=Now(), problem="")
        or cancelled.update(closed_at=Now())
    )


def release(lease: Lease) -> None:
    """Gives the chunk back: done, or due again when its next row is. Does nothing once it is lost.

    A row that waits for no time makes the chunk due at once.
    """
    with suppress(LeaseLostError), transaction.atomic():
        _hold(lease)
        rows = Delivery.objects.of_chunk(lease.chunk).exclude(state__in=END_STATES)
        left = rows.aggregate(
            rows=Count("pk"), at_once=Count("pk", Q(not_before__isnull=True)), at=Min("not_before")
        )
        Chunk.objects.filter(pk=lease.chunk.pk).update(
            state=Chunk.State.DUE if left["rows"] else Chunk.State.DONE,
            not_before=None if left["at_once"] else left["at"],
            leased_until=None,
            failures=0,
        )


def retry_now(notice: Notice) -> None:
    """Forgets the waits that a server's absence made; those of single people stay."""
    away = Chunk.objects.filter(notice=notice, state=Chunk.State.DUE, failures__gt=0)
    away.update(not_before=None, failures=0)


def release_for_later(lease: Lease) -> None:
    """Gives the chunk back untouched, because the server is away; the wait grows each time."""
    with suppress(LeaseLostError), transaction.atomic():
        _hold(lease)
        failures = lease.chunk.failures + 1
        Chunk.objects.filter(pk=lease.chunk.pk).update(
            failures=failures, not_before=Now() + _backoff(failures), leased_until=None
        )


def _hold(lease: Lease) -> None:
    """Locks the chunk's row until the transaction ends, if the lease is still the last one."""
    mine = Chunk.objects.filter(pk=lease.chunk.pk, fence=lease.fence)
    if not mine.update(leased_until=_lease_end()):
        raise LeaseLostError


def _lease_end() -> CombinedExpression:
    return Now() + timedelta(seconds=settings.NOTICE_LEASE_SECONDS)


def _write(rows: DeliveryQuerySet, verdict: Verdict, *, notice: Notice) -> None:
    """Brings `rows` into the verdict's state, and counts as many as it really changed."""
    is_end = verdict.state in END_STATES
    values: dict[str, Any] = {"state": verdict.state, "reply": verdict.reply}
    values["ended_at"] = Now() if is_end else None
    values["not_before"] = None
    if verdict.wait is not None:
        values["not_before"] = Least(Now() + verdict.wait, Value(notice.deadline_at))
    if verdict.is_possible_duplicate:
        values["is_possible_duplicate"] = True
    changed = rows.update(**values)
    if changed and is_end:
        counted: dict[str, Any] = {verdict.state.value: F(verdict.state.value) + changed}
        if verdict.state == State.ACCEPTED:
            counted["problem"] = ""
        Notice.objects.filter(pk=notice.pk).update(**counted)


def _backoff(tries: int) -> timedelta:
    """Doubles with each try, give or take a quarter: what failed together comes back apart."""
    seconds = settings.NOTICE_BACKOFF_SECONDS * 2 ** min(max(tries - 1, 0), 20)
    most = min(seconds, settings.NOTICE_BACKOFF_MOST_SECONDS)
    return timedelta(seconds=most * random.uniform(0.75, 1.25))  # noqa: S311
