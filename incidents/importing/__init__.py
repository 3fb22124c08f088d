"""Imports a company's dumps: who is affected, and what leaked of them.

A file is examined, then its mapping is checked, then its rows are prepared (`preparing`), staged
and merged (`staging`) in one transaction: it is loaded wholly or not at all. Rows are streamed;
memory does not grow with the file.

An advisory lock says that an import into an incident is alive. Whoever holds it may take a file
that still says "loading" for one whose import was killed.
"""

import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from django.db import DatabaseError, connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from foundations.process_pool import WorkerLostError, Workers, workers
from incidents import scope_counts
from incidents.importing import (
    block_worker,
    mapping,
    reading,
    rejects,
    swapped_columns,
)
from incidents.importing.blocks import blocks_of
from incidents.importing.reading import ImportRefusedError
from incidents.importing.refusals import RefusalMessages
from incidents.importing.row_preparation import Prepared
from incidents.importing.staging import LOCK_SPACE, Staging
from incidents.models import DataClass, ExposureBatch, ExposureFile, Incident

__all__ = [
    "ImportBusyError",
    "ImportProgress",
    "ImportRefusedError",
    "check_file",
    "close_batch",
    "import_file",
    "missing_files",
    "only_import_into",
]

FIRST_REJECTS = 20  # told at a check

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ImportProgress:
    """How far an import is; the last one reported is its result."""

    encoding: str
    batch: int = 0  # scope version; 0 for a check
    is_new_batch: bool = False  # opened for this file
    rows_read: int = 0
    rows_taken: int = 0  # while reading, those without a fault of their own
    rows_rejected: int = 0
    share_read: float = 0.0  # of the file's bytes
    is_merging: bool = False  # read to the end; people and indexes are being settled
    people_new: int = 0  # at the end, as the next three
    exposures: int = 0
    second_people_without_phone: int = 0
    reject_file: Path | None = None
    first_rejects: list[tuple[int, str]] = field(default_factory=list)
    is_done: bool = False


class ImportBusyError(ImportRefusedError):
    """Another import into the incident is alive; later it can be tried again."""


ProgressCallback = Callable[[ImportProgress], None]


def import_file(
    path: Path,
    *,
    incident: Incident,
    mapping_text: str,
    mapping_name: str = "mapping",
    encoding: str = "",
    batch_number: int | None = None,
    rejects_path: Path | None = None,
    report: ProgressCallback = lambda _: None,
) -> ExposureFile:
    """Loads one file into the incident's open batch, opening the next scope version if need be.

    `rejects_path` names the reject file or a directory for it (rejects.choose_path). Raises
    ImportRefusedError, and SealingError if the incident's data cannot be sealed; then nothing of
    the file is loaded.
    """
    job = _examine(path, incident, mapping_text, name=mapping_name, encoding=encoding)
    reject_file = rejects.choose_path(path, rejects_path)
    with only_import_into(incident):
        # The keys may have been changed, or shredded, before the lock was ours.
        incident.refresh_from_db(fields=["data_keyset", "index_keyset", "shredded_at"])
        file = _register(job, batch_number)
        try:
            # Before the transaction, which would hold on to every table that is read for it.
            progress = _begun(job, file)
            report(progress)
            with (
                workers(block_worker.processes(job.source)) as pool,
                rejects.writing(reject_file, job.source) as rejected,
                transaction.atomic(),
            ):
                result = _load(job, file, progress, pool, rejected, report)
        except BaseException:
            _mark_failed(file)
            raise
    report(result)
    log.info("file %s loaded into batch %s", file.pk, file.batch_id)
    return file


def check_file(
    path: Path,
    *,
    incident: Incident,
    mapping_text: str,
    mapping_name: str = "mapping",
    encoding: str = "",
    report: ProgressCallback = lambda _: None,
) -> ImportProgress:
    """What `import_file` would do, with the first rejects; loads nothing, writes no file.

    Raises what `import_file` raises.
    """
    job = _examine(path, incident, mapping_text, name=mapping_name, encoding=encoding)
    with (
        only_import_into(incident),
        workers(block_worker.processes(job.source)) as pool,
        transaction.atomic(),
    ):
        progress = ImportProgress(encoding=job.source.encoding)
        staging, progress = _stage(job, progress, pool, report, file_id=0)
        rejected = staging.rejected()
        people, exposures = staging.expected()
        first = [reject for _, reject in zip(range(FIRST_REJECTS), staging.rejects(), strict=False)]
        transaction.set_rollback(True)
    return replace(
        progress,
        rows_rejected=rejected,
        people_new=people,
        exposures=exposures,
        first_rejects=first,
        is_done=True,
    )


def close_batch(batch: ExposureBatch, *, note: str = "", is_despite_failed: bool = False) -> None:
    """Says that the batch is complete. Raises ImportRefusedError.

    `is_despite_failed` says that files which failed, and were not loaded since, are not missed.
    """
    with only_import_into(batch.incident):
        _fail_killed_imports(batch.incident)
        if not batch.files.filter(state=ExposureFile.State.LOADED).exists():
            raise ImportRefusedError(RefusalMessages.NOTHING_LOADED.said(batch=batch.code))
        if not is_despite_failed:
            _refuse_failed(batch)
        with transaction.atomic():
            _close(batch, note or batch.note)
    batch.refresh_from_db()


def _close(batch: ExposureBatch, note: str) -> None:
    """In one transaction; the database looks once more whether the files add up (a trigger)."""
    closed = ExposureBatch.objects.filter(pk=batch.pk, state=ExposureBatch.State.OPEN).update(
        state=ExposureBatch.State.CLOSED, closed_at=timezone.now(), note=note
    )
    if not closed:
        raise ImportRefusedError(RefusalMessages.NOT_OPEN.said(batch=batch.code))
    scope_counts.count_closed(batch)


def missing_files(batch: ExposureBatch) -> list[str]:
    """The names of its files that failed and were not loaded since."""
    since = ExposureFile.objects.filter(
        Q(name=OuterRef("name")) | Q(sha256=OuterRef("sha256")),
        batch=batch,
        state=ExposureFile.State.LOADED,
        pk__gt=OuterRef("pk"),
    )
    failed = batch.files.filter(~Exists(since), state=ExposureFile.State.FAILED)
    return sorted(set(failed.values_list("name", flat=True)))


def _refuse_failed(batch: ExposureBatch) -> None:
    if names := missing_files(batch):
        raise ImportRefusedError(
            RefusalMessages.FAILED_FILES.said(batch=batch.code, files=", ".join(names))
        )


@dataclass(frozen=True, kw_only=True)
class _Job:
    """A file and a mapping that passed every check that needs no row."""

    incident: Incident
    source: reading.Source
    mapping: mapping.ColumnMapping
    mapping_text: str
    class_ids: dict[str, int]


def _examine(
    path: Path, incident: Incident, mapping_text: str, *, name: str, encoding: str
) -> _Job:
    parsed = mapping.parse(mapping_text, name=name)
    class_ids = dict(DataClass.objects.values_list("slug", "pk"))
    parsed.check_classes(class_ids)
    source = reading.examine(path, encoding or parsed.encoding)
    parsed.check_source(source)
    _refuse_second_time(source, incident)
    swapped_columns.refuse_swapped_columns(source, parsed)
    incident.seal()  # raises, if it cannot
    return _Job(
        incident=incident,
        source=source,
        mapping=parsed,
        mapping_text=mapping_text,
        class_ids=class_ids,
    )


def _refuse_second_time(source: reading.Source, incident: Incident) -> None:
    loaded = ExposureFile.objects.filter(
        incident=incident, sha256=source.sha256, state=ExposureFile.State.LOADED
    ).first()
    if loaded:
        raise ImportRefusedError(
            RefusalMessages.LOADED.said(
                file=source.name,
                name=loaded.name,
                number=loaded.batch.number,
                incident=incident.slug,
            )
        )


# Who may import, and into what


@contextmanager
def only_import_into(incident: Incident) -> Iterator[None]:
    """Holds the incident's import lock; the server frees it however this process ends."""
    keys = [LOCK_SPACE, incident.pk]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", keys)
        row = cursor.fetchone()
    if not row or not row[0]:
        raise ImportBusyError(RefusalMessages.BUSY.said(incident=incident.slug))
    try:
        yield
    finally:
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", keys)


def _register(job: _Job, batch_number: int | None) -> ExposureFile:
    """The file's row, seen by others from now on: nobody is told "not affected" meanwhile."""
    with transaction.atomic():
        _fail_killed_imports(job.incident)
        _refuse_second_time(job.source, job.incident)
        return ExposureFile.objects.create(
            batch=_open_batch(job.incident, batch_number),
            incident=job.incident,
            name=job.source.name[:255],
            sha256=job.source.sha256,
            size=job.source.size,
            encoding=job.source.encoding,
            mapping=job.mapping_text,
        )


def _open_batch(incident: Incident, wanted: int | None) -> ExposureBatch:
    """The open batch, or a new one with the next number. `wanted` must be its number."""
    batch = incident.batches.filter(state=ExposureBatch.State.OPEN).first()
    last = incident.batches.order_by("-number").first()
    number = batch.number if batch else (last.number if last else 0) + 1
    if wanted not in (None, number):
        why = RefusalMessages.OPEN_IS if batch else RefusalMessages.NEXT_IS
        raise ImportRefusedError(why.said(incident=incident.slug, wanted=wanted, number=number))
    return batch or ExposureBatch.objects.create(incident=incident, number=number)


def _fail_killed_imports(incident: Incident) -> None:
    """To be called with the import lock held: what still says "loading" has nobody loading it."""
    ExposureFile.objects.filter(incident=incident, state=ExposureFile.State.LOADING).update(
        state=ExposureFile.State.FAILED, finished_at=timezone.now()
    )


def _mark_failed(file: ExposureFile) -> None:
    log.warning("file %s failed; nothing of it is loaded", file.pk)
    # What was interrupted just after its commit is loaded. Without a database, the next import or
    # the closing of the batch does this.
    with suppress(DatabaseError):
        ExposureFile.objects.filter(pk=file.pk, state=ExposureFile.State.LOADING).update(
            state=ExposureFile.State.FAILED, finished_at=timezone.now()
        )


# Loading


def _begun(job: _Job, file: ExposureFile) -> ImportProgress:
    return ImportProgress(
        encoding=job.source.encoding,
        batch=file.batch.number,
        is_new_batch=file.batch.files.count() == 1,
    )


def _load(
    job: _Job,
    file: ExposureFile,
    progress: ImportProgress,
    pool: Workers,
    rejected: rejects.RejectFile,
    report: ProgressCallback,
) -> ImportProgress:
    staging, progress = _stage(job, progress, pool, report, file_id=file.pk)
    file.rows_read = progress.rows_read
    file.rows_taken, file.rows_rejected = progress.rows_taken, staging.rejected()
    with _rejects_written(job.source, rejects.RejectedLines(staging.rejects()), pool, rejected):
        people, exposures = staging.merge(file_id=file.pk)
    file.state, file.finished_at = ExposureFile.State.LOADED, timezone.now()
    file.save()
    staging.finish()
    return replace(
        progress,
        rows_rejected=file.rows_rejected,
        people_new=people,
        exposures=exposures,
        reject_file=rejected.path if file.rows_rejected else None,
        is_done=True,
    )


def _stage(
    job: _Job, progress: ImportProgress, pool: Workers, report: ProgressCallback, *, file_id: int
) -> tuple[Staging, ImportProgress]:
    """Brings every row to the staging tables and settles them."""
    staging = Staging(
        incident_id=job.incident.pk,
        seal=job.incident.seal(),
        identity=job.mapping.person.identity,
    )
    with _refusing_lost_workers(job.source):
        for prepared in _prepared(job, pool, file_id):
            staging.add(prepared)
            progress = _gone_on(progress, prepared, job.source)
            report(progress)
    faults = progress.rows_rejected
    report(replace(progress, is_merging=True))
    staging.settle(only_known=job.mapping.is_known, has_contact=job.mapping.person.has_contact)
    # Each row is counted by the process that took it; what other rows decided comes off.
    taken = progress.rows_taken - (staging.rejected() - faults)
    return staging, replace(progress, rows_taken=taken)


def _gone_on(
    progress: ImportProgress, prepared: Prepared, source: reading.Source
) -> ImportProgress:
    if prepared.header_again:
        raise reading.header_again(source, prepared.header_again)
    return replace(
        progress,
        rows_read=progress.rows_read + prepared.rows,
        rows_taken=progress.rows_taken + prepared.taken,
        rows_rejected=progress.rows_rejected + prepared.faulty,
        second_people_without_phone=progress.second_people_without_phone + prepared.without_phone,
        share_read=prepared.position / source.size,
    )


def _prepared(job: _Job, pool: Workers, file_id: int) -> Iterator[Prepared]:
    """The file, block by block."""
    task = block_worker.Task(
        source=job.source,
        mapping=job.mapping,
        class_ids=job.class_ids,
        file_id=file_id,
        keysets=job.incident.keysets(),
        secret=secrets.token_bytes(16),
    )
    is_empty = True
    for prepared in pool.map(partial(block_worker.prepare_block, task), blocks_of(job.source)):
        is_empty &= not prepared.rows
        yield prepared
    if is_empty:
        raise reading.no_rows(job.source)


@contextmanager
def _refusing_lost_workers(source: reading.Source) -> Iterator[None]:
    try:
        yield
    except WorkerLostError:
        raise ImportRefusedError(RefusalMessages.WORKER_LOST.said(file=source.name)) from None


@contextmanager
def _rejects_written(
    source: reading.Source, told: rejects.RejectedLines, pool: Workers, file: rejects.RejectFile
) -> Iterator[None]:
    """Beside the block, in which the database works and the worker processes do not."""
    has_failed = threading.Event()
    with ThreadPoolExecutor(1) as aside:
        written = aside.submit(_write_rejects, source, told, pool, file, has_failed)
        try:
            yield
        except BaseException:
            has_failed.set()
            raise
        written.result()


def _write_rejects(
    source: reading.Source,
    told: rejects.RejectedLines,
    pool: Workers,
    file: rejects.RejectFile,
    is_in_vain: threading.Event,
) -> None:
    """Reads the source again for its rejected rows: they are nowhere else, least of all unsealed
    in the database.
    """
    if not told:
        return
    with _refusing_lost_workers(source):
        for picked in pool.map(partial(block_worker.pick, source), _wanted(source, iter(told))):
            for row, reason in picked:
                file.write(row, reason)
            if is_in_vain.is_set():
                return
    file.keep()


def _wanted(
    source: reading.Source, rejected: Iterator[tuple[int, str]]
) -> Iterator[block_worker.Wanted]:
    """The blocks in which lines are rejected."""
    line, reason = next(rejected, (0, ""))
    for block in blocks_of(source):
        end = block.line + block.data.count(b"\n")
        reasons: dict[int, str] = {}
        while block.line <= line < end:
            reasons[line] = reason
            line, reason = next(rejected, (0, ""))
        if reasons:
            yield block_worker.Wanted(block, reasons)
