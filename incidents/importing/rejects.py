"""The reject file: rows an import could not take, for a person to correct and load again.

A CSV for spreadsheets: UTF-8 with a mark, `line` and `reason` first, then the original columns. It
holds personal data like the dump itself, so only its owner may read it.
"""

import csv
import os
import re
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from django.conf import settings

from incidents.importing.formulas import neutralised, restored
from incidents.importing.reading import REJECT_COLUMNS, ImportRefusedError, Row, Source
from incidents.importing.refusals import RefusalMessages, RejectMessages

UNDECODABLE = RejectMessages.UNDECODABLE.stored()
_ESCAPED_BYTE = re.compile(r"\\x[0-9a-f]{2}")
_STEM_BYTES = 230  # leaves room for ".rejects-1234.csv"
_PARTS_OF_SIGNS = "".join(map(chr, range(0xDC80, 0xDD00)))  # as a cut leaves them (PEP 383)
_SUFFIX = re.compile(r"\.rejects(-\d+)?\.csv$")


def choose_path(source: Path, wanted: Path | None) -> Path:
    """Where the rejects of `source` will be written; never a file that is already there.

    `wanted` names the file, or a directory for it. Without it, it is put beside the source, or
    under `var/rejects` if nothing can be written there. Raises ImportRefusedError.
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


def _free_name(directory: Path, name: str) -> Path:
    """A long name loses its beginning: a disk takes 255 bytes, a Korean syllable three of them."""
    stem = os.fsdecode(os.fsencode(_SUFFIX.sub("", name))[-_STEM_BYTES:])
    stem = stem.lstrip(_PARTS_OF_SIGNS)
    path, number = directory / f"{stem}.rejects.csv", 1
    while path.exists():
        number += 1
        path = directory / f"{stem}.rejects-{number}.csv"
    return path


class RejectFile:
    """The reject file of one import; made when the first row comes."""

    def __init__(self, path: Path, source: Source) -> None:
        self.path, self._source = path, source
        self._skip = len(REJECT_COLUMNS) if source.is_reject_file else 0
        self._stream: TextIO | None = None

    def write(self, row: Row, reason: str) -> None:
        """Appends a row. Raises ImportRefusedError if the file cannot be made."""
        if self._stream is None:
            self._stream = self._made()
            names = map(neutralised, self._source.header[self._skip :])
            csv.writer(self._stream).writerow([*REJECT_COLUMNS, *names])
        cells = map(neutralised, self._cells(row))
        csv.writer(self._stream).writerow([row.line, neutralised(reason), *cells])

    def _cells(self, row: Row) -> list[str]:
        """The cells as they stood in the dump; of what is no row, all there is.

        Any file can begin like a reject file, so that its cells are harmless is not taken on trust.
        """
        skip = 0 if row.defect else self._skip
        cells = [self._source.decode(cell, "backslashreplace") for cell in row.cells[skip:]]
        return [restored(cell) for cell in cells] if skip else cells

    def keep(self) -> None:
        """Brings what was written to the disk: after the commit it is nowhere else."""
        if self._stream:
            self._stream.flush()
            os.fsync(self._stream.fileno())

    def close(self) -> None:
        """Ends the writing."""
        if self._stream:
            self._stream.close()

    def discard(self) -> None:
        """Removes the file, if it was made."""
        if self._stream:
            self._stream.close()
            self.path.unlink(missing_ok=True)

    def _made(self) -> TextIO:
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            why = RefusalMessages.CANNOT_WRITE.stored(path=self.path, error=error.strerror)
            raise ImportRefusedError(why) from None
        return os.fdopen(handle, "w", encoding="utf-8-sig", newline="")


class RejectedLines:
    """Rejected lines and why, in file order: six bytes each, for a file may be wrong in all."""

    def __init__(self, rejected: Iterable[tuple[int, str]]) -> None:
        """At most 65,536 reasons."""
        reasons: dict[str, int] = {}
        self._lines, self._reasons = array("i"), array("H")
        for line, reason in rejected:
            self._lines.append(line)
            self._reasons.append(reasons.setdefault(reason, len(reasons)))
        self._names = list(reasons)

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[tuple[int, str]]:
        for line, reason in zip(self._lines, self._reasons, strict=True):
            yield line, self._names[reason]


@contextmanager
def writing(path: Path, source: Source) -> Iterator[RejectFile]:
    """The reject file of `source`, gone again if the block fails."""
    file = RejectFile(path, source)
    try:
        yield file
    except BaseException:
        file.discard()
        raise
    file.close()


def is_uncorrected(reason: str, cells: list[str]) -> bool:
    """Whether a row that was rejected for its bytes still shows them as escapes."""
    return reason == UNDECODABLE and any(_ESCAPED_BYTE.search(cell) for cell in cells)
