"""The bytes of a dump: a file that was examined, and what refuses it while it is read.

Memory stays flat whatever the file is: it is read as a stream, and a row is bounded. A defect of
one row is that row's; a file that is not what it says is refused as a whole, in one line that names
the file, the place and the remedy.
"""

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from incidents.importing import compressions, formats
from incidents.importing.compressions import DAMAGED, GZIP, MOST_EXPANSION, BombError
from incidents.importing.formats.comma_separated import CommaSeparated
from incidents.importing.refusals import RefusalMessages

READ_BYTES = 1 << 18
UTF8, UTF8_MARKED, CP949 = "utf-8", "utf-8-sig", "cp949"
MARK = b"\xef\xbb\xbf"
CSV = CommaSeparated.name
# A reject file's own first columns; see incidents.importing.rejects.
REJECT_COLUMNS = ["line", "reason"]


class ImportRefusedError(Exception):
    """A file, a mapping or a wish is refused; the message is one line for an operator, in English:
    one of Refused.
    """


class Row(NamedTuple):
    """One row as it stands in the file."""

    line: int  # its first physical line; the header is line 1
    cells: list[str]  # bytes as Latin-1 text; see Source.decode
    defect: str = ""  # why it cannot be taken as a row at all


class File(NamedTuple):
    """Where bytes come from."""

    path: Path
    compression: str  # of compressions


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file that passed the first examination."""

    path: Path
    size: int  # bytes on disk
    sha256: str  # of the bytes on disk
    format: str  # the name of one of incidents.importing.formats
    encoding: str  # utf-8, utf-8-sig or cp949
    compression: str  # of compressions
    header: list[str]
    changed_ns: int  # the file's modification time

    @property
    def file(self) -> "File":
        """Where its bytes come from."""
        return File(self.path, self.compression)

    @property
    def name(self) -> str:
        """For messages, and for the file's row."""
        return self.path.name

    @property
    def is_reject_file(self) -> bool:
        """Whether an earlier import wrote it, and it comes back corrected."""
        return self.format == CSV and self.header[:2] == REJECT_COLUMNS

    def decode(self, cell: str, errors: str = "strict") -> str:
        """The text of a cell of a Row; raises UnicodeDecodeError."""
        if cell.isascii():
            return cell
        return cell.encode("latin-1").decode(self.encoding, errors)


class Windows:
    """The bytes of a file, decompressed, piece by piece."""

    def __init__(self, file: File) -> None:
        self._file, self.position = file, 0  # of bytes on disk

    def __iter__(self) -> Iterator[bytes]:
        """Yields READ_BYTES at a time. Raises ImportRefusedError."""
        with (
            refusing_read_errors(self._file),
            self._file.path.open("rb") as raw,
            compressions.inside(raw, self._file.compression) as stream,
        ):
            while window := stream.read(READ_BYTES):
                self.position = raw.tell()
                yield window


def header_again(source: Source, line: int) -> ImportRefusedError:
    """The refusal of files that were joined with their headers."""
    return ImportRefusedError(RefusalMessages.HEADER_AGAIN.stored(file=source.name, line=line))


def no_rows(source: Source) -> ImportRefusedError:
    """The refusal of a file without rows."""
    has_header = formats.named(source.format).has_header
    why = RefusalMessages.NO_ROWS_AFTER_HEADER if has_header else RefusalMessages.NO_ROWS
    return ImportRefusedError(why.stored(file=source.name))


def row_too_long(name: str, line: int) -> ImportRefusedError:
    """The refusal of a row past MAX_ROW_BYTES."""
    return ImportRefusedError(RefusalMessages.TOO_LONG.stored(file=name, line=line))


def nul_byte(name: str, line: int) -> ImportRefusedError:
    """The refusal of a file with a NUL byte."""
    return ImportRefusedError(RefusalMessages.NUL.stored(file=name, line=line))


def unclosed_quote(name: str, line: int) -> ImportRefusedError:
    """The refusal of a file that ends inside a row."""
    return ImportRefusedError(RefusalMessages.UNCLOSED_QUOTE.stored(file=name, line=line))


def regular_file(path: Path) -> os.stat_result:
    """Returns the status of a file that is one and is not empty. Raises ImportRefusedError."""
    try:
        status = path.stat()
    except OSError as error:
        why = RefusalMessages.NO_PATH.stored(path=path, error=error.strerror)
        raise ImportRefusedError(why) from None
    if not stat.S_ISREG(status.st_mode):
        raise ImportRefusedError(RefusalMessages.NO_FILE.stored(path=path))
    if status.st_size == 0:
        raise ImportRefusedError(RefusalMessages.EMPTY.stored(file=path.name))
    return status


def refuse_changed(source: Source) -> None:
    """Raises ImportRefusedError if the file is not what was examined any more."""
    now = regular_file(source.path)
    if (now.st_size, now.st_mtime_ns) != (source.size, source.changed_ns):
        raise ImportRefusedError(RefusalMessages.CHANGED.stored(file=source.name))


@contextmanager
def refusing_read_errors(file: File) -> Iterator[None]:
    """Raises ImportRefusedError for what reading a file raises."""
    try:
        yield
    except (*DAMAGED, BombError, OSError) as error:
        raise ImportRefusedError(_why_not_read(error, file)) from None


def _why_not_read(error: Exception, file: File) -> str:
    place = file.path.name
    if isinstance(error, DAMAGED):
        return RefusalMessages.DAMAGED.stored(
            place_words=place, compression=file.compression or GZIP
        )
    if isinstance(error, BombError):
        return RefusalMessages.BOMB.stored(place_words=place, times=MOST_EXPANSION)
    return RefusalMessages.SYSTEM.stored(
        file=place, error=getattr(error, "strerror", None) or error
    )


@contextmanager
def opened(file: File) -> Iterator[io.BufferedReader]:
    """The bytes of a file, decompressed. Raises ImportRefusedError, also for reads in the block."""
    with (
        refusing_read_errors(file),
        file.path.open("rb") as raw,
        compressions.inside(raw, file.compression) as stream,
    ):
        yield stream
