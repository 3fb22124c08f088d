"""CSV in any dialect without escapes, as databases and spreadsheets write it."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

from incidents.importing.formats.base import (
    DEFAULT_DIALECT,
    MAX_ROW_BYTES,
    Dialect,
    Format,
    ParsedRow,
)
from incidents.importing.row_messages import RejectMessages

# Blocks already limit the length of a row. The smaller limit of the csv module must not apply. A
# byte of a row is up to four characters of a reject file.
csv.field_size_limit(MAX_ROW_BYTES * 4)


class CommaSeparated(Format):
    """CSV. A quoted cell may contain line breaks, so a row may have several lines.

    Neither UTF-8 nor CP949 uses the bytes of a separator, a quote or a line break inside a
    character; files in other encodings are converted. Rows are therefore cut before they are
    decoded, and undecodable bytes affect their own row only.
    """

    name = "csv"
    has_header = True
    may_hold_surrogates = False

    def __init__(self, dialect: Dialect = DEFAULT_DIALECT) -> None:
        self._quote = dialect.quote.encode()
        self._options: dict[str, Any] = {"delimiter": dialect.separator, "strict": True}
        if dialect.quote:
            self._options["quotechar"] = dialect.quote
        else:
            self._options["quoting"] = csv.QUOTE_NONE

    def in_dialect(self, dialect: Dialect) -> "CommaSeparated":
        """Returns the format for files in a dialect without escapes."""
        return CommaSeparated(dialect)

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
        parser = csv.reader(io.StringIO(text, newline="\n"), **self._options)
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
        while self._quote and (quote := data.find(self._quote, begin)) >= 0:
            begin = data.rfind(b"\n", begin, quote) + 1 or begin
            end = self._end_of_quoted(data, begin)
            if not end:
                return begin
            begin = end
        return data.rfind(b"\n", begin) + 1 or begin

    def end_of_first_row(self, data: bytes, begin: int = 0) -> int:
        """Returns the position after the row that begins at `begin`; 0 if it does not end."""
        end = data.find(b"\n", begin) + 1
        if end and (not self._quote or data.find(self._quote, begin, end) < 0):
            return end
        return self._end_of_quoted(data, begin)

    def _end_of_quoted(self, data: bytes, begin: int) -> int:
        """Returns the position after the row that begins at `begin`; 0 if it does not end."""
        lines = _Lines(data, begin)
        try:
            next(csv.reader(lines, **self._options), None)
        except csv.Error:
            if not lines.is_exhausted:
                # A faulty row ends with this line, and the next line starts a new row.
                return lines.position
        return 0 if lines.is_exhausted else lines.position


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


def _defect_of(error: csv.Error) -> str:
    """Returns the stored RejectMessages sentence for an error of the csv module."""
    is_quote = "expected after" in str(error)
    return (RejectMessages.MISPLACED_QUOTE if is_quote else RejectMessages.MISPLACED_BREAK).stored()
