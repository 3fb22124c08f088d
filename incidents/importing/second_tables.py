"""Recognises the labels of a second table below the rows of the first one, in any language.

A report or a workbook often joins tables. Without a look at the rows around, the labels and each
row below them would become people. See docs/decisions/0123.
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from enum import Enum, auto
from itertools import accumulate

from incidents.importing.blocks import FileBlock
from incidents.importing.formats.base import ParsedRow
from incidents.importing.placeholders import is_placeholder
from incidents.importing.rows import RowReader, is_blank

_MOST_BEFORE, _MOST_AFTER = 50, 20  # rows that are compared
_MOST_CHARACTERS = 60  # of a label
_FEWEST_DIGITS = 7  # of a phone number
_SHARE = 2 / 3  # of the filled cells of a column that are of one kind
_DAY = re.compile(r"\s*(?:19|20)\d\d([-./])\d\d?\1\d\d?(?!\d)")  # as 2025-01-02
_DIGIT, _LETTER = re.compile(r"\d"), re.compile(r"[^\W\d_]")


class _Kind(Enum):
    WORD, NUMBER, PHONE, ADDRESS = auto(), auto(), auto(), auto()


_CONTACTS = frozenset([_Kind.PHONE, _Kind.ADDRESS])


class Labels(Enum):
    """What a row of words is."""

    NONE = auto()  # most likely those of a person
    DOUBTFUL = auto()  # words, where the rows around have numbers and addresses
    OF_TABLE = auto()  # the labels of another table


class TableFinder:
    """A look at the rows around one of words, in one block after the other."""

    def __init__(
        self,
        reader: RowReader,
        *,
        reference: int,
        contacts: Collection[int],
        nulls: Collection[str],
    ) -> None:
        """`reference` and `contacts` are the places of the columns that the mapping takes so.

        A cell that is one of `nulls` is blank.
        """
        self._reader, self._reference, self._contacts = reader, reference, contacts
        self._nulls = nulls
        self._block: FileBlock | None = None
        self._rows: RowsAround | None = None

    def begin(self, block: FileBlock) -> None:
        """Takes the next block. Its rows are read again only if there is such a row."""
        self._block, self._rows = block, None

    def judge(self, line: int) -> Labels:
        """Returns what the row on a line is, which `may_be_labels`."""
        if self._block is None:
            return Labels.NONE
        if not self._rows:
            self._rows = RowsAround(self._reader.rows(self._block), self._nulls)
        return self._rows.judged(line, reference=self._reference, contacts=self._contacts)


def may_be_labels(cells: Sequence[str]) -> bool:
    """Returns whether a row holds several different words, and no number or address; fast."""
    text = "".join(cells)
    if "@" in text or len(_DIGIT.findall(text)) >= _FEWEST_DIGITS:
        return False
    filled = [cell.strip().casefold() for cell in cells if cell.strip()]
    return len(set(filled)) == len(filled) > 1 and all(map(_is_label, filled))


def _is_label(text: str) -> bool:
    is_short = len(text) <= _MOST_CHARACTERS and _LETTER.search(text)
    return bool(is_short) and not is_placeholder(text)


class RowsAround:
    """The rows of a block, with sums, so that a look takes the same time in a block of any size."""

    def __init__(self, rows: Iterable[ParsedRow], nulls: Collection[str]) -> None:
        self._lines, self._rows = list[int](), list[list[str]]()
        gaps = list[bool]()  # whether blank lines stand above
        end, has_gap = -1, False
        for line, cells, defect in rows:
            if not defect and is_blank(cells):
                continue
            has_gap |= 0 <= end < line - 1
            end = line + sum(cell.count("\n") for cell in cells)
            if not defect:
                self._lines.append(line)
                self._rows.append(["" if cell.strip() in nulls else cell for cell in cells])
                gaps.append(has_gap)
                has_gap = False
        self._gaps = [0, *accumulate(gaps)]
        # Of each column and kind, the cells above each row.
        self._sums = [_sums(column) for column in zip(*self._rows, strict=True)]

    def judged(self, line: int, *, reference: int, contacts: Collection[int]) -> Labels:
        """Returns what the row on a line is, which `may_be_labels`.

        `reference` and `contacts` are the places of the columns that the mapping takes for the
        reference, and for addresses and numbers.
        """
        place = bisect_left(self._lines, line)
        before = range(max(0, place - _MOST_BEFORE), place)
        after = range(place + 1, min(place + 1 + _MOST_AFTER, len(self._rows)))
        cells = self._rows[place]
        above = before or after, range(place)  # the nearest rows; all, where those are blank
        usual = [self._usual_kind(at, *above) for at in range(len(cells))]
        words = [at for at, kind in enumerate(usual) if _has_word_for(kind, cells[at])]
        typed = {at: kind for at in contacts if (kind := usual[at]) and kind in _CONTACTS}
        are_lost = bool(typed) and not any(self._count(after, at, typed[at]) for at in typed)
        has_gap = self._has_only_gap(before, place)
        # Of a person without contacts little is known, so that more must differ.
        is_without_contacts = bool(typed) and not any(cells[at].strip() for at in typed)
        filled = [at for at in range(len(cells)) if at != reference and cells[at].strip()]
        if len(words) > 1 and (not is_without_contacts or (has_gap and are_lost)):
            are_below = any(self._are_values(after, at) for at in filled)
            is_table = bool(typed) and has_gap
            is_table |= are_lost and (are_below or self._are_filled(after, typed, cells))
            return Labels.OF_TABLE if before and after and is_table else Labels.DOUBTFUL
        if after and are_lost:
            changed = [at for at in filled if usual[at] is _Kind.WORD]
            are_below = any(self._are_values(after, at) for at in changed)
            if bool(words) + has_gap + are_below > 1:
                return Labels.OF_TABLE if has_gap or len(after) > 1 else Labels.DOUBTFUL
        is_doubtful = len(words) > 1 and all(self._are_values(above[0], at) for at in words)
        return Labels.DOUBTFUL if is_doubtful else Labels.NONE

    def _count(self, rows: range, place: int, kind: _Kind) -> int:
        sums = self._sums[place].get(kind)
        return sums[rows.stop] - sums[rows.start] if sums else 0

    def _are_filled(self, after: range, typed: Collection[int], cells: Sequence[str]) -> bool:
        """Returns whether the columns of contacts hold something else, here and below."""
        return all(cells[at].strip() and self._usual_kind(at, after) for at in typed)

    def _usual_kind(self, place: int, *choice: range) -> _Kind | None:
        """Returns the kind of most filled cells of a column, in the first rows that have one."""
        sums = self._sums[place]
        for rows in choice:
            counts = {kind: sum_[rows.stop] - sum_[rows.start] for kind, sum_ in sums.items()}
            if total := sum(counts.values()):
                most = max(counts, key=counts.__getitem__)
                return most if counts[most] >= _SHARE * total else None
        return None

    def _are_values(self, rows: range, place: int) -> bool:
        """Returns whether a column holds contacts, or numbers without a letter."""
        kind = self._usual_kind(place, rows)
        has_letters = any(_LETTER.search(self._rows[row][place]) for row in rows)
        return kind in _CONTACTS or (kind is _Kind.NUMBER and not has_letters)

    def _has_only_gap(self, before: range, place: int) -> bool:
        """Returns whether blank lines stand above a row, and above no other one near it."""
        first, last = self._gaps[before.start + 1], self._gaps[place]
        return bool(before) and first == last and self._gaps[place + 1] > last


def _sums(column: Sequence[str]) -> dict[_Kind, list[int]]:
    kinds = [_kind(cell) for cell in column]
    found = {kind for kind in kinds if kind}
    return {kind: [0, *accumulate(one is kind for one in kinds)] for kind in found}


def _kind(cell: str) -> _Kind | None:
    if not cell.strip():
        return None
    if "@" in cell:
        return _Kind.ADDRESS
    digits = len(_DIGIT.findall(cell))
    if digits >= _FEWEST_DIGITS and not _DAY.match(cell):
        return _Kind.PHONE
    return _Kind.NUMBER if digits else _Kind.WORD


def _has_word_for(usual: _Kind | None, cell: str) -> bool:
    """Returns whether a word stands where the rows above hold addresses or numbers."""
    kinds = (_Kind.WORD, _Kind.NUMBER) if usual in _CONTACTS else (_Kind.WORD,)
    return usual not in (None, _Kind.WORD) and _kind(cell) in kinds
