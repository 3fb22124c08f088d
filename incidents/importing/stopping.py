"""What stops an import or refuses a file, and how a refused file is recorded."""

import errno
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.db import DatabaseError, InterfaceError, OperationalError
from django.db.models import Q
from psycopg.errors import DiskFull

from foundations.process_pool import WorkerLostError
from incidents import scope_versions
from incidents.importing import examining, mapping, reading
from incidents.importing.reading import ImportRefusedError
from incidents.importing.refusals import BETWEEN, RefusalMessages
from incidents.models import ExposureBatch, ExposureFile, Incident, RefusedFile
from incidents.scope_versions import IncidentBusyError
from incidents.unread import unread_files

# SQLSTATEs of a session that ended: class 08, a shutdown (57014 is a cancelled statement), and the
# limits of an idle and of a long transaction.
_LOST = ("08", "57P", "25P03", "25P04")
_PASSING = {
    "25006",  # read-only
    "40001",  # serialisation failure
    "40P01",  # deadlock
    "53300",  # too many connections
    "55P03",  # lock timeout
}
_OF_MACHINE = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS),
    *(errno.ENOMEM, errno.EMFILE, errno.ENFILE),
}


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
def refusing_interruptions(name: str) -> Iterator[None]:
    """Context manager: turns Ctrl-C and a lost or full database into ImportStoppedError."""
    try:
        yield
    except KeyboardInterrupt:
        raise ImportStoppedError(RefusalMessages.STOPPED.stored(file=name)) from None
    except (OperationalError, InterfaceError) as error:
        if (why := _why_stopped(error)) is None:
            raise
        raise ImportStoppedError(why.stored(file=name)) from None


def _why_stopped(error: DatabaseError | InterfaceError) -> RefusalMessages | None:
    """Returns the message for a full disk or a lost connection, or None for any other error.

    A lost connection has no SQLSTATE, or one of _LOST.
    """
    if isinstance(error.__cause__, DiskFull):
        return RefusalMessages.DATABASE_FULL
    state = getattr(error.__cause__, "sqlstate", None) or ""
    is_lost = not state or state.startswith(_LOST)
    return RefusalMessages.CONNECTION_LOST if is_lost else None


def may_pass(error: Exception) -> bool:
    """Returns whether an error is about the state of a machine or the database, not the file.

    Such errors of the database: a lost connection, a shutdown, too many connections, a full disk, a
    database that takes no writes, and locks or changes of others. A statement that was cancelled or
    is too large for the database would be so the next time. Of this machine: a disk that is full or
    takes no writes, and no more memory or handles; also if a refusal names it.
    """
    if isinstance(error, ImportStoppedError):
        return True
    of_system = error.__context__ if isinstance(error, ImportRefusedError) else error
    if isinstance(of_system, OSError):
        return of_system.errno in _OF_MACHINE
    if isinstance(error, (OperationalError, InterfaceError)) and _why_stopped(error):
        return True
    return getattr(error.__cause__, "sqlstate", None) in _PASSING


@contextmanager
def refusing_lost_workers(source: reading.Source) -> Iterator[None]:
    """Context manager: raises ImportRefusedError if a worker process is ended in the block."""
    try:
        yield
    except WorkerLostError:
        raise ImportRefusedError(RefusalMessages.WORKER_LOST.stored(file=source.name)) from None


@contextmanager
def recording_refusal(path: Path, incident: Incident, mapping_text: str) -> Iterator[None]:
    """Context manager: records a refused file as failed, in the open scope version.

    The people of the file are not loaded, so the version must not close as if it had no such file.
    It closes once the file is loaded, with another mapping or corrected under its name, or written
    off. If every version is closed, the refusal says so, and the next version takes the file.
    """
    try:
        yield
    except LoadedBeforeError:
        raise
    except ImportRefusedError as refusal:
        with suppress(IncidentBusyError, OSError), scope_versions.incident_lock(incident):
            is_recorded = path.is_file() and _record_refused(path, incident, mapping_text)
            if is_recorded and not scope_versions.takes_refused_files(incident):
                why = RefusalMessages.NO_VERSION_OPEN.stored(file=path.name)
                raise ImportRefusedError(f"{refusal}{BETWEEN}{why}") from None
        raise


def _record_refused(path: Path, incident: Incident, mapping_text: str) -> bool:
    """Records a refused file in the open version, or for the version that opens next.

    Of a spreadsheet each sheet that the refusal concerns is recorded. Returns False, and records
    nothing, if all of them are loaded already.
    """
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    sheets = examining.sheets_of(path, mapping.sheet_named(mapping_text))
    files = ExposureFile.objects.filter(incident=incident, sha256=sha256)
    loaded = set(files.filter(state=ExposureFile.State.LOADED).values_list("sheet", flat=True))
    missing = [sheet for sheet in sheets if sheet not in loaded and (sheet or not loaded)]
    for sheet in missing:
        RefusedFile.objects.update_or_create(
            incident=incident,
            sha256=sha256,
            sheet=sheet,
            defaults={
                "name": reading.readable_name(path)[:255],
                "size": path.stat().st_size,
                "mapping": mapping_text.replace("\0", ""),
            },
        )
    if missing and scope_versions.takes_refused_files(incident):
        scope_versions.take_refused(scope_versions.open_version(incident, None))
    return bool(missing)


def record_sheets(source: reading.Source, batch: ExposureBatch) -> None:
    """Records each sheet of a workbook that was refused before its sheets could be read.

    An encrypted workbook counts as one failed file. When it comes back without its password, under
    its name, one sheet that is loaded must not settle the others.
    """
    if not source.has_other_sheets:
        return
    unread = [file.pk for file in unread_files(batch) if not file.is_written_off]
    whole = ExposureFile.objects.filter(
        pk__in=unread, name=source.name[:255], sheet="", state=ExposureFile.State.FAILED
    )
    for file in whole:
        _record_refused(source.path, batch.incident, file.mapping)


def refuse_deleted(incident: Incident) -> None:
    """Raises ImportRefusedError if the retention plan has begun to delete the incident's values."""
    if incident.values_deleted_at:
        raise reading.ImportRefusedError(
            RefusalMessages.VALUES_DELETED.stored(incident=incident.slug)
        )


def refuse_loaded(source: reading.Source, incident: Incident) -> None:
    """Raises ImportRefusedError if a file with the same bytes or the same text is loaded.

    Each sheet of a spreadsheet is loaded once.
    """
    same = Q(sha256=source.sha256, sheet=source.sheet) | Q(content_sha256=source.content_sha256)
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
