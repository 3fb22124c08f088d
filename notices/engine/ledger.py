"""The ledger's rows: who may write them, and how each write keeps the counters exact.

A worker holds leases on a few chunks. A chunk's fence number rises with every lease, and every
write is made in a statement that first locks the chunk's row *if the fence is still the worker's
own*. So whoever slept past its lease, however long, can change nothing any more.

`journal` is that statement. A worker calls it once a turn for all its connections: it writes what
became of the messages that ended, counts the refusals among them (and pauses the notice if they are
too many), and names the messages that go on the wire next. The first octet of those may leave only
after the statement is committed. Rows are always locked in the order chunk, delivery, notice.
"""

import itertools
import random
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple, cast
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, F, Min, Q, Value
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Least, Now

from notices.ledger_messages import LedgerMessages
from notices.models import Chunk, Delivery, DoubtCause, Notice
from notices.models.delivery import DeliveryQuerySet
from notices.models.states import END_STATES, WAITING_STATES, in_sql

State = Delivery.State
MOVING = (Notice.State.PLANNING, Notice.State.SENDING)  # sending begins while the planning goes on


class LeaseLostError(Exception):
    """Another worker has the chunk now: whatever this one wanted to write is not its business."""


@dataclass(frozen=True)
class Lease:
    """The right to work on one chunk, for as long as `fence` is its last."""

    chunk: Chunk
    notice: Notice
    fencing_token: int
    is_past_deadline: bool  # by the database's clock when the lease began


@dataclass(frozen=True)
class Transition:
    """A row's next state, why, and how long it waits before it is due again."""

    state: Delivery.State
    reply: str = ""
    wait: timedelta | None = None
    is_possible_duplicate: bool = False
    data_classes: tuple[int, ...] = ()  # what an accepted message said had leaked
    # Not the recipient's fault: the journal counts it, and from NOTICE_PAUSE_REFUSALS on it pauses
    # the notice and leaves the row pending, whatever `state` and `wait` say.
    is_refusal: bool = False
    doubt_cause: DoubtCause | None = None  # None: the row keeps the one it has, or has none


@dataclass(frozen=True)
class JournalEntry:
    """What became of one delivery of a lease's chunk."""

    lease: Lease
    delivery_id: int
    transition: Transition
    attempts: int  # before this one; a row with another number was written by an earlier call
    tries: int  # 1; 0 for a recipient to whom nothing was to be sent


@dataclass(frozen=True)
class JournalAnswer:
    """What a worker learns from its journal."""

    may_send: bool  # False: the notice is paused, cancelled or closed
    lost: frozenset[int]  # chunks that another worker has now; nothing was written of them


def deferred(lease: Lease, *, attempts: int, is_possible_duplicate: bool, reply: str) -> Transition:
    """The server said "later": the row waits, up to the notice's deadline.

    `attempts` counts this one, too.
    """
    if lease.is_past_deadline:
        return Transition(State.IN_DOUBT if is_possible_duplicate else State.UNREACHABLE, reply)
    return Transition(State.DEFERRED, reply, wait=_backoff(attempts))


def in_doubt(
    notice: Notice,
    *,
    attempts: int,
    is_possible_duplicate: bool,
    reply: str,
    cause: DoubtCause | None,
) -> Transition:
    """It is not known whether the server took the message, because of `cause`.

    What the law demands is sent once more, flagged as a possible duplicate. An alert is not, nor a
    text message, nor a message that was in doubt before: a person decides.
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


def put_back(*, attempts: int, reply: str) -> Transition:
    """Nothing was sent, through no fault of the recipient. The wait grows, so that a message that
    makes a server hang up does not stand in everybody's way.
    """
    return Transition(State.PENDING, reply, wait=_backoff(attempts))


def lease_chunk(notice: Notice) -> Lease | None:
    """Leases the next chunk that is due or was left behind; None if there is none now.

    What an earlier worker left on the wire is settled in the same transaction, so that there is no
    moment in which that worker could still write.
    """
    chunks = Chunk.objects.select_for_update(skip_locked=True, no_key=True)
    with transaction.atomic():
        chunk = chunks.due(notice).first() or chunks.left_behind(notice).first()
        if chunk is None:
            return None
        fencing_token = chunk.fencing_token + 1
        rows = Chunk.objects.filter(pk=chunk.pk)
        rows.update(
            state=Chunk.State.LEASED,
            fencing_token=fencing_token,
            leased_until=_lease_end(),
            on_wire=[],
        )
        late = Notice.objects.filter(pk=notice.pk, deadline_at__lte=Now()).exists()
        lease = Lease(
            chunk=chunk, notice=notice, fencing_token=fencing_token, is_past_deadline=late
        )
        _doubt_what_was_on_the_wire(lease)
        _forget_plans()
    return lease


def _forget_plans() -> None:
    """Has the journal's statement planned anew for the next chunk, by the size the ledger has then.

    A plan that was made while the ledger had a few rows reads all of them, and a connection that
    kept it would do so with millions.
    """
    with connection.cursor() as cursor:
        cursor.execute("DISCARD PLANS")


def _doubt_what_was_on_the_wire(lease: Lease) -> None:
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
    """Whether a worker would find something to do."""
    return Chunk.objects.due(notice).exists() or Chunk.objects.left_behind(notice).exists()


# One statement and so one transaction: the chunks are locked and their fences compared, then the
# rows are written, then what was really written is counted. `chunks` that are another worker's now
# are missing from `held` and nothing of them is touched. A row is written only while it has no end
# state and as many attempts as the worker knows of. So running this again after a connection that
# broke before its answer came changes nothing twice, nor does it count a refusal twice.
#
# `refusal` numbers the refusals of this call from 1; it is 0 for all other endings. A refusal that
# brings the notice's count to `most_refusals` pauses the notice, and its row stays pending. Which
# rows those are is decided by the count when the statement began; the pause itself is decided by
# the count under the notice's lock, which is taken last.
_JOURNAL = """
WITH lease AS MATERIALIZED (
    SELECT * FROM unnest(%(chunks)s::bigint[], %(fences)s::int[], %(on_wire)s::text[])
        AS l (chunk, fencing_token, on_wire)
), notice AS MATERIALIZED (
    SELECT state, refusals FROM notices_notice WHERE id = %(notice)s
), held AS MATERIALIZED (
    SELECT c.id, l.on_wire::bigint[] AS on_wire
    FROM lease l JOIN notices_chunk c ON c.id = l.chunk AND c.fencing_token = l.fencing_token
    ORDER BY c.id FOR NO KEY UPDATE OF c
), kind AS MATERIALIZED (
    SELECT k.state, k.attempts, k.tries, k.wait, k.is_duplicate, k.doubt_cause,
        k.classes::smallint[] AS classes, k.refusal, k.number,
        k.refusal > 0 AND notice.refusals + k.refusal >= %(most_refusals)s AS is_pausing
    FROM unnest(%(states)s::text[], %(attempts)s::int[], %(tries)s::int[], %(waits)s::float8[],
            %(duplicates)s::bool[], %(doubt_causes)s::text[], %(classes)s::text[],
            %(refusals)s::int[])
        WITH ORDINALITY AS k (state, attempts, tries, wait, is_duplicate, doubt_cause, classes,
            refusal, number), notice
), written AS (
    UPDATE notices_delivery d
    SET state = CASE WHEN v.is_pausing THEN {pending} ELSE v.state END,
        reply = e.reply, attempts = d.attempts + v.tries,
        ended_at = CASE WHEN v.state = ANY (%(ends)s) AND NOT v.is_pausing THEN now() END,
        not_before = CASE WHEN v.wait IS NOT NULL AND NOT v.is_pausing
            THEN LEAST(now() + v.wait * interval '1 second', %(deadline)s) END,
        is_possible_duplicate = d.is_possible_duplicate OR v.is_duplicate,
        doubt_cause = CASE WHEN v.doubt_cause = '' THEN d.doubt_cause ELSE v.doubt_cause END,
        data_classes = v.classes
    FROM unnest(%(ids)s::bigint[], %(of_chunk)s::bigint[], %(kinds)s::int[], %(replies)s::text[])
            AS e (id, chunk, kind, reply)
        JOIN kind AS v ON v.number = e.kind
        JOIN held ON held.id = e.chunk
    WHERE d.id = e.id AND d.state IN ({waiting})
        AND d.attempts = v.attempts
    RETURNING e.chunk, d.state, v.refusal, e.reply
), counted AS (
    SELECT chunk,
        {counts}
    FROM written GROUP BY chunk
), kept AS (
    UPDATE notices_chunk c
    SET on_wire = held.on_wire, leased_until = now() + %(lease)s * interval '1 second',
        {sums}
    FROM held LEFT JOIN counted n ON n.chunk = held.id
    WHERE c.id = held.id
), refused AS (
    SELECT count(*) AS number, array_agg(reply ORDER BY refusal) AS replies
    FROM written WHERE refusal > 0
), judged AS (
    UPDATE notices_notice n
    SET refusals = n.refusals + r.number,
        state = CASE WHEN {pauses} THEN {paused} ELSE n.state END,
        paused_for = CASE WHEN {pauses} THEN {refused} ELSE n.paused_for END,
        problem = CASE WHEN {pauses}
            THEN r.replies[greatest(%(most_refusals)s - n.refusals, 1)] ELSE n.problem END
    FROM refused r
    WHERE n.id = %(notice)s AND r.number > 0
    RETURNING n.state
)
SELECT coalesce((SELECT state FROM judged), (SELECT state FROM notice)),
    ARRAY(SELECT id FROM held)
""".format(  # noqa: S608 (names from the lists of states, and nothing from outside)
    counts=",\n        ".join(
        f"count(*) FILTER (WHERE state = '{name}') AS {name}" for name in END_STATES
    ),
    sums=",\n        ".join(f"{name} = c.{name} + coalesce(n.{name}, 0)" for name in END_STATES),
    waiting=in_sql(WAITING_STATES),
    pending=in_sql([State.PENDING]),
    pauses="n.refusals + r.number >= %(most_refusals)s AND n.state = ANY (%(moving)s)",
    paused=in_sql([Notice.State.PAUSED]),
    refused=in_sql([Notice.PausedFor.REFUSED]),
)


def journal(
    notice: Notice,
    leases: Collection[Lease],
    *,
    endings: Sequence[JournalEntry],
    on_wire: Mapping[int, Iterable[int]],
) -> JournalAnswer:
    """Writes what ended, and what is on the wire from now on: chunk id → delivery ids.

    All `leases` of the worker are extended. A refusal that reaches NOTICE_PAUSE_REFUSALS pauses
    the notice in the same transaction. No message may be begun whose delivery an earlier call
    did not name, nor if the answer says that its chunk is lost or that the notice may not be sent.
    Raises psycopg.OperationalError; calling it again with the same arguments is safe.
    """
    values = _journal_values(notice, leases, endings=endings, on_wire=on_wire)
    connection.ensure_connection()
    database = cast("psycopg.Connection[Any]", connection.connection)
    # Not Django's cursor, which sends the text anew each time: this is parsed and planned once a
    # connection. Django forbids that by a threshold of None; its own cursors take no notice of it.
    database.prepare_threshold = 0
    with psycopg.Cursor(database) as cursor:
        cursor.execute(_JOURNAL, values, prepare=True, binary=True)
        state, held = cursor.fetchone() or (None, [])
    lost = frozenset(lease.chunk.pk for lease in leases) - frozenset(held)
    return JournalAnswer(may_send=state in MOVING, lost=lost)


def _journal_values(
    notice: Notice,
    leases: Collection[Lease],
    *,
    endings: Sequence[JournalEntry],
    on_wire: Mapping[int, Iterable[int]],
) -> dict[str, Any]:
    kinds: dict[_Kind, int] = {}
    refusals = itertools.count(1)
    kind_of = [kinds.setdefault(_kind(ending, refusals), len(kinds) + 1) for ending in endings]
    return {
        "notice": notice.pk,
        "deadline": notice.deadline_at,
        "lease": settings.NOTICE_LEASE_SECONDS,
        "ends": list(END_STATES),
        "moving": [state.value for state in MOVING],
        "most_refusals": settings.NOTICE_PAUSE_REFUSALS,
        "chunks": [lease.chunk.pk for lease in leases],
        "fences": [lease.fencing_token for lease in leases],
        "on_wire": [_array(on_wire.get(lease.chunk.pk, ())) for lease in leases],
        "ids": _array(ending.delivery_id for ending in endings),
        "of_chunk": _array(ending.lease.chunk.pk for ending in endings),
        "kinds": _array(kind_of),
        "replies": [ending.transition.reply for ending in endings],
        "states": [kind.state for kind in kinds],
        "attempts": _array(kind.attempts for kind in kinds),
        "tries": _array(kind.tries for kind in kinds),
        "waits": [kind.wait.total_seconds() if kind.wait else None for kind in kinds],
        "duplicates": [kind.is_possible_duplicate for kind in kinds],
        "doubt_causes": [kind.doubt_cause for kind in kinds],
        "classes": [_array(kind.data_classes) for kind in kinds],
        "refusals": _array(kind.refusal for kind in kinds),
    }


class _Kind(NamedTuple):
    """What many endings of a turn have in common: it is written once for them, counted from 1."""

    state: str
    attempts: int
    tries: int
    wait: timedelta | None
    is_possible_duplicate: bool
    doubt_cause: str
    data_classes: tuple[int, ...]
    refusal: int  # its number among the refusals of the turn; 0 for anything else


def _kind(ending: JournalEntry, refusals: Iterator[int]) -> _Kind:
    transition = ending.transition
    return _Kind(
        state=transition.state.value,
        attempts=ending.attempts,
        tries=ending.tries,
        wait=transition.wait,
        is_possible_duplicate=transition.is_possible_duplicate,
        doubt_cause=transition.doubt_cause.value if transition.doubt_cause else "",
        data_classes=transition.data_classes,
        refusal=next(refusals) if transition.is_refusal else 0,
    )


def _array(numbers: Iterable[int]) -> str:
    """As PostgreSQL reads one; unnest would flatten an array of arrays."""
    return f"{{{','.join(map(str, numbers))}}}"


def stop(
    notice: Notice,
    problem: str,
    *,
    paused_for: Notice.PausedFor = Notice.PausedFor.REFUSED,
) -> None:
    """Pauses the notice and says why; somebody has to look before it goes on."""
    moving = Notice.objects.filter(pk=notice.pk, state__in=MOVING)
    moving.update(state=Notice.State.PAUSED, problem=problem, paused_for=paused_for)


def record_problem(notice: Notice, problem: str) -> None:
    """Shows what stands in the way; the next chunk with an acceptance clears it."""
    Notice.objects.filter(pk=notice.pk).update(problem=problem)


def cancel_rest(lease: Lease) -> None:
    """Ends all rows of the chunk that wait. Who may have got the message is in doubt again, for the
    cause that the row has from its first attempt.

    Raises LeaseLostError, as `give_up` does.
    """
    _end_rest(lease, Transition(State.CANCELLED), doubt=LedgerMessages.CANCELLED.stored())


def expire_rest(lease: Lease, reply: str) -> None:
    """The same where no server took mail until the deadline: for the escalation list."""
    _end_rest(lease, Transition(State.UNREACHABLE, reply), doubt=reply)


def _end_rest(lease: Lease, transition: Transition, *, doubt: str) -> None:
    with transaction.atomic():
        _hold(lease)
        rows = Delivery.objects.of_chunk(lease.chunk).waiting()
        maybe_sent = rows.filter(is_possible_duplicate=True)
        _write(maybe_sent, Transition(State.IN_DOUBT, doubt), lease=lease)
        _write(rows, transition, lease=lease)


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

    A row that waits for no time makes the chunk due at once. Nothing of it may be on the wire.
    """
    with suppress(LeaseLostError), transaction.atomic():
        _need_not_be_flushed()
        chunk = _hold(lease)
        rows = Delivery.objects.of_chunk(lease.chunk).waiting()
        left = rows.aggregate(
            rows=Count("pk"), at_once=Count("pk", Q(not_before__isnull=True)), at=Min("not_before")
        )
        _give_back(
            lease,
            chunk,
            state=Chunk.State.DUE if left["rows"] else Chunk.State.DONE,
            not_before=None if left["at_once"] else left["at"],
            failures=0,
        )


def _need_not_be_flushed() -> None:
    """Lets this transaction end before it is on the disk: the notice's row, which all workers count
    in, is locked the shorter.

    Only for what PostgreSQL may forget in a crash. Of a chunk that is given back every row and
    counter was journaled before, and stands in the chunk; forgotten, it is leased still, and taken
    over when the lease runs out. Whatever is committed later is on the disk later.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")


def release_with_backoff(lease: Lease) -> None:
    """Gives the chunk back as it is, because the server is away; the wait grows each time."""
    with suppress(LeaseLostError), transaction.atomic():
        chunk = _hold(lease)
        failures = lease.chunk.failures + 1
        wait = _doubled(
            settings.NOTICE_UNAVAILABLE_SECONDS,
            failures,
            most=settings.NOTICE_UNAVAILABLE_MAX_SECONDS,
        )
        _give_back(lease, chunk, state=Chunk.State.DUE, failures=failures, not_before=Now() + wait)


def clear_backoff(notice: Notice) -> None:
    """Forgets the waits that a server's absence made; those of single people stay."""
    away = Chunk.objects.filter(notice=notice, state=Chunk.State.DUE, failures__gt=0)
    away.update(not_before=None, failures=0)


def _hold(lease: Lease) -> Chunk:
    """The chunk's row, locked until the transaction ends, if the lease is still the last one."""
    mine = Chunk.objects.select_for_update(no_key=True)
    chunk = mine.filter(
        pk=lease.chunk.pk, fencing_token=lease.fencing_token, state=Chunk.State.LEASED
    ).first()
    if chunk is None:
        raise LeaseLostError
    return chunk


def _give_back(lease: Lease, chunk: Chunk, **values: Any) -> None:
    """Ends the lease; what it counted goes to the notice, whose row is locked last."""
    Chunk.objects.filter(pk=chunk.pk).update(
        leased_until=None, on_wire=[], **dict.fromkeys(END_STATES, 0), **values
    )
    counted: dict[str, Any] = {
        name: F(name) + getattr(chunk, name) for name in END_STATES if getattr(chunk, name)
    }
    if chunk.accepted:
        counted["problem"] = ""
    if counted:
        Notice.objects.filter(pk=lease.notice.pk).update(**counted)


def _write(rows: DeliveryQuerySet, transition: Transition, *, lease: Lease) -> None:
    """Brings `rows` of a chunk that is held into the verdict's state, and counts them there."""
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


def _lease_end() -> CombinedExpression:
    return Now() + timedelta(seconds=settings.NOTICE_LEASE_SECONDS)


def _backoff(tries: int) -> timedelta:
    most = settings.NOTICE_BACKOFF_MAX_SECONDS
    return _doubled(settings.NOTICE_BACKOFF_SECONDS, tries, most=most)


def _doubled(seconds: float, tries: int, *, most: float) -> timedelta:
    """Doubles with each try, give or take a quarter: what failed together comes back apart."""
    longest = min(seconds * 2 ** min(max(tries - 1, 0), 20), most)
    return timedelta(seconds=longest * random.uniform(0.75, 1.25))  # noqa: S311


def detach_people(people: Sequence[UUID]) -> None:
    """Leaves the rows of people who are being purged standing, by `recipient` alone."""
    Delivery.objects.filter(person__in=people).update(person=None)
