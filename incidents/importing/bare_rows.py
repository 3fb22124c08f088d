"""Where the rows of a block that have no contact stand: in a run, or below blank lines."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence

from incidents.importing.blocks import FileBlock
from incidents.importing.rows import RowReader, is_blank

IsBare = Callable[[Sequence[str]], bool]
_FEWEST_ROWS = 3  # for each part that blank lines separate; with more, they say nothing


class RowsOfBlock:
    """The good rows of a block, for a look at those around one of them."""

    def __init__(self, reader: RowReader, block: FileBlock, is_bare: IsBare) -> None:
        """`is_bare` says whether the cells of a row hold no contact that can be used."""
        self._is_bare = is_bare
        self._lines, self._rows = list[int](), list[Sequence[str]]()
        self._parts = [0]  # the places of the first rows of the parts between blank lines
        self._are_bare: dict[int, bool] = {}  # by part
        end, has_gap = -1, False
        for line, cells, defect in reader.rows(block):
            if not defect and is_blank(cells):
                continue
            has_gap |= 0 <= end < line - 1
            end = line + sum(cell.count("\n") for cell in cells)
            if defect:
                continue
            if has_gap and self._rows:
                self._parts.append(len(self._rows))
            has_gap = False
            self._lines.append(line)
            self._rows.append(cells)

    def are_like(self, line: int, is_like: IsBare) -> bool:
        """Returns whether the row above or below the one on a line is bare and is like it."""
        place = bisect_left(self._lines, line)
        around = self._rows[max(0, place - 1) : place] + self._rows[place + 1 : place + 2]
        return any(self._is_bare(cells) and is_like(cells) for cells in around)

    def is_in_bare_part(self, line: int) -> bool:
        """Returns whether blank lines separate a row from others, and no row of its part has more.

        In a block with many blank lines, these say nothing.
        """
        part = bisect_right(self._parts, bisect_left(self._lines, line)) - 1
        if not part or len(self._parts) * _FEWEST_ROWS > len(self._rows):
            return False
        if part not in self._are_bare:
            first, end = self._parts[part], [*self._parts, len(self._rows)][part + 1]
            self._are_bare[part] = all(map(self._is_bare, self._rows[first:end]))
        return self._are_bare[part]
