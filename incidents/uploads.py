"""Uploads: files that staff send through the desk. A worker checks and imports them.

The bytes are stored in the database, encrypted in pieces with the incident's data keyset, and are
deleted after the import. While a worker reads them, they are in a file that only its own user may
read: in memory if the system has a directory there, else under `var/`. A worker that is killed
leaves this file; the next task or sweep on the same machine deletes it.
"""

import errno
import hashlib
import logging
import os
import platform
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from redis.exceptions import RedisError

from accounts.models import AuditEntry, User
from foundations.session_locks import held_keys, session_lock
from incidents import upload_profiles
from incidents.encryption import UPLOAD, EncryptionError
from incidents.importing import drafting, loading, mapping, previewing
from incidents.importing.mapping_writing import Choices
from incidents.importing.profile_report import FileReport
from incidents.importing.progress import ImportProgress
from incidents.importing.reading import ImportRefusedError, Source
from incidents.importing.refusals import BETWEEN, RefusalMessages
from incidents.importing.stopping import NothingTakenError, may_pass
from incidents.models import DataClass, ExposureFile, Incident, Upload, UploadPiece
from incidents.retention import plans
from incidents.scope_versions import IncidentBusyError, ScopeRefusedError
from incidents.upload_profiles import UploadProfile

State, Kind = Upload.State, UploadPiece.Kind
PIECE_BYTES = 1 << 20
NAME_BYTES = 200  # of the file name on a worker's disk
# The space of the lock that a worker holds while it has an upload: "bpup".
LOCK_SPACE = 0x62707570
PROGRESS_SECONDS = 15 * 60  # for which the cache keeps the progress
_IS_WORKED_ON = Q(state__in=[Upload.State.CHECKING, Upload.State.IMPORTING])
# For which a step is tried again after the first error that may pass.
TRIED_FOR = timedelta(hours=1)
CONTENT_RETENTION, REJECTS_RETENTION = timedelta(hours=24), timedelta(days=7)
_IN_MEMORY = Path("/dev/shm")  # noqa: S108  the directory for files in memory on Linux

logger = logging.getLogger(__name__)


def store_upload(
    content: "UploadedFile[bytes]", *, incident: Incident, by: User, mapping: str, encoding: str
) -> Upload:
    """Stores an uploaded file, encrypted, in the state "to check", and returns it.

    `mapping` is the TOML text of a column mapping. `encoding` is declared by the user, or "".
    Raises EncryptionError.
    """
    digest = hashlib.sha256()
    with transaction.atomic():
        upload = Upload.objects.create(
            incident=incident,
            by=by,
            name=Path(content.name or "upload").name[:255],
            size=content.size or 0,
            mapping=mapping,
            encoding=encoding,
        )
        _keep_pieces(upload, Kind.CONTENT, _hashed(content.chunks(PIECE_BYTES), digest.update))
        upload.sha256 = digest.hexdigest()
        upload.save(update_fields=["sha256"])
    logger.info("user %s uploaded file %s for incident %s", by.pk, upload.pk, incident.pk)
    return upload


def _hashed(chunks: Iterator[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    for chunk in chunks:
        update(chunk)
        yield chunk


def run_upload(upload_id: str) -> None:
    """Checks or imports an upload that waits for a worker.

    Does nothing if another worker has it. A refusal is stored with the upload. Raises errors that
    may pass, of the database or of this machine; the sweep then starts the step again, until
    TRIED_FOR is over.
    """
    remove_leftovers()
    with session_lock(LOCK_SPACE, _lock_key(uuid.UUID(upload_id))) as is_held:
        if not is_held:
            return
        for waits, works, step in (
            (State.TO_CHECK, State.CHECKING, _check),
            (State.TO_IMPORT, State.IMPORTING, _import),
        ):
            waiting = Upload.objects.filter(pk=upload_id, state=waits)
            if waiting.update(state=works, changed_at=timezone.now()):
                upload = Upload.objects.select_related("incident").get(pk=upload_id)
                _do_step(upload, step, waits)


def _do_step(upload: Upload, step: Callable[[Upload], None], waits: Upload.State) -> None:
    """Does the step of an upload that this worker has, and stores a refusal with it.

    The upload goes back to the state `waits` while another process works on the incident.
    """
    try:
        step(upload)
    except IncidentBusyError:
        Upload.objects.filter(_IS_WORKED_ON, pk=upload.pk).update(state=waits)
    except Exception as error:  # no file may stay "being checked" for ever
        if may_pass(error) and not _was_tried_long(upload):
            raise  # the sweep starts the step again
        if isinstance(error, (ImportRefusedError, ScopeRefusedError, EncryptionError)):
            _refuse(upload, str(error))
        else:
            _refuse_for_error(upload, error)


def _was_tried_long(upload: Upload) -> bool:
    """Returns whether the step failed for TRIED_FOR already. Records the first failure.

    Raises an error of the database if it is still away; the sweep then starts the step again.
    """
    if not connection.is_usable():
        connection.close()  # the next query opens another
    if upload.first_failed_at is None:
        Upload.objects.filter(pk=upload.pk).update(first_failed_at=timezone.now())
        return False
    return upload.first_failed_at < timezone.now() - TRIED_FOR


def _refuse_for_error(upload: Upload, error: Exception) -> None:
    # The message of the error is not logged: it could hold a value of the file.
    logger.error("upload %s failed: %s", upload.pk, type(error).__name__)
    _refuse(upload, RefusalMessages.PORTAL.stored(name=upload.name))


def _lock_key(upload_id: uuid.UUID) -> int:
    return upload_id.int % (1 << 31)


def _return_lost_uploads() -> None:
    """Lets the uploads wait again whose worker is gone.

    A worker takes an upload only while it holds the lock. So the upload is given back under the
    lock, and a worker that takes it meanwhile keeps it.
    """
    held = held_keys(LOCK_SPACE)  # also those of this session, which it could take again
    waits = {State.CHECKING: State.TO_CHECK, State.IMPORTING: State.TO_IMPORT}
    for upload in Upload.objects.filter(_IS_WORKED_ON).only("pk", "state"):
        key = _lock_key(upload.pk)
        if key in held:
            continue
        with session_lock(LOCK_SPACE, key) as is_held:
            same = Upload.objects.filter(pk=upload.pk, state=upload.state)
            back = {"state": waits[State(upload.state)], "changed_at": timezone.now()}
            if is_held and same.update(**back):
                logger.warning("upload %s lost its worker and waits for another", upload.pk)


def want_check(upload: Upload, mapping_text: str, choices: Choices) -> bool:
    """Stores the mapping of an upload and the choices that made it, and requests its check.

    Returns False if its columns cannot be chosen now.
    """
    with transaction.atomic():
        choosing = Upload.objects.filter(pk=upload.pk, state__in=[State.TO_MAP, State.CHECKED])
        profile = profile_of(upload)
        wanted = {"mapping": mapping_text, "state": State.TO_CHECK, **_new_step()}
        if profile is None or not choosing.update(**wanted):
            return False
        _keep_profile(upload, profile.report, choices)
    return True


def want_import(upload: Upload, *, reason: str = "") -> bool:
    """Requests the import of a checked upload.

    Returns False if it is in another state, or was checked again since `upload` was read. `reason`
    says why the findings of the check are accepted.
    """
    checked = Upload.objects.filter(pk=upload.pk, state=State.CHECKED, changed_at=upload.changed_at)
    return bool(checked.update(state=State.TO_IMPORT, accepted_reason=reason, **_new_step()))


def _new_step() -> dict[str, Any]:
    return {"changed_at": timezone.now(), "first_failed_at": None}


def first_people(upload: Upload) -> list[User]:
    """Returns who uploaded the file or chose its columns, as the audit trail says."""
    entries = AuditEntry.objects.filter(
        object_type=Upload._meta.db_table, object_id=str(upload.pk), details__has_key="mapping"
    )
    keys = entries.filter(actor_id__isnull=False).values("actor_id")
    return list(User.objects.filter(Q(pk=upload.by_id) | Q(pk__in=keys)))


def expires_at(upload: Upload) -> datetime | None:
    """Returns when an upload that waits for a person is thrown away; None if it is not."""
    if upload.state not in (State.TO_MAP, State.CHECKED) or plans.hold_of(upload.incident):
        return None
    return upload.changed_at + CONTENT_RETENTION


def profile_of(upload: Upload) -> UploadProfile | None:
    """Returns the profile that the check stored, or None. Raises EncryptionError."""
    stored = b"".join(_opened_pieces(upload, Kind.PROFILE))
    return upload_profiles.from_json(stored) if stored else None


def discard(upload: Upload) -> bool:
    """Deletes content and rejected rows of an upload.

    Returns False, and deletes nothing, while a worker has it or a legal hold is in force.
    """
    with transaction.atomic():
        locked = Upload.objects.select_for_update().get(pk=upload.pk)
        if locked.state in (State.CHECKING, State.IMPORTING) or plans.hold_of(locked.incident):
            return False
        locked.pieces.all().delete()
        if locked.state not in (State.IMPORTED, State.REFUSED):
            locked.state = State.DISCARDED
            locked.save(update_fields=["state", "changed_at"])
    return True


def progress_of(upload: Upload) -> tuple[int, int]:
    """Returns (rows read, rows rejected) of an upload that a worker has; zeros if unknown."""
    with suppress(RedisError):
        read, rejected = cache.get(_progress_key(upload), (0, 0))
        return read, rejected
    return 0, 0


def rejects_of(upload: Upload) -> Iterator[bytes]:
    """Yields the reject file of an imported upload in pieces; nothing after it was deleted."""
    return _opened_pieces(upload, Kind.REJECTS)


def sweep() -> list[str]:
    """Returns the ids of uploads that wait for a worker, after the following clean-up.

    Deletes expired content (CONTENT_RETENTION), expired reject files (REJECTS_RETENTION) and the
    files that killed workers left on this machine; under a legal hold, expired content stays.
    Uploads that have lost their worker wait again.
    """
    remove_leftovers()
    _return_lost_uploads()
    now, objects = timezone.now(), Upload.objects
    expiring = [State.TO_CHECK, State.TO_MAP, State.CHECKED]
    for upload in objects.filter(state__in=expiring, changed_at__lt=now - CONTENT_RETENTION):
        discard(upload)
    old = objects.filter(changed_at__lt=now - REJECTS_RETENTION).exclude(
        incident__in=plans.held_incidents()
    )
    UploadPiece.objects.filter(upload__in=old, kind=Kind.REJECTS).delete()
    waiting_uploads = objects.filter(state__in=[State.TO_CHECK, State.TO_IMPORT])
    return [str(pk) for pk in waiting_uploads.values_list("pk", flat=True)]


# A worker's steps


def _check(upload: Upload) -> None:
    """Stores the profile; with a mapping also what its import would do."""
    parsed = mapping.parse(upload.mapping, name="mapping") if upload.mapping else None
    with _as_temporary_file(upload) as path:
        seen = previewing.preview(
            path,
            mapping=parsed,
            encoding=upload.encoding,
            region=upload.incident.phone_region,
            languages=upload.incident.languages,
            bound=upload.incident.shared_contact_bound,
            refuse=_refusing_unfit(parsed, upload.incident),
        )
        upload.findings = [[one.code, one.message] for one in seen.findings]
        if parsed:
            _check_rows(upload, path)
    upload.state = State.CHECKED if parsed else State.TO_MAP
    chosen = profile_of(upload)
    guesses = drafting.guesses(seen, DataClass.objects.descriptions())
    with transaction.atomic():
        _keep_profile(upload, seen.report, chosen.choices if chosen else guesses)
        upload.save()


def _refusing_unfit(
    parsed: mapping.ColumnMapping | None, incident: Incident
) -> Callable[[Source], None]:
    """Returns what refuses a file before its rows are read, as the command does."""
    return partial(loading.refuse_unfit, parsed, incident) if parsed else lambda _source: None


def _check_rows(upload: Upload, path: Path) -> None:
    """Stores what an import would do. Raises ImportRefusedError, with the findings before it."""
    try:
        found = loading.check_file(
            path,
            incident=upload.incident,
            mapping_text=upload.mapping,
            encoding=upload.encoding,
            report=_reporter(upload),
        )
    except ImportRefusedError as refusal:
        if may_pass(refusal):
            raise
        messages = [message for _code, message in upload.findings]
        raise ImportRefusedError(BETWEEN.join([*messages, str(refusal)])) from None
    _copy_counts(upload, found)
    upload.people_joined = found.people_joined
    upload.first_rejects = [[line, reason] for line, reason in found.first_rejects]


def _import(upload: Upload) -> None:
    reports = [ImportProgress(encoding="")]
    report = _reporter(upload)

    def keep_last(progress: ImportProgress) -> None:
        reports[0] = progress
        report(progress)

    with _as_temporary_file(upload) as path:
        rejects = path.parent.with_name("rejects.csv")
        try:
            upload.file = _loaded_before(upload) or loading.import_file(
                path,
                incident=upload.incident,
                mapping_text=upload.mapping,
                encoding=upload.encoding,
                rejects_path=rejects,
                accepted=[code for code, _message in upload.findings],
                most_joined=upload.people_joined,
                report=keep_last,
            )
        except NothingTakenError as refusal:
            _keep_rejects(upload, refusal.file, rejects)
            raise
        with transaction.atomic():
            _keep_rejects(upload, upload.file, rejects)
            upload.pieces.filter(kind__in=[Kind.CONTENT, Kind.PROFILE]).delete()
            upload.state = State.IMPORTED
            upload.save()
    logger.info("upload %s imported as file %s", upload.pk, upload.file.pk)


def _keep_rejects(upload: Upload, file: ExposureFile, rejects: Path) -> None:
    """Copies the row counts of the imported file to the upload, and stores its reject file."""
    upload.rows_read, upload.rows_taken = file.rows_read, file.rows_taken
    upload.rows_rejected = file.rows_rejected
    if rejects.exists():
        upload.pieces.filter(kind=Kind.REJECTS).delete()  # of a worker that was killed
        with rejects.open("rb") as stream:
            _keep_pieces(upload, Kind.REJECTS, iter(lambda: stream.read(PIECE_BYTES), b""))


def _loaded_before(upload: Upload) -> ExposureFile | None:
    """Returns the file that a worker loaded before it was killed and could record it, or None."""
    return ExposureFile.objects.filter(
        incident=upload.incident,
        sha256=upload.sha256,
        mapping=upload.mapping,
        state=ExposureFile.State.LOADED,
        started_at__gte=upload.created_at,
    ).first()


def _refuse(upload: Upload, why: str) -> None:
    with transaction.atomic():
        upload.pieces.filter(kind=Kind.CONTENT).delete()  # a file of rejects only keeps those
        upload.state, upload.refusal = State.REFUSED, why
        upload.save()
    logger.warning("upload %s refused", upload.pk)


def _copy_counts(upload: Upload, found: ImportProgress) -> None:
    upload.rows_read, upload.rows_taken = found.rows_read, found.rows_taken
    upload.rows_rejected = found.rows_rejected


def _reporter(upload: Upload) -> Callable[[ImportProgress], None]:
    """Returns a callback that publishes the progress of an upload in the cache, for the desk.

    The database cannot hold it, because the transaction of the import is not visible before its
    end.
    """

    def report(progress: ImportProgress) -> None:
        counts = (progress.rows_read, progress.rows_rejected)
        with suppress(RedisError):
            cache.set(_progress_key(upload), counts, timeout=PROGRESS_SECONDS)

    return report


def _progress_key(upload: Upload) -> str:
    return f"upload-progress-{upload.pk}"


# Bytes


def _keep_pieces(upload: Upload, kind: UploadPiece.Kind, chunks: Iterator[bytes]) -> None:
    cipher = upload.incident.cipher()
    for number, chunk in enumerate(chunks):
        piece = UploadPiece(upload=upload, kind=kind, number=number)
        piece.ciphertext = cipher.encrypt_bytes(chunk, person=piece.pk, purpose=UPLOAD)
        piece.save(force_insert=True)


def _keep_profile(upload: Upload, report: FileReport, choices: Choices) -> None:
    upload.pieces.filter(kind=Kind.PROFILE).delete()
    _keep_pieces(upload, Kind.PROFILE, iter([upload_profiles.to_json(report, choices)]))


def _opened_pieces(upload: Upload, kind: UploadPiece.Kind) -> Iterator[bytes]:
    cipher = upload.incident.cipher()
    pieces = upload.pieces.filter(kind=kind).order_by("number")
    for piece in pieces.iterator(chunk_size=1):
        yield cipher.decrypt_bytes(piece.ciphertext, person=piece.pk, purpose=UPLOAD)


@contextmanager
def _as_temporary_file(upload: Upload) -> Iterator[Path]:
    """Context manager: yields the path of a file with the content of the upload.

    Only this user may read it. It has the name of the upload and is alone in its directory; the
    directory above is for other files of the block. All are deleted after the block. Raises
    ImportRefusedError if the stored pieces are not the whole upload, or could not fit there even if
    all space were free.
    """
    place = _directory()
    if 0 < shutil.disk_usage(place).total < upload.size:  # 0 has no limit
        why = os.strerror(errno.ENOSPC)
        raise ImportRefusedError(RefusalMessages.SYSTEM.stored(file=upload.name, error=why))
    directory = Path(tempfile.mkdtemp(prefix=f"{_prefix()}{os.getpid()}-", dir=place))
    try:
        alone = directory / "source"
        alone.mkdir(mode=0o700)
        path = alone / _harmless(upload.name)
        digest = hashlib.sha256()
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            for chunk in _hashed(_opened_pieces(upload, Kind.CONTENT), digest.update):
                stream.write(chunk)
        if digest.hexdigest() != upload.sha256:
            raise ImportRefusedError(RefusalMessages.NOT_ALL_HERE.stored(file=upload.name))
        yield path
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _harmless(name: str) -> str:
    """Returns a safe file name: no path, no control characters, with the suffixes of `name`.

    A long name loses its beginning. File names are limited in bytes (255), and a Korean syllable
    takes three or nine of them.
    """
    printable = "".join(sign for sign in Path(name).name if sign.isprintable())
    return printable.encode()[-NAME_BYTES:].decode(errors="ignore").lstrip(".") or "upload"


def _directory() -> Path:
    if _IN_MEMORY.is_dir() and os.access(_IN_MEMORY, os.W_OK):
        return _IN_MEMORY
    directory: Path = settings.VAR / "uploads"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


def _prefix() -> str:
    """Returns the start of the names of this machine's directories.

    `var/` may be shared between machines, and this machine cannot see whether a process of another
    machine is alive.
    """
    return f"breachportal-upload-{platform.node()}-"


def remove_leftovers() -> None:
    """Deletes the files of workers on this machine that were killed. Files of live workers stay."""
    for directory in _directory().glob(f"{_prefix()}*"):
        pid = directory.name.removeprefix(_prefix()).partition("-")[0]
        if pid.isdecimal() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(directory, ignore_errors=True)
