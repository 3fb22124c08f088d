"""Records a worker's turn in the ledger: the central write, one SQL statement.

A worker calls `record_turn` once a turn for all its connections. The statement writes the results
of messages that ended, counts the refusals among them (and pauses the notice if there are too
many), and records the messages that go on the wire next. The first octet of those messages may
leave only after the statement is committed.
"""

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple, cast

import psycopg
from django.conf import settings
from django.db import connection

from notices.engine.ledger import MOVING, Lease, Transition
from notices.models import Delivery, Notice
from notices.models.states import END_STATES, WAITING_STATES, in_sql

State = Delivery.State


@dataclass(frozen=True)
class JournalEntry:
    """The result of one delivery of a lease's chunk, as `journal` writes it."""

    lease: Lease
    delivery_id: int
    transition: Transition
    attempts: int  # before this one. A row with another number was written by an earlier call.
    tries: int  # 1, or 0 for a recipient who gets no message


@dataclass(frozen=True)
class JournalAnswer:
    """What the journal statement returned to the worker."""

    may_send: bool  # False: the notice is paused, cancelled or closed
    lost: frozenset[int]  # chunks that another worker leased; nothing was written to them


# One statement is one transaction. It locks the chunks and compares their fencing tokens, then it
# writes the rows, then it counts the rows that it really wrote. A chunk that another worker leased
# is missing from `held`, and none of its rows is written. A row is written only while it has no end
# state and has as many attempts as the worker knows of. So if the connection breaks before the
# answer arrives, the worker runs the statement again, and it writes no row and counts no refusal
# twice.
#
# `refusal` numbers the refusals of this call from 1; it is 0 for all other entries. A refusal that
# brings the notice's count to `most_refusals` pauses the notice, and its row stays pending. The
# count at the start of the statement decides which rows stay pending. The count under the notice's
# lock, which is taken last, decides about the pause.
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
""".format(  # noqa: S608 (only names from the lists of states, no outside values)
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


def record_turn(
    notice: Notice,
    leases: Collection[Lease],
    *,
    entries: Sequence[JournalEntry],
    on_wire: Mapping[int, Iterable[int]],
) -> JournalAnswer:
    """Writes the results in `entries` and which deliveries go on the wire now; extends all
    `leases`.

    `on_wire` maps a chunk's id to the ids of its deliveries on the wire. A refusal that reaches
    NOTICE_PAUSE_REFUSALS pauses the notice in the same transaction. The caller starts a message
    only if this call or an earlier one recorded its delivery in `on_wire`, and only if the answer
    neither lists the chunk as lost nor forbids sending. Raises psycopg.OperationalError. The caller
    may repeat the call with the same arguments: nothing is written or counted twice.
    """
    values = _journal_values(notice, leases, entries=entries, on_wire=on_wire)
    connection.ensure_connection()
    database = cast("psycopg.Connection[Any]", connection.connection)
    # psycopg's own cursor prepares the statement, so that it is parsed and planned once for each
    # connection. Django's cursor would send the text each time. Django disables preparing with a
    # threshold of None; the threshold that is set here does not affect Django's own cursors.
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
    entries: Sequence[JournalEntry],
    on_wire: Mapping[int, Iterable[int]],
) -> dict[str, Any]:
    groups: dict[_EntryGroup, int] = {}
    refusals = itertools.count(1)
    group_numbers = [
        groups.setdefault(_group_of(entry, refusals), len(groups) + 1) for entry in entries
    ]
    return {
        "notice": notice.pk,
        "deadline": notice.deadline_at,
        "lease": settings.NOTICE_LEASE_SECONDS,
        "ends": list(END_STATES),
        "moving": [state.value for state in MOVING],
        "most_refusals": settings.NOTICE_PAUSE_REFUSALS,
        "chunks": [lease.chunk.pk for lease in leases],
        "fences": [lease.fencing_token for lease in leases],
        "on_wire": [_array_literal(on_wire.get(lease.chunk.pk, ())) for lease in leases],
        "ids": _array_literal(entry.delivery_id for entry in entries),
        "of_chunk": _array_literal(entry.lease.chunk.pk for entry in entries),
        "kinds": _array_literal(group_numbers),
        "replies": [entry.transition.reply for entry in entries],
        "states": [group.state for group in groups],
        "attempts": _array_literal(group.attempts for group in groups),
        "tries": _array_literal(group.tries for group in groups),
        "waits": [group.wait.total_seconds() if group.wait else None for group in groups],
        "duplicates": [group.is_possible_duplicate for group in groups],
        "doubt_causes": [group.doubt_cause for group in groups],
        "classes": [_array_literal(group.data_classes) for group in groups],
        "refusals": _array_literal(group.refusal for group in groups),
    }


class _EntryGroup(NamedTuple):
    """The values that many entries of a turn share. The statement receives each group once; entries
    refer to it by its number, from 1.
    """

    state: str
    attempts: int
    tries: int
    wait: timedelta | None
    is_possible_duplicate: bool
    doubt_cause: str
    data_classes: tuple[int, ...]
    refusal: int  # number among the refusals of the turn, from 1; 0: not a refusal


def _group_of(entry: JournalEntry, refusals: Iterator[int]) -> _EntryGroup:
    transition = entry.transition
    return _EntryGroup(
        state=transition.state.value,
        attempts=entry.attempts,
        tries=entry.tries,
        wait=transition.wait,
        is_possible_duplicate=transition.is_possible_duplicate,
        doubt_cause=transition.doubt_cause.value if transition.doubt_cause else "",
        data_classes=transition.data_classes,
        refusal=next(refusals) if transition.is_refusal else 0,
    )


def _array_literal(numbers: Iterable[int]) -> str:
    """Returns the numbers as the text of a PostgreSQL array. Arrays inside an array are passed as
    text, because `unnest` flattens an array of arrays.
    """
    return f"{{{','.join(map(str, numbers))}}}"
