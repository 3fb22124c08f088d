"""The rows of a block around one that has no contact: those like it, and blank lines above it."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from incidents.importing.blocks import FileBlock
from incidents.importing.column_habits import Habits, Shape
from incidents.importing.rows import RowReader, is_blank

IsBare = Callable[[Sequence[str]], bool]
_FEWEST_ROWS = 3  # for each part that blank lines separate; with more, they say nothing
# So many rows with a contact, and this share of the rows of a block, show what its columns hold.
_FEWEST_ALIKE, _SHARE_ALIKE = 3, 0.005


class _Rows(NamedTuple):
    """The good rows of a block, with their lines."""

    lines: list[int]
    cells: list[Sequence[str]]
    parts: list[int]  # the places of the first rows of the parts between blank lines


class RowsOfBlock:
    """The good rows of a block. They are read when they are needed first."""

    def __init__(
        self,
        reader: RowReader,
        block: FileBlock,
        *,
        habits: Habits,
        nulls: Collection[str],
        is_bare: IsBare,
    ) -> None:
        """`is_bare` says whether the cells of a row hold no contact that can be used."""
        self._reader, self._block = reader, block
        self._habits, self._nulls, self._is_bare = habits, frozenset(nulls), is_bare
        self._are_bare: dict[int, bool] = {}  # by part
        self._held: dict[tuple[int, Shape], bool] = {}

    @cached_property
    def _rows(self) -> _Rows:
        rows = _Rows([], [], [0])
        end, has_gap = -1, False
        for line, cells, defect in self._reader.rows(self._block):
            if not defect and is_blank(cells):
                continue
            has_gap |= 0 <= end < line - 1
            end = line + sum(cell.count("\n") for cell in cells)
            if defect:
                continue
            if has_gap and rows.cells:
                rows.parts.append(len(rows.cells))
            has_gap = False
            rows.lines.append(line)
            rows.cells.append(self._without_nulls(cells))
        return rows

    def _without_nulls(self, cells: list[str]) -> list[str]:
        if self._nulls.isdisjoint(map(str.strip, cells)):
            return cells
        return ["" if cell.strip() in self._nulls else cell for cell in cells]

    def hold(self, place: int, shape: Shape) -> bool:
        """Returns whether rows with a contact have cells of a shape in a column.

        The first rows of a file may be unlike the others.
        """
        if (place, shape) not in self._held:
            rows = self._rows.cells
            least = max(_FEWEST_ALIKE, int(_SHARE_ALIKE * len(rows)))
            found = (one for one in rows if self._habits.shape_at(one, place) is shape)
            alike = islice(filter(self._is_of_person, found), least)
            self._held[place, shape] = sum(1 for _ in alike) == least
        return self._held[place, shape]

    def _is_of_person(self, cells: Sequence[str]) -> bool:
        return not (self._is_bare(cells) or self._habits.is_exchanged(cells))

    def are_like(self, line: int, is_like: IsBare) -> bool:
        """Returns whether the row above or below the one on a line is bare and is like it."""
        lines, rows, _parts = self._rows
        place = bisect_left(lines, line)
        around = rows[max(0, place - 1) : place] + rows[place + 1 : place + 2]
        return any(self._is_bare(cells) and is_like(cells) for cells in around)

    def is_in_bare_part(self, line: int) -> bool:
        """Returns whether blank lines separate a row from others, and no row of its part has more.

        In a block with many blank lines, these say nothing.
        """
        lines, rows, parts = self._rows
        part = bisect_right(parts, bisect_left(lines, line)) - 1
        if not part or len(parts) * _FEWEST_ROWS > len(rows):
            return False
        if part not in self._are_bare:
            first, end = parts[part], [*parts, len(rows)][part + 1]
            self._are_bare[part] = all(map(self._is_bare, rows[first:end]))
        return self._are_bare[part]
