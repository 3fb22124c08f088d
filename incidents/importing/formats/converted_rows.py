"""Rows that were converted: of a spreadsheet, or of a CSV file with escapes.

The converted file has a JSON array a row, on the line that the row has in the file as it was sent.
A row that could not be read is a JSON object with its text and its defect.
"""

import json
from collections.abc import Iterator, Sequence

from incidents.importing.formats.base import Format, ParsedRow


class ConvertedRows(Format):
    """The rows of a spreadsheet, whose line is the number of the row in the sheet."""

    name = "spreadsheet"
    has_header = True
    may_hold_surrogates = False

    def matches(self, start: bytes) -> bool:  # noqa: ARG002
        """Returns False: spreadsheets are recognised and converted before; see examining."""
        return False

    def rows(
        self,
        text: str,
        line: int,
        columns: Sequence[str],  # noqa: ARG002
    ) -> Iterator[ParsedRow]:
        """Yields the rows that are not blank."""
        for number, row in enumerate(text.split("\n"), start=line):
            if not row:
                continue
            found = json.loads(row)
            if isinstance(found, dict):
                yield number, [found["text"]], found["defect"]
            else:
                yield number, found, ""


def row_of(cells: Sequence[str], *, lines: int = 1) -> bytes:
    """Returns the line of a row; blank lines follow it if the row had several lines."""
    return f"{json.dumps(cells)}{chr(10) * lines}".encode()


def faulty_row_of(text: str, defect: str, *, lines: int = 1) -> bytes:
    """Returns the line of a row that could not be read. `defect` is a RejectMessages sentence."""
    row = json.dumps({"text": text, "defect": defect})
    return f"{row}{chr(10) * lines}".encode()
