"""The profile of a column, and of a file: counts of fixed size that can be added up."""

from collections import Counter
from dataclasses import dataclass, field

from incidents.importing import person_languages
from incidents.importing.cell_kinds import CellKind

EXAMPLES = 3  # of each kind of a column
SOME = 3
FIRST_ROWS = 3  # that the desk shows, masked
_MOST_PLACEHOLDERS = 20  # different ones of a column
_NO_VALUE = (CellKind.BLANK, CellKind.PLACEHOLDER)
# The last row is compared with the others in columns of which this share is of one kind.
_FEWEST_ROWS, _STEADY, _ODD = 5, 0.9, 0.01


@dataclass(kw_only=True)
class ColumnProfile:
    """What the cells of one column hold."""

    name: str
    kinds: Counter[CellKind] = field(default_factory=Counter)
    first_lines: dict[CellKind, int] = field(default_factory=dict)  # where the kind comes first
    examples: dict[CellKind, list[str]] = field(default_factory=dict)  # masked
    placeholders: Counter[str] = field(default_factory=Counter)  # as they are written
    leading_zeros: int = 0  # numbers that begin with a zero
    lengths: Counter[int] = field(default_factory=Counter)  # numbers by their digits
    # A Misra-Gries sketch: rows by the digest of a contact. A count is never too high.
    contacts: Counter[int] = field(default_factory=Counter)
    # Digests of up to SOME different values that are neither an address nor a usable number.
    other_values: set[int] = field(default_factory=set)
    # Cells of JSON by the kind of a contact in them that no other cell of the row holds.
    json_contacts: Counter[CellKind] = field(default_factory=Counter)
    # Of a column of languages, in all rows: cells by value (person_languages.counted).
    languages: Counter[str] = field(default_factory=Counter)

    @property
    def cells(self) -> int:
        """The number of cells that were classified."""
        return self.kinds.total()

    @property
    def values(self) -> int:
        """The number of cells that hold a value: neither blank nor a placeholder."""
        return self.cells - sum(self.kinds[kind] for kind in _NO_VALUE)

    @property
    def main_kind(self) -> CellKind:
        """The most frequent kind of the values; BLANK if there are none."""
        found = [(count, kind) for kind, count in self.kinds.items() if kind not in _NO_VALUE]
        return max(found, default=(0, CellKind.BLANK), key=lambda one: one[0])[1]

    def share(self, *kinds: CellKind) -> float:
        """Returns the share (0 to 1) of some kinds among the values."""
        return sum(self.kinds[kind] for kind in kinds) / self.values if self.values else 0.0

    def shared(self, bound: int) -> tuple[int, int]:
        """Returns how many contacts are on more than `bound` rows, and the most rows of one."""
        over = [count for count in self.contacts.values() if count > bound]
        return len(over), max(over, default=0)

    def shown_examples(self) -> list[str]:
        """Returns EXAMPLES masked values, of different kinds first, the most frequent first."""
        kinds = [kind for kind, _ in self.kinds.most_common() if kind != CellKind.BLANK]
        ranks = range(EXAMPLES)
        found = [
            self.examples[kind][rank]
            for rank in ranks
            for kind in kinds
            if rank < len(self.examples.get(kind, []))
        ]
        return found[:EXAMPLES]

    def add(self, other: "ColumnProfile", *, counters: int) -> None:
        """Adds the profile of the same column in a later block."""
        self.kinds.update(other.kinds)
        self.json_contacts.update(other.json_contacts)
        for kind, line in other.first_lines.items():
            self.first_lines.setdefault(kind, line)
        for kind, examples in other.examples.items():
            known = self.examples.setdefault(kind, [])
            known += [one for one in examples if one not in known][: EXAMPLES - len(known)]
        self.placeholders.update(other.placeholders)
        self.placeholders = Counter(dict(self.placeholders.most_common(_MOST_PLACEHOLDERS)))
        self.leading_zeros += other.leading_zeros
        self.lengths.update(other.lengths)
        self.contacts.update(other.contacts)
        _shorten(self.contacts, counters)
        if len(self.other_values) < SOME:
            self.other_values |= other.other_values
        self.languages = person_languages.shortened(self.languages + other.languages)


def _shorten(counts: Counter[int], most: int) -> None:
    """Reduces a sketch of more than twice `most` counters to `most`.

    The largest count that is left out is subtracted from the others.
    """
    if len(counts) <= most * 2:
        return
    least = sorted(counts.values(), reverse=True)[most]
    for value in [value for value, count in counts.items() if count <= least]:
        del counts[value]
    for value in counts:
        counts[value] -= least


@dataclass(kw_only=True)
class FileProfile:
    """The profile of a file, or of some of its rows."""

    columns: list[ColumnProfile]
    # Of the mapping's phone numbers, and of its contacts in several columns.
    mapped: list[ColumnProfile] = field(default_factory=list)
    step: int = 1  # the cells of one row in `step` were classified
    lines: int = 0  # physical lines after the header, blank ones included
    rows: int = 0
    rows_over_lines: int = 0  # rows of several lines
    first_over_lines: int = 0  # the line on which the first of them begins
    defects: Counter[str] = field(default_factory=Counter)  # stored RejectMessages, by row
    last_line: int = 0  # the line of the last row
    last_kinds: list[CellKind] = field(default_factory=list)  # of its cells; none if defective
    first_rows: list[list[str]] = field(default_factory=list)  # masked cells

    def column(self, name: str) -> ColumnProfile:
        """Returns the profile of a column. Raises KeyError if there is no such column."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def add(self, other: "FileProfile", *, counters: int) -> None:
        """Adds the profile of a later block. `counters` is the size of a column's sketch."""
        for column, more in zip(self.columns, other.columns, strict=True):
            column.add(more, counters=counters)
        for column, more in zip(self.mapped, other.mapped, strict=True):
            column.add(more, counters=counters)
        self.lines += other.lines
        self.rows += other.rows
        self.rows_over_lines += other.rows_over_lines
        self.first_over_lines = self.first_over_lines or other.first_over_lines
        self.defects.update(other.defects)
        if other.last_line:
            self.last_line, self.last_kinds = other.last_line, other.last_kinds
        self.first_rows += other.first_rows[: FIRST_ROWS - len(self.first_rows)]

    def is_last_row_odd(self) -> bool:
        """Returns whether the last row is unlike the others, as a row of totals is.

        It is if it has a defect that few rows have, or if most of its cells are of a kind that is
        rare in their columns. Needs a few rows to compare.
        """
        if self.rows < _FEWEST_ROWS:
            return False
        if not self.last_kinds:
            return self.defects.total() <= max(1, self.rows * _ODD)
        rest = max(1, self.columns[0].cells - 1) if self.columns else 1
        steady = odd = 0
        for column, kind in zip(self.columns, self.last_kinds, strict=True):
            others = column.kinds - Counter([kind])
            if others and max(others.values()) > _STEADY * rest:
                steady += 1
                odd += others[kind] <= rest * _ODD
        return odd * 2 > steady
