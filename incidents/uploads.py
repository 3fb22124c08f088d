"""Files sent through the desk: kept sealed, checked, imported by a worker, and gone.

The bytes stand in the database, sealed in pieces by the incident's data keyset. A worker needs a
file to read, and has it for as long as it reads: in memory where the system has a directory there,
else under `var/`, for its own user only. A worker that was killed leaves it behind; whatever works
or sweeps next on that machine removes it.
"""

import hashlib
import logging
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.cache import cache
from django.core.files.uploadedfile import UploadedFile
from django.db import DatabaseError, transaction
from django.utils import timezone
from redis.exceptions import RedisError

from accounts.models import User
from incidents.encryption import UPLOAD, EncryptionError
from incidents.importing import loading
from incidents.importing.loading import ImportProgress
from incidents.importing.reading import ImportRefusedError
from incidents.importing.refusals import RefusalMessages
from incidents.models import ExposureFile, Incident, Upload, UploadPiece
from incidents.scope_versions import IncidentBusyError, ScopeRefusedError

State, Kind = Upload.State, UploadPiece.Kind
PIECE_BYTES = 1 << 20
NAME_BYTES = 200  # of the name an upload has on a worker's disk
# After so long without a word a worker is taken for dead; then what it did is done again.
STUCK_AFTER = timedelta(minutes=15)
CONTENT_RETENTION, REJECTS_RETENTION = timedelta(hours=24), timedelta(days=7)
_IN_MEMORY = Path("/dev/shm")  # noqa: S108  where Linux keeps files in memory

logger = logging.getLogger(__name__)


def store_upload(
    content: "UploadedFile[bytes]", *, incident: Incident, by: User, mapping: str, encoding: str
) -> Upload:
    """Seals an uploaded file and says that it is to be checked. Raises SealingError."""
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
    """Checks or imports an upload that waits for it; does nothing if another worker has it."""
    remove_leftovers()
    for waits, works, step in (
        (State.TO_CHECK, State.CHECKING, _check),
        (State.TO_IMPORT, State.IMPORTING, _import),
    ):
        waiting = Upload.objects.filter(pk=upload_id, state=waits)
        if waiting.update(state=works, changed_at=timezone.now()):
            upload = Upload.objects.select_related("incident").get(pk=upload_id)
            try:
                step(upload)
            except IncidentBusyError:
                Upload.objects.filter(pk=upload_id, state=works).update(state=waits)
            except (ImportRefusedError, ScopeRefusedError, EncryptionError) as refusal:
                _refuse(upload, str(refusal))
            except DatabaseError:
                raise  # the sweeper tries again
            except Exception as error:  # noqa: BLE001  no file may stay "being checked" for good
                # Its words could hold a value of the file.
                logger.error("upload %s failed: %s", upload.pk, type(error).__name__)
                _refuse(upload, RefusalMessages.PORTAL.stored(name=upload.name))


def want_import(upload: Upload) -> bool:
    """Says that a checked upload is to be imported. False if it is not checked."""
    checked = Upload.objects.filter(pk=upload.pk, state=State.CHECKED)
    return bool(checked.update(state=State.TO_IMPORT, changed_at=timezone.now()))


def discard(upload: Upload) -> bool:
    """Deletes what was uploaded, and the rejected rows. False while a worker has it."""
    with transaction.atomic():
        locked = Upload.objects.select_for_update().get(pk=upload.pk)
        if locked.state in (State.CHECKING, State.IMPORTING):
            return False
        locked.pieces.all().delete()
        if locked.state not in (State.IMPORTED, State.REFUSED):
            locked.state = State.DISCARDED
            locked.save(update_fields=["state", "changed_at"])
    return True


def progress_of(upload: Upload) -> tuple[int, int]:
    """(rows read, rows rejected) of an upload that a worker has."""
    with suppress(RedisError):
        read, rejected = cache.get(_progress_key(upload), (0, 0))
        return read, rejected
    return 0, 0


def rejects_of(upload: Upload) -> Iterator[bytes]:
    """The reject file of an imported upload, in pieces; empty once it is deleted."""
    return _opened_pieces(upload, Kind.REJECTS)


def sweep() -> list[str]:
    """Deletes what has stood long enough, and what killed workers left on this machine; returns the
    ids of uploads that wait for a worker.
    """
    remove_leftovers()
    now, objects = timezone.now(), Upload.objects
    for works, waits in ((State.CHECKING, State.TO_CHECK), (State.IMPORTING, State.TO_IMPORT)):
        stuck = objects.filter(state=works, changed_at__lt=now - STUCK_AFTER)
        stuck.update(state=waits, changed_at=now)
    waiting = [State.TO_CHECK, State.CHECKED]
    for upload in objects.filter(state__in=waiting, changed_at__lt=now - CONTENT_RETENTION):
        discard(upload)
    old = objects.filter(changed_at__lt=now - REJECTS_RETENTION)
    UploadPiece.objects.filter(upload__in=old, kind=Kind.REJECTS).delete()
    again = objects.filter(state__in=[State.TO_CHECK, State.TO_IMPORT])
    return [str(pk) for pk in again.values_list("pk", flat=True)]


# A worker's steps


def _check(upload: Upload) -> None:
    with _as_file(upload) as path:
        found = loading.check_file(
            path,
            incident=upload.incident,
            mapping_text=upload.mapping,
            encoding=upload.encoding,
            report=_reporter(upload),
        )
    _count(upload, found)
    upload.first_rejects = [[line, reason] for line, reason in found.first_rejects]
    upload.state = State.CHECKED
    upload.save()


def _import(upload: Upload) -> None:
    reports = [ImportProgress(encoding="")]
    report = _reporter(upload)

    def keep_last(progress: ImportProgress) -> None:
        reports[0] = progress
        report(progress)

    with _as_file(upload) as path:
        rejects = path.parent.with_name("rejects.csv")
        upload.file = _loaded_before(upload) or loading.import_file(
            path,
            incident=upload.incident,
            mapping_text=upload.mapping,
            encoding=upload.encoding,
            rejects_path=rejects,
            report=keep_last,
        )
        with transaction.atomic():
            upload.rows_read = upload.file.rows_read
            upload.rows_taken = upload.file.rows_taken
            upload.rows_rejected = upload.file.rows_rejected
            if rejects.exists():
                with rejects.open("rb") as stream:
                    _keep_pieces(upload, Kind.REJECTS, iter(lambda: stream.read(PIECE_BYTES), b""))
            upload.pieces.filter(kind=Kind.CONTENT).delete()
            upload.state = State.IMPORTED
            upload.save()
    logger.info("upload %s imported as file %s", upload.pk, upload.file.pk)


def _loaded_before(upload: Upload) -> ExposureFile | None:
    """What a worker loaded that was killed before it could say so."""
    return ExposureFile.objects.filter(
        incident=upload.incident,
        sha256=upload.sha256,
        state=ExposureFile.State.LOADED,
        started_at__gte=upload.created_at,
    ).first()


def _refuse(upload: Upload, why: str) -> None:
    with transaction.atomic():
        upload.pieces.all().delete()
        upload.state, upload.refusal = State.REFUSED, why
        upload.save()
    logger.warning("upload %s refused", upload.pk)


def _count(upload: Upload, found: ImportProgress) -> None:
    upload.rows_read, upload.rows_taken = found.rows_read, found.rows_taken
    upload.rows_rejected = found.rows_rejected


def _reporter(upload: Upload) -> Callable[[ImportProgress], None]:
    """Tells the desk; the import's own transaction is not to be seen before its end."""

    def report(progress: ImportProgress) -> None:
        told = (progress.rows_read, progress.rows_rejected)
        with suppress(RedisError):
            cache.set(_progress_key(upload), told, timeout=STUCK_AFTER.total_seconds())

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


def _opened_pieces(upload: Upload, kind: UploadPiece.Kind) -> Iterator[bytes]:
    cipher = upload.incident.cipher()
    pieces = upload.pieces.filter(kind=kind).order_by("number")
    for piece in pieces.iterator(chunk_size=1):
        yield cipher.decrypt_bytes(piece.ciphertext, person=piece.pk, purpose=UPLOAD)


@contextmanager
def _as_file(upload: Upload) -> Iterator[Path]:
    """The upload as a file of its own name, while the block lasts, for this user only.

    It is alone in a directory within one that others may be put into.
    """
    directory = Path(tempfile.mkdtemp(prefix=f"{_prefix()}{os.getpid()}-", dir=_directory()))
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
    """A name that stays in its directory, shows no control characters, and keeps its endings.

    A disk counts bytes (255), of which a Korean syllable takes three or nine.
    """
    kept = "".join(sign for sign in Path(name).name if sign.isprintable())
    return kept.encode()[-NAME_BYTES:].decode(errors="ignore").lstrip(".") or "upload"


def _directory() -> Path:
    if _IN_MEMORY.is_dir() and os.access(_IN_MEMORY, os.W_OK):
        return _IN_MEMORY
    directory: Path = settings.VAR / "uploads"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


def _prefix() -> str:
    """Another machine's processes are not ours to take for dead, where `var/` is shared."""
    return f"breachportal-upload-{platform.node()}-"


def remove_leftovers() -> None:
    """Removes the files of workers that were killed; those of living ones stay."""
    for directory in _directory().glob(f"{_prefix()}*"):
        pid = directory.name.removeprefix(_prefix()).partition("-")[0]
        if pid.isdecimal() and not Path(f"/proc/{pid}").exists():
            shutil.rmtree(directory, ignore_errors=True)
