"""Deletes the rows of a shredded incident, in steps that are too small to disturb other work.

The shredding has already made the encrypted data unreadable. The rows still show how many people
there were, and take disk space. These stay: the incident, its files and stored counts, the record
of the shredding, and every delivery, which only loses the reference to its person.

A step is one transaction, which also stores the position, so that a killed run continues there. The
exposures of a large file are a partition of their own, which is dropped as a whole.
"""

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from incidents.models import (
    AddressChange,
    AffectedPerson,
    Exposure,
    FileContact,
    FurtherContact,
    Incident,
    PersonMark,
    RowProof,
    Shredding,
    UnreadContact,
    WrongAnswer,
)
from incidents.scope_versions import incident_lock
from incidents.table_locks import retry_lock

STEP_ROWS = 1_000
# Called with ids of people before they are deleted. Other apps add functions in AppConfig.ready().
BEFORE_PURGE: list[Callable[[Sequence[UUID]], Any]] = []

PurgeCallback = Callable[[Shredding], None]
logger = logging.getLogger(__name__)


class PurgeRefusedError(Exception):
    """An incident cannot be purged. The message is one line for the operator."""


def run(
    incident: Incident,
    *,
    step_rows: int = STEP_ROWS,
    report: PurgeCallback = lambda _: None,
    wait: Callable[[float], None] = time.sleep,
) -> Shredding:
    """Deletes the people and exposures of an incident, and returns the record of its shredding.

    After each step it waits as long as the step took. `wait` gets the seconds; `report` gets the
    record after each step, and what it raises ends the work: the next run continues. Raises
    PurgeRefusedError if the incident is not shredded, and IncidentBusyError if another process
    holds the incident's lock.
    """
    incident.refresh_from_db()
    if incident.shredded_at is None:
        raise PurgeRefusedError(f"{incident.slug}: not shredded; shred its data on the desk first")
    with incident_lock(incident):
        record, _ = Shredding.objects.get_or_create(incident=incident)
        _drop_partitions(record, wait)
        is_more = True
        while is_more:
            started = time.monotonic()
            is_more = retry_lock(partial(_step, record, step_rows), wait=wait)
            if is_more:
                report(record)
            wait(time.monotonic() - started)
        UnreadContact.objects.filter(file__incident=incident).delete()
        _purge_withdrawn_contacts(record, step_rows, report, wait)
        record.purged_at = timezone.now()
        record.save(update_fields=["purged_at"])
    logger.info(
        "incident %s: %s people and %s exposures purged",
        incident.pk,
        record.people,
        record.exposures,
    )
    return record


# People


def _step(record: Shredding, step_rows: int) -> bool:
    """Deletes the incident's people among the next `step_rows` rows of the table of people.

    Returns False at the end of the table. The window is limited because no index leads from an
    incident to its people: a search for its next thousand people could scan a nation's rows of
    another incident.
    """
    after = Q(pk__gt=record.position) if record.position else Q()
    window = list(
        AffectedPerson.objects.filter(after)
        .order_by("pk")
        .values_list("pk", "incident_id")[:step_rows]
    )
    if not window:
        return False
    ids = [pk for pk, incident_id in window if incident_id == record.incident_id]
    people, exposures = _delete_people(record.incident_id, ids) if ids else (0, 0)
    # The record is changed only now, because an attempt that does not get a lock is repeated.
    record.people, record.exposures = record.people + people, record.exposures + exposures
    record.position = window[-1][0]
    record.save(update_fields=["position", "people", "exposures"])
    return True


def _delete_people(incident_id: int, ids: Sequence[UUID]) -> tuple[int, int]:
    """Deletes people with all that refers to them; returns how many people and exposures."""
    exposures = _delete_rows(Exposure, "person_id", ids)
    with connection.cursor() as cursor:
        cursor.execute("SELECT incidents_purge_reveals(%s, %s)", [incident_id, list(ids)])
    for model in (FurtherContact, FileContact, RowProof, WrongAnswer, PersonMark, AddressChange):
        _delete_rows(model, "person_id", ids)
    for forget in BEFORE_PURGE:
        forget(ids)
    return _delete_rows(AffectedPerson, "id", ids), exposures


def _delete_rows(model: Any, column: str, ids: Sequence[UUID]) -> int:
    """Deletes the rows with these ids in one statement; returns how many.

    Unlike QuerySet.delete it does not look for referring rows. If one is left, the foreign key
    raises.
    """
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE {column} = ANY(%s)", [list(ids)])  # noqa: S608
        return int(cursor.rowcount)


_FIRST = UUID(int=0)
_PURGE_WITHDRAWN = """
WITH step AS (
    SELECT contact_index, batch_id, person_id FROM incidents_withdrawncontact
    WHERE (contact_index, batch_id, person_id) > (%s, %s, %s)
    ORDER BY contact_index, batch_id, person_id LIMIT %s
), deleted AS (
    DELETE FROM incidents_withdrawncontact w USING step s
    WHERE w.contact_index = s.contact_index AND w.batch_id = s.batch_id
        AND w.person_id = s.person_id AND s.batch_id = ANY(%s)
)
SELECT contact_index, batch_id, person_id FROM step
ORDER BY contact_index DESC, batch_id DESC, person_id DESC LIMIT 1
"""


def _purge_withdrawn_contacts(
    record: Shredding, step_rows: int, report: PurgeCallback, wait: Callable[[float], None]
) -> None:
    batches = list(record.incident.batches.values_list("pk", flat=True))
    # A run that continues looks at all rows of the last index again.
    position: tuple[UUID, int, UUID] | None = (record.contact_position or _FIRST, 0, _FIRST)
    while batches and position:
        started = time.monotonic()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_PURGE_WITHDRAWN, [*position, step_rows, batches])
            position = cursor.fetchone()
            if position:
                record.contact_position = position[0]
                record.save(update_fields=["contact_position"])
        if position:
            report(record)
        wait(time.monotonic() - started)


# Partitions

_PARTITIONS = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'incidents_exposure'::regclass AND c.relname = ANY(%s)
"""


def _drop_partitions(record: Shredding, wait: Callable[[float], None]) -> None:
    for file in _partitions(record.incident_id):
        retry_lock(partial(_drop_partition, record, file), wait=wait)


def _partitions(incident_id: int) -> list[int]:
    """Returns the incident's files that have a partition: the large ones."""
    files = Incident.objects.filter(pk=incident_id).values_list("batches__files", flat=True)
    tables = {f"incidents_exposure_{file}": file for file in files if file}
    with connection.cursor() as cursor:
        cursor.execute(_PARTITIONS, [list(tables)])
        return [tables[name] for (name,) in cursor.fetchall()]


def _drop_partition(record: Shredding, file: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT incidents_purge_partition(%s)", [file])
        exposures = int(cursor.fetchone()[0])
    record.exposures += exposures
    record.save(update_fields=["exposures"])
