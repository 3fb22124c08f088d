"""Recognises the labels of a second table below the rows of the first one, in any language.

A report or a workbook often joins tables. Without a look at the rows around, the labels and each
row below them would become people. See docs/decisions/0123.
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Sequence
from enum import Enum, auto
from itertools import pairwise
from operator import itemgetter

from incidents.importing.blocks import FileBlock
from incidents.importing.placeholders import is_placeholder
from incidents.importing.rows import RowReader, is_blank

_MOST_BEFORE, _MOST_AFTER = 50, 20  # rows that are compared
_MOST_LOOKS = 20  # in one block
_MOST_CHARACTERS = 60  # of a label
_FEWEST_DIGITS = 7  # of a phone number
_SHARE = 2 / 3  # of the filled cells of a column that are of one kind
_DIGIT, _LETTER = re.compile(r"\d"), re.compile(r"[^\W\d_]")
Row = tuple[int, list[str]]  # its first line, and its cells


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

    def __init__(self, reader: RowReader, *, reference: int, contacts: Collection[int]) -> None:
        """`reference` and `contacts` are the places of the columns that the mapping takes so."""
        self._reader, self._reference, self._contacts = reader, reference, contacts
        self._block: FileBlock | None = None
        self._rows: list[Row] = []
        self._looks = 0

    def begin(self, block: FileBlock) -> None:
        """Takes the next block. Its rows are read again only if there is such a row."""
        self._block, self._looks = block, 0

    def judge(self, line: int) -> Labels:
        """Returns what the row on a line is, which `may_be_labels`.

        Of a block with many such rows it looks at the first ones: they are usual there.
        """
        if self._block is None:
            return Labels.NONE
        if not self._looks:
            rows = self._reader.rows(self._block)
            self._rows = [row[:2] for row in rows if not row[2] and not is_blank(row[1])]
        self._looks += 1
        place = bisect_left(self._rows, line, key=itemgetter(0))
        if self._looks > _MOST_LOOKS:
            return Labels.NONE
        return judged(self._rows, place, reference=self._reference, contacts=self._contacts)


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


def judged(rows: Sequence[Row], place: int, *, reference: int, contacts: Collection[int]) -> Labels:
    """Returns what the row at `place` is, which `may_be_labels`.

    `rows` are those of its block, without blank and faulty ones. `reference` and `contacts` are the
    places of the columns that the mapping takes for the reference, and for addresses and numbers.
    """
    before, after = rows[max(0, place - _MOST_BEFORE) : place], rows[place + 1 :][:_MOST_AFTER]
    cells = rows[place][1]
    usual = [_usual_kind(before or after, at) for at in range(len(cells))]
    words = [at for at, kind in enumerate(usual) if _has_word_for(kind, cells[at])]
    typed = [at for at in contacts if usual[at] in _CONTACTS]
    lost = [at for at in typed if all(_kind(row[at]) != usual[at] for _, row in after)]
    has_gap = _has_only_gap([*before, rows[place]])
    if len(words) > 1:
        return Labels.OF_TABLE if before and after and (lost or has_gap) else Labels.DOUBTFUL
    # Of a person without contacts little is known, so that more must differ.
    others = [at for at in range(len(cells)) if at != reference and _kind(cells[at])]
    are_values_below = any(_usual_kind(after, at) not in (None, _Kind.WORD) for at in others)
    signs = bool(words) + has_gap + are_values_below
    is_table = after and lost and len(lost) == len(typed) and signs > 1
    return Labels.OF_TABLE if is_table else Labels.NONE


def _usual_kind(rows: Sequence[Row], place: int) -> _Kind | None:
    """Returns the kind of most filled cells in a column; None if there is none."""
    kinds = [kind for _, cells in rows if (kind := _kind(cells[place]))]
    most = max(_Kind, key=kinds.count)
    return most if kinds and kinds.count(most) >= _SHARE * len(kinds) else None


def _kind(cell: str) -> _Kind | None:
    if not cell.strip():
        return None
    if "@" in cell:
        return _Kind.ADDRESS
    digits = len(_DIGIT.findall(cell))
    if digits >= _FEWEST_DIGITS:
        return _Kind.PHONE
    return _Kind.NUMBER if digits else _Kind.WORD


def _has_word_for(usual: _Kind | None, cell: str) -> bool:
    """Returns whether a word stands where the rows above hold addresses or numbers."""
    kinds = (_Kind.WORD, _Kind.NUMBER) if usual in _CONTACTS else (_Kind.WORD,)
    return usual not in (None, _Kind.WORD) and _kind(cell) in kinds


def _has_only_gap(rows: Sequence[Row]) -> bool:
    """Returns whether blank lines stand above the last of some rows, and above no other one."""
    gaps = [row[0] - _end_of(*before) > 1 for before, row in pairwise(rows)]
    return gaps.count(True) == 1 and gaps[-1]


def _end_of(line: int, cells: Sequence[str]) -> int:
    return line + sum(cell.count("\n") for cell in cells)
