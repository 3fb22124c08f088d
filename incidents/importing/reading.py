"""Reads the bytes of a file that is imported, and defines the refusals while it is read.

Memory does not grow with the file: it is read as a stream, and the length of a row is limited. A
defect of one row rejects that row only. A file that is not what it claims to be is refused as a
whole, in one line that names the file, the place in it and how to correct it.
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

READ_BYTES = 1 << 18  # decompressed bytes that are read at once
UTF8, UTF8_MARKED, CP949 = "utf-8", "utf-8-sig", "cp949"
# The byte order mark of UTF-8.
MARK = b"\xef\xbb\xbf"
CSV = CommaSeparated.name
# The first two columns of a reject file; see incidents.importing.rejects.
REJECT_COLUMNS = ["line", "reason"]


class ImportRefusedError(Exception):
    """A file, a mapping or an option is refused.

    The message is one line in English for the operator: sentences of RefusalMessages.
    """


class Row(NamedTuple):
    """One row as it is in the file."""

    line: int  # its first physical line; the header is line 1
    cells: list[str]  # each byte as one Latin-1 character; Source.decode returns the text
    defect: str = ""  # a stored RejectMessages sentence, if it is no row at all


class File(NamedTuple):
    """A path, and the compression of the file there."""

    path: Path
    compression: str  # compressions.PLAIN, GZIP or ZSTD


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file that `examining.examine` accepted."""

    path: Path
    size: int  # bytes on disk
    sha256: str  # of the bytes on disk
    content_sha256: str  # of the text; see examining.content_digest
    format: str  # the name of a format of incidents.importing.formats
    encoding: str  # utf-8, utf-8-sig or cp949
    compression: str  # compressions.PLAIN, GZIP or ZSTD
    header: list[str]  # the column names
    changed_ns: int  # the modification time of the file, in nanoseconds

    @property
    def file(self) -> "File":
        """The path and the compression."""
        return File(self.path, self.compression)

    @property
    def name(self) -> str:
        """The file name, for messages and for ExposureFile.name."""
        return self.path.name

    @property
    def is_reject_file(self) -> bool:
        """Returns whether it is the corrected reject file of an earlier import."""
        return self.format == CSV and self.header[:2] == REJECT_COLUMNS

    def decode(self, cell: str, errors: str = "strict") -> str:
        """Returns the text of a cell of a Row. Raises UnicodeDecodeError."""
        if cell.isascii():
            return cell
        return cell.encode("latin-1").decode(self.encoding, errors)


class Windows:
    """An iterable of the decompressed bytes of a file, in pieces."""

    def __init__(self, file: File) -> None:
        self._file, self.position = file, 0  # how many bytes on disk were read so far

    def __iter__(self) -> Iterator[bytes]:
        """Yields READ_BYTES bytes at a time, fewer at the end. Raises ImportRefusedError."""
        with (
            refusing_read_errors(self._file),
            self._file.path.open("rb") as raw,
            compressions.inside(raw, self._file.compression) as stream,
        ):
            while window := stream.read(READ_BYTES):
                self.position = raw.tell()
                yield window


def header_again(source: Source, line: int) -> ImportRefusedError:
    """Returns the refusal of a file that repeats its header row, as joined files do."""
    return ImportRefusedError(RefusalMessages.HEADER_AGAIN.stored(file=source.name, line=line))


def no_rows(source: Source) -> ImportRefusedError:
    """Returns the refusal of a file without rows."""
    has_header = formats.named(source.format).has_header
    why = RefusalMessages.NO_ROWS_AFTER_HEADER if has_header else RefusalMessages.NO_ROWS
    return ImportRefusedError(why.stored(file=source.name))


def row_too_long(name: str, line: int) -> ImportRefusedError:
    """Returns the refusal of a file with a row longer than MAX_ROW_BYTES."""
    return ImportRefusedError(RefusalMessages.TOO_LONG.stored(file=name, line=line))


def nul_byte(name: str, line: int) -> ImportRefusedError:
    """Returns the refusal of a file with a NUL byte."""
    return ImportRefusedError(RefusalMessages.NUL.stored(file=name, line=line))


def unclosed_quote(name: str, line: int) -> ImportRefusedError:
    """Returns the refusal of a file that ends inside a quoted cell."""
    return ImportRefusedError(RefusalMessages.UNCLOSED_QUOTE.stored(file=name, line=line))


def regular_file(path: Path) -> os.stat_result:
    """Returns the status of a file.

    Raises ImportRefusedError if the path does not exist, is no regular file, or is an empty file.
    """
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
    """Raises ImportRefusedError if the file has changed since it was examined (size and time)."""
    now = regular_file(source.path)
    if (now.st_size, now.st_mtime_ns) != (source.size, source.changed_ns):
        raise ImportRefusedError(RefusalMessages.CHANGED.stored(file=source.name))


@contextmanager
def refusing_read_errors(file: File) -> Iterator[None]:
    """Context manager: turns an error of reading the file into ImportRefusedError.

    These are damaged compressed data, a decompression bomb and OSError.
    """
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
    """Context manager: yields a stream of the decompressed bytes of a file.

    Raises ImportRefusedError, also for reads in the block.
    """
    with (
        refusing_read_errors(file),
        file.path.open("rb") as raw,
        compressions.inside(raw, file.compression) as stream,
    ):
        yield stream
