"""Parses blocks into rows. All parts of the import read rows through this module."""

import re
from collections.abc import Container, Iterator

from foundations.formulas import restored
from incidents.importing import formats, korean_text, mixed_utf8, reading, rejects
from incidents.importing.blocks import FileBlock, blocks_of
from incidents.importing.formats.base import NestedText, ParsedRow
from incidents.importing.headers import HeaderNames
from incidents.importing.reading import REJECT_COLUMNS, Row, Source
from incidents.importing.row_messages import RejectMessages

HEADER = "header"  # takes the place of a defect: this row repeats the header
WRONG_NUMBER = RejectMessages.WRONG_NUMBER.stored()
_ESCAPED = re.compile("[\udc80-\udcff]")  # a byte that could not be decoded
_MARK = "\ufeff"
_MARKS_BEFORE_ROWS = re.compile(rf"^{_MARK}+", re.MULTILINE)


def rows_of(source: Source) -> Iterator[Row]:
    """Yields every row after the header as it is in the file, in file order.

    Raises ImportRefusedError where a fault is found that refuses the file.
    """
    reader = RowReader(source)
    for block in blocks_of(source):
        yield from reader.raw_rows(block)


class RowReader:
    """A parser of the blocks of one file."""

    def __init__(self, source: Source) -> None:
        self._format, self._columns, self._extra = (
            formats.of(source),
            source.header,
            source.extra_cells,
        )
        self._names = HeaderNames(source.header)
        self._encoding = source.content_encoding
        # In a converted file, an undecodable byte is a surrogate that is written like a character.
        self._is_converted = source.is_converted
        self._errors = "surrogatepass" if source.is_converted else "surrogateescape"
        self._is_reject_file = source.is_reject_file
        self._own = len(REJECT_COLUMNS) if self._is_reject_file else 0
        used = [source.used is None or name in source.used for name in source.header]
        self._used = [place for place, is_used in enumerate(used) if is_used]
        self._others = [place for place, is_used in enumerate(used) if not is_used]
        self._uses_all = not self._others
        self._single = [
            (place, name) for place, name in enumerate(source.header) if name in source.single
        ]
        self._may_mix_encodings = self._encoding == reading.CP949
        # The encoding of a converted file in which a row of UTF-8 reads as other letters, or "".
        self._other_encoding = source.encoding if mixed_utf8.may_hide_in(source.encoding) else ""
        is_nested = bool(self._single) and not self._format.has_header
        self._is_plain = not (self._is_reject_file or is_nested)

    def rows(self, block: FileBlock) -> Iterator[ParsedRow]:
        """Yields the line, the cells and the defect of each row.

        A good row has the defect "" and one cell for each column. Otherwise the defect is HEADER or
        a stored RejectMessages sentence. The cells of a defective row may be fewer or more, and may
        hold surrogates. So may the cells of columns that the mapping does not use.
        """
        text, is_clean = self._text(block)
        is_mixed = self._may_mix_encodings and korean_text.may_hold_utf8(block.data)
        is_mixed |= bool(self._other_encoding) and not text.isascii()
        is_usual, width = is_clean and self._is_plain and not is_mixed, len(self._columns)
        may_be_header = self._names.may_be_in if self._format.has_header else _never
        are_words = self._names.are_words
        for row in self._parsed(text, block.line):
            line, cells, defect = row
            if defect:
                yield row
            elif (
                not (are_words and cells[0].isdecimal())
                and may_be_header(cells[0])
                and self._is_header(cells)
            ):
                yield line, cells, HEADER
            elif len(cells) != width:
                yield line, cells, WRONG_NUMBER
            elif is_usual:
                yield row
            else:
                yield line, *self._checked(cells, is_clean=is_clean, is_mixed=is_mixed)

    def raw_rows(self, block: FileBlock, lines: Container[int] | None = None) -> Iterator[Row]:
        """Yields the rows as they are in the file; only those that begin on `lines`, if given.

        A row with a wrong number of cells or with undecodable bytes has no defect here.
        """
        text, _ = self._text(block)
        for line, cells, defect in self._parsed(text, block.line):
            if lines is None or line in lines:
                raw = [self._original_bytes(cell) for cell in cells]
                yield Row(line, raw, defect)

    def text_lines(self, block: FileBlock) -> list[str]:
        """Returns the physical lines of a block, for `rows_of_lines`."""
        return self._text(block)[0].split("\n")

    def rows_of_lines(self, row: Row, lines: list[str], first: int) -> Iterator[Row]:
        """Yields each physical line of a row as a row, cut at separators, with its quotes.

        `lines` are those of its block, which begins on the line `first`.
        """
        end = row.line + 1 + sum(cell.count("\n") for cell in row.cells)
        for number in range(row.line, end):
            cells = lines[number - first].rstrip("\r").split(",")
            yield Row(number, [self._original_bytes(cell) for cell in cells])

    def _text(self, block: FileBlock) -> tuple[str, bool]:
        """Returns the text of a block, and whether all of it could be decoded."""
        try:
            text, is_whole = block.data.decode(self._encoding), True
        except UnicodeDecodeError:
            text, is_whole = block.data.decode(self._encoding, self._errors), False
        if _MARK in text:  # of a file that others were joined to; before a quote it would hide it
            text = _MARKS_BEFORE_ROWS.sub("", text)
        return text, is_whole and not (self._is_converted and "\\udc" in text)

    def _parsed(self, text: str, line: int) -> Iterator[ParsedRow]:
        rows = self._format.rows(text, line, self._columns)
        return self._without_extra_cells(rows) if self._extra else rows

    def _without_extra_cells(self, rows: Iterator[ParsedRow]) -> Iterator[ParsedRow]:
        """Yields the rows without the blank cells that every row of the file has at its end.

        A row without them lacks a cell somewhere, so it is made too short.
        """
        extra = self._extra
        for line, cells, defect in rows:
            has_extra = len(cells) > extra and not any(cells[-extra:])
            yield line, cells[:-extra] if has_extra and not defect else cells, defect

    def _original_bytes(self, cell: str) -> str:
        if cell.isascii():
            return cell
        if self._other_encoding and (text := self._utf8_of(cell)):
            return text.encode().decode("latin-1")
        if self._is_converted:
            return _ESCAPED.sub(_as_escape, cell).encode("utf-8", "replace").decode("latin-1")
        if self._may_mix_encodings and (text := korean_text.utf8_in_cp949(cell)):
            return text.encode(self._encoding, "backslashreplace").decode("latin-1")
        try:
            return cell.encode(self._encoding, "surrogateescape").decode("latin-1")
        except UnicodeEncodeError:  # half a character, written as \ud800 in JSON
            return cell.encode("utf-8", "replace").decode("latin-1")

    def _utf8_of(self, cell: str) -> str:
        return mixed_utf8.text_in(cell, self._other_encoding)

    def _hidden_utf8(self, cell: str) -> str:
        """Returns the text of a cell of UTF-8 in a file of another encoding, or ""."""
        if self._may_mix_encodings:
            return korean_text.utf8_in_cp949(cell)
        return self._other_encoding and self._utf8_of(cell)

    def _escape_others(self, cells: list[str]) -> None:
        """Makes hidden UTF-8 undecodable bytes, in columns that need not be decodable."""
        for place in self._others:
            if text := self._hidden_utf8(cells[place]):
                cells[place] = text.encode().decode("ascii", "surrogateescape")

    def _is_header(self, cells: list[str]) -> bool:
        own = self._own
        return self._names.are_in([*cells[:own], *map(restored, cells[own:])] if own else cells)

    def _checked(
        self, cells: list[str], *, is_clean: bool, is_mixed: bool
    ) -> tuple[list[str], str]:
        """Returns the cells and the defect of a row that needs a closer look.

        `is_clean` says whether the whole block could be decoded, and `is_mixed` whether a cell of
        it may be UTF-8 in a file of another encoding.
        The cells of a reject file are restored, except its own first columns.
        """
        used = cells if self._uses_all else [cells[place] for place in self._used]
        if not is_clean and _ESCAPED.search("".join(used)):
            return cells, rejects.UNDECODABLE
        if is_mixed and any(map(self._hidden_utf8, used)):
            inside = RejectMessages.UTF8_INSIDE.stored(encoding=self._other_encoding)
            return cells, inside if self._other_encoding else RejectMessages.OTHER_ENCODING.stored()
        if is_mixed:
            self._escape_others(cells)
        for place, name in self._single:
            if isinstance(cells[place], NestedText):
                return cells, RejectMessages.NESTED.stored(column=name)
        if not self._is_reject_file:
            return cells, ""
        own = self._own
        if rejects.is_uncorrected(cells[1], used[own:] if self._uses_all else used):
            return cells, rejects.UNDECODABLE
        return [*cells[:own], *map(restored, cells[own:])], ""


def is_blank(cells: list[str]) -> bool:
    """Returns whether no cell of a row holds anything, as in `,,,`, which spreadsheets leave."""
    return not any(map(str.strip, cells))


def _never(_cell: str) -> bool:
    return False


def _as_escape(byte: re.Match[str]) -> str:
    return f"\\x{ord(byte[0]) - 0xDC00:02x}"
