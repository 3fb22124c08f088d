"""Reads the rows of a dump: from bytes to cells, with the line each row begins on.

Memory stays flat whatever the file is: it is read as a stream, and a row is bounded. A defect of
one row is that row's; a file that is not what it says is refused as a whole, in one line that names
the file, the place and the mend.
"""

import csv
import gzip
import hashlib
import io
import os
import stat
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from incidents.formulas import restored

MAX_ROW_BYTES = 1 << 20
MAX_COLUMNS = 2_000
_WINDOW_BYTES = 1 << 20
UTF8, UTF8_MARKED, CP949 = "utf-8", "utf-8-sig", "cp949"
_SPELLINGS = {
    "utf-8": UTF8,
    "utf8": UTF8,
    "utf-8-sig": UTF8,
    "cp949": CP949,
    "ms949": CP949,
    "uhc": CP949,
    "euc-kr": CP949,
    "euckr": CP949,
}
_MARK = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_OTHER_FORMATS = {
    b"PK\x03\x04": "a ZIP or Excel file; save it as CSV first",
    b"\xd0\xcf\x11\xe0": "an old Excel file; save it as CSV first",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; decompress it first",
    b"BZh": "compressed with bzip2; decompress it first",
    b"\xfd7zXZ": "compressed with xz; decompress it first",
    b"\xff\xfe": "UTF-16; save it as UTF-8 first",
    b"\xfe\xff": "UTF-16; save it as UTF-8 first",
}
# A reject file's own first columns; see incidents.rejects.
REJECT_COLUMNS = ["line", "reason"]

# Rows are bounded by the bytes fed to the csv module, so its own smaller bound must not come first.
csv.field_size_limit(MAX_ROW_BYTES * 2)


class ImportRefusedError(Exception):
    """A file, a mapping or a wish is refused; the message is one line for an operator.

    It names files, lines, columns and mends, never a cell's value.
    """


class Row(NamedTuple):
    """One row as it stands in the file."""

    line: int  # its first physical line; the header is line 1
    cells: list[str]  # bytes as Latin-1 text; see Source.decode
    defect: str = ""  # why it cannot be taken as a row at all


@dataclass(frozen=True, kw_only=True)
class Source:
    """A file that passed the first examination."""

    path: Path
    size: int  # bytes on disk
    sha256: str  # of the bytes on disk
    encoding: str  # utf-8, utf-8-sig or cp949
    is_gzip: bool
    header: list[str]
    changed_ns: int  # the file's modification time

    @property
    def is_reject_file(self) -> bool:
        """Whether an earlier import wrote it, and it comes back corrected."""
        return self.header[:2] == REJECT_COLUMNS

    def decode(self, cell: str, errors: str = "strict") -> str:
        """The text of a cell of a Row; raises UnicodeDecodeError."""
        if cell.isascii():
            return cell
        return cell.encode("latin-1").decode(self.encoding, errors)


def examine(path: Path, encoding: str = "") -> Source:
    """Finds out what the file is, without reading its rows.

    `encoding` is what somebody said it to be; without it, it is detected. Raises
    ImportRefusedError.
    """
    status = _regular_file(path)
    with _refusing_read_errors(path), path.open("rb") as raw:
        start = raw.read(8)
        _refuse_other_formats(path.name, start)
        raw.seek(0)
        sha256 = hashlib.file_digest(raw, "sha256").hexdigest()
    is_gzip = _is_gzip(path, start)
    first = _first_row(path, is_gzip=is_gzip)
    # A reject file is UTF-8, or what a spreadsheet made of it, whatever the dump was.
    said = "" if first.cells[:2] == REJECT_COLUMNS else encoding
    chosen = _encoding_of(path, said, is_gzip=is_gzip)
    return Source(
        path=path,
        size=status.st_size,
        sha256=sha256,
        encoding=chosen,
        is_gzip=is_gzip,
        header=_column_names(path, first, chosen),
        changed_ns=status.st_mtime_ns,
    )


def rows(source: Source) -> Iterator[Row]:
    """Every row after the header, in file order. Raises ImportRefusedError at the place."""
    found = False
    header: list[str] | None = None
    for row in _all_rows(source.path, is_gzip=source.is_gzip):
        if header is None:
            header = row.cells
            continue
        if row.cells == header:
            raise ImportRefusedError(
                f"{source.path.name}, line {row.line}: the header stands here again; "
                "remove this line, or import the joined files one by one"
            )
        found = True
        yield row
    if not found:
        raise ImportRefusedError(
            f"{source.path.name}: no rows after the header; export the file again"
        )
    _refuse_changed(source)


def _regular_file(path: Path) -> os.stat_result:
    try:
        status = path.stat()
    except OSError as error:
        raise ImportRefusedError(f"{path}: {error.strerror}; check the path") from None
    if not stat.S_ISREG(status.st_mode):
        raise ImportRefusedError(f"{path}: not a regular file; name one file")
    if status.st_size == 0:
        raise ImportRefusedError(f"{path.name}: the file is empty; export it again")
    return status


def _refuse_other_formats(name: str, start: bytes) -> None:
    for magic, what in _OTHER_FORMATS.items():
        if start.startswith(magic):
            raise ImportRefusedError(f"{name}: {what}")


def _is_gzip(path: Path, start: bytes) -> bool:
    if not start.startswith(_GZIP):
        if path.suffix.lower() == ".gz":
            raise ImportRefusedError(
                f"{path.name}: named .gz but not compressed with gzip; "
                "fetch it again, or rename it if it is plain CSV"
            )
        return False
    inside = _beginning(path, is_gzip=True)
    if not inside:
        raise ImportRefusedError(f"{path.name}: nothing inside the gzip file; export it again")
    _refuse_other_formats(f"{path.name}, inside gzip", inside)
    return True


def _refuse_changed(source: Source) -> None:
    now = _regular_file(source.path)
    if (now.st_size, now.st_mtime_ns) != (source.size, source.changed_ns):
        raise ImportRefusedError(
            f"{source.path.name}: changed while it was read; import a copy that stands still"
        )


# Bytes


@contextmanager
def _refusing_read_errors(path: Path, where: str = "") -> Iterator[None]:
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise ImportRefusedError(
            f"{path.name}{where}: the gzip data is cut short or damaged; fetch it again"
        ) from None
    except OSError as error:
        raise ImportRefusedError(f"{path.name}{where}: {error.strerror or error}") from None


@contextmanager
def _opened(path: Path, *, is_gzip: bool) -> Iterator[io.BufferedReader]:
    with _refusing_read_errors(path):
        raw = path.open("rb")
    with raw:
        if not is_gzip:
            yield raw
            return
        with gzip.GzipFile(fileobj=raw) as inside:
            # Its own readline() goes byte by byte through Python; a buffer in between does not.
            yield io.BufferedReader(inside, _WINDOW_BYTES)


def _beginning(path: Path, *, is_gzip: bool) -> bytes:
    with _opened(path, is_gzip=is_gzip) as stream, _refusing_read_errors(path):
        return stream.read(8)


class _Lines(Iterator[str]):
    """Physical lines as Latin-1 text, one character a byte, for the csv module.

    Latin-1 keeps every byte, and neither UTF-8 nor CP949 uses the bytes of a comma, a quote or a
    line break inside a character, so rows can be cut before they are decoded and bytes that are
    not of the encoding spoil their own row only.
    """

    def __init__(self, path: Path, stream: io.BufferedReader) -> None:
        self.path, self.number = path, 0
        self._readline = stream.readline
        self.begin_row()

    def begin_row(self) -> int:
        """The number of the next line, which a row begins on."""
        self._row_line, self._row_bytes, self._row = self.number + 1, 0, list[bytes]()
        return self._row_line

    def row_as_it_stands(self) -> str:
        """What was read since the row began."""
        return b"".join(self._row).decode("latin-1").rstrip("\r\n")

    def __next__(self) -> str:
        line = self._read()
        if not line:
            raise StopIteration
        self.number += 1
        self._row_bytes += len(line)
        self._row.append(line)
        if self._row_bytes > MAX_ROW_BYTES:
            raise ImportRefusedError(
                f"{self.path.name}, line {self._row_line}: the row that begins here is longer than "
                "1 MiB; is a quote never closed, or is this no CSV file?"
            )
        if b"\0" in line:
            raise ImportRefusedError(
                f"{self.path.name}, line {self.number}: a NUL byte; this is a binary or UTF-16 "
                "file, or a damaged one: export it again as UTF-8 text"
            )
        if self.number == 1:
            line = line.removeprefix(_MARK)
        return line.decode("latin-1")

    def _read(self) -> bytes:
        try:
            return self._readline(MAX_ROW_BYTES + 1)
        except (EOFError, OSError, zlib.error):
            with _refusing_read_errors(self.path, f", line {self.number + 1}"):
                raise


def _all_rows(path: Path, *, is_gzip: bool) -> Iterator[Row]:
    """The header and what follows, blank lines left out."""
    with _opened(path, is_gzip=is_gzip) as stream:
        lines = _Lines(path, stream)
        parser = csv.reader(lines, strict=True)
        while True:
            first = lines.begin_row()
            try:
                cells = next(parser)
            except StopIteration:
                return
            except csv.Error as error:
                defect = _defect(path, first, str(error))
                yield Row(first, [lines.row_as_it_stands()], defect)
                continue
            if cells:
                yield Row(first, cells)


def _defect(path: Path, line: int, error: str) -> str:
    if "unexpected end of data" in error:
        raise ImportRefusedError(
            f"{path.name}, line {line}: the row that begins here ends inside a quote; "
            "the file is cut short, or the quote is never closed"
        )
    return "misplaced quote" if "expected after" in error else "misplaced line break"


# Encoding and header


def _encoding_of(path: Path, said: str, *, is_gzip: bool) -> str:
    """The encoding, as said if that can be, else as the bytes show it."""
    declared = _SPELLINGS.get(said.lower().replace("_", "-")) if said else None
    if said and declared is None:
        raise ImportRefusedError(f"{path.name}: unknown encoding {said!r}; give utf-8 or cp949")
    if _beginning(path, is_gzip=is_gzip).startswith(_MARK):
        if declared == CP949:
            raise ImportRefusedError(
                f"{path.name}: said to be cp949, but it begins with a UTF-8 mark; "
                "leave the encoding out"
            )
        return UTF8_MARKED
    shares = _shares_of_readable_lines(path, is_gzip=is_gzip)
    if declared and shares[declared] == 1:
        return declared
    detected = max(shares, key=lambda name: shares[name])
    if shares[detected] < 0.5:
        raise ImportRefusedError(
            f"{path.name}: neither UTF-8 nor CP949 text; export it again as UTF-8"
        )
    if declared and declared != detected:
        raise ImportRefusedError(
            f"{path.name}: said to be {declared}, but its bytes are {detected}; "
            "leave the encoding out, or name the right one"
        )
    return detected


def _shares_of_readable_lines(path: Path, *, is_gzip: bool) -> dict[str, float]:
    """Of the lines that are not ASCII, in the first window that has any, the share each
    encoding can read. UTF-8 comes first: what could be both is UTF-8.
    """
    with _opened(path, is_gzip=is_gzip) as stream, _refusing_read_errors(path):
        while window := stream.read(_WINDOW_BYTES):
            if not window.isascii():
                window += stream.readline(MAX_ROW_BYTES)
                break
    lines = [line for line in window.split(b"\n") if not line.isascii()]
    return {
        encoding: sum(_reads(line, encoding) for line in lines) / len(lines) if lines else 1.0
        for encoding in (UTF8, CP949)
    }


def _reads(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _first_row(path: Path, *, is_gzip: bool) -> Row:
    first = next(_all_rows(path, is_gzip=is_gzip), None)
    if first is None:
        raise ImportRefusedError(f"{path.name}: the file holds blank lines only; export it again")
    return first


def _column_names(path: Path, first: Row, encoding: str) -> list[str]:
    try:
        names = [cell.encode("latin-1").decode(encoding).strip() for cell in first.cells]
    except UnicodeDecodeError:
        names = []
    if first.defect or not any(names):
        raise ImportRefusedError(
            f"{path.name}, line {first.line}: this is no header row; "
            "the first line must name the columns, separated by commas"
        )
    if names[:2] == REJECT_COLUMNS:
        names[2:] = map(restored, names[2:])
    if len(names) > MAX_COLUMNS:
        raise ImportRefusedError(
            f"{path.name}, line {first.line}: the header names {len(names):,} columns; "
            f"at most {MAX_COLUMNS:,} can be read"
        )
    twice = sorted(name for name, count in Counter(names).items() if name and count > 1)
    if twice:
        raise ImportRefusedError(
            f"{path.name}, line {first.line}: the header names {', '.join(twice)} twice; "
            "give each column a name of its own"
        )
    return names
