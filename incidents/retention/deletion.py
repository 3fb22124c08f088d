"""Executes the steps of a retention plan. Each may be killed at any moment and goes on later.

Values: the ciphertexts of the exposures are deleted in small steps. Then all that stays is
encrypted under a new data key, and the old key is destroyed, so that copies of the deleted
ciphertexts, such as those of a backup, cannot be decrypted with the portal's keysets.

Contacts: the incident is shredded (Incident.shred). Then the rows are purged (incidents.purging).
"""

import hashlib
import logging
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from foundations.keys import EncryptionError
from incidents import encryption, purging, reencryption
from incidents.models import (
    DataDeletion,
    ExposureFile,
    Incident,
    RetentionDecision,
    Shredding,
    UploadPiece,
)
from incidents.retention import plans, verification
from incidents.retention.plans import RetentionRefusedError
from incidents.scope_counts import counts_of
from incidents.scope_versions import IncidentBusyError, incident_lock
from incidents.table_locks import retry_lock

STEP_PEOPLE = 2_000
SLICE_SECONDS = 45.0  # of one task; the sweep sends one each minute
Step = DataDeletion.Step

logger = logging.getLogger(__name__)


class _NotYetError(Exception):
    """Some process may not have read the new key. The sweep continues later."""


class _SliceOverError(Exception):
    """The time of one task is over. The sweep continues later."""


def due_incidents() -> list[int]:
    """Returns the ids of incidents with a due step that nothing prevents."""
    decided = RetentionDecision.objects.confirmed().plans().values("incident")
    planned = Incident.objects.filter(shredded_at=None, pk__in=decided)
    return [
        incident.pk
        for incident in planned.order_by("pk")
        if plans.due_step(incident) and not plans.objections(incident)
    ]


def unpurged_incidents() -> list[int]:
    """Returns the ids of incidents whose contacts a plan deleted, and whose rows are there yet."""
    done = DataDeletion.objects.filter(step=Step.CONTACTS, done_at__isnull=False)
    left = done.filter(incident__shredding__purged_at=None)
    return list(left.order_by("incident").values_list("incident", flat=True))


def start(incident: Incident, *, by: User | None = None) -> DataDeletion:
    """Records the beginning of the due step, and returns the record. None as `by`: the worker.

    A step that has begun is returned as it is. Raises RetentionRefusedError if no step is due or
    something prevents it.
    """
    with transaction.atomic():
        locked = Incident.objects.select_for_update(no_key=True).get(pk=incident.pk)
        due, plan = plans.due_step(locked), plans.plan_of(locked)
        reasons = plans.objections(locked)
        if reasons:
            raise RetentionRefusedError(" ".join(reasons))
        if due is None or plan is None:
            raise RetentionRefusedError(_("Nothing is to be deleted today."))
        if due.record:
            return due.record
        record = DataDeletion.objects.create(
            incident=locked,
            step=due.step,
            plan=plan,
            started_by=by,
            key_digest=_digest(locked),
            key_ids=_key_ids(locked),
        )
        if locked.values_deleted_at is None:
            locked.values_deleted_at = timezone.now()
            locked.save(update_fields=["values_deleted_at"])
    logger.info("incident %s: deletion of %s begins", incident.pk, record.step)
    return record


def work(incident_id: int) -> None:
    """Executes the due step of the incident, or purges its rows, for about SLICE_SECONDS.

    The sweep continues, so that an import gets its turn in between.
    """
    incident, over = Incident.objects.get(pk=incident_id), _end_of_slice()
    try:
        if incident_id in unpurged_incidents():
            purging.run(incident, report=over)
            return
        record = start(incident)
        with incident_lock(incident):
            execute(record, over)
    except _SliceOverError:
        logger.info("incident %s: the deletion continues", incident_id)
    except (RetentionRefusedError, IncidentBusyError, _NotYetError) as reason:
        what = type(reason).__name__
        logger.info("incident %s: the deletion waits: %s", incident_id, what)
    except (EncryptionError, reencryption.ReencryptionRefusedError) as error:
        logger.error("incident %s: the deletion cannot be finished: %s", incident_id, error)


def _end_of_slice() -> Callable[[object], None]:
    """Returns a function to call after each part; it raises _SliceOverError from SLICE_SECONDS on.

    It never does after the first part, so that each slice gets further.
    """
    until, calls = time.monotonic() + SLICE_SECONDS, count()

    def over(_record: object) -> None:
        if next(calls) and time.monotonic() > until:
            raise _SliceOverError

    return over


def execute(record: DataDeletion, over: Callable[[object], None]) -> None:
    """Executes one step. The caller holds the incident's lock. `over` is called after each part.

    Raises RetentionRefusedError if a hold stops it, and what `over` and
    `reencryption.reencrypt_incident` raise.
    """

    def after_step(step: object) -> None:
        _refuse_if_stopped(record.incident)
        over(step)

    if record.step == Step.CONTACTS:
        _shred(record)
        return
    _delete_values(record, over)
    _refuse_if_stopped(record.incident)
    # The stored uploads hold whole rows. What is imported or refused is not needed any more.
    UploadPiece.objects.filter(upload__incident=record.incident_id).delete()
    record.incident.refresh_from_db()
    if set(record.key_ids) & set(_key_ids(record.incident)):
        reencryption.reencrypt_incident(
            record.incident,
            wait=_come_again,
            report=after_step,
        )
        record.incident.refresh_from_db()
    if faults := verification.faults_of_values(record):
        logger.error("incident %s: values are left: %s", record.incident_id, "; ".join(faults))
        return
    _finish(record)


def _refuse_if_stopped(incident: Incident) -> None:
    if plans.is_stopped(incident):
        raise RetentionRefusedError(_("A legal hold or a waiting decision stops the deletion."))


def _come_again(seconds: float) -> None:
    if seconds > 0:
        raise _NotYetError


def _finish(record: DataDeletion) -> None:
    record.done_at = timezone.now()
    record.save(update_fields=["people", "rows", "done_at"])
    logger.info("incident %s: deletion of %s is done", record.incident_id, record.step)


# Values

_STEP = """
SELECT (array_agg(id ORDER BY id DESC))[1], count(*) FROM (
    SELECT id FROM incidents_affectedperson WHERE incident_id = %s AND id > %s ORDER BY id LIMIT %s
) step
"""
_DELETE = """
UPDATE incidents_exposure SET ciphertext = NULL
WHERE person_id > %s AND person_id <= %s AND file_id = ANY(%s) AND ciphertext IS NOT NULL
"""


def _delete_values(record: DataDeletion, over: Callable[[object], None]) -> None:
    files = list(
        ExposureFile.objects.filter(incident=record.incident_id).values_list("pk", flat=True)
    )
    while retry_lock(partial(_delete_step, record, files)):
        over(record)


def _delete_step(record: DataDeletion, files: list[int]) -> bool:
    """Deletes the values of the next people in one transaction. Returns False at the end."""
    after = record.position or UUID(int=0)
    with transaction.atomic(), connection.cursor() as cursor:
        Incident.objects.select_for_update(no_key=True).get(pk=record.incident_id)
        _refuse_if_stopped(record.incident)  # a decision takes the same lock
        cursor.execute(_STEP, [record.incident_id, after, STEP_PEOPLE])
        last, people = cursor.fetchone()
        if last is None:
            return False
        cursor.execute(_DELETE, [after, last, files])
        done = DataDeletion.objects.filter(pk=record.pk)
        rows = record.rows + cursor.rowcount
        done.update(position=last, people=record.people + people, rows=rows)
    record.refresh_from_db()
    return True


# Contacts


def _shred(record: DataDeletion) -> None:
    """Shreds the incident in the names of the two people who decided the plan."""
    with transaction.atomic():
        locked = Incident.objects.select_for_update(no_key=True).get(pk=record.incident_id)
        if reasons := plans.objections(locked):
            raise RetentionRefusedError(" ".join(reasons))
        due, plan = plans.due_step(locked), plans.plan_of(locked)
        if plan is None or due is None or due.step != Step.CONTACTS:
            raise RetentionRefusedError(_("Nothing is to be deleted today."))
        asked = {"asked_by": plan.proposed_by, "asked_at": plan.proposed_at}
        Shredding.objects.update_or_create(incident=locked, defaults=asked)
        UploadPiece.objects.filter(upload__incident=locked).delete()
        files = ExposureFile.objects.filter(incident=locked)
        total = counts_of(locked).total
        locked.shred(plan.confirmed_by)
        record.people = total.people if total else 0
        record.rows = sum(files.values_list("rows_taken", flat=True))
        _finish(record)


# Keys


def _key_ids(incident: Incident) -> list[int]:
    return encryption.data_key_ids(bytes(incident.data_keyset or b""), incident.slug)


def _digest(incident: Incident) -> str:
    return hashlib.sha256(bytes(incident.data_keyset or b"")).hexdigest()
