"""Records a worker's turn in the ledger: the central write, one SQL statement.

A worker calls `record_turn` once a turn for all its connections. The statement writes the results
of messages that ended, counts the people who were refused among them, and records the messages that
go on the wire next. The first octet of those messages may
leave only after the statement is committed.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple, cast

import psycopg
from django.conf import settings
from django.db import connection

from notices.engine.ledger import MOVING, Lease, Transition
from notices.models import Notice
from notices.models.states import END_STATES, WAITING_STATES, in_sql


class JournalEntry(NamedTuple):
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
    stopped: frozenset[str] = frozenset()  # names of destinations; see guards.py


# One statement is one transaction. It locks the chunks and compares their fencing tokens, then it
# writes the rows, then it counts the rows that it really wrote. A chunk that another worker leased
# is missing from `held`, and none of its rows is written. A row is written only while it has no end
# state and has as many attempts as the worker knows of. So if the connection breaks before the
# answer arrives, the worker runs the statement again, and it writes no row and counts no refusal
# twice.
_JOURNAL = """
WITH lease AS MATERIALIZED (
    SELECT * FROM unnest(%(chunks)s::bigint[], %(fences)s::int[], %(on_wire)s::text[])
        AS l (chunk, fencing_token, on_wire)
), notice AS MATERIALIZED (
    SELECT state FROM notices_notice WHERE id = %(notice)s
), held AS MATERIALIZED (
    SELECT c.id, l.on_wire::bigint[] AS on_wire
    FROM lease l JOIN notices_chunk c ON c.id = l.chunk AND c.fencing_token = l.fencing_token
    ORDER BY c.id FOR NO KEY UPDATE OF c
), kind AS MATERIALIZED (
    SELECT k.state, k.attempts, k.tries, k.wait, k.is_duplicate, k.doubt_cause,
        k.classes::smallint[] AS classes, k.is_refusal, k.number
    FROM unnest(%(states)s::text[], %(attempts)s::int[], %(tries)s::int[], %(waits)s::float8[],
            %(duplicates)s::bool[], %(doubt_causes)s::text[], %(classes)s::text[],
            %(refusals)s::bool[])
        WITH ORDINALITY AS k (state, attempts, tries, wait, is_duplicate, doubt_cause, classes,
            is_refusal, number)
), written AS (
    UPDATE notices_delivery d
    SET state = v.state, reply = e.reply, attempts = d.attempts + v.tries,
        ended_at = CASE WHEN v.state = ANY (%(ends)s) THEN now() END,
        not_before = CASE WHEN v.wait IS NOT NULL
            THEN LEAST(now() + v.wait * interval '1 second', %(deadline)s) END,
        is_possible_duplicate = d.is_possible_duplicate OR v.is_duplicate,
        doubt_cause = CASE WHEN v.doubt_cause = '' THEN d.doubt_cause ELSE v.doubt_cause END,
        was_refused = d.was_refused OR v.is_refusal, data_classes = v.classes
    FROM unnest(%(ids)s::bigint[], %(of_chunk)s::bigint[], %(kinds)s::int[], %(replies)s::text[])
            AS e (id, chunk, kind, reply)
        JOIN kind AS v ON v.number = e.kind
        JOIN held ON held.id = e.chunk
    WHERE d.id = e.id AND d.state IN ({waiting})
        AND d.attempts = v.attempts
    RETURNING e.chunk, d.state, v.is_refusal
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
    SELECT count(*) AS people FROM written WHERE is_refusal
), noted AS (
    UPDATE notices_notice n SET refusals = n.refusals + r.people
    FROM refused r WHERE n.id = %(notice)s AND r.people > 0
    RETURNING n.state
)
SELECT coalesce((SELECT state FROM noted), (SELECT state FROM notice)),
    ARRAY(SELECT id FROM held),
    ARRAY(SELECT name FROM notices_destination
        WHERE notice_id = %(notice)s AND stopped_at IS NOT NULL)
""".format(  # noqa: S608 (only names from the lists of states, no outside values)
    counts=",\n        ".join(
        f"count(*) FILTER (WHERE state = '{name}') AS {name}" for name in END_STATES
    ),
    sums=",\n        ".join(f"{name} = c.{name} + coalesce(n.{name}, 0)" for name in END_STATES),
    waiting=in_sql(WAITING_STATES),
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

    `on_wire` maps a chunk's id to the ids of its deliveries on the wire. The caller starts a
    message only if this call or an earlier one recorded its delivery in `on_wire`, and only if the
    answer neither lists the chunk as lost nor forbids sending. Raises psycopg.OperationalError. The
    caller may repeat the call with the same arguments: nothing is written or counted twice.
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
        state, held, stopped = cursor.fetchone() or (None, [], [])
    lost = frozenset(lease.chunk.pk for lease in leases) - frozenset(held)
    return JournalAnswer(may_send=state in MOVING, lost=lost, stopped=frozenset(stopped))


def _journal_values(
    notice: Notice,
    leases: Collection[Lease],
    *,
    entries: Sequence[JournalEntry],
    on_wire: Mapping[int, Iterable[int]],
) -> dict[str, Any]:
    groups: dict[_EntryGroup, int] = {}
    group_numbers = [groups.setdefault(_group_of(entry), len(groups) + 1) for entry in entries]
    return {
        "notice": notice.pk,
        "deadline": notice.deadline_at,
        "lease": settings.NOTICE_LEASE_SECONDS,
        "ends": list(END_STATES),
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
        "refusals": [group.is_refusal for group in groups],
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
    is_refusal: bool  # the first one of the recipient


def _group_of(entry: JournalEntry) -> _EntryGroup:
    transition = entry.transition
    return _EntryGroup(
        state=transition.state.value,
        attempts=entry.attempts,
        tries=entry.tries,
        wait=transition.wait,
        is_possible_duplicate=transition.is_possible_duplicate,
        doubt_cause=transition.doubt_cause.value if transition.doubt_cause else "",
        data_classes=transition.data_classes,
        is_refusal=transition.is_first_refusal,
    )


def _array_literal(numbers: Iterable[int]) -> str:
    """Returns the numbers as the text of a PostgreSQL array. Arrays inside an array are passed as
    text, because `unnest` flattens an array of arrays.
    """
    return f"{{{','.join(map(str, numbers))}}}"
