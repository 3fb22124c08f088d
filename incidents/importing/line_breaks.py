"""Finds rows that a stray quote has joined.

A quote that is never closed takes everything up to the next quote into one cell, line breaks
included. Read as it stands, the values of the next people would be those of the first one. A line
break is therefore accepted only in a cell of a class that has lines (DataClass.may_have_lines), and
only if the lines do not look like rows of the file.
"""

import re
from collections.abc import Collection, Sequence

from accounts.contacts import read_emails, read_phones
from incidents.importing.mapping import ColumnMapping
from incidents.importing.row_messages import RejectMessages

# Everything that a program may show or read as the end of a line.
_BREAK = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_LINE_FEED = re.compile("\n")


class LineBreaks:
    """A check of the cells of one file's rows."""

    def __init__(
        self,
        columns: Sequence[str],
        mapping: ColumnMapping,
        *,
        long_classes: Collection[str],
        separator: str,
        region: str,
    ) -> None:
        """Takes the file's columns in order, and its separator: "" if no quote can join rows."""
        long_columns = mapping.columns_with_lines(long_classes)
        short = [name for name in mapping.used_columns() if name not in long_columns]
        place = {name: number for number, name in enumerate(columns)}
        self._columns, self._separator, self._region = columns, separator, region
        self._short = [place[name] for name in short]
        self._others = [number for name, number in place.items() if name not in short]
        self._identity = place[mapping.person.identity]

    def reject_reason(self, cells: Sequence[str]) -> str:
        """Returns why the row is rejected, or ""."""
        if "".join(cells).isprintable():  # no line break is
            return ""
        for place in self._short:
            cell = cells[place]
            if not cell.isprintable() and _BREAK.search(cell.strip()):
                return RejectMessages.LINE_BREAK.stored(column=self._columns[place])
        if self._separator:
            for place in self._others:
                cell = cells[place]
                if "\n" in cell and self._holds_rows(cell, place, cells[self._identity]):
                    return RejectMessages.ROWS_INSIDE.stored(column=self._columns[place])
        return ""

    def _holds_rows(self, cell: str, place: int, reference: str) -> bool:
        # A row inside may itself hold a break that is no line feed: it is whole between line feeds.
        return any(
            self._are_rows(split(cell), place, reference)
            for split in (_BREAK.split, _LINE_FEED.split)
        )

    def _are_rows(self, pieces: Sequence[str], place: int, reference: str) -> bool:
        first, *lines = pieces
        last_column = len(self._columns) - 1
        # A pair of stray quotes joins the end of one row, whole rows, and the start of another.
        if first.count(self._separator) == last_column - place and (
            lines[-1].count(self._separator) == place
        ):
            return True
        return any(
            line.count(self._separator) == last_column or self._begins_like_a_row(line, reference)
            for line in lines
        )

    def _begins_like_a_row(self, line: str, reference: str) -> bool:
        """Returns whether the first of several cells is a reference, an address or a number."""
        start, separator, _ = line.partition(self._separator)
        start = start.strip(" \t\"'")
        if not separator or not start:
            return False
        if _shape(start) == _shape(reference) and abs(len(start) - len(reference.strip())) <= 1:
            return True
        return bool(read_emails(start).addresses or read_phones(start, self._region).phones)


def _shape(text: str) -> str:
    """Returns the kinds of characters of a text: those of `M-1001` are `a-9`."""
    digits = re.sub(r"\d+", "9", text.strip())
    return re.sub(r"[^\W\d_]+", "a", digits)
