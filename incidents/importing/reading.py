"""Reads the rows of a dump: from bytes to cells, with the line each row begins on.

Memory stays flat whatever the file is: it is read as a stream, and a row is bounded. A defect of
one row is that row's; a file that is not what it says is refused as a whole, in one line that names
the file, the place and the mend.
"""

import csv
import hashlib
import io
import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from incidents.importing import compressions, json_lines
from incidents.importing.compressions import DAMAGED, GZIP, MOST_EXPANSION, PLAIN, BombError
from incidents.importing.formulas import restored
from incidents.importing.refusals import RefusalMessages, RejectMessages

MAX_ROW_BYTES = 1 << 20
MAX_COLUMNS = 2_000
_WINDOW_BYTES = 1 << 20
READ_BYTES = 1 << 18
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
CSV, JSON_LINES = "csv", "jsonl"
HEADER = "header"  # instead of a defect: the header stands here again
_MARK = b"\xef\xbb\xbf"
# A file's column names are its header, or the keys of so many bytes of JSON Lines.
_JSON_HEAD_BYTES = 1 << 20
_OTHER_FORMATS = {
    b"PK\x03\x04": RefusalMessages.ZIP,
    b"\xd0\xcf\x11\xe0": RefusalMessages.OLD_EXCEL,
    b"BZh": RefusalMessages.BZIP2,
    b"\xfd7zXZ": RefusalMessages.XZ,
    b"\xff\xfe": RefusalMessages.UTF16,
    b"\xfe\xff": RefusalMessages.UTF16,
}
_SEPARATORS = {
    ";": RefusalMessages.SEMICOLONS,
    "\t": RefusalMessages.TABS,
    "|": RefusalMessages.BARS,
}
# A reject file's own first columns; see incidents.importing.rejects.
REJECT_COLUMNS = ["line", "reason"]

# Rows are bounded by the bytes fed to the csv module, so its own smaller bound must not come first.
csv.field_size_limit(MAX_ROW_BYTES * 2)


class ImportRefusedError(Exception):
    """A file, a mapping or a wish is refused; the message is one line for an operator, in English:
    one of Refused.
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
    format: str  # csv or jsonl
    encoding: str  # utf-8, utf-8-sig or cp949
    compression: str  # of compressions
    header: list[str]
    changed_ns: int  # the file's modification time

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
    file = _File(path, _compression(path, start))
    if _is_json(file):
        chosen = _encoding_of(file, encoding)
        form, header = JSON_LINES, _keys(file, chosen)
    else:
        first = _first_row(file)
        # A reject file is UTF-8, or what a spreadsheet made of it, whatever the dump was.
        said = "" if first.cells[:2] == REJECT_COLUMNS else encoding
        chosen = _encoding_of(file, said)
        form, header = CSV, _column_names(path, first, chosen)
    return Source(
        path=path,
        size=status.st_size,
        sha256=sha256,
        format=form,
        encoding=chosen,
        compression=file.compression,
        header=header,
        changed_ns=status.st_mtime_ns,
    )


def rows(source: Source) -> Iterator[Row]:
    """Every row of a CSV after the header, in file order. Raises ImportRefusedError at the place.

    The plain way to read; an import reads by blocks (incidents.importing.blocks) and finds the
    same, which tests hold.
    """
    found = False
    header: list[str] | None = None
    for row in _all_rows(_File(source.path, source.compression)):
        if header is None:
            header = row.cells
            continue
        if row.cells == header:
            raise header_again(source, row.line)
        found = True
        yield row
    if not found:
        raise no_rows(source)
    refuse_changed(source)


class Windows:
    """The bytes of a file, decompressed, piece by piece."""

    def __init__(self, source: Source) -> None:
        self._source, self.position = source, 0  # of bytes on disk

    def __iter__(self) -> Iterator[bytes]:
        """Raises ImportRefusedError."""
        with (
            _refusing_read_errors(self._source.path, kind=self._source.compression),
            self._source.path.open("rb") as raw,
            compressions.inside(raw, self._source.compression) as stream,
        ):
            while window := stream.read(READ_BYTES):
                self.position = raw.tell()
                yield window


def header_again(source: Source, line: int) -> ImportRefusedError:
    """The refusal of files that were joined with their headers."""
    return ImportRefusedError(RefusalMessages.HEADER_AGAIN.said(file=source.name, line=line))


def no_rows(source: Source) -> ImportRefusedError:
    """The refusal of a file without rows."""
    why = RefusalMessages.NO_ROWS_AFTER_HEADER if source.format == CSV else RefusalMessages.NO_ROWS
    return ImportRefusedError(why.said(file=source.name))


def row_too_long(name: str, line: int) -> ImportRefusedError:
    """The refusal of a row past MAX_ROW_BYTES."""
    return ImportRefusedError(RefusalMessages.TOO_LONG.said(file=name, line=line))


def nul_byte(name: str, line: int) -> ImportRefusedError:
    """The refusal of a file with a NUL byte."""
    return ImportRefusedError(RefusalMessages.NUL.said(file=name, line=line))


def unclosed_quote(name: str, line: int) -> ImportRefusedError:
    """The refusal of a file that ends inside a row."""
    return ImportRefusedError(RefusalMessages.UNCLOSED_QUOTE.said(file=name, line=line))


def _regular_file(path: Path) -> os.stat_result:
    try:
        status = path.stat()
    except OSError as error:
        why = RefusalMessages.NO_PATH.said(path=path, error=error.strerror)
        raise ImportRefusedError(why) from None
    if not stat.S_ISREG(status.st_mode):
        raise ImportRefusedError(RefusalMessages.NO_FILE.said(path=path))
    if status.st_size == 0:
        raise ImportRefusedError(RefusalMessages.EMPTY.said(file=path.name))
    return status


def _refuse_other_formats(place: str, start: bytes) -> None:
    for magic, why in _OTHER_FORMATS.items():
        if start.startswith(magic):
            raise ImportRefusedError(why.said(place_words=place))


def _compression(path: Path, start: bytes) -> str:
    compression = compressions.found_in(start)
    for suffix, meant in compressions.SUFFIXES.items():
        if path.suffix.lower() == suffix and compression != meant:
            raise ImportRefusedError(
                RefusalMessages.NOT_COMPRESSED.said(
                    file=path.name, suffix=suffix, compression=meant
                )
            )
    if compression != PLAIN:
        inside = _beginning(_File(path, compression))
        if not inside:
            raise ImportRefusedError(
                RefusalMessages.NOTHING_INSIDE.said(file=path.name, compression=compression)
            )
        place = RefusalMessages.INSIDE.said(file=path.name, compression=compression)
        _refuse_other_formats(place, inside)
    return compression


def refuse_changed(source: Source) -> None:
    """Raises ImportRefusedError if the file is not what was examined any more."""
    now = _regular_file(source.path)
    if (now.st_size, now.st_mtime_ns) != (source.size, source.changed_ns):
        raise ImportRefusedError(RefusalMessages.CHANGED.said(file=source.name))


# Bytes


class _File(NamedTuple):
    """Where bytes come from."""

    path: Path
    compression: str


@contextmanager
def _refusing_read_errors(path: Path, line: int = 0, kind: str = GZIP) -> Iterator[None]:
    try:
        yield
    except (*DAMAGED, BombError, OSError) as error:
        raise ImportRefusedError(_why_not_read(error, path.name, line, kind)) from None


def _why_not_read(error: Exception, file: str, line: int, kind: str) -> str:
    """`line` 0: it is not known where."""
    place = RefusalMessages.LINE.said(file=file, line=line) if line else file
    if isinstance(error, DAMAGED):
        return RefusalMessages.DAMAGED.said(place_words=place, compression=kind)
    if isinstance(error, BombError):
        return RefusalMessages.BOMB.said(place_words=place, times=MOST_EXPANSION)
    why = RefusalMessages.SYSTEM_AT if line else RefusalMessages.SYSTEM
    return why.said(file=file, line=line, error=getattr(error, "strerror", None) or error)


@contextmanager
def _opened(file: _File) -> Iterator[io.BufferedReader]:
    with _refusing_read_errors(file.path, kind=file.compression):
        raw = file.path.open("rb")
    with raw, compressions.inside(raw, file.compression) as stream:
        yield stream


def _beginning(file: _File) -> bytes:
    with _opened(file) as stream, _refusing_read_errors(file.path, kind=file.compression):
        return stream.read(8)


class _Lines(Iterator[str]):
    """Physical lines as Latin-1 text, one character a byte, for the csv module.

    Latin-1 keeps every byte, and neither UTF-8 nor CP949 uses the bytes of a comma, a quote or a
    line break inside a character, so rows can be cut before they are decoded and bytes that are
    not of the encoding spoil their own row only.
    """

    def __init__(self, file: "_File", stream: io.BufferedReader) -> None:
        self.path, self._kind = file
        self.number = 0
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
            raise row_too_long(self.path.name, self._row_line)
        if b"\0" in line:
            raise nul_byte(self.path.name, self.number)
        if self.number == 1:
            line = line.removeprefix(_MARK)
        return line.decode("latin-1")

    def _read(self) -> bytes:
        try:
            return self._readline(MAX_ROW_BYTES + 1)
        except (*DAMAGED, BombError, OSError):
            with _refusing_read_errors(self.path, self.number + 1, self._kind):
                raise


def _all_rows(file: _File) -> Iterator[Row]:
    """The header and what follows, blank lines left out."""
    with _opened(file) as stream:
        lines = _Lines(file, stream)
        parser = csv.reader(lines, strict=True)
        while True:
            first = lines.begin_row()
            try:
                cells = next(parser)
            except StopIteration:
                return
            except csv.Error as error:
                if "unexpected end of data" in str(error):
                    raise unclosed_quote(file.path.name, first) from None
                defect = defect_of(error)
                yield Row(first, [lines.row_as_it_stands()], defect)
                continue
            if cells:
                yield Row(first, cells)


def defect_of(error: csv.Error) -> str:
    """Why a row cannot be taken as a row, as its reject says it."""
    is_quote = "expected after" in str(error)
    return (RejectMessages.MISPLACED_QUOTE if is_quote else RejectMessages.MISPLACED_BREAK).said()


# Encoding and header


def _encoding_of(file: _File, said: str) -> str:
    """The encoding, as said if that can be, else as the bytes show it."""
    path = file.path
    declared = _SPELLINGS.get(said.lower().replace("_", "-")) if said else None
    if said and declared is None:
        raise ImportRefusedError(
            RefusalMessages.UNKNOWN_ENCODING.said(file=path.name, encoding=repr(said))
        )
    if _beginning(file).startswith(_MARK):
        if declared == CP949:
            raise ImportRefusedError(RefusalMessages.MARKED.said(file=path.name))
        return UTF8_MARKED
    shares = _shares_of_readable_lines(file)
    if declared and shares[declared] == 1:
        return declared
    detected = max(shares, key=lambda name: shares[name])
    if shares[detected] < 0.5:
        raise ImportRefusedError(RefusalMessages.NEITHER_ENCODING.said(file=path.name))
    if declared and declared != detected:
        raise ImportRefusedError(
            RefusalMessages.OTHER_ENCODING.said(file=path.name, said=declared, found=detected)
        )
    return detected


def _shares_of_readable_lines(file: _File) -> dict[str, float]:
    """Of the lines that are not ASCII, in the first window that has any, the share each
    encoding can read. UTF-8 comes first: what could be both is UTF-8.
    """
    with _opened(file) as stream, _refusing_read_errors(file.path, kind=file.compression):
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


def _is_json(file: _File) -> bool:
    """Whether the first line that is not blank begins a JSON object; no column is called so."""
    with _opened(file) as stream, _refusing_read_errors(file.path, kind=file.compression):
        start = stream.read(1 << 12).removeprefix(_MARK).lstrip()
    return start.startswith(b"{") and json_lines.begins_object(start)


def _keys(file: _File, encoding: str) -> list[str]:
    with _opened(file) as stream, _refusing_read_errors(file.path, kind=file.compression):
        head = stream.read(_JSON_HEAD_BYTES) + stream.readline(MAX_ROW_BYTES)
    names = json_lines.keys(head.removeprefix(_MARK).decode(encoding, "replace"))
    if len(names) > MAX_COLUMNS:
        why, keys = RefusalMessages.TOO_MANY_KEYS, f"{len(names):,}"
        raise ImportRefusedError(why.said(file=file.path.name, keys=keys, most=f"{MAX_COLUMNS:,}"))
    return names


def _first_row(file: _File) -> Row:
    first = next(_all_rows(file), None)
    if first is None:
        raise ImportRefusedError(RefusalMessages.BLANK.said(file=file.path.name))
    return first


def _column_names(path: Path, first: Row, encoding: str) -> list[str]:
    def refused(why: RefusalMessages, **slots: str) -> ImportRefusedError:
        return ImportRefusedError(why.said(file=path.name, line=first.line, **slots))

    try:
        names = [cell.encode("latin-1").decode(encoding).strip() for cell in first.cells]
    except UnicodeDecodeError:
        names = []
    if first.defect or not any(names):
        raise refused(RefusalMessages.NO_HEADER)
    if names[:2] == REJECT_COLUMNS:
        names[2:] = map(restored, names[2:])
    if len(names) > MAX_COLUMNS:
        columns, most = f"{len(names):,}", f"{MAX_COLUMNS:,}"
        raise refused(RefusalMessages.TOO_MANY_COLUMNS, columns=columns, most=most)
    if len(names) == 1 and (separator := next((s for s in _SEPARATORS if s in names[0]), "")):
        raise refused(RefusalMessages.ONE_COLUMN, separators_words=_SEPARATORS[separator].said())
    # By their places: without a header, what stands there twice is somebody's name.
    twice = {name for name, count in Counter(names).items() if name and count > 1}
    if alike := [str(place) for place, name in enumerate(names, 1) if name in twice]:
        raise refused(RefusalMessages.ALIKE, columns=", ".join(alike))
    return names
