"""Closes and withdraws scope versions: at once where few people are counted, else by a worker.

Counting a nation takes minutes, and a request of the desk must not. So the desk writes down what
is wanted, and a worker does it with the incident's import lock held: one change of an incident at a
time, and none while a file is imported. Whoever holds the lock may take a change that is "under
way" for one whose worker was killed; what such a worker committed already is not done twice.
"""

import logging

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Sum
from django.utils import timezone

from accounts.models import User
from incidents import scope_counts
from incidents.importing import ImportBusyError, ImportRefusedError, close_batch, only_import_into
from incidents.importing.refusals import RefusalMessages
from incidents.importing.staging import LOCK_SPACE
from incidents.models import BatchChange, ExposureBatch, ExposureFile, Incident

# So many rows are counted within a second or two.
ROWS_AT_ONCE = 200_000
# What a change starts from, and what it ends in.
_FROM = {
    BatchChange.Kind.CLOSE: ExposureBatch.State.OPEN,
    BatchChange.Kind.WITHDRAW: ExposureBatch.State.CLOSED,
}
_TO = {
    BatchChange.Kind.CLOSE: ExposureBatch.State.CLOSED,
    BatchChange.Kind.WITHDRAW: ExposureBatch.State.WITHDRAWN,
}
_HELD = """
SELECT objid::bigint FROM pg_locks
WHERE locktype = 'advisory' AND granted AND classid = %s AND objsubid = 2
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

logger = logging.getLogger(__name__)


def takes_long(incident: Incident) -> bool:
    """Whether a change of one of its scope versions is more than a request may do."""
    files = ExposureFile.objects.filter(incident=incident, state=ExposureFile.State.LOADED)
    rows: int | None = files.aggregate(rows=Sum("rows_taken"))["rows"]
    return (rows or 0) > ROWS_AT_ONCE


def request_change(
    batch: ExposureBatch, kind: BatchChange.Kind, *, by: User, reason: str = ""
) -> BatchChange:
    """Writes down that a worker is to close or withdraw the batch. Raises ImportRefusedError."""
    if batch.state != _FROM[kind]:
        raise _not_there(batch, kind)
    try:
        with transaction.atomic():
            change = BatchChange.objects.create(batch=batch, kind=kind, asked_by=by, reason=reason)
    except IntegrityError:
        raise ImportRefusedError(RefusalMessages.ASKED_BEFORE.said(batch=batch.code)) from None
    logger.info("user %s asked for the %s of batch %s", by.pk, kind, batch.pk)
    return change


def withdraw_batch(batch: ExposureBatch, reason: str) -> None:
    """Takes a closed batch back, here and now. Raises ImportRefusedError."""
    with only_import_into(batch.incident):
        if not scope_counts.withdraw_and_recount(batch, reason):
            raise _not_there(batch, BatchChange.Kind.WITHDRAW)
    batch.refresh_from_db()
    logger.info("batch %s withdrawn", batch.pk)


def _not_there(batch: ExposureBatch, kind: BatchChange.Kind) -> ImportRefusedError:
    why = RefusalMessages.NOT_OPEN if kind == BatchChange.Kind.CLOSE else RefusalMessages.NOT_CLOSED
    return ImportRefusedError(why.said(batch=batch.code))


# A worker's part


def run_change(change_id: int) -> None:
    """Does what was asked for; nothing if it is done, or the incident's lock is somebody else's."""
    change = BatchChange.objects.select_related("batch__incident").get(pk=change_id)
    try:
        with only_import_into(change.batch.incident):
            if _begun(change):
                _finish(change, _refusal(change))
    except ImportBusyError:
        logger.info("change %s of batch %s waits", change.pk, change.batch_id)


def unattended() -> list[int]:
    """The ids of changes that wait while nobody holds their incident's lock."""
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [LOCK_SPACE])
        held = [incident_id for (incident_id,) in cursor.fetchall()]
    waiting = BatchChange.objects.unfinished().exclude(batch__incident__in=held)
    return list(waiting.order_by("pk").values_list("pk", flat=True))


def _begun(change: BatchChange) -> bool:
    unfinished = BatchChange.objects.unfinished().filter(pk=change.pk)
    return bool(unfinished.update(state=BatchChange.State.RUNNING))


def _refusal(change: BatchChange) -> str:
    """Closes or withdraws; why that was not possible, or nothing.

    Raises OperationalError where the database is away: the sweeper has it tried again.
    """
    try:
        _carry_out(change)
    except ImportRefusedError as refusal:
        return str(refusal)
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001  nothing may stay "under way" for good
        logger.error("change %s failed: %s", change.pk, type(error).__name__)
        return RefusalMessages.PORTAL.said(name=change.batch.code)
    return ""


def _carry_out(change: BatchChange) -> None:
    batch, kind = change.batch, BatchChange.Kind(change.kind)
    batch.refresh_from_db()
    if batch.state == _TO[kind]:
        return  # by a worker that was killed before it could say so, or by a command
    if kind == BatchChange.Kind.CLOSE:
        close_batch(batch, is_despite_failed=True)  # the desk named them
    else:
        withdraw_batch(batch, change.reason)


def _finish(change: BatchChange, refusal: str) -> None:
    state = BatchChange.State.FAILED if refusal else BatchChange.State.DONE
    BatchChange.objects.filter(pk=change.pk).update(
        state=state, refusal=refusal, finished_at=timezone.now()
    )
    logger.info("change %s of batch %s: %s", change.pk, change.batch_id, state)
