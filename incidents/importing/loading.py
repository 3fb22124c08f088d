"""Imports a company's files: which people are affected, and what leaked of them.

The mapping is validated and the file is examined. Then its rows are prepared (`row_preparation`),
staged and merged (`staging`) in one transaction: a file is loaded as a whole or not at all. Rows
are streamed, so memory does not grow with the file.

An import holds the lock of its incident (incidents.scope_versions) from the creation of the
ExposureFile to the end.
"""

import hashlib
import logging
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.utils import timezone
from psycopg.errors import DiskFull

from foundations.process_pool import WorkerLostError, Workers, workers
from incidents import scope_versions
from incidents.importing import (
    block_worker,
    corrections,
    examining,
    findings,
    mapping,
    reading,
    rejects,
)
from incidents.importing.blocks import blocks_of
from incidents.importing.reading import ImportRefusedError
from incidents.importing.refusals import CellMessages, RefusalMessages
from incidents.importing.row_preparation import Prepared
from incidents.importing.staging import Staging
from incidents.models import DataClass, ExposureFile, Incident
from incidents.scope_versions import IncidentBusyError
from incidents.unread import count_unread

FIRST_REJECTS = 20  # how many rejects `check_file` returns

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class ImportProgress:
    """The progress of an import. The last one that is reported is the result."""

    encoding: str
    batch: int = 0  # scope version; 0 for a check
    is_new_batch: bool = False  # whether the scope version was opened for this file
    lines_read: int = 0  # on which the rows stand, without blank lines
    rows_read: int = 0
    rows_taken: int = 0  # while reading: rows that have no fault of their own
    rows_rejected: int = 0
    share_read: float = 0.0  # of the bytes of the file, 0 to 1
    is_merging: bool = False  # whether all rows are read; people and indexes are now merged
    people_new: int = 0  # this and the next fields are set at the end
    exposures: int = 0
    second_people_without_phone: int = 0
    odd_cells: Counter[tuple[str, CellMessages]] = field(default_factory=Counter)  # by column
    reject_file: Path | None = None
    first_rejects: list[tuple[int, str]] = field(default_factory=list)
    is_done: bool = False

    def notes(self) -> list[str]:
        """Returns stored CellMessages: what was left out of the rows that were taken."""
        notes = [
            kind.stored(column=column, number=f"{number:,}")
            for (column, kind), number in sorted(self.odd_cells.items(), key=str)
        ]
        if self.lines_read != self.rows_read:
            numbers = {"lines": f"{self.lines_read:,}", "rows": f"{self.rows_read:,}"}
            notes.insert(0, CellMessages.LINES.stored(**numbers))
        return notes


Report = Callable[[ImportProgress], None]


def import_file(
    path: Path,
    *,
    incident: Incident,
    mapping_text: str,
    mapping_name: str = "mapping",
    encoding: str = "",
    batch_number: int | None = None,
    rejects_path: Path | None = None,
    accepted: Collection[str] = (),
    report: Report = lambda _: None,
) -> ExposureFile:
    """Loads one file into the open batch of the incident, and returns its row.

    Opens the next scope version if none is open. `mapping_text` is the TOML text of the column
    mapping. `encoding` is declared by the operator, "" to use that of the mapping or to detect it.
    `batch_number` is the scope version that must be open or next; None for any. `rejects_path`
    names the reject file or a directory for it (rejects.choose_path). `accepted` holds the codes of
    findings that do not refuse the file (incidents.importing.findings). `report` is called with the
    progress after each block, and with the result at the end.

    Raises ImportRefusedError: NothingTakenError if every row is rejected, ImportStoppedError after
    Ctrl-C or without a database; ScopeRefusedError if another scope version is open;
    IncidentBusyError if another process holds the incident's lock; EncryptionError if the
    incident's data cannot be encrypted. In each case nothing of the file is loaded.
    """
    with _refusing_interruptions(path.name):
        with _recording_refusal(path, incident, mapping_text):
            job = _examine(path, incident, mapping_text, name=mapping_name, encoding=encoding)
            region = job.mapping.region or incident.phone_region
            findings.refuse_findings(job.source, job.mapping, accepted, region=region)
        reject_file = rejects.choose_path(path, rejects_path)
        file, result = _import(job, batch_number, reject_file, report)
    report(result)
    if file.state == ExposureFile.State.FAILED:
        raise NothingTakenError(job.source, file, reject_file)
    log.info("file %s loaded into batch %s", file.pk, file.batch_id)
    return file


class ImportStoppedError(ImportRefusedError):
    """An import was interrupted from outside; nothing of it is loaded. It may be started again."""


class LoadedBeforeError(ImportRefusedError):
    """The content of the file is loaded already."""


class NothingTakenError(ImportRefusedError):
    """Every row of a file was rejected. The reject file is written; the file counts as failed."""

    def __init__(self, source: reading.Source, file: ExposureFile, reject_file: Path) -> None:
        """Takes the file, its row and the path of its reject file."""
        self.file = file
        super().__init__(
            RefusalMessages.NOTHING_TAKEN.stored(
                file=source.name, rows=f"{file.rows_read:,}", rejects=reject_file.name
            )
        )


@contextmanager
def _refusing_interruptions(name: str) -> Iterator[None]:
    """Context manager: turns Ctrl-C and a lost or full database into ImportStoppedError."""
    try:
        yield
    except KeyboardInterrupt:
        raise ImportStoppedError(RefusalMessages.STOPPED.stored(file=name)) from None
    except (OperationalError, InterfaceError) as error:
        if (why := _why_stopped(error)) is None:
            raise
        raise ImportStoppedError(why.stored(file=name)) from None


@contextmanager
def _recording_refusal(path: Path, incident: Incident, mapping_text: str) -> Iterator[None]:
    """Context manager: records a refused file as failed, in the open scope version.

    The people of the file are not loaded, so the version must not close as if it had no such file.
    It closes once the file is loaded, with another mapping or corrected under its name, or written
    off. Nothing is recorded if every version is closed: a refused file opens no new one.
    """
    try:
        yield
    except LoadedBeforeError:
        raise
    except ImportRefusedError:
        with suppress(IncidentBusyError, OSError), scope_versions.incident_lock(incident):
            if path.is_file() and scope_versions.takes_refused_files(incident):
                _record_refused(path, incident, mapping_text)
        raise


def _record_refused(path: Path, incident: Incident, mapping_text: str) -> None:
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    ExposureFile.objects.create(
        batch=scope_versions.open_version(incident, None),
        incident=incident,
        name=path.name[:255],
        sha256=sha256,
        size=path.stat().st_size,
        mapping=mapping_text,
        state=ExposureFile.State.FAILED,
        finished_at=timezone.now(),
    )


def _why_stopped(error: OperationalError | InterfaceError) -> RefusalMessages | None:
    """Returns the message for a full disk or a lost connection, or None for any other error.

    A lost connection has no SQLSTATE, or one of the server's shutdown or of class 08.
    """
    if isinstance(error.__cause__, DiskFull):
        return RefusalMessages.DATABASE_FULL
    state = getattr(error.__cause__, "sqlstate", None) or ""
    is_lost = not state or state.startswith(("08", "57P"))
    return RefusalMessages.CONNECTION_LOST if is_lost else None


def _import(
    job: "_Job", batch_number: int | None, reject_file: Path, report: Report
) -> tuple[ExposureFile, ImportProgress]:
    """Loads the file under the incident's lock; returns its row and the result."""
    incident = job.incident
    with scope_versions.incident_lock(incident):
        # The keysets may have been changed or deleted before this process got the lock.
        incident.refresh_from_db(fields=["data_keyset", "index_keyset", "shredded_at"])
        file = _register(job, batch_number)
        try:
            # Before the transaction, which would keep a lock on every table that is read here.
            progress = _initial_progress(job, file)
            report(progress)
            with (
                workers(block_worker.process_count(job.source)) as pool,
                rejects.writing(reject_file, job.source) as rejected,
                transaction.atomic(),
            ):
                result = _load(job, file, progress, pool, rejected, report)
        except BaseException:
            _mark_failed(file)
            raise
    return file, result


def check_file(
    path: Path,
    *,
    incident: Incident,
    mapping_text: str,
    mapping_name: str = "mapping",
    encoding: str = "",
    report: Report = lambda _: None,
) -> ImportProgress:
    """Returns what `import_file` would do, with the first FIRST_REJECTS rejects.

    Loads nothing and writes no reject file. Takes and raises what `import_file` does, but findings
    do not refuse the file: the caller shows them with the profile.
    """
    job = _examine(path, incident, mapping_text, name=mapping_name, encoding=encoding)
    with (
        _refusing_interruptions(path.name),
        scope_versions.incident_lock(incident),
        workers(block_worker.process_count(job.source)) as pool,
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


@dataclass(frozen=True, kw_only=True)
class _Job:
    """A file and a mapping that passed all checks that come before the loading."""

    incident: Incident
    source: reading.Source
    mapping: mapping.ColumnMapping
    mapping_text: str
    class_ids: dict[str, int]
    long_classes: frozenset[str]
    correction: corrections.Correction | None  # of a reject file that comes back


def _examine(
    path: Path, incident: Incident, mapping_text: str, *, name: str, encoding: str
) -> _Job:
    parsed = mapping.parse(mapping_text, name=name)
    class_ids = dict(DataClass.objects.values_list("slug", "pk"))
    source = examining.examine(path, encoding, parsed.declared())
    with reading.refusing_together() as check:
        check(parsed.check_classes, DataClass.objects.descriptions())
        check(parsed.check_source, source)
    _refuse_loaded(source, incident)
    incident.cipher()  # raises EncryptionError if the data cannot be encrypted
    return _Job(
        incident=incident,
        source=source,
        mapping=parsed,
        mapping_text=mapping_text,
        class_ids=class_ids,
        long_classes=frozenset(
            DataClass.objects.filter(may_have_lines=True).values_list("slug", flat=True)
        ),
        correction=corrections.correction_of(source, incident),
    )


def _refuse_loaded(source: reading.Source, incident: Incident) -> None:
    """Raises ImportRefusedError if a file with the same bytes or the same text is loaded."""
    same = Q(sha256=source.sha256) | Q(content_sha256=source.content_sha256)
    loaded = ExposureFile.objects.filter(
        same, incident=incident, state=ExposureFile.State.LOADED
    ).first()
    if loaded:
        raise LoadedBeforeError(
            RefusalMessages.LOADED.stored(
                file=source.name,
                name=loaded.name,
                number=loaded.batch.number,
                incident=incident.slug,
            )
        )


def _register(job: _Job, batch_number: int | None) -> ExposureFile:
    """Creates the row of the file, in a transaction of its own, and returns it.

    Other processes see it at once, so that no page shows "not affected" during the import.
    Raises ImportRefusedError if the file is loaded already, and ScopeRefusedError.
    """
    with transaction.atomic():
        scope_versions.fail_killed_imports(job.incident)
        _refuse_loaded(job.source, job.incident)
        return ExposureFile.objects.create(
            batch=scope_versions.open_version(job.incident, batch_number),
            incident=job.incident,
            name=job.source.name[:255],
            sha256=job.source.sha256,
            content_sha256=job.source.content_sha256,
            corrects=job.correction.file if job.correction else None,
            size=job.source.size,
            encoding=job.source.encoding,
            mapping=job.mapping_text,
        )


def _mark_failed(file: ExposureFile) -> None:
    log.warning("file %s failed; nothing of it is loaded", file.pk)
    # An import that was interrupted just after its commit is loaded; its state is not LOADING. If
    # the database is unreachable, the next import or the closing of the batch marks the file.
    with suppress(DatabaseError):
        ExposureFile.objects.filter(pk=file.pk, state=ExposureFile.State.LOADING).update(
            state=ExposureFile.State.FAILED, finished_at=timezone.now()
        )


# Loading


def _initial_progress(job: _Job, file: ExposureFile) -> ImportProgress:
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
    report: Report,
) -> ImportProgress:
    """Loads the file, or only writes its reject file if no row is taken (state "failed")."""
    staging, progress = _stage(job, progress, pool, report, file_id=file.pk)
    file.rows_read = progress.rows_read
    file.rows_taken, file.rows_rejected = progress.rows_taken, staging.rejected()
    lines, people, exposures = rejects.RejectedLines(staging.rejects()), 0, 0
    with _writing_rejects(job.source, lines, pool, rejected):
        if file.rows_taken:
            people, exposures = staging.merge(file_id=file.pk)
    state = ExposureFile.State
    file.state = state.LOADED if file.rows_taken else state.FAILED
    file.finished_at = timezone.now()
    file.save()
    _record_rejects(job, file, staging, lines)
    staging.finish()
    return replace(
        progress,
        rows_rejected=file.rows_rejected,
        people_new=people,
        exposures=exposures,
        reject_file=rejected.path if file.rows_rejected else None,
        is_done=True,
    )


def _record_rejects(
    job: _Job, file: ExposureFile, staging: Staging, lines: rejects.RejectedLines
) -> None:
    """Records the rejected rows; for a correction, settles those of the file that it corrects."""
    if job.correction is None:
        staging.record_rejects(file.pk)
    elif file.rows_taken:
        job.correction.settle(file, (line for line, _ in lines))
        count_unread(job.correction.file.batch)


def _stage(
    job: _Job, progress: ImportProgress, pool: Workers, report: Report, *, file_id: int
) -> tuple[Staging, ImportProgress]:
    """Fills the staging tables with every row, and resolves them; returns them and the progress."""
    staging = Staging(
        incident_id=job.incident.pk,
        cipher=job.incident.cipher(),
        identity=job.mapping.person.identity,
    )
    with _refusing_lost_workers(job.source):
        for prepared in _prepared_blocks(job, pool, file_id):
            staging.add(prepared)
            progress = _add_to_progress(progress, prepared, job.source)
            report(progress)
    faults = progress.rows_rejected
    report(replace(progress, is_merging=True))
    staging.resolve(
        only_known=job.mapping.takes_known_only, has_contact=job.mapping.person.has_contact
    )
    if job.mapping.takes_known_only:
        _refuse_other_spellings(job, staging, progress.rows_taken, staging.rejected() - faults)
    # `rows_taken` counts rows without a fault of their own; rows that other rows reject come off.
    taken = progress.rows_taken - (staging.rejected() - faults)
    return staging, replace(progress, rows_taken=taken)


def _refuse_other_spellings(job: _Job, staging: Staging, taken: int, unknown: int) -> None:
    """Raises ImportRefusedError if most people are unknown only as their references are spelled."""
    if unknown * 2 > taken and staging.are_spelled_otherwise():
        column = job.mapping.person.identity
        raise ImportRefusedError(
            RefusalMessages.OTHER_IDS.stored(file=job.source.name, column=column)
        )


def _add_to_progress(
    progress: ImportProgress, prepared: Prepared, source: reading.Source
) -> ImportProgress:
    if prepared.header_again:
        raise reading.header_again(source, prepared.header_again)
    return replace(
        progress,
        lines_read=progress.lines_read + prepared.lines,
        rows_read=progress.rows_read + prepared.rows,
        odd_cells=progress.odd_cells + Counter(prepared.odd_cells),
        rows_taken=progress.rows_taken + prepared.taken,
        rows_rejected=progress.rows_rejected + prepared.faulty,
        second_people_without_phone=progress.second_people_without_phone + prepared.without_phone,
        share_read=prepared.position / source.size,
    )


def _prepared_blocks(job: _Job, pool: Workers, file_id: int) -> Iterator[Prepared]:
    """Yields the prepared blocks of the file. Raises ImportRefusedError if it has no rows."""
    task = block_worker.BlockTask(
        source=job.source,
        mapping=job.mapping,
        class_ids=job.class_ids,
        long_classes=job.long_classes,
        region=job.mapping.region or job.incident.phone_region,
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
        raise ImportRefusedError(RefusalMessages.WORKER_LOST.stored(file=source.name)) from None


@contextmanager
def _writing_rejects(
    source: reading.Source,
    rejected_lines: rejects.RejectedLines,
    pool: Workers,
    file: rejects.RejectFile,
) -> Iterator[None]:
    """Context manager: writes the reject file in a thread while the block runs.

    During the block the database works and the worker processes are idle. Raises what the writing
    raises, after the block.
    """
    has_failed = threading.Event()
    with ThreadPoolExecutor(1) as executor:
        writing = executor.submit(_write_rejects, source, rejected_lines, pool, file, has_failed)
        try:
            yield
        except BaseException:
            has_failed.set()
            raise
        writing.result()


def _write_rejects(
    source: reading.Source,
    rejected_lines: rejects.RejectedLines,
    pool: Workers,
    file: rejects.RejectFile,
    has_failed: threading.Event,
) -> None:
    """Reads the source again and writes its rejected rows to the reject file.

    They are stored nowhere else; in particular, they are never in the database in plain text. Stops
    early once `has_failed` is set.
    """
    if not rejected_lines:
        return
    with _refusing_lost_workers(source):
        for picked in pool.map(
            partial(block_worker.pick_rejects, source),
            _blocks_with_rejects(source, iter(rejected_lines)),
        ):
            for row, reason in picked:
                file.write(row, reason)
            if has_failed.is_set():
                return
    file.flush_to_disk()


def _blocks_with_rejects(
    source: reading.Source, rejected: Iterator[tuple[int, str]]
) -> Iterator[block_worker.WantedRejects]:
    """Yields the blocks that hold rejected lines, each with its lines and reasons."""
    line, reason = next(rejected, (0, ""))
    for block in blocks_of(source):
        end = block.line + block.data.count(b"\n")
        reasons: dict[int, str] = {}
        while block.line <= line < end:
            reasons[line] = reason
            line, reason = next(rejected, (0, ""))
        if reasons:
            yield block_worker.WantedRejects(block, reasons)
