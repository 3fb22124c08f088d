"""The progress of an import, as it is reported after each block and at the end."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from incidents.importing.row_messages import CellMessages


@dataclass(frozen=True, kw_only=True)
class ImportProgress:
    """The progress of an import. The last one that is reported is the result."""

    encoding: str
    batch: int = 0  # scope version; 0 for a check
    is_new_batch: bool = False  # whether the scope version was opened for this file
    lines_read: int = 0  # on which the rows stand, without blank lines
    rows_read: int = 0
    rows_taken: int = 0  # while reading: rows that have no fault of their own
    rows_rejected: int = 0
    share_read: float = 0.0  # of the bytes of the file, 0 to 1
    is_merging: bool = False  # whether all rows are read; people and indexes are now merged
    people_new: int = 0  # this and the next fields are set at the end
    exposures: int = 0
    people_joined: int = 0  # see Staging.people_joined; only of a check
    second_people_without_phone: int = 0
    without_contact: int = 0  # taken rows without a contact that can be used
    odd_cells: Counter[tuple[str, CellMessages]] = field(default_factory=Counter)  # by column
    reject_file: Path | None = None
    first_rejects: list[tuple[int, str]] = field(default_factory=list)
    is_done: bool = False

    def notes(self) -> list[str]:
        """Returns stored CellMessages: what was left out of the rows that were taken."""
        notes = [
            kind.stored(column=column, number=f"{number:,}")
            for (column, kind), number in sorted(self.odd_cells.items(), key=str)
        ]
        if self.lines_read != self.rows_read:
            numbers = {"lines": f"{self.lines_read:,}", "rows": f"{self.rows_read:,}"}
            notes.insert(0, CellMessages.LINES.stored(**numbers))
        return notes


Report = Callable[[ImportProgress], None]
