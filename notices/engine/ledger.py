"""Writes the ledger's rows. Leases decide which worker may write, and each write keeps the counters
exact.

A worker holds leases on a few chunks. Each lease raises the chunk's fencing token by one. Every
write runs in a transaction that first locks the chunk's row, and only if the fencing token is still
the worker's own. So a worker that was stopped until its lease ran out can change nothing any more.

The central write is in journal.py. This module has the others: leasing, releasing and ending
chunks, pausing, closing. Rows are always locked in the order chunk, delivery, notice, so that two
workers cannot deadlock.
"""

import logging
import random
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Least, Now

from foundations.session_locks import session_lock
from notices.engine.learned_rates import greylist_wait
from notices.ledger_messages import LedgerMessages
from notices.models import Chunk, Delivery, Destination, DoubtCause, Notice
from notices.models.chunk import ChunkQuerySet
from notices.models.delivery import DeliveryQuerySet
from notices.models.states import END_STATES, WAITING_STATES, in_sql

logger = logging.getLogger(__name__)

State = Delivery.State
_HOLDS_LOCK = 0x62706568  # "bpeh": one worker ends the holds of a notice at a time
MOVING = (Notice.State.PLANNING, Notice.State.SENDING)  # sending starts before planning is done


class LeaseLostError(Exception):
    """Another worker leased the chunk. The caller must not write to it any more."""


@dataclass(frozen=True)
class Lease:
    """The right to work on one chunk, as long as `fencing_token` is the chunk's newest."""

    chunk: Chunk
    notice: Notice
    fencing_token: int
    is_past_deadline: bool  # by the database's clock, when the lease began


class Transition(NamedTuple):
    """A delivery's next state, the reason, and the wait before it is due again."""

    state: Delivery.State
    reply: str = ""
    wait: timedelta | None = None
    is_possible_duplicate: bool = False
    data_classes: tuple[int, ...] = ()  # the leaked data classes that the message named
    # The first refusal of this recipient's messages for a cause that is not theirs. The journal
    # counts it, and guards.py judges it.
    is_first_refusal: bool = False
    doubt_cause: DoubtCause | None = None  # None: the row's doubt_cause does not change


def deferred(
    lease: Lease,
    *,
    attempts: int,
    is_possible_duplicate: bool,
    reply: str,
    wait: timedelta | None = None,
) -> Transition:
    """Returns the transition for a temporary refusal (4xx): deferred with backoff, or for as long
    as the server asks: by `wait`, or in the words of a greylisting server.

    After the notice's deadline the delivery ends as unreachable, or as in doubt if it is a possible
    duplicate. `attempts` includes this attempt.
    """
    if lease.is_past_deadline:
        return Transition(State.IN_DOUBT if is_possible_duplicate else State.UNREACHABLE, reply)
    return Transition(
        State.DEFERRED, reply, wait=wait or greylist_wait(reply) or _backoff(attempts)
    )


def in_doubt(
    notice: Notice,
    *,
    attempts: int,
    is_possible_duplicate: bool,
    reply: str,
    cause: DoubtCause | None,
) -> Transition:
    """Returns the transition for a message that the server may or may not have accepted.

    Mandatory e-mail is sent again once, flagged as a possible duplicate. An alert, an SMS and a
    message that was in doubt before end in doubt, because the recipient could get the message
    twice. A notice by SMS stays open until its deadline, so that a person can decide about them.
    Messages of a cancelled notice end in doubt, too.
    `attempts` includes this attempt. `cause` is stored with the delivery.
    """
    is_repeatable = notice.is_mandatory and notice.channel == Notice.Channel.EMAIL
    if notice.state == Notice.State.CANCELLED or not is_repeatable or is_possible_duplicate:
        return Transition(State.IN_DOUBT, reply, doubt_cause=cause)
    return Transition(
        State.DEFERRED,
        reply,
        wait=_backoff(attempts),
        is_possible_duplicate=True,
        doubt_cause=cause,
    )


def not_sent(*, attempts: int, reply: str) -> Transition:
    """Returns the transition for a message that was not sent, through no fault of the recipient:
    pending, with backoff.

    The wait grows with `attempts`, so that a message at which a server closes the connection does
    not block the others.
    """
    return Transition(State.PENDING, reply, wait=_backoff(attempts))


def lease_chunk(notice: Notice, held: Collection[int] = ()) -> Lease | None:
    """Leases the notice's next chunk that is due or left behind by a worker. Returns None if there
    is none now.

    `held` are the ids of chunks that the caller holds. Their leases may have run out while its
    machine stood still; leased again, their messages would be sent twice.

    Deliveries that an earlier worker left on the wire become in doubt in the same transaction. So
    there is no moment in which that worker could still write.
    """
    others = Chunk.objects.exclude(pk__in=held)
    with transaction.atomic():
        lease = _lease_first(others.due(notice), notice) or _lease_first(
            others.left_behind(notice), notice
        )
        if lease is not None:
            _mark_wire_in_doubt(lease)
            _discard_plans()
    return lease


# `found` has the chunk as it was before the lease.
_LEASE = """
WITH found AS MATERIALIZED ({first}), leased AS (
    UPDATE notices_chunk c SET state = 'leased', fencing_token = c.fencing_token + 1,
        leased_until = statement_timestamp() + %s * interval '1 second', on_wire = '{{}}'
    FROM found WHERE c.id = found.id
    RETURNING c.id
)
SELECT found.*, n.deadline_at <= statement_timestamp() AS is_past_deadline
FROM found JOIN leased USING (id) JOIN notices_notice n ON n.id = found.notice_id
"""


def _lease_first(chunks: ChunkQuerySet, notice: Notice) -> Lease | None:
    """Leases the first of `chunks` that no other worker locks; one statement, because a send makes
    it for each chunk.
    """
    free = chunks.select_for_update(skip_locked=True, no_key=True)
    first, of_first = free[:1].query.sql_with_params()
    statement = _LEASE.format(first=first)
    values = [*of_first, settings.NOTICE_LEASE_SECONDS]
    found = list(Chunk.objects.raw(statement, values, using=connection.alias))  # no replica
    if not found:
        return None
    return Lease(
        chunk=found[0],
        notice=notice,
        fencing_token=found[0].fencing_token + 1,
        is_past_deadline=vars(found[0])["is_past_deadline"],
    )


def _discard_plans() -> None:
    """Discards the connection's prepared plans, so that the journal statement is planned again for
    this chunk and the ledger's current size.

    A plan that was made while the ledger had a few rows reads the whole table. A connection that
    kept this plan would read millions of rows in each turn.
    """
    with connection.cursor() as cursor:
        cursor.execute("DISCARD PLANS")


def _mark_wire_in_doubt(lease: Lease) -> None:
    """Writes the transition `in_doubt` for the deliveries on the wire of the chunk's last lease."""
    if not lease.chunk.on_wire:
        return
    rows = Delivery.objects.waiting().filter(pk__in=lease.chunk.on_wire)
    rows.update(attempts=F("attempts") + 1)
    for delivery in rows:
        transition = in_doubt(
            lease.notice,
            attempts=delivery.attempts,
            is_possible_duplicate=delivery.is_possible_duplicate,
            reply=LedgerMessages.TAKEN_OVER.stored(),
            cause=DoubtCause.WORKER_LOST,
        )
        _write(Delivery.objects.filter(pk=delivery.pk), transition, lease=lease)


def has_due_chunk(notice: Notice) -> bool:
    """Returns whether a worker would find a chunk to lease."""
    return Chunk.objects.due(notice).exists() or Chunk.objects.left_behind(notice).exists()


def pause_for_problem(
    notice: Notice,
    problem: str,
    *,
    paused_for: Notice.PausedFor = Notice.PausedFor.REFUSED,
) -> None:
    """Pauses the notice, if it is being planned or sent, and stores `problem` for the desk. A
    person has to resume it.
    """
    moving = Notice.objects.filter(pk=notice.pk, state__in=MOVING)
    moving.update(state=Notice.State.PAUSED, problem=problem, paused_for=paused_for)


def record_problem(notice: Notice, problem: str) -> None:
    """Stores the current problem for the notice's page. The next released chunk with an acceptance
    clears it.
    """
    Notice.objects.filter(pk=notice.pk).update(problem=problem)


def cancel_rest(lease: Lease) -> None:
    """Ends all waiting deliveries of the chunk as cancelled. A possible duplicate ends as in doubt,
    with the cause that it has from its first attempt.

    Raises LeaseLostError.
    """
    _end_rest(lease, Transition(State.CANCELLED), doubt=LedgerMessages.CANCELLED.stored())


def expire_rest(lease: Lease, reply: str) -> None:
    """Ends all waiting deliveries of the chunk as unreachable, because no server accepted mail
    until the deadline. They are in the list of people who were not reached. A possible duplicate
    ends as in doubt.

    `reply` is stored with each. Raises LeaseLostError.
    """
    _end_rest(lease, Transition(State.UNREACHABLE, reply), doubt=reply)


def _end_rest(lease: Lease, transition: Transition, *, doubt: str) -> None:
    with transaction.atomic():
        _lock_chunk(lease)
        rows = Delivery.objects.of_chunk(lease.chunk).waiting()
        maybe_sent = rows.filter(is_possible_duplicate=True)
        _write(maybe_sent, Transition(State.IN_DOUBT, doubt), lease=lease)
        _write(rows, transition, lease=lease)


def close(notice_id: int) -> bool:
    """Closes the notice if every recipient has an end state and the sums are exact. Returns whether
    it did.

    A cancelled notice stays cancelled and gets `closed_at`, the time at which its last row ended.
    """
    finished = Notice.objects.finished().filter(pk=notice_id)
    sent = finished.filter(state=Notice.State.SENDING)
    cancelled = finished.filter(state=Notice.State.CANCELLED, closed_at__isnull=True)
    is_closed = bool(
        sent.update(state=Notice.State.CLOSED, closed_at=Now(), problem="")
        or cancelled.update(closed_at=Now())
    )
    if is_closed:
        logger.info("notice %s: every recipient has an end state", notice_id)
    return is_closed


def release(
    lease: Lease,
    *,
    is_held_up: bool = False,
    rest: float = 0,
    held: Mapping[timedelta, Sequence[int]] | None = None,
) -> None:
    """Ends the lease. The chunk is done, or due again when its next delivery is. Does nothing if
    the lease is lost.

    A waiting delivery without `not_before` makes the chunk due at once. A chunk with deliveries to
    a destination that is still stopped (`is_held_up`) is due after NOTICE_STOPPED_SECONDS, one with
    deliveries to a destination that rests after `rest` seconds. `held` are the deliveries that the
    sending plan holds back, by how long. No delivery of the chunk may be on the wire.
    """
    with suppress(LeaseLostError), transaction.atomic():
        _commit_without_flush()
        _lock_chunk(lease)
        if held:
            _hold_back(lease, held)
        wait = timedelta(seconds=rest) if rest else None
        if not rest and is_held_up and _has_stopped_destination(lease.notice):
            wait = timedelta(seconds=settings.NOTICE_STOPPED_SECONDS)
        _end_lease(lease, wait=wait)


def _has_stopped_destination(notice: Notice) -> bool:
    return Destination.objects.filter(notice=notice, stopped_at__isnull=False).exists()


def _hold_back(lease: Lease, held: Mapping[timedelta, Sequence[int]]) -> None:
    """Writes when the turn of the deliveries comes that the sending plan holds back. If a person
    changed the plan meanwhile, they are due when every worker knows the new plan.
    """
    plan = lease.notice.frozen_plan
    is_same = Notice.objects.filter(pk=lease.notice.pk, frozen_plan=plan).exists()
    longest = timedelta(seconds=settings.NOTICE_SLICE_SECONDS)
    rows = Delivery.objects.of_chunk(lease.chunk).waiting()
    for wait, delivery_ids in held.items():
        rows.filter(pk__in=delivery_ids).update(
            not_before=Now() + (wait if is_same else min(wait, longest))
        )


def end_holds(notice: Notice) -> bool:
    """Lets the deliveries that an earlier sending plan held back be due at once, chunk by chunk.
    Deliveries that were tried keep their backoff. Returns False, and does nothing, if a run has
    done it already, or another worker does it now.
    """
    with session_lock(_HOLDS_LOCK, notice.pk) as is_held:
        if is_held:
            notice.refresh_from_db(fields=["replanned_at"])
        if not is_held or notice.replanned_at is None:
            return False
        _end_holds(notice)
    return True


def _end_holds(notice: Notice) -> None:
    due = Chunk.objects.filter(notice=notice, state=Chunk.State.DUE, not_before__isnull=False)
    for key in due.order_by("pk").values_list("pk", flat=True).iterator():
        with transaction.atomic():
            chunk = Chunk.objects.select_for_update(no_key=True).get(pk=key)
            if chunk.state == Chunk.State.DUE:
                rows = Delivery.objects.of_chunk(chunk).waiting().filter(attempts=0)
                rows.update(not_before=None)
                Chunk.objects.filter(pk=key).update(not_before=None)
    # If a person changed the plan meanwhile, the next run begins again.
    Notice.objects.filter(pk=notice.pk, replanned_at=notice.replanned_at).update(replanned_at=None)


def _commit_without_flush() -> None:
    """Lets the current transaction commit before PostgreSQL has flushed it to the disk
    (synchronous_commit off). The lock on the notice's row, in which all workers count, is then held
    for a shorter time.

    Only for writes that a crash of PostgreSQL may undo. Every delivery and counter of a released
    chunk was journaled before and is in the chunk's row. If the release is undone, the chunk is
    still leased, and another worker leases it when the lease runs out. A later commit also flushes
    this one.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")


def release_with_backoff(lease: Lease) -> None:
    """Ends the lease because the server is unavailable. The chunk is due again after a wait that
    grows with each failure in a row. Does nothing if the lease is lost.
    """
    with suppress(LeaseLostError), transaction.atomic():
        _lock_chunk(lease)
        failures = lease.chunk.failures + 1
        wait = _exponential(
            settings.NOTICE_UNAVAILABLE_SECONDS,
            failures,
            most=settings.NOTICE_UNAVAILABLE_MAX_SECONDS,
        )
        _end_lease(lease, wait=wait, failures=failures)


def clear_backoff(notice: Notice) -> None:
    """Clears the backoff of chunks that waited for an unavailable server or a stopped destination,
    and of deliveries that were refused for a cause on our side. The backoff of others stays.
    """
    Chunk.objects.filter(notice=notice, state=Chunk.State.DUE).update(not_before=None, failures=0)
    refused = Delivery.objects.filter(notice=notice, was_refused=True, state=State.DEFERRED)
    refused.update(not_before=None)


_LOCK_CHUNK = """
SELECT FROM notices_chunk WHERE id = %s AND fencing_token = %s AND state = 'leased'
FOR NO KEY UPDATE
"""


def _lock_chunk(lease: Lease) -> None:
    """Locks the chunk's row until the transaction ends. Raises LeaseLostError if the lease is not
    the chunk's newest.

    Later statements of the transaction see what others wrote to the chunk's rows before.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_CHUNK, [lease.chunk.pk, lease.fencing_token])
        if not cursor.rowcount:
            raise LeaseLostError


# The notice's row is locked last, because all workers count in it.
_END_LEASE = """
WITH waiting AS (
    SELECT count(*) AS people,
        CASE WHEN NOT bool_or(d.not_before IS NULL) THEN min(d.not_before) END AS next_at
    FROM notices_delivery d
    WHERE d.notice_id = %(notice)s AND d.recipient BETWEEN %(first)s AND %(last)s
        AND d.state IN ({waiting})
), counted AS (
    UPDATE notices_notice n
    SET {sums}, problem = CASE WHEN c.accepted > 0 THEN '' ELSE n.problem END
    FROM notices_chunk c WHERE c.id = %(chunk)s AND n.id = c.notice_id AND {all_counters} > 0
)
UPDATE notices_chunk c
SET state = CASE WHEN waiting.people > 0 OR %(failures)s > 0 THEN 'due' ELSE 'done' END,
    not_before = coalesce(statement_timestamp() + %(wait)s::interval, waiting.next_at),
    failures = %(failures)s, leased_until = NULL, on_wire = '{{}}', {zeros}
FROM waiting WHERE c.id = %(chunk)s
""".format(  # noqa: S608 (only names from the lists of states, no outside values)
    waiting=in_sql(WAITING_STATES),
    sums=", ".join(f"{name} = n.{name} + c.{name}" for name in END_STATES),
    all_counters=" + ".join(f"c.{name}" for name in END_STATES),
    zeros=", ".join(f"{name} = 0" for name in END_STATES),
)


def _end_lease(lease: Lease, *, wait: timedelta | None, failures: int = 0) -> None:
    """Ends the lease of a chunk that the caller has locked, and adds the chunk's counters to the
    notice.

    The chunk is due after `wait`, or else when its next delivery is. After failures it is due even
    without a delivery. One statement, because a send makes it for each chunk. The bounds of the
    chunk are values in it: with the columns, PostgreSQL expects a ninth of the notice's deliveries
    in each chunk, and reads the whole ledger for it once most of a large notice is sent.
    """
    chunk = lease.chunk
    values: dict[str, Any] = {"chunk": chunk.pk, "wait": wait, "failures": failures}
    values |= {"notice": chunk.notice_id, "first": chunk.first, "last": chunk.last}
    with connection.cursor() as cursor:
        cursor.execute(_END_LEASE, values)


def _write(rows: DeliveryQuerySet, transition: Transition, *, lease: Lease) -> None:
    """Applies `transition` to `rows` of a chunk that the caller has locked, and counts end states
    in the chunk's row.
    """
    is_end = transition.state in END_STATES
    values: dict[str, Any] = {"state": transition.state, "reply": transition.reply}
    values["ended_at"] = Now() if is_end else None
    values["not_before"] = None
    if transition.wait is not None:
        values["not_before"] = Least(Now() + transition.wait, Value(lease.notice.deadline_at))
    if transition.is_possible_duplicate:
        values["is_possible_duplicate"] = True
    if transition.doubt_cause is not None:
        values["doubt_cause"] = transition.doubt_cause
    changed = rows.update(**values)
    if changed and is_end:
        name = transition.state.value
        Chunk.objects.filter(pk=lease.chunk.pk).update(**{name: F(name) + changed})


def lease_end() -> CombinedExpression:
    """Returns when a lease that begins or is extended now runs out, as a database expression."""
    return Now() + timedelta(seconds=settings.NOTICE_LEASE_SECONDS)


def _backoff(tries: int) -> timedelta:
    most = settings.NOTICE_BACKOFF_MAX_SECONDS
    return _exponential(settings.NOTICE_BACKOFF_SECONDS, tries, most=most)


def _exponential(seconds: float, tries: int, *, most: float) -> timedelta:
    """Returns `seconds`, doubled with each try up to `most`, times a random factor from 0.75 to
    1.25. The factor spreads the retries of deliveries that failed together.
    """
    longest = min(seconds * 2 ** min(max(tries - 1, 0), 20), most)
    return timedelta(seconds=longest * random.uniform(0.75, 1.25))  # noqa: S311


def detach_people(people: Sequence[UUID]) -> None:
    """Removes the links to people who are being purged. Their rows stay, identified by `recipient`
    alone.
    """
    Delivery.objects.filter(person__in=people).update(person=None)
