"""Parses blocks into rows. All parts of the import read rows through this module."""

import re
from collections.abc import Container, Iterator

from incidents.importing import formats, reading, rejects
from incidents.importing.blocks import FileBlock, blocks_of
from incidents.importing.formats.base import ParsedRow
from incidents.importing.formulas import restored
from incidents.importing.reading import REJECT_COLUMNS, Row, Source
from incidents.importing.refusals import RejectMessages

HEADER = "header"  # takes the place of a defect: this row repeats the header
WRONG_NUMBER = RejectMessages.WRONG_NUMBER.stored()
_ESCAPED = re.compile("[\udc80-\udcff]")  # a byte that could not be decoded


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
        self._format, self._columns = formats.named(source.format), source.header
        self._encoding = "utf-8" if source.encoding == reading.UTF8_MARKED else source.encoding
        self._is_plain = not source.is_reject_file

    def rows(self, block: FileBlock) -> Iterator[ParsedRow]:
        """Yields the line, the cells and the defect of each row.

        A good row has the defect "" and one cell for each column. Otherwise the defect is HEADER or
        a stored RejectMessages sentence. The cells of a defective row may be fewer or more, and may
        hold surrogates.
        """
        text, is_clean = self._text(block)
        is_usual = is_clean and self._is_plain
        width, has_header = len(self._columns), self._format.has_header
        first_name = self._columns[0] if self._columns else ""
        for line, cells, defect in self._format.rows(text, block.line, self._columns):
            if defect:
                yield line, cells, defect
            elif len(cells) != width:
                yield line, cells, WRONG_NUMBER
            elif has_header and first_name in cells[0] and self._is_header(cells):
                yield line, cells, HEADER
            elif is_usual:
                yield line, cells, ""
            else:
                yield line, *self._checked(cells, is_clean=is_clean)

    def raw_rows(self, block: FileBlock, lines: Container[int] | None = None) -> Iterator[Row]:
        """Yields the rows as they are in the file; only those that begin on `lines`, if given.

        A row with a wrong number of cells or with undecodable bytes has no defect here.
        """
        text, _ = self._text(block)
        for line, cells, defect in self._format.rows(text, block.line, self._columns):
            if lines is None or line in lines:
                raw = [self._original_bytes(cell) for cell in cells]
                yield Row(line, raw, "" if defect == rejects.UNDECODABLE else defect)

    def _text(self, block: FileBlock) -> tuple[str, bool]:
        """Returns the text of a block, and whether all of it could be decoded."""
        try:
            return block.data.decode(self._encoding), True
        except UnicodeDecodeError:
            return block.data.decode(self._encoding, "surrogateescape"), False

    def _original_bytes(self, cell: str) -> str:
        if cell.isascii():
            return cell
        try:
            return cell.encode(self._encoding, "surrogateescape").decode("latin-1")
        except UnicodeEncodeError:  # half a character, written as \ud800 in JSON
            return cell.encode("utf-8", "replace").decode("latin-1")

    def _is_header(self, cells: list[str]) -> bool:
        names = [cell.strip() for cell in cells]
        if not self._is_plain:
            names[2:] = map(restored, names[2:])
        return names == self._columns

    def _checked(self, cells: list[str], *, is_clean: bool) -> tuple[list[str], str]:
        """Returns the cells and the defect of a row in a block that needs a closer look.

        Such a block has undecodable bytes, or belongs to a reject file that comes back corrected.
        The cells of a reject file are restored, except its own first columns.
        """
        if not is_clean and _ESCAPED.search("".join(cells)):
            return cells, rejects.UNDECODABLE
        if self._is_plain:
            return cells, ""
        own = len(REJECT_COLUMNS)
        if rejects.is_uncorrected(cells[1], cells[own:]):
            return cells, rejects.UNDECODABLE
        return [*cells[:own], *map(restored, cells[own:])], ""
