"""Scope versions of an incident: its lock, and how a version is opened, closed and withdrawn.

Only one process at a time may change the data of an incident: an import, a closing, a withdrawal, a
purge or a re-encryption. It holds the incident's lock, an advisory lock in PostgreSQL. The server
releases the lock when the connection ends, also after a crash. The holder of the lock may therefore
take a file that is still "loading", or a change that is still "under way", for the work of a
process that was killed.

Closing and withdrawing count every affected person, which takes minutes for a nation. If few rows
are counted, the request on the desk does it. Otherwise it records a BatchChange, and a worker
applies it. Work that a killed worker has committed is not done twice.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import Sum
from django.utils import timezone

from accounts.models import User
from foundations.session_locks import held_keys, session_lock
from incidents import scope_counts, store_check, unread, withdrawal
from incidents.importing.refusals import BETWEEN, RefusalMessages
from incidents.models import (
    BatchChange,
    BatchWithdrawal,
    ExposureBatch,
    ExposureFile,
    Incident,
)
from incidents.retention import plans

# The first half of each advisory lock's key; the second half is the incident's id.
LOCK_SPACE = 0x62706C64  # "bpld"
# A request on the desk counts up to this many rows itself, in a second or two.
ROWS_AT_ONCE = 200_000
# The states that a change starts from, and the one that it ends in. An open version may be
# withdrawn too, because one with faults cannot be closed.
_FROM = {
    BatchChange.Kind.CLOSE: (ExposureBatch.State.OPEN,),
    BatchChange.Kind.WITHDRAW: (ExposureBatch.State.OPEN, ExposureBatch.State.CLOSED),
}
_TO = {
    BatchChange.Kind.CLOSE: ExposureBatch.State.CLOSED,
    BatchChange.Kind.WITHDRAW: ExposureBatch.State.WITHDRAWN,
}

logger = logging.getLogger(__name__)


class ScopeRefusedError(Exception):
    """A change of an incident's scope versions is refused.

    The message is one line in English for the operator, one of RefusalMessages.
    """


class IncidentBusyError(ScopeRefusedError):
    """Another process holds the incident's lock. The caller may try again later."""


# The lock


@contextmanager
def incident_lock(incident: Incident) -> Iterator[None]:
    """Context manager: holds the incident's lock during the block.

    Raises IncidentBusyError at once if another process holds it.
    """
    with session_lock(LOCK_SPACE, incident.pk) as is_held:
        if not is_held:
            raise IncidentBusyError(RefusalMessages.BUSY.stored(incident=incident.slug))
        yield


# Files. The caller of these functions holds the lock.


def open_version(incident: Incident, wanted: int | None) -> ExposureBatch:
    """Returns the scope version that takes files: the open one, or a new one with the next number.

    A new one takes the files that were refused while no version was open, as failed files.
    `wanted` is the number that it must have, or None for any. Raises ScopeRefusedError if it has
    another number.
    """
    batch = incident.batches.filter(state=ExposureBatch.State.OPEN).first()
    last = incident.batches.order_by("-number").first()
    number = batch.number if batch else (last.number if last else 0) + 1
    if wanted not in (None, number):
        why = RefusalMessages.OPEN_IS if batch else RefusalMessages.NEXT_IS
        raise ScopeRefusedError(why.stored(incident=incident.slug, wanted=wanted, number=number))
    return batch or _new_version(incident, number)


def _new_version(incident: Incident, number: int) -> ExposureBatch:
    with transaction.atomic():
        batch = ExposureBatch.objects.create(incident=incident, number=number)
        take_refused(batch)
    return batch


def take_refused(batch: ExposureBatch) -> None:
    """Records the incident's refused files as failed files of an open version."""
    with transaction.atomic():
        for refused in batch.incident.refused_files.order_by("pk"):
            ExposureFile.objects.create(
                batch=batch,
                incident=batch.incident,
                name=refused.name,
                sha256=refused.sha256,
                sheet=refused.sheet,
                has_other_sheets=bool(refused.sheet),
                size=refused.size,
                mapping=refused.mapping,
                state=ExposureFile.State.FAILED,
                finished_at=timezone.now(),
            )
        batch.incident.refused_files.all().delete()


def takes_refused_files(incident: Incident) -> bool:
    """Returns whether a refused file belongs to a version: one is open, or none is closed yet."""
    states = set(incident.batches.values_list("state", flat=True))
    return ExposureBatch.State.OPEN in states or ExposureBatch.State.CLOSED not in states


def fail_killed_imports(incident: Incident) -> None:
    """Marks the incident's files that are still "loading" as failed: their imports were killed."""
    ExposureFile.objects.filter(incident=incident, state=ExposureFile.State.LOADING).update(
        state=ExposureFile.State.FAILED, finished_at=timezone.now()
    )


# Closing and withdrawing


def close(batch: ExposureBatch, *, note: str = "") -> None:
    """Closes an open scope version, which is then complete. Counts its people and the incident's.

    Raises ScopeRefusedError, also while a file has unread rows that are not written off, and
    IncidentBusyError if another process holds the incident's lock.
    """
    with incident_lock(batch.incident):
        fail_killed_imports(batch.incident)
        if not batch.files.filter(state=ExposureFile.State.LOADED).exists():
            raise ScopeRefusedError(RefusalMessages.NOTHING_LOADED.stored(batch=batch.code))
        if why := why_not_closed(batch):
            raise ScopeRefusedError(why)
        _refuse_store_faults(batch)
        with transaction.atomic():
            _mark_closed(batch, note or batch.note)
            unread.count_unread(batch)
            scope_counts.count_closed(batch)
    batch.refresh_from_db()


def why_not_closed(batch: ExposureBatch) -> str:
    """Returns the stored message why unread rows prevent the closing, or ""."""
    files = [file for file in unread.unread_files(batch) if not file.is_written_off]
    failed = sorted({file.name for file in files if file.rows is None})
    rows = sum(file.rows or 0 for file in files)
    names = ", ".join(sorted({file.name for file in files if file.rows}))
    reasons = []
    if failed:
        failures = ", ".join(failed)
        reasons.append(RefusalMessages.FAILED_FILES.stored(batch=batch.code, files=failures))
    if rows:
        unsettled = RefusalMessages.UNSETTLED
        reasons.append(unsettled.stored(batch=batch.code, rows=f"{rows:,}", files=names))
    return BETWEEN.join(reasons)


def _refuse_store_faults(batch: ExposureBatch) -> None:
    if faults := store_check.check_version(batch).faults:
        why = RefusalMessages.STORE_FAULTS.stored(
            batch=batch.code, number=len(faults), incident=batch.incident.slug
        )
        raise ScopeRefusedError(why)


def _mark_closed(batch: ExposureBatch, note: str) -> None:
    """Sets the state of an open batch to closed. Raises ScopeRefusedError if it is not open.

    A database trigger checks again that the row counts of every file add up.
    """
    still_open = ExposureBatch.objects.filter(pk=batch.pk, state=ExposureBatch.State.OPEN)
    state = ExposureBatch.State.CLOSED
    if not still_open.update(state=state, closed_at=timezone.now(), note=note):
        raise _wrong_state(batch, BatchChange.Kind.CLOSE)


def withdraw(batch: ExposureBatch) -> None:
    """Withdraws a scope version and counts the incident again without its exposures.

    People's contacts no longer hold what only its files say. The files may be loaded again, into a
    later version. Raises ScopeRefusedError, also if two people did not decide it, and
    IncidentBusyError if another process holds the incident's lock.
    """
    with incident_lock(batch.incident), transaction.atomic():
        fail_killed_imports(batch.incident)
        _mark_withdrawn(batch, decided_withdrawal(batch))
        withdrawal.remove_contacts(batch)
        for corrected in ExposureBatch.objects.filter(files__corrections__batch=batch).distinct():
            unread.count_unread(corrected)
        scope_counts.count_total(batch.incident)
    batch.refresh_from_db()
    logger.info("batch %s withdrawn", batch.pk)


def decided_withdrawal(batch: ExposureBatch) -> BatchWithdrawal:
    """Returns the withdrawal of the version that two people decided.

    Raises ScopeRefusedError if there is none, or files were loaded since it was proposed.
    """
    refuse_wrong_state(batch, BatchChange.Kind.WITHDRAW)
    decided = batch.withdrawals.confirmed().order_by("pk").last()
    if decided is None:
        raise ScopeRefusedError(RefusalMessages.NOT_DECIDED.stored(batch=batch.code))
    is_further = batch.files.filter(started_at__gt=decided.proposed_at).exists()
    if is_further or decided.rows != rows_taken(batch):
        raise ScopeRefusedError(RefusalMessages.OUTDATED_WITHDRAWAL.stored(batch=batch.code))
    return decided


def rows_taken(batch: ExposureBatch) -> int:
    """Returns how many rows the loaded files of a version hold."""
    loaded = batch.files.filter(state=ExposureFile.State.LOADED)
    rows: int | None = loaded.aggregate(rows=Sum("rows_taken"))["rows"]
    return rows or 0


def _mark_withdrawn(batch: ExposureBatch, decided: BatchWithdrawal) -> None:
    live = ExposureBatch.objects.filter(pk=batch.pk, state__in=_FROM[BatchChange.Kind.WITHDRAW])
    if not live.update(
        state=ExposureBatch.State.WITHDRAWN,
        withdrawn_at=timezone.now(),
        withdrawn_reason=decided.reason,
        public_reason=decided.public_reason,
    ):
        raise _wrong_state(batch, BatchChange.Kind.WITHDRAW)
    loaded = batch.files.filter(state=ExposureFile.State.LOADED)
    loaded.update(state=ExposureFile.State.WITHDRAWN)


def refuse_wrong_state(batch: ExposureBatch, kind: BatchChange.Kind) -> None:
    """Raises ScopeRefusedError if the version cannot be changed so from its state, or now.

    A legal hold stops withdrawals, because they delete contacts.
    """
    if batch.state not in _FROM[kind]:
        raise _wrong_state(batch, kind)
    if kind == BatchChange.Kind.WITHDRAW and plans.hold_of(batch.incident):
        raise ScopeRefusedError(RefusalMessages.HELD.stored(batch=batch.code))


def _wrong_state(batch: ExposureBatch, kind: BatchChange.Kind) -> ScopeRefusedError:
    why = RefusalMessages.NOT_OPEN if kind == BatchChange.Kind.CLOSE else RefusalMessages.WITHDRAWN
    return ScopeRefusedError(why.stored(batch=batch.code))


# Changes that a worker applies


def takes_long(incident: Incident) -> bool:
    """Returns whether closing or withdrawing takes longer than a request may take."""
    files = ExposureFile.objects.filter(incident=incident, state=ExposureFile.State.LOADED)
    rows: int | None = files.aggregate(rows=Sum("rows_taken"))["rows"]
    return (rows or 0) > ROWS_AT_ONCE


def request_change(batch: ExposureBatch, kind: BatchChange.Kind, *, by: User) -> BatchChange:
    """Records a request to close or withdraw the batch, for a worker to apply, and returns it.

    Raises ScopeRefusedError if the batch is in the wrong state, or a change is unfinished already.
    """
    refuse_wrong_state(batch, kind)
    try:
        with transaction.atomic():
            change = BatchChange.objects.create(batch=batch, kind=kind, asked_by=by)
    except IntegrityError:
        raise ScopeRefusedError(RefusalMessages.ASKED_BEFORE.stored(batch=batch.code)) from None
    logger.info("user %s asked for the %s of batch %s", by.pk, kind, batch.pk)
    return change


def apply_change(change_id: int) -> None:
    """Applies a recorded change and records its outcome.

    Does nothing if the change is finished, or while another process holds the incident's lock.
    """
    change = BatchChange.objects.select_related("batch__incident").get(pk=change_id)
    try:
        with incident_lock(change.batch.incident):
            if _mark_running(change):
                _mark_finished(change, _refusal_of(change))
    except IncidentBusyError:
        logger.info("change %s of batch %s waits", change.pk, change.batch_id)


def unattended_changes() -> list[int]:
    """Returns the ids of unfinished changes for which no process holds the incident's lock."""
    waiting = BatchChange.objects.unfinished().exclude(batch__incident__in=held_keys(LOCK_SPACE))
    return list(waiting.order_by("pk").values_list("pk", flat=True))


def _mark_running(change: BatchChange) -> bool:
    unfinished = BatchChange.objects.unfinished().filter(pk=change.pk)
    return bool(unfinished.update(state=BatchChange.State.RUNNING))


def _refusal_of(change: BatchChange) -> str:
    """Closes or withdraws the batch. Returns why that was refused, or "".

    Raises OperationalError if the database is unreachable. The sweep then starts the change again.
    """
    try:
        _close_or_withdraw(change)
    except ScopeRefusedError as refusal:
        return str(refusal)
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001  a change must not stay "under way" for ever
        logger.error("change %s failed: %s", change.pk, type(error).__name__)
        return RefusalMessages.PORTAL.stored(name=change.batch.code)
    return ""


def _close_or_withdraw(change: BatchChange) -> None:
    batch, kind = change.batch, BatchChange.Kind(change.kind)
    batch.refresh_from_db()
    if batch.state == _TO[kind]:
        return  # a worker did it and was killed before it could record it, or a command did it
    if kind == BatchChange.Kind.CLOSE:
        close(batch)
    else:
        withdraw(batch)


def _mark_finished(change: BatchChange, refusal: str) -> None:
    state = BatchChange.State.FAILED if refusal else BatchChange.State.DONE
    BatchChange.objects.filter(pk=change.pk).update(
        state=state, refusal=refusal, finished_at=timezone.now()
    )
    logger.info("change %s of batch %s: %s", change.pk, change.batch_id, state)
