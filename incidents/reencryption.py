"""Changes the key that seals an incident's data, in small steps, while the portal goes on.

1. A new key is put into the incident's data keyset. It opens but does not seal yet, and nothing is
   touched until every process that may hold the keyset in memory has read it again.
2. From then on the new key seals, and the rows are sealed again by it in ranges of people. This
   process reads and writes them, worker processes open and seal. What is written of a step is one
   transaction that also says how far it came: a killed run goes on where it ended.
3. Only when a look at every row finds none under an older key are the older keys removed.

Imports into the incident wait meanwhile; stopping the command lets them through.
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
from incidents import encrypted_rows, encryption
from incidents.encryption import CONTACT, EXPOSURE, UPLOAD, EncryptionError, IncidentCipher
from incidents.models import (
    AffectedPerson,
    Exposure,
    ExposureFile,
    Incident,
    Reencryption,
    UploadPiece,
)
from incidents.scope_versions import incident_lock

STEP_PEOPLE = 2_000
# Below so many rows, starting processes takes longer than the work.
_ROWS_WORTH_PROCESSES = 30_000

logger = logging.getLogger(__name__)


class ReencryptionRefusedError(Exception):
    """It cannot begin or end; the message is one line for an operator."""


@dataclass(frozen=True, kw_only=True)
class EncryptedColumn:
    """Where values sealed by an incident's data keyset are kept."""

    model: type[Model]
    person: str  # the field with the id that its values are bound to
    column: str
    purpose: bytes
    incident: str  # the look-up that leads to the incident


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
# What else is sealed; other apps add theirs when they are ready. Few rows: one step for all.
OTHER_APPS_COLUMNS: list[EncryptedColumn] = [UPLOADS]

ReencryptionCallback = Callable[[Reencryption], None]


def reencrypt_incident(
    incident: Incident,
    *,
    step_people: int = STEP_PEOPLE,
    processes: int | None = None,
    report: ReencryptionCallback = lambda _: None,
    wait: Callable[[float], None] = time.sleep,
) -> Reencryption:
    """Begins a change of the data key, or goes on with the one that is not done, to its end.

    `wait` is given the seconds until every process knows the new key; `processes` is how many work
    besides this one (None: as is best). Raises ResealRefusedError, SealingError, WorkerLostError,
    and IncidentBusyError while another process holds the incident's lock.
    """
    with incident_lock(incident):
        reseal = _begun(incident)
        if reseal.state == Reencryption.State.WAITING:
            ready_at = reseal.started_at + timedelta(seconds=settings.REENCRYPT_GRACE_SECONDS)
            wait(max(0.0, (ready_at - timezone.now()).total_seconds()))
            _start(reseal)
        count = _processes(incident) if processes is None else processes
        with workers(count) as pool:
            for _ in _reencrypt_people(reseal, step_people, pool):
                report(reseal)
        _reencrypt_other_columns(reseal)
        _end(reseal)
    report(reseal)
    return reseal


def count_under_older_keys(incident: Incident, key_id: int) -> int:
    """How many values other keys than this one sealed, and still open; looks at every row.

    What does not open anyway is logged and holds up nothing.
    """
    cipher = incident.cipher()
    return sum(
        len(_reencrypted_rows(cipher, column.purpose, _older(column, incident.pk, key_id)))
        for column in (CONTACTS, EXPOSURES, *OTHER_APPS_COLUMNS)
    )


def _older(
    column: EncryptedColumn, incident_id: int, key_id: int
) -> Iterator[tuple[Any, UUID, Any]]:
    """(primary key, person, ciphertext) of the values that another key sealed."""
    begins = Substr(column.column, 1, 5, output_field=BinaryField())
    rows = column.model._default_manager.filter(
        **{column.incident: incident_id, f"{column.column}__isnull": False}
    )
    older = rows.annotate(begins=begins).exclude(begins=encryption.key_prefix(key_id))
    yield from older.values_list("pk", column.person, column.column).iterator()


def _begun(incident: Incident) -> Reencryption:
    """The change that is not done, or a new one. The keyset and the record change together."""
    with transaction.atomic():
        locked = _locked(incident.pk)
        unfinished = locked.reencryptions.exclude(state=Reencryption.State.DONE).first()
        if unfinished:
            return unfinished
        wrapped, key_id = encryption.add_data_key(_data_keyset(locked), locked.slug)
        _keep(locked, wrapped)
        reseal = Reencryption.objects.create(incident=locked, key_id=key_id)
    logger.info("incident %s: data key %s added", incident.pk, key_id)
    return reseal


def _start(reseal: Reencryption) -> None:
    with transaction.atomic():
        incident = _locked(reseal.incident_id)
        _keep(
            incident, encryption.use_data_key(_data_keyset(incident), incident.slug, reseal.key_id)
        )
        reseal.state = Reencryption.State.RUNNING
        reseal.save(update_fields=["state"])
    logger.info("incident %s: data key %s seals from now on", incident.pk, reseal.key_id)


def _end(reseal: Reencryption) -> None:
    """Removes the older keys, if nothing needs them."""
    incident = Incident.objects.get(pk=reseal.incident_id)
    left = count_under_older_keys(incident, reseal.key_id)
    if left:
        raise ReencryptionRefusedError(
            f"{incident.slug}: {left:,} values are still under an older key, which stays; "
            "run it again from the beginning with --again"
        )
    with transaction.atomic():
        incident = _locked(reseal.incident_id)
        _keep(
            incident, encryption.keep_data_key(_data_keyset(incident), incident.slug, reseal.key_id)
        )
        reseal.state, reseal.finished_at = Reencryption.State.DONE, timezone.now()
        reseal.save(update_fields=["state", "finished_at"])
    logger.info("incident %s: every key but %s removed", incident.pk, reseal.key_id)


def start_again(incident: Incident) -> None:
    """Lets the change that is not done go through every row again."""
    incident.reencryptions.filter(state=Reencryption.State.RUNNING).update(position=None)


def _locked(incident_id: int) -> Incident:
    # Others may still refer to the incident meanwhile; only its shredding waits.
    return Incident.objects.select_for_update(no_key=True).get(pk=incident_id)


def _await_imports() -> None:
    """Who reads people and then writes them would wait for an import that waits for its readers."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE incidents_affectedperson IN ROW EXCLUSIVE MODE")


def _data_keyset(incident: Incident) -> bytes:
    if incident.data_keyset is None:
        raise encryption.keyset_shredded_error(incident.slug)
    return bytes(incident.data_keyset)


def _keep(incident: Incident, wrapped: bytes) -> None:
    incident.data_keyset = wrapped
    incident.save(update_fields=["data_keyset"])


# Rows


def _processes(incident: Incident) -> int:
    """How many to start; 0: none is worth it."""
    files = ExposureFile.objects.filter(incident=incident)
    rows = files.aggregate(rows=Sum("rows_taken"))["rows"] or 0
    return (os.cpu_count() or 1) if rows > _ROWS_WORTH_PROCESSES else 0


def _reencrypt_people(reseal: Reencryption, step_people: int, pool: Workers) -> Iterator[None]:
    """Seals the rows of all people from the reseal's position on again; a step each time.

    While one step is written, the next ones are in work.
    """
    incident = Incident.objects.get(pk=reseal.incident_id)
    _data_keyset(incident)
    files = ExposureFile.objects.filter(incident=incident).values_list("pk", flat=True)
    steps = encrypted_rows.steps(
        incident.pk, list(files), after=reseal.position, people=step_people
    )
    for again in pool.map(partial(encrypted_rows.reencrypt_step, incident.keysets()), steps):
        with transaction.atomic():
            _await_imports()
            _data_keyset(_locked(reseal.incident_id))  # raises, if it was shredded meanwhile
            key_prefix = encryption.key_prefix(reseal.key_id)
            reseal.rows += encrypted_rows.write(again, key_prefix=key_prefix)
            reseal.position = again.last
            reseal.save(update_fields=["position", "rows"])
        yield


def _reencrypted_rows(
    cipher: IncidentCipher, purpose: bytes, rows: Iterable[tuple[Any, UUID, Any]]
) -> list[tuple[Any, ...]]:
    """(*key, ciphertext) for each (key, person, ciphertext) that opens; others stay as they are."""
    found: list[tuple[Any, ...]] = []
    for key, person, ciphertext in rows:
        try:
            again = cipher.reencrypt(ciphertext, person=person, purpose=purpose)
        except EncryptionError as error:
            logger.error("%s; it stays as it is", error)
            continue
        if again:
            found.append((*(key if isinstance(key, tuple) else (key,)), again))
    return found


def _reencrypt_other_columns(reseal: Reencryption) -> None:
    """What other apps seal by the incident's keyset."""
    incident = Incident.objects.get(pk=reseal.incident_id)
    for column in OTHER_APPS_COLUMNS:
        older = _older(column, incident.pk, reseal.key_id)
        for key, ciphertext in _reencrypted_rows(incident.cipher(), column.purpose, older):
            column.model._default_manager.filter(pk=key).update(**{column.column: ciphertext})
