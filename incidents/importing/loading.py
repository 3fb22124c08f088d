"""Imports a company's files: which people are affected, and what leaked of them.

The mapping is validated and the file is examined. Then its rows are prepared (`row_preparation`),
staged and merged (`staging`) in one transaction: a file is loaded as a whole or not at all. Rows
are streamed, so memory does not grow with the file.

An import holds the lock of its incident (incidents.scope_versions) from the creation of the
ExposureFile to the end.
"""

import logging
import secrets
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice
from pathlib import Path

from django.db import DatabaseError, transaction
from django.utils import timezone

from foundations.process_pool import Workers, workers
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
from incidents.importing.column_habits import habits_of_file
from incidents.importing.progress import ImportProgress, Report
from incidents.importing.reading import ImportRefusedError, Source
from incidents.importing.refusals import RefusalMessages
from incidents.importing.reject_writing import writing_rejects
from incidents.importing.row_preparation import Prepared
from incidents.importing.staging import Staging
from incidents.importing.stopping import (
    NothingTakenError,
    record_sheets,
    recording_refusal,
    refuse_deleted,
    refuse_loaded,
    refusing_interruptions,
    refusing_lost_workers,
)
from incidents.models import DataClass, ExposureFile, Incident
from incidents.unread import count_unread

FIRST_REJECTS = 20  # how many rejects `check_file` returns

log = logging.getLogger(__name__)


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
    most_joined: int | None = None,
    report: Report = lambda _: None,
) -> ExposureFile:
    """Loads one file into the open batch of the incident, and returns its row.

    Opens the next scope version if none is open. `mapping_text` is the TOML text of the column
    mapping. `encoding` is declared by the operator, "" to use that of the mapping or to detect it.
    `batch_number` is the scope version that must be open or next; None for any. `rejects_path`
    names the reject file or a directory for it (rejects.choose_path). `accepted` holds the codes of
    findings that do not refuse the file (incidents.importing.findings). `most_joined` is how many
    people of other files it may join (Staging.people_joined); None for any number. `report` is
    called with the progress after each block, and with the result at the end.

    Raises ImportRefusedError: NothingTakenError if every row is rejected, ImportStoppedError after
    Ctrl-C or without a database; ScopeRefusedError if another scope version is open;
    IncidentBusyError if another process holds the incident's lock; EncryptionError if the
    incident's data cannot be encrypted. In each case nothing of the file is loaded.
    """
    with refusing_interruptions(path.name):
        with recording_refusal(path, incident, mapping_text):
            parsed = mapping.parse(mapping_text, name=mapping_name)
        # The processes start while this one examines the file, which takes about as long.
        with workers(block_worker.process_count(path), know_models=False) as pool:
            with recording_refusal(path, incident, mapping_text):
                job = _examine(path, incident, parsed, mapping_text, encoding=encoding)
                region = parsed.region or incident.phone_region
                findings.refuse_findings(
                    job.source, parsed, accepted, region=region, languages=incident.languages
                )
            reject_file = rejects.choose_path(path, rejects_path)
            job = replace(job, most_joined=most_joined)
            file, result = _import(job, batch_number, reject_file, pool, report)
    report(result)
    if file.state == ExposureFile.State.FAILED:
        raise NothingTakenError(job.source, file, reject_file)
    log.info("file %s loaded into batch %s", file.pk, file.batch_id)
    return file


def _import(
    job: "_Job", batch_number: int | None, reject_file: Path, pool: Workers, report: Report
) -> tuple[ExposureFile, ImportProgress]:
    """Loads the file under the incident's lock; returns its row and the result."""
    incident = job.incident
    with scope_versions.incident_lock(incident):
        # The keysets may have been changed or deleted before this process got the lock.
        incident.refresh_from_db(
            fields=["data_keyset", "index_keyset", "shredded_at", "values_deleted_at"]
        )
        refuse_deleted(incident)
        file = _register(job, batch_number)
        try:
            # Before the transaction, which would keep a lock on every table that is read here.
            progress = _initial_progress(job, file)
            report(progress)
            with rejects.writing(reject_file, job.source) as rejected, transaction.atomic():
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
    parsed = mapping.parse(mapping_text, name=mapping_name)
    job = _examine(path, incident, parsed, mapping_text, encoding=encoding)
    with (
        refusing_interruptions(path.name),
        scope_versions.incident_lock(incident),
        workers(block_worker.process_count(path)) as pool,
        transaction.atomic(),
    ):
        progress = ImportProgress(encoding=job.source.encoding)
        staging, progress = _stage(job, progress, pool, report, file_id=0)
        rejected = staging.rejected()
        people, exposures = staging.expected()
        joined = staging.people_joined()
        first = [reject for _, reject in zip(range(FIRST_REJECTS), staging.rejects(), strict=False)]
        transaction.set_rollback(True)
    return replace(
        progress,
        rows_rejected=rejected,
        people_new=people,
        exposures=exposures,
        people_joined=joined,
        first_rejects=first,
        is_done=True,
    )


@dataclass(frozen=True, kw_only=True)
class _Job:
    """A file and a mapping that passed all checks that come before the loading."""

    incident: Incident
    source: Source
    mapping: mapping.ColumnMapping
    mapping_text: str
    class_ids: dict[str, int]
    long_classes: frozenset[str]
    correction: corrections.Correction | None  # of a reject file that comes back
    most_joined: int | None = None


def _examine(
    path: Path,
    incident: Incident,
    parsed: mapping.ColumnMapping,
    mapping_text: str,
    *,
    encoding: str,
) -> _Job:
    class_ids = dict(DataClass.objects.values_list("slug", "pk"))
    source = examining.examine(path, encoding, parsed.declared())
    refuse_unfit(parsed, incident, source)
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


def refuse_unfit(parsed: mapping.ColumnMapping, incident: Incident, source: Source) -> None:
    """Raises ImportRefusedError if a file does not fit its mapping or the incident.

    Its rows are not read. Raises EncryptionError if the incident's data cannot be encrypted.
    """
    with reading.refusing_together() as check:
        check(parsed.check_classes, DataClass.objects.descriptions())
        check(parsed.check_languages, incident.languages)
        check(parsed.check_source, source)
    refuse_loaded(source, incident)
    refuse_deleted(incident)
    incident.cipher()


def _register(job: _Job, batch_number: int | None) -> ExposureFile:
    """Creates the row of the file, in a transaction of its own, and returns it.

    Other processes see it at once, so that no page shows "not affected" during the import.
    Raises ImportRefusedError if the file is loaded already, and ScopeRefusedError.
    """
    with transaction.atomic():
        scope_versions.fail_killed_imports(job.incident)
        refuse_loaded(job.source, job.incident)
        batch = scope_versions.open_version(job.incident, batch_number)
        record_sheets(job.source, batch)
        return ExposureFile.objects.create(
            batch=batch,
            incident=job.incident,
            name=job.source.name[:255],
            sha256=job.source.sha256,
            content_sha256=job.source.content_sha256,
            sheet=job.source.sheet,
            has_other_sheets=job.source.has_other_sheets,
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
    _refuse_further_joined(job, staging)
    file.rows_read = progress.rows_read
    file.rows_taken, file.rows_rejected = progress.rows_taken, staging.rejected()
    lines, people, exposures = rejects.RejectedLines(staging.rejects()), 0, 0
    with writing_rejects(job.source, lines, pool, rejected):
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


def _refuse_further_joined(job: _Job, staging: Staging) -> None:
    """Raises ImportRefusedError if other files hold more people of this one than at its check."""
    if job.most_joined is not None and staging.people_joined() > job.most_joined:
        raise ImportRefusedError(RefusalMessages.JOINED.stored(file=job.source.name))


def _record_rejects(
    job: _Job, file: ExposureFile, staging: Staging, lines: rejects.RejectedLines
) -> None:
    """Records the rejected rows; for a correction, settles those of the file that it corrects."""
    if job.correction is None:
        staging.record_rejects(file.pk)
    elif file.rows_taken:
        job.correction.settle(file, (line for line, _ in lines))
        staging.record_uncertain(file.pk)
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
    with refusing_lost_workers(job.source):
        for prepared in _prepared_blocks(job, pool, file_id):
            staging.add(prepared)
            progress = _add_to_progress(progress, prepared, job.source)
            report(progress)
    faults = progress.rows_rejected
    report(replace(progress, is_merging=True))
    staging.resolve(
        only_known=job.mapping.takes_known_only,
        has_contact=job.mapping.person.has_contact,
        has_second=job.mapping.second_person is not None,
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
    if prepared.other_table:
        why = RefusalMessages.OTHER_TABLE
        raise ImportRefusedError(why.stored(file=source.name, line=prepared.other_table))
    return replace(
        progress,
        lines_read=progress.lines_read + prepared.lines,
        rows_read=progress.rows_read + prepared.rows,
        odd_cells=progress.odd_cells + Counter(prepared.odd_cells),
        rows_taken=progress.rows_taken + prepared.taken,
        rows_rejected=progress.rows_rejected + prepared.faulty,
        second_people_without_phone=progress.second_people_without_phone + prepared.without_phone,
        without_contact=progress.without_contact + prepared.without_contact,
        share_read=prepared.position / source.size,
    )


def _prepared_blocks(job: _Job, pool: Workers, file_id: int) -> Iterator[Prepared]:
    """Yields the prepared blocks of the file. Raises ImportRefusedError if it has no rows."""
    blocks = blocks_of(job.source)
    first = list(islice(blocks, 1))
    habits = [habits_of_file(job.source, job.mapping, block) for block in first]
    task = block_worker.BlockTask(
        source=job.source,
        mapping=job.mapping,
        class_ids=job.class_ids,
        long_classes=job.long_classes,
        region=job.mapping.region or job.incident.phone_region,
        time_zone=job.incident.time_zone,
        languages=tuple(job.incident.languages),
        default_language=job.incident.default_language,
        file_id=file_id,
        keysets=job.incident.keysets(),
        secret=secrets.token_bytes(16),
        habits=habits[0] if habits else None,
    )
    is_empty, every = True, chain(first, blocks)
    for prepared in pool.map(partial(block_worker.prepare_block, task), every):
        is_empty &= not prepared.rows
        yield prepared
    if is_empty:
        raise reading.no_rows(job.source)
