"""Re-encrypts an incident's data under a new data key, in small steps, while the portal is in use.

1. A new key is added to the incident's data keyset. It can decrypt but does not encrypt yet. No
   row is changed until every process that may hold the keyset in memory has read it again.
2. Then the new key becomes the primary key, and the rows are re-encrypted under it in ranges of
   people (`reencryption_steps`). This process reads and writes the rows, worker processes decrypt
   and encrypt them. A step is written in one transaction, which also stores the position, so that a
   killed run continues there.
3. The older keys are removed only after a search of all rows has found none under an older key.

Imports into the incident cannot run during this time. They can after the command is stopped.
"""

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import BinaryField, Model, Sum
from django.db.models.functions import Substr
from django.utils import timezone

from foundations.process_pool import Workers, workers
from incidents import encryption, reencryption_steps
from incidents.encryption import (
    ADDRESS_CHANGE,
    CONTACT,
    EXPOSURE,
    UPLOAD,
    EncryptionError,
    IncidentCipher,
)
from incidents.models import (
    AddressChange,
    AffectedPerson,
    Exposure,
    ExposureFile,
    FileContact,
    Incident,
    Reencryption,
    UploadPiece,
)
from incidents.scope_versions import incident_lock

STEP_PEOPLE = 2_000
# For fewer rows than this, starting processes takes longer than the work itself.
_ROWS_WORTH_PROCESSES = 30_000

logger = logging.getLogger(__name__)


class ReencryptionRefusedError(Exception):
    """A re-encryption cannot be finished. The message is one line for the operator."""


@dataclass(frozen=True, kw_only=True)
class EncryptedColumn:
    """A database column with values that are encrypted with the data keysets of incidents."""

    model: type[Model]
    person: str  # the field with the id that a value is bound to, usually that of a person
    column: str
    purpose: bytes
    incident: str  # the lookup from the model to the incident


CONTACTS = EncryptedColumn(
    model=AffectedPerson, person="id", column="contact", purpose=CONTACT, incident="incident"
)
EXPOSURES = EncryptedColumn(
    model=Exposure,
    person="person_id",
    column="ciphertext",
    purpose=EXPOSURE,
    incident="file__incident",
)
UPLOADS = EncryptedColumn(
    model=UploadPiece, person="id", column="ciphertext", purpose=UPLOAD, incident="upload__incident"
)
FILE_CONTACTS = EncryptedColumn(
    model=FileContact,
    person="person_id",
    column="contact",
    purpose=CONTACT,
    incident="file__incident",
)
NEW_ADDRESSES = EncryptedColumn(
    model=AddressChange,
    person="person_id",
    column="ciphertext",
    purpose=ADDRESS_CHANGE,
    incident="incident",
)
# Further columns; other apps add theirs in AppConfig.ready(). They have few rows, which are
# re-encrypted without steps.
OTHER_APPS_COLUMNS: list[EncryptedColumn] = [UPLOADS, FILE_CONTACTS, NEW_ADDRESSES]

ReencryptionCallback = Callable[[Reencryption], None]


def reencrypt_incident(
    incident: Incident,
    *,
    step_people: int = STEP_PEOPLE,
    processes: int | None = None,
    report: ReencryptionCallback = lambda _: None,
    wait: Callable[[float], None] = time.sleep,
) -> Reencryption:
    """Re-encrypts the data of an incident under a new key, and returns the finished record.

    Continues an unfinished re-encryption, if there is one. `step_people` is the number of people in
    a step. `processes` is the number of worker processes (None: chosen by the number of rows; 0:
    this process does all). `report` gets the record after each step, before the older keys
    are removed, and at the end; what it raises ends the work. `wait` gets the
    seconds until every process has read the new key.

    Raises ReencryptionRefusedError if values under an older key are left; EncryptionError;
    WorkerLostError; IncidentBusyError if another process holds the incident's lock.
    """
    with incident_lock(incident):
        record = _unfinished_or_new(incident)
        if record.state == Reencryption.State.WAITING:
            ready_at = record.started_at + timedelta(seconds=settings.REENCRYPT_GRACE_SECONDS)
            wait(max(0.0, (ready_at - timezone.now()).total_seconds()))
            _use_new_key(record)
        count = _process_count(incident) if processes is None else processes
        with workers(count) as pool:
            for _ in _reencrypt_people(record, step_people, pool):
                report(record)
        _reencrypt_other_columns(record)
        report(record)
        _remove_older_keys(record)
    report(record)
    return record


def count_under_older_keys(incident: Incident, key_id: int) -> int:
    """Returns how many values are under another key than this one. Reads every row.

    A value that cannot be decrypted is logged and not counted, because no key could help it.
    """
    cipher = incident.cipher()
    return sum(
        len(
            _reencrypt_values(
                cipher, column.purpose, _rows_under_other_keys(column, incident.pk, key_id)
            )
        )
        for column in (CONTACTS, EXPOSURES, *OTHER_APPS_COLUMNS)
    )


def _rows_under_other_keys(
    column: EncryptedColumn, incident_id: int, key_id: int
) -> Iterator[tuple[Any, UUID, Any]]:
    """Yields (primary key, person, ciphertext) of the values that are under another key."""
    begins = Substr(column.column, 1, 5, output_field=BinaryField())
    rows = column.model._default_manager.filter(
        **{column.incident: incident_id, f"{column.column}__isnull": False}
    )
    stored = rows.exclude(**{column.column: b""})  # the contact of a person without one
    older = stored.annotate(begins=begins).exclude(begins=encryption.key_prefix(key_id))
    yield from older.values_list("pk", column.person, column.column).iterator()


def _unfinished_or_new(incident: Incident) -> Reencryption:
    """Returns the unfinished re-encryption of the incident, or a new one.

    For a new one, adds a key to the data keyset in the same transaction.
    """
    with transaction.atomic():
        locked = _locked(incident.pk)
        unfinished = locked.reencryptions.exclude(state=Reencryption.State.DONE).first()
        if unfinished:
            return unfinished
        wrapped, key_id = encryption.add_data_key(_data_keyset(locked), locked.slug)
        _save_keyset(locked, wrapped)
        record = Reencryption.objects.create(incident=locked, key_id=key_id)
    logger.info("incident %s: data key %s added", incident.pk, key_id)
    return record


def _use_new_key(record: Reencryption) -> None:
    """Makes the new key the primary key, which encrypts."""
    with transaction.atomic():
        incident = _locked(record.incident_id)
        _save_keyset(
            incident, encryption.use_data_key(_data_keyset(incident), incident.slug, record.key_id)
        )
        record.state = Reencryption.State.RUNNING
        record.save(update_fields=["state"])
    logger.info("incident %s: data key %s encrypts from now on", incident.pk, record.key_id)


def _remove_older_keys(record: Reencryption) -> None:
    """Removes the older keys. Raises ReencryptionRefusedError if a value is under one of them."""
    incident = Incident.objects.get(pk=record.incident_id)
    left = count_under_older_keys(incident, record.key_id)
    if left:
        raise ReencryptionRefusedError(
            f"{incident.slug}: {left:,} values are still under an older key, which stays; "
            "run it again from the beginning with --again"
        )
    with transaction.atomic():
        incident = _locked(record.incident_id)
        _save_keyset(
            incident,
            encryption.remove_other_data_keys(_data_keyset(incident), incident.slug, record.key_id),
        )
        record.state, record.finished_at = Reencryption.State.DONE, timezone.now()
        record.save(update_fields=["state", "finished_at"])
    logger.info("incident %s: every key but %s removed", incident.pk, record.key_id)


def start_again(incident: Incident) -> None:
    """Resets the position of the unfinished re-encryption, so that it reads every row again."""
    incident.reencryptions.filter(state=Reencryption.State.RUNNING).update(position=None)


def _locked(incident_id: int) -> Incident:
    # Other transactions may still insert rows that refer to the incident; only its shredding waits.
    return Incident.objects.select_for_update(no_key=True).get(pk=incident_id)


def _wait_for_imports() -> None:
    """Takes the lock for writes to people at once, which waits for the end of a running import.

    Otherwise this transaction would read people first and then wait to write, while an import
    waits for all readers of people: a deadlock.
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE incidents_affectedperson IN ROW EXCLUSIVE MODE")


def _data_keyset(incident: Incident) -> bytes:
    """Returns the wrapped data keyset. Raises KeysetShreddedError if there is none any more."""
    if incident.data_keyset is None:
        raise encryption.keyset_shredded_error(incident.slug)
    return bytes(incident.data_keyset)


def _save_keyset(incident: Incident, wrapped: bytes) -> None:
    incident.data_keyset = wrapped
    incident.save(update_fields=["data_keyset"])


# Rows


def _process_count(incident: Incident) -> int:
    """Returns the number of worker processes to start: one per core, or 0 for few rows."""
    files = ExposureFile.objects.filter(incident=incident)
    rows = files.aggregate(rows=Sum("rows_taken"))["rows"] or 0
    return (os.cpu_count() or 1) if rows > _ROWS_WORTH_PROCESSES else 0


def _reencrypt_people(record: Reencryption, step_people: int, pool: Workers) -> Iterator[None]:
    """Re-encrypts the rows of all people after the stored position; yields after each step.

    While this process writes a step, worker processes work on the next ones.
    """
    incident = Incident.objects.get(pk=record.incident_id)
    _data_keyset(incident)
    files = ExposureFile.objects.filter(incident=incident).values_list("pk", flat=True)
    steps = reencryption_steps.read_steps(
        incident.pk, list(files), after=record.position, people=step_people
    )
    for step in pool.map(partial(reencryption_steps.reencrypt_step, incident.keysets()), steps):
        with transaction.atomic():
            _wait_for_imports()
            _data_keyset(_locked(record.incident_id))  # raises if it was shredded since
            key_prefix = encryption.key_prefix(record.key_id)
            record.rows += reencryption_steps.write_step(step, key_prefix=key_prefix)
            record.position = step.last
            record.save(update_fields=["position", "rows"])
        yield


def _reencrypt_values(
    cipher: IncidentCipher, purpose: bytes, rows: Iterable[tuple[Any, UUID, Any]]
) -> list[tuple[Any, ...]]:
    """Returns (*key, ciphertext) for each (key, person, ciphertext) that can be decrypted.

    A value that cannot be decrypted is logged and left out; it stays as it is.
    """
    found: list[tuple[Any, ...]] = []
    for key, person, ciphertext in rows:
        try:
            reencrypted = cipher.reencrypt(ciphertext, person=person, purpose=purpose)
        except EncryptionError as error:
            logger.error("%s; it stays as it is", error)
            continue
        if reencrypted:
            found.append((*(key if isinstance(key, tuple) else (key,)), reencrypted))
    return found


def _reencrypt_other_columns(record: Reencryption) -> None:
    """Re-encrypts the values in OTHER_APPS_COLUMNS, all at once."""
    incident = Incident.objects.get(pk=record.incident_id)
    for column in OTHER_APPS_COLUMNS:
        older = _rows_under_other_keys(column, incident.pk, record.key_id)
        for *key, ciphertext in _reencrypt_values(incident.cipher(), column.purpose, older):
            rows = column.model._default_manager.filter(pk=key[0] if len(key) == 1 else key)
            rows.update(**{column.column: ciphertext})
