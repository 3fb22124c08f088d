"""The reject file: the rows that an import rejected, for a person to correct and import again.

It is a CSV file for spreadsheets: UTF-8 with a byte order mark, first the columns `line` and
`reason`, then the original columns. It holds personal data like the dump itself, so only the owner
of the file may read it.
"""

import csv
import io
import os
import re
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from django.conf import settings

from foundations.formulas import neutralised, restored
from incidents.importing.reading import REJECT_COLUMNS, ImportRefusedError, Row, Source
from incidents.importing.refusals import RefusalMessages
from incidents.importing.row_messages import RejectMessages, translate_reject

UNDECODABLE = RejectMessages.UNDECODABLE.stored()
_ESCAPED_BYTE = re.compile(r"\\x[0-9a-f]{2}")
_STEM_BYTES = 230  # leaves room for ".rejects-1234.csv"
_PARTS_OF_SIGNS = "".join(
    map(chr, range(0xDC80, 0xDD00))
)  # bytes of a character that was cut (PEP 383)
_LINE = re.compile(r'"?([1-9][0-9]{0,8})"?(?:,|$)')
_SUFFIX = re.compile(r"\.rejects(-\d+)?\.csv$")


def choose_path(source: Path, wanted: Path | None) -> Path:
    """Returns the path of the reject file for `source`. There is no file with this path yet.

    `wanted` names the file or a directory for it. If it is None, the reject file is put beside the
    source, or under `var/rejects` if the directory of the source is not writable. Raises
    ImportRefusedError.
    """
    if wanted is None:
        beside = source.absolute().parent
        if os.access(beside, os.W_OK):
            return _free_name(beside, source.name)
        return _free_name(_private_directory(), source.name)
    if wanted.is_dir():
        return _free_name(wanted, source.name)
    if wanted.exists():
        raise ImportRefusedError(RefusalMessages.THERE_ALREADY.stored(path=wanted))
    if not wanted.absolute().parent.is_dir():
        raise ImportRefusedError(RefusalMessages.NO_DIRECTORY.stored(path=wanted))
    return wanted


def _private_directory() -> Path:
    directory: Path = settings.VAR / "rejects"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


def stem_of(name: str) -> str:
    """Returns the beginning of the names of a file's reject files, which ends with its own name.

    The beginning of a long name is cut off: a file name may have 255 bytes, and a Korean syllable
    takes three of them.
    """
    stem = os.fsdecode(os.fsencode(_SUFFIX.sub("", name))[-_STEM_BYTES:])
    return stem.lstrip(_PARTS_OF_SIGNS)


def _free_name(directory: Path, name: str) -> Path:
    """Returns a path in the directory that is not taken, made from the name of the source."""
    stem = stem_of(name)
    path, number = directory / f"{stem}.rejects.csv", 1
    while path.exists():
        number += 1
        path = directory / f"{stem}.rejects-{number}.csv"
    return path


def line_in_dump(row: Row) -> int | None:
    """Returns the number in the first column of a row of a reject file; None if there is none.

    The only cell of a malformed row is its whole text.
    """
    found = _LINE.match(row.cells[0] if row.cells else "")
    return int(found[1]) if found else None


def translated(content: bytes) -> bytes:
    """Returns a reject file with its reasons in the active language."""
    rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    text = io.StringIO()
    written = csv.writer(text)
    written.writerow(next(rows))
    for line, reason, *cells in rows:
        written.writerow([line, neutralised(translate_reject(restored(reason))), *cells])
    return text.getvalue().encode("utf-8-sig")


class RejectFile:
    """The reject file of one import. It is created when the first row is written."""

    def __init__(self, path: Path, source: Source) -> None:
        self.path, self._source = path, source
        self._skip = len(REJECT_COLUMNS) if source.is_reject_file else 0
        self._stream: TextIO | None = None

    def write(self, row: Row, reason: str) -> None:
        """Appends a row. Raises ImportRefusedError if the disk takes no more."""
        with self._refusing_disk_errors():
            if self._stream is None:
                self._stream = self._create()
                names = map(neutralised, self._source.header[self._skip :])
                csv.writer(self._stream).writerow([*REJECT_COLUMNS, *names])
            cells = map(neutralised, self._cells(row))
            csv.writer(self._stream).writerow([self._line(row), neutralised(reason), *cells])

    def _line(self, row: Row) -> int:
        """Returns the row's line in the dump, also for a row of a reject file that came back.

        So the line shows in every further reject file which row of the dump is corrected.
        """
        return (line_in_dump(row) if self._skip else None) or row.line

    def _cells(self, row: Row) -> list[str]:
        """Returns the cells as they were in the dump; all cells, if it is not a row.

        The caller neutralises them again, because any file can begin like a reject file: that its
        cells are harmless cannot be relied on.
        """
        skip = 0 if row.defect else self._skip
        cells = [self._source.decode(cell, "backslashreplace") for cell in row.cells[skip:]]
        return [restored(cell) for cell in cells] if skip else cells

    def flush_to_disk(self) -> None:
        """Forces the rows to the disk, because after the commit they are only in this file."""
        if self._stream:
            with self._refusing_disk_errors():
                self._stream.flush()
                os.fsync(self._stream.fileno())

    def close(self) -> None:
        """Closes the file."""
        if self._stream:
            self._stream.close()

    def discard(self) -> None:
        """Deletes the file, if it was created."""
        if self._stream:
            with suppress(OSError):  # the disk takes no more
                self._stream.close()
            self.path.unlink(missing_ok=True)

    @contextmanager
    def _refusing_disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            why = RefusalMessages.CANNOT_WRITE.stored(path=self.path, error=error.strerror)
            raise ImportRefusedError(why) from None

    def _create(self) -> TextIO:
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        return os.fdopen(handle, "w", encoding="utf-8-sig", newline="")


class RejectedLines:
    """The rejected lines of a file with their reasons, in file order.

    Each takes six bytes, because every row of a large file may be rejected.
    """

    def __init__(self, rejected: Iterable[tuple[int, str]]) -> None:
        """Takes (line, reason) pairs in file order, with at most 65,536 different reasons."""
        reasons: dict[str, int] = {}
        self._lines, self._reasons = array("i"), array("H")
        for line, reason in rejected:
            self._lines.append(line)
            self._reasons.append(reasons.setdefault(reason, len(reasons)))
        self._reason_texts = list(reasons)

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[tuple[int, str]]:
        for line, reason in zip(self._lines, self._reasons, strict=True):
            yield line, self._reason_texts[reason]


@contextmanager
def writing(path: Path, source: Source) -> Iterator[RejectFile]:
    """Context manager: yields the reject file of `source`.

    Closes it after the block, or deletes it if the block raises.
    """
    file = RejectFile(path, source)
    try:
        yield file
    except BaseException:
        file.discard()
        raise
    file.close()


def is_uncorrected(reason: str, cells: list[str]) -> bool:
    """Returns whether a row that was rejected for undecodable bytes still has them.

    A reject file shows such a byte as an escape, see _ESCAPED_BYTE. `reason` and `cells` are those
    of the row in the reject file.
    """
    return reason == UNDECODABLE and any(_ESCAPED_BYTE.search(cell) for cell in cells)
