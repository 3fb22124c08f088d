"""Reads the bytes of a file that is imported, and defines the refusals while it is read.

Memory does not grow with the file: it is read as a stream, and the length of a row is limited. A
defect of one row rejects that row only. A file that is not what it claims to be is refused as a
whole, in one line that names the file, the place in it and how to correct it.
"""

import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from incidents.importing import compressions, formats
from incidents.importing.compressions import DAMAGED, GZIP, MOST_EXPANSION, BombError
from incidents.importing.formats.base import DEFAULT_DIALECT, Dialect
from incidents.importing.formats.comma_separated import CommaSeparated
from incidents.importing.formats.converted_rows import ConvertedRows
from incidents.importing.refusals import BETWEEN, RefusalMessages
from incidents.importing.spools import Spool

READ_BYTES = 1 << 18  # decompressed bytes that are read at once
UTF8, UTF8_MARKED, CP949 = "utf-8", "utf-8-sig", "cp949"
# The byte order mark of UTF-8.
MARK = b"\xef\xbb\xbf"
CSV, SPREADSHEET = CommaSeparated.name, ConvertedRows.name
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
    compression: str  # see incidents.importing.compressions
    spool: Spool | None = None  # the content, if it was decompressed or converted to be read
    is_converted: bool = False  # whether the spool holds UTF-8, and surrogates as undecodable bytes

    def open(self) -> io.BufferedReader:
        """Returns a stream of the bytes on disk, converted if there is a spool. Raises OSError."""
        return self.spool.open() if self.spool else self.path.open("rb")


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What the operator and the mapping say about a file. "", () and None: nothing is said."""

    encoding: str = ""  # a name that incidents.importing.encodings knows
    separator: str | None = None
    quote: str | None = None  # "" if the file has no quotes
    escape: str | None = None  # "" if a backslash is an ordinary character
    columns: tuple[str, ...] = ()  # the columns by position, if the file has no header
    sheet: str = ""  # of a spreadsheet
    used: frozenset[str] | None = None  # the columns that the mapping reads
    identity: str = ""  # the column with the reference
    single: frozenset[str] = frozenset()  # those of them that hold one text, such as contacts
    both: frozenset[str] = frozenset()  # those that hold an e-mail address or a phone number
    describing: frozenset[str] = frozenset()  # those of which an undecodable cell costs no row
    is_strict: bool = False  # whether undecodable bytes in any other column reject a row, too
    numbered_days: frozenset[str] = frozenset()  # those with days as a spreadsheet counts them


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file that `examining.examine` accepted."""

    path: Path
    size: int  # bytes on disk
    sha256: str  # of the bytes on disk
    content_sha256: str  # of the text; see examining.content_digest
    format: str  # the name of a format of incidents.importing.formats
    encoding: str  # of the file as it was sent; a name of incidents.importing.encodings
    compression: str  # see incidents.importing.compressions; of the spool, if there is one
    header: list[str]  # the column names
    changed_ns: int  # the modification time of the file, in nanoseconds
    dialect: Dialect = DEFAULT_DIALECT  # of a CSV file
    has_header: bool = True  # whether a row names the columns; False if the mapping does
    extra_cells: int = 0  # blank cells that every row has after those of the header
    used: frozenset[str] | None = None  # the columns that must be decodable; None for all
    single: frozenset[str] = frozenset()  # the columns that hold one text each
    is_converted: bool = False  # whether a spool holds the content, as UTF-8
    has_plain_rows: bool = False  # whether the spool holds rows of formats.converted_rows
    likely_encoding: str = ""  # another one in which the text reads much better
    sheet: str = ""  # of a spreadsheet
    has_other_sheets: bool = False  # whether the spreadsheet has sheets beside it
    spool: Spool | None = None  # None in a worker process

    @property
    def file(self) -> "File":
        """The path, the compression and the converted content."""
        return File(self.path, self.compression, self.spool, self.is_converted)

    @property
    def content_encoding(self) -> str:
        """The encoding of the blocks of the file, from which a mark is removed."""
        return UTF8 if self.is_converted or self.encoding == UTF8_MARKED else self.encoding

    @property
    def name(self) -> str:
        """The file name, for messages and for ExposureFile.name."""
        return self.path.name

    @property
    def is_reject_file(self) -> bool:
        """Returns whether it is the corrected reject file of an earlier import."""
        return self.format in (CSV, SPREADSHEET) and self.header[:2] == REJECT_COLUMNS

    def decode(self, cell: str, errors: str = "strict") -> str:
        """Returns the text of a cell of a Row. Raises UnicodeDecodeError."""
        if cell.isascii():
            return cell
        return cell.encode("latin-1").decode(self.content_encoding, errors)


class Windows:
    """An iterable of the decompressed bytes of a file, in pieces."""

    def __init__(self, file: File) -> None:
        self._file, self.position = file, 0  # how many bytes on disk were read so far

    def __iter__(self) -> Iterator[bytes]:
        """Yields READ_BYTES bytes at a time, fewer at the end. Raises ImportRefusedError."""
        with (
            refusing_read_errors(self._file),
            self._file.open() as raw,
            compressions.inside(raw, self._file.compression) as stream,
        ):
            scale = _bytes_on_disk_for_each_byte(self._file)
            while window := stream.read(READ_BYTES):
                self.position = int(raw.tell() * scale)
                yield window


def _bytes_on_disk_for_each_byte(file: File) -> float:
    """Returns 1, or the size of the file on disk as a share of the size of its spool."""
    return file.path.stat().st_size / max(file.spool.size, 1) if file.spool else 1


@contextmanager
def refusing_together() -> Iterator[Callable[..., None]]:
    """Context manager: yields a function that calls a check with its arguments.

    After the block, raises one ImportRefusedError with the sentences of all checks that refused.
    """
    refusals: list[str] = []

    def check(one: Callable[..., None], *arguments: object) -> None:
        try:
            one(*arguments)
        except ImportRefusedError as refusal:
            refusals.append(str(refusal))

    yield check
    if refusals:
        raise ImportRefusedError(BETWEEN.join(refusals))


def header_again(source: Source, line: int) -> ImportRefusedError:
    """Returns the refusal of a file that repeats its header row, as joined files do."""
    return ImportRefusedError(RefusalMessages.HEADER_AGAIN.stored(file=source.name, line=line))


def no_rows(source: Source) -> ImportRefusedError:
    """Returns the refusal of a file without rows."""
    has_header = source.has_header and formats.named(source.format).has_header
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


def readable_name(path: Path) -> str:
    r"""Returns the name of a file; bytes that are no UTF-8 as `\xb0`.

    On Linux a name may be any bytes, such as CP949 after an archive of Windows was unpacked.
    """
    return os.fsencode(path.name).decode("utf-8", "backslashreplace")


def regular_file(path: Path) -> os.stat_result:
    """Returns the status of a file.

    Raises ImportRefusedError if the path does not exist, is no regular file, is an empty file, or
    has a name that is no text.
    """
    if (name := readable_name(path)) != path.name:
        raise ImportRefusedError(RefusalMessages.NO_NAME.stored(file=name))
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
        file.open() as raw,
        compressions.inside(raw, file.compression) as stream,
    ):
        yield stream
