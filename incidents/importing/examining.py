"""Determines what a file is before it is imported: kind, encoding, dialect and columns.

A file that cannot be cut into blocks as it is, such as a spreadsheet or UTF-16 text, is converted
once, as a stream, to a temporary file without a name (see spools). Rows keep their line numbers.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Mapping as MappingType
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from foundations.formulas import restored
from incidents.importing import (
    column_refusals,
    encoding_detection,
    escaped_rows,
    file_kinds,
    formats,
    json_documents,
    long_form,
    spreadsheets,
    text_conversion,
)
from incidents.importing.blocks import cut
from incidents.importing.compressions import PLAIN
from incidents.importing.dialects import (
    SampleRow,
    dialect_of,
    sample_rows,
    share_of_width,
)
from incidents.importing.encodings import codec_of, texts_of
from incidents.importing.formats.base import (
    DEFAULT_DIALECT,
    Dialect,
    DoubtfulText,
    Format,
    NestedText,
    ParsedRow,
)
from incidents.importing.headers import HeaderNames, name_key, places_by_key
from incidents.importing.reading import (
    CSV,
    MARK,
    REJECT_COLUMNS,
    UTF8,
    UTF8_MARKED,
    Declared,
    File,
    ImportRefusedError,
    Source,
    Windows,
    nul_byte,
    regular_file,
    row_too_long,
)
from incidents.importing.refusals import RefusalMessages

MAX_COLUMNS = 2_000
# The first rows, from which separators and escapes are determined, and the columns of JSON.
SAMPLE_BYTES, _KEY_BYTES, _MOST_ROWS = 1 << 17, 1 << 20, 2_000
_DATA = re.compile(r"[\d@]")
_NOTHING_DECLARED = Declared()


class _Content(NamedTuple):
    """What was determined of a file so far."""

    file: File  # as its rows can be read
    format: Format
    encoding: str  # of the file as it was sent
    likely_encoding: str = ""  # see Source
    separator: str = ""  # that its first line names
    dialect: Dialect = DEFAULT_DIALECT
    sheet: str = ""  # the name of the sheet that is read
    has_other_sheets: bool = False
    uncomputed: MappingType[int, int] = MappingProxyType({})  # see spreadsheets.Sheet
    merged: MappingType[int, int] = MappingProxyType({})  # the same
    counts_from_1904: bool = False  # the same

    @property
    def rows_are_converted(self) -> bool:
        return self.format.name == formats.CONVERTED_ROWS.name or bool(self.dialect.escape)


def examine(path: Path, encoding: str = "", declared: Declared = _NOTHING_DECLARED) -> Source:
    """Returns what a file is: its size, digests, compression, format, encoding and columns.

    `encoding` is the encoding that the operator declares, "" for that of `declared`, which is what
    the mapping says. Raises ImportRefusedError.
    """
    status = regular_file(path)
    if _is_reject_file(path):
        # A reject file is CSV, in the encoding and dialect that a spreadsheet saved it in.
        encoding, declared = "", _without_form(declared)
    content = _content_of(File(path, PLAIN), encoding or declared.encoding, declared)
    columns = _Columns(content, declared)
    with ThreadPoolExecutor(1) as thread:  # both digests are computed at the same time
        sha256 = thread.submit(_digest_of, path)
        content_sha256 = content_digest(content.file, content.encoding)
    return Source(
        path=path,
        size=status.st_size,
        sha256=sha256.result(),
        content_sha256=content_sha256,
        format=content.format.name,
        encoding=content.encoding,
        likely_encoding=content.likely_encoding,
        compression=content.file.compression,
        header=columns.names(),
        changed_ns=status.st_mtime_ns,
        dialect=content.dialect,
        has_header=content.format.has_header and not columns.declared.columns,
        extra_cells=columns.extra_cells(),
        used=_decodable(declared),
        single=declared.single,
        is_converted=content.file.is_converted,
        has_plain_rows=content.rows_are_converted,
        sheet=stored_sheet(content.sheet),
        has_other_sheets=content.has_other_sheets,
        spool=content.file.spool,
    )


def _digest_of(path: Path) -> str:
    with path.open("rb") as raw:
        return hashlib.file_digest(raw, "sha256").hexdigest()


def sheets_of(path: Path, named: str) -> list[str]:
    """Returns the sheets for which a refused file counts as failed.

    That is the sheet `named` by the mapping; if the file has no such sheet, or none is named, it is
    each filled sheet. [""] stands for the only sheet, for a file that is no spreadsheet, and for
    one that cannot be read. Raises OSError.
    """
    try:
        file, is_spreadsheet = file_kinds.unpacked(File(path, PLAIN))
        filled = spreadsheets.filled_sheets(file) if is_spreadsheet else []
    except ImportRefusedError:
        return [""]
    if len(filled) < 2:
        return [""]
    return [stored_sheet(named)] if named in filled else list(map(stored_sheet, filled))


def stored_sheet(name: str) -> str:
    """Returns the name of a sheet as ExposureFile.sheet has it."""
    return name.replace("\0", "")[:255]


def _is_reject_file(path: Path) -> bool:
    """Returns whether the file begins like a reject file, in an encoding that extends ASCII."""
    with path.open("rb") as raw:
        start = raw.read(64).removeprefix(MARK).replace(b"\0", b"").removeprefix(b"\xff\xfe")
    names = start.replace(b'"', b"").replace(b";", b",").replace(b"\t", b",").split(b",")
    return [name.decode("latin-1").strip() for name in names[:2]] == REJECT_COLUMNS


def _without_form(declared: Declared) -> Declared:
    return Declared(
        used=declared.used,
        single=declared.single,
        both=declared.both,
        describing=declared.describing,
        is_strict=declared.is_strict,
    )


def _decodable(declared: Declared) -> frozenset[str] | None:
    """Returns the columns that must be decodable; None for all."""
    if declared.is_strict or declared.used is None:
        return None
    return declared.used - declared.describing


# Kinds and conversions


def _content_of(file: File, label: str, declared: Declared) -> _Content:
    """Returns the content of a file in a form whose rows can be read."""
    file, is_spreadsheet = file_kinds.unpacked(file)
    file_kinds.refuse_uncompressed(file)
    if is_spreadsheet:
        sheet = spreadsheets.converted(file, declared.sheet)
        return _Content(
            sheet.file,
            formats.CONVERTED_ROWS,
            UTF8,
            sheet=sheet.name,
            has_other_sheets=sheet.has_others,
            uncomputed=sheet.uncomputed,
            merged=sheet.merged,
            counts_from_1904=sheet.counts_from_1904,
        )
    encoding, likely = encoding_detection.encoding_of(file, label)
    file, separator = text_conversion.converted(file, encoding)
    start = file_kinds.first_bytes(file).removeprefix(MARK).lstrip()
    if json_documents.is_document(start.decode("latin-1")):
        lines = json_documents.converted(file, encoding)
        return _Content(lines, formats.named("jsonl"), encoding, likely)
    content = _Content(file, formats.recognise(start), encoding, likely, separator)
    return _in_its_dialect(content, declared) if content.format.name == CSV else content


def _in_its_dialect(content: _Content, declared: Declared) -> _Content:
    """Returns the content of a CSV file with its dialect; converted if it has escapes."""
    file, name = content.file, content.file.path.name
    dialect = dialect_of(_sample(content), declared, content.separator, name=name)
    if dialect.escape:
        file = escaped_rows.converted(file, content.encoding, dialect)
    return content._replace(file=file, dialect=dialect)


def _sample(content: _Content) -> str:
    """Returns the first rows as text: about SAMPLE_BYTES, whole rows of the default dialect.

    Raises ImportRefusedError if all rows are blank.
    """
    data = file_kinds.first_bytes(content.file, SAMPLE_BYTES + 1)
    data = data.removeprefix(MARK)
    if len(data) > SAMPLE_BYTES:
        data = data[: data.rfind(b"\n") + 1]
        if not data:
            raise row_too_long(content.file.path.name, 1)
    if not data.strip():
        raise ImportRefusedError(RefusalMessages.BLANK.stored(file=content.file.path.name))
    data, nul, _ = data.partition(b"\0")
    if nul and b"\n" not in data.lstrip():  # later, the rows before it are read first
        raise nul_byte(content.file.path.name, data.count(b"\n") + 1)
    encoding = UTF8 if content.file.is_converted else codec_of(content.encoding)
    return data.decode(encoding, "surrogateescape")


def content_digest(file: File, encoding: str) -> str:
    """Returns the SHA-256 of the text of a file, as 64 hexadecimal digits.

    Two files with the same text have the same digest, whatever their compression, encoding, byte
    order mark, kind of line breaks and number of line breaks at the end. Raises ImportRefusedError.
    """
    digest, breaks = hashlib.sha256(), 0
    for text in _texts_with_line_feeds(file, encoding):
        if body := text.rstrip(b"\n"):
            digest.update(b"\n" * breaks)
            digest.update(body)
            breaks = 0
        breaks += len(text) - len(body)
    return digest.hexdigest()


def _texts_with_line_feeds(file: File, encoding: str) -> Iterator[bytes]:
    """Yields the text of a file in UTF-8, in pieces, without a mark and with LF as line break."""
    rest, is_first = b"", True
    for window in _texts_in_utf8(file, encoding):
        text = rest + (window.removeprefix(MARK) if is_first else window)
        rest = text[-1:] if text.endswith(b"\r") else b""
        whole = text[: len(text) - len(rest)]
        # The search for two bytes takes twenty times as long as that for one.
        yield whole.replace(b"\r\n", b"\n") if b"\r" in whole else whole
        is_first = False
    yield rest.replace(b"\r", b"\n")


def _texts_in_utf8(file: File, encoding: str) -> Iterator[bytes]:
    if file.is_converted or encoding in (UTF8, UTF8_MARKED):
        yield from Windows(file)
        return
    for text in texts_of(file, encoding):
        yield text.encode("utf-8", "surrogatepass")


# Columns


class _Columns:
    """The columns of a file, and what its first rows say about them."""

    def __init__(self, content: _Content, declared: Declared) -> None:
        self._content, self._name = content, content.file.path.name
        self._rows = self._first_rows()
        is_reject_file = bool(self._rows) and self._rows[0].cells[:2] == REJECT_COLUMNS
        self.declared = _without_form(declared) if is_reject_file else declared

    def _first_rows(self) -> list[SampleRow]:
        content = self._content
        if content.rows_are_converted:
            rows = formats.CONVERTED_ROWS.rows(_sample(content), 1, ())
            return [SampleRow(*row) for row in rows]
        if content.format.name == CSV:
            return sample_rows(_sample(content), content.dialect)
        return []

    def names(self) -> list[str]:
        """Returns the column names, in the spelling of the mapping. Raises ImportRefusedError."""
        if not self._content.format.has_header:
            return self._keys()
        if not self._rows:
            raise ImportRefusedError(RefusalMessages.BLANK.stored(file=self._name))
        if not self.declared.columns:
            return self._header()
        first, columns = self._rows[0], list(self.declared.columns)
        if HeaderNames(columns).are_in(first.cells) or self._has_words_only_first():
            raise self._refused(RefusalMessages.COLUMNS_AND_HEADER, line=first.line)
        column_refusals.refuse_prefixed(self._rows, file=self._name)
        self._refuse_other_width(self._rows, columns)
        self._refuse_long_form(columns, [row.cells for row in self._rows if not row.defect])
        return columns

    def _has_words_only_first(self) -> bool:
        """Returns whether the first row lacks what every other row has: a digit or an `@`."""
        has_data = [bool(_DATA.search("".join(row.cells))) for row in self._rows]
        return len(has_data) > 1 and not has_data[0] and all(has_data[1:])

    def extra_cells(self) -> int:
        """Returns how many blank cells nearly every row has after those of the header.

        In a single row, they could also come from a comma inside a value.
        """
        if not self._rows or not self._content.format.has_header:
            return 0
        width = len(self.declared.columns or self._rows[0].cells)
        return self._blank_extra_cells(self._data_rows(), width)

    def _data_rows(self) -> list[SampleRow]:
        rows = self._rows if self.declared.columns else self._rows[1:]
        return [row for row in rows if not row.defect]

    def _blank_extra_cells(self, rows: Sequence[SampleRow], width: int) -> int:
        if len(rows) < 2:
            return 0
        [(usual, _)] = Counter(len(row.cells) for row in rows).most_common(1)
        with_blanks = [
            row for row in rows if len(row.cells) == usual and not any(row.cells[width:])
        ]
        is_usual = usual > width and len(with_blanks) >= 0.9 * len(rows)
        return usual - width if is_usual else 0

    # A format without a header

    def _keys(self) -> list[str]:
        content = self._content
        block = next(cut(content.file, content.format, at_least=_KEY_BYTES), None)
        if block is None:
            raise self._refused(RefusalMessages.NO_ROWS)
        encoding = UTF8 if content.file.is_converted else content.encoding
        head = block.data.decode(codec_of(encoding), "replace")
        names = content.format.column_names(head)
        if len(names) > MAX_COLUMNS:
            raise self._refused(
                RefusalMessages.TOO_MANY_KEYS, keys=f"{len(names):,}", most=f"{MAX_COLUMNS:,}"
            )
        names = self._in_mapping_spelling(names)
        self._refuse_wrapped(list(islice(content.format.rows(head, 1, names), 2)), names)
        self._refuse_nested(content.format, head, names)
        rows = content.format.rows(head, 1, names)
        self._refuse_long_form(names, (cells for _, cells, defect in rows if not defect))
        return names

    def _refuse_wrapped(self, rows: Sequence[ParsedRow], names: Sequence[str]) -> None:
        """Raises ImportRefusedError if the first of two rows holds the rows; see column_refusals.

        With a second one, it does so only if it has none of the columns that are used.
        """
        used = self.declared.used
        if len(rows) == 1 or (rows and used and not used & set(names)):
            line, cells, _ = rows[0]
            column_refusals.refuse_wrapped(line, cells, names, used, file=self._name)

    def _refuse_nested(self, form: Format, head: str, names: list[str]) -> None:
        """Raises ImportRefusedError if a contact column holds no single text in most rows.

        So it does if a column that is lacking stands inside another one.
        """
        rows = [cells for _, cells, defect in form.rows(head, 1, names) if not defect]
        lacking = (self.declared.used or frozenset()) - set(names)
        keys = [f'"{column.rpartition(".")[2]}"' for column in lacking]
        for place, column in enumerate(names):
            inside = [cells[place] for cells in rows if type(cells[place]) is NestedText]
            if any(key in cell for key in keys for cell in inside):
                raise self._refused(RefusalMessages.NESTED_COLUMN, column=column)
            nested = [cells[place] for cells in rows if isinstance(cells[place], NestedText)]
            if column in self.declared.single and 2 * len(nested) > len(rows):
                are_two = any(isinstance(cell, DoubtfulText) for cell in nested)
                message = RefusalMessages.TWO_KEYS if are_two else RefusalMessages.NESTED_COLUMN
                raise self._refused(message, column=column)

    # A header

    def _header(self) -> list[str]:
        first = self._rows[0]
        names = [name.strip().removeprefix("\ufeff") for name in first.cells]
        if (
            first.defect
            or not any(names)
            or any("\udc80" <= sign <= "\udcff" for sign in "".join(names))
        ):
            raise self._refused(RefusalMessages.NO_HEADER, line=first.line)
        if names[:2] == REJECT_COLUMNS:
            names[2:] = map(restored, names[2:])
        if len(names) > MAX_COLUMNS:
            columns, most = f"{len(names):,}", f"{MAX_COLUMNS:,}"
            raise self._refused(
                RefusalMessages.TOO_MANY_COLUMNS, line=first.line, columns=columns, most=most
            )
        if self.declared.used is None:
            column_refusals.refuse_title(self._rows, names, file=self._name)
        column_refusals.refuse_header_below(
            self._rows, names, self.declared.used or (), file=self._name
        )
        column_refusals.refuse_person(names, line=first.line, file=self._name)
        if names[:2] != REJECT_COLUMNS:
            column_refusals.refuse_prefixed(self._rows[1:], file=self._name)
        names = self._in_mapping_spelling(names)
        self._refuse_alike(names, first.line)
        self._refuse_cells(names, first.line)
        self._refuse_other_width(self._rows[1:], names)
        self._refuse_long_form(names, [row.cells for row in self._rows[1:] if not row.defect])
        return names

    def _in_mapping_spelling(self, names: list[str]) -> list[str]:
        """Returns the names; one that the mapping spells otherwise gets the spelling there."""
        places = places_by_key(names)
        for column in sorted(self.declared.used or ()):
            found = places.get(name_key(column), [])
            if column not in names and len(found) == 1:
                names[found[0]] = column
            elif column not in names and found:
                raise self._refused(
                    RefusalMessages.ALIKE,
                    line=self._rows[0].line if self._rows else 1,
                    columns=", ".join(str(place + 1) for place in found),
                )
        return names

    def _refuse_alike(self, names: list[str], line: int) -> None:
        """Raises ImportRefusedError if a column that is used occurs twice.

        The message names the positions, not the names: in a file without a header row, the repeated
        value is personal data, such as a person's name.
        """
        used = self.declared.used
        repeated = {name for name, count in Counter(names).items() if name and count > 1}
        if used is not None:
            repeated &= used
        if positions := [str(place) for place, name in enumerate(names, 1) if name in repeated]:
            raise self._refused(RefusalMessages.ALIKE, line=line, columns=", ".join(positions))

    def _refuse_cells(self, names: Sequence[str], header: int) -> None:
        """Raises ImportRefusedError if a used column has cells without their values."""
        content, used, file = self._content, self.declared.used or (), self._name
        column_refusals.refuse_uncomputed(names, used, content.uncomputed, file=file)
        column_refusals.refuse_merged(names, used, content.merged, header=header, file=file)
        if content.counts_from_1904:
            numbered = self.declared.numbered_days
            column_refusals.refuse_numbered_days(names, numbered, file=file)

    def _refuse_long_form(self, names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Raises ImportRefusedError if each row holds one attribute of a person."""
        if self.declared.identity not in names:
            return
        whole = [cells for cells in islice(rows, _MOST_ROWS) if len(cells) == len(names)]
        place = long_form.column_of_attributes(
            whole,
            identity=names.index(self.declared.identity),
            values=[place for place, name in enumerate(names) if name in self.declared.single],
            both=[place for place, name in enumerate(names) if name in self.declared.both],
        )
        if place >= 0:
            raise self._refused(RefusalMessages.LONG_FORM, column=names[place])

    def _refuse_other_width(self, rows: Sequence[SampleRow], names: Sequence[str]) -> None:
        """Raises ImportRefusedError if no row has as many cells as there are columns."""
        readable = [row for row in rows if not row.defect]
        if len(readable) < 3 or share_of_width(readable, len(names)):
            return
        if not self._blank_extra_cells(readable, len(names)):
            raise self._refused(
                RefusalMessages.OTHER_WIDTH,
                line=readable[0].line,
                columns=len(names),
                cells=len(readable[0].cells),
            )

    def _refused(self, why: RefusalMessages, **slots: object) -> ImportRefusedError:
        return ImportRefusedError(why.stored(file=self._name, **slots))
