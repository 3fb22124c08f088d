"""CSV with commas and double quotes, as databases and spreadsheets write it."""

import csv
import io
from collections.abc import Iterator, Sequence

from incidents.importing.formats.base import MAX_ROW_BYTES, Format, ParsedRow
from incidents.importing.refusals import RejectMessages

# Blocks already limit the length of a row. The smaller limit of the csv module must not apply.
csv.field_size_limit(MAX_ROW_BYTES * 2)


class CommaSeparated(Format):
    """CSV. A quoted cell may contain line breaks, so a row may have several lines.

    Neither UTF-8 nor CP949 uses the bytes of a comma, a quote or a line break inside a character.
    Rows are therefore cut before they are decoded, and undecodable bytes affect their own row only.
    """

    name = "csv"
    has_header = True
    may_hold_surrogates = False

    def matches(self, start: bytes) -> bool:  # noqa: ARG002
        """Returns True: any text can be CSV, so this format is tried last."""
        return True

    def rows(
        self,
        text: str,
        line: int,
        columns: Sequence[str],  # noqa: ARG002
    ) -> Iterator[ParsedRow]:
        """Yields every row that is not blank. After a faulty row, the next line starts a row."""
        parser = csv.reader(io.StringIO(text, newline="\n"), strict=True)
        read, offset = 0, line
        while True:
            try:
                for cells in parser:
                    line, read = read + offset, parser.line_num
                    if cells:
                        yield line, cells, ""
            except csv.Error as error:
                lines = text.split("\n")[read : parser.line_num]
                line, read = read + offset, parser.line_num
                yield line, ["\n".join(lines).rstrip("\r\n")], _defect_of(error)
            else:
                return

    def end_of_rows(self, data: bytes) -> int:
        """Returns the position after the last whole row; 0 if no row ends in `data`.

        A line without a quote is a row. The csv module finds the end of a row with a quote.
        """
        begin = 0
        while (quote := data.find(b'"', begin)) >= 0:
            begin = data.rfind(b"\n", begin, quote) + 1 or begin
            end = _end_of_quoted(data, begin)
            if not end:
                return begin
            begin = end
        return data.rfind(b"\n", begin) + 1 or begin

    def end_of_first_row(self, data: bytes, begin: int = 0) -> int:
        """Returns the position after the row that begins at `begin`; 0 if it does not end."""
        end = data.find(b"\n", begin) + 1
        if end and data.find(b'"', begin, end) < 0:
            return end
        return _end_of_quoted(data, begin)


class _Lines(Iterator[str]):
    """An iterator that gives the csv module one whole line at a time."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data, self.position, self.is_exhausted = data, position, False

    def __next__(self) -> str:
        end = self._data.find(b"\n", self.position) + 1
        if not end:
            self.is_exhausted = True
            raise StopIteration
        line = self._data[self.position : end]
        self.position = end
        return line.decode("latin-1")


def _end_of_quoted(data: bytes, begin: int) -> int:
    """Returns the position after the row that begins at `begin`; 0 if it does not end in `data`."""
    lines = _Lines(data, begin)
    try:
        next(csv.reader(lines, strict=True), None)
    except csv.Error:
        if not lines.is_exhausted:
            return (
                lines.position
            )  # a faulty row ends with this line; the next line starts a new row
    return 0 if lines.is_exhausted else lines.position


def _defect_of(error: csv.Error) -> str:
    """Returns the stored RejectMessages sentence for an error of the csv module."""
    is_quote = "expected after" in str(error)
    return (RejectMessages.MISPLACED_QUOTE if is_quote else RejectMessages.MISPLACED_BREAK).stored()
