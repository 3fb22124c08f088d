"""What the columns of the first table of a file hold, and which rows hold something else.

A second table without labels, rows with other columns in place of theirs, and counts of rows would
become people. They are recognised by the kinds of their cells. See docs/decisions/0124.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from enum import IntEnum
from itertools import islice
from typing import NamedTuple

from incidents.importing import formats
from incidents.importing.blocks import FileBlock
from incidents.importing.mapping import ColumnMapping
from incidents.importing.placeholders import is_placeholder
from incidents.importing.reading import Source
from incidents.importing.rows import RowReader

_MOST_ROWS = 200  # with a contact, at the beginning of the file
_FEWEST = 2  # filled cells that show what a column holds
_RARE = 0.05  # the share of the filled cells up to which a shape does not belong to a column
_FEWEST_DIGITS = 7  # of a phone number
_DIGIT, _LETTER = re.compile(r"\d"), re.compile(r"[^\W\d_]|#")
_DAY = re.compile(r"\s*(?:(?:19|20)\d\d([-./])\d\d?\1\d\d?|\d\d?([-./])\d\d?\2(?:19|20)\d\d)(?!\d)")
_PHONE = re.compile(r"(?:0(?!0)|[+(])[\d ()./-]{8,24}")  # not 0000100001, a reference


class Shape(IntEnum):
    """What the text of a cell looks like."""

    TEXT, NUMBER, DAY, PHONE, ADDRESS = range(5)


class Columns(NamedTuple):
    """The places of the columns of a person."""

    reference: int
    names: frozenset[int]
    emails: frozenset[int]
    phones: frozenset[int]

    def are_of_person(self, place: int) -> bool:
        """Returns whether the column at a place is one of these."""
        return place == self.reference or any(place in places for places in self[1:])


def columns_of(source: Source, mapping: ColumnMapping) -> Columns:
    """Returns the places of the columns of the person that a row is about."""
    place = {name: number for number, name in enumerate(source.header)}
    person = mapping.person
    names = list(person.name_cells.columns() if person.name_cells else ())
    emails = [column for cells in person.email_cells for column in cells.columns()]
    phones = [column for cells in person.phone_cells for column in cells.columns()]
    return Columns(
        reference=place[person.identity],
        names=frozenset(place[column] for column in names if column != person.identity),
        emails=frozenset(place[column] for column in emails),
        phones=frozenset(place[column] for column in phones),
    )


class Habits(NamedTuple):
    """The usual shapes of each column; none for one of which too little is known."""

    columns: Columns
    shapes: tuple[frozenset[Shape], ...]

    def odd_places(self, cells: Sequence[str]) -> dict[int, Shape]:
        """Returns the places of the cells that are unlike their columns, with their shapes."""
        return _odd(self.shapes, _shapes(cells, self.columns))

    def shape_at(self, cells: Sequence[str], place: int) -> Shape | None:
        """Returns the shape of the cell at a place; None if it is blank."""
        return _shape(cells[place], is_phone=place in self.columns.phones)

    def is_exchanged(self, cells: Sequence[str]) -> bool:
        """Returns whether two cells or more look like those of each other's columns."""
        return _is_exchanged(self.shapes, self.odd_places(cells), self.columns)

    def is_odd_reference(self, reference: str) -> bool:
        """Returns whether a reference is unlike the others; fast for digits and letters."""
        place = self.columns.reference
        usual, is_phone = self.shapes[place], place in self.columns.phones
        if is_phone or reference[0] == "0" or not reference.isalnum():
            shape = _shape_of_filled(reference, is_phone=is_phone)
        else:
            shape = Shape.NUMBER if reference.isdecimal() else Shape.TEXT
        return bool(usual) and shape not in usual


def habits_of_file(source: Source, mapping: ColumnMapping, first: FileBlock) -> Habits | None:
    """Returns what the columns of a file hold by its first block; None if that is not judged.

    A person has looked at the rows of a reject file, and `known` rejects unknown people.
    """
    if not formats.of(source).has_header or source.is_reject_file or mapping.takes_known_only:
        return None
    rows = (cells for _line, cells, defect in RowReader(source).rows(first) if not defect)
    return habits_of(rows, columns_of(source, mapping), mapping.nulls)


def habits_of(
    rows: Iterable[Sequence[str]], columns: Columns, nulls: Collection[str] = ()
) -> Habits | None:
    """Returns what the columns hold in the first rows with a contact; None if no row has one.

    A cell that is one of `nulls` is blank. A row whose cells look exchanged, compared
    with the rows above it, does not count.
    """
    counts: list[Counter[Shape]] = []
    shapes: tuple[frozenset[Shape], ...] = ()
    kept = (["" if cell.strip() in nulls else cell for cell in cells] for cells in rows)
    every = (_shapes(cells, columns) for cells in kept)
    for found in islice((one for one in every if _has_contact(one, columns)), _MOST_ROWS):
        counts = counts or [Counter[Shape]() for _ in found]
        if _is_exchanged(shapes, _odd(shapes, found), columns):
            continue
        for count, shape in zip(counts, found, strict=True):
            count.update([] if shape is None else [shape])
        shapes = tuple(_usual(count, at, columns) for at, count in enumerate(counts))
    return Habits(columns, shapes) if shapes else None


def _usual(count: Counter[Shape], place: int, columns: Columns) -> frozenset[Shape]:
    """Returns the shapes that belong to a column; what the mapping says, if it is nearly blank."""
    total = count.total()
    if total < _FEWEST:
        is_one_kind = (place in columns.emails) != (place in columns.phones)
        contact = Shape.ADDRESS if place in columns.emails else Shape.PHONE
        return frozenset([contact] if is_one_kind else [])
    return frozenset(shape for shape, number in count.items() if number > _RARE * total)


def _shapes(cells: Sequence[str], columns: Columns) -> list[Shape | None]:
    return [_shape(cell, is_phone=at in columns.phones) for at, cell in enumerate(cells)]


def _shape(cell: str, *, is_phone: bool) -> Shape | None:
    """Returns the shape of a cell, of a column of phone numbers or another; None if it is blank."""
    text = cell.strip()
    if not text or is_placeholder(text):
        return None
    return _shape_of_filled(text, is_phone=is_phone)


def _shape_of_filled(text: str, *, is_phone: bool) -> Shape:
    if "@" in text:
        return Shape.ADDRESS
    if _DAY.match(text):
        return Shape.DAY
    if is_phone and len(_DIGIT.findall(text)) >= _FEWEST_DIGITS:
        return Shape.PHONE
    if _LETTER.search(text) or not _DIGIT.search(text):
        return Shape.TEXT
    return Shape.PHONE if _PHONE.fullmatch(text) else Shape.NUMBER


def _has_contact(shapes: Sequence[Shape | None], columns: Columns) -> bool:
    return any(shapes[at] is Shape.ADDRESS for at in columns.emails) or any(
        shapes[at] is Shape.PHONE for at in columns.phones
    )


def _odd(usual: Sequence[frozenset[Shape]], shapes: Sequence[Shape | None]) -> dict[int, Shape]:
    return {
        at: shape
        for at, (known, shape) in enumerate(zip(usual, shapes, strict=False))
        if known and shape is not None and shape not in known
    }


def _is_exchanged(
    usual: Sequence[frozenset[Shape]], odd: dict[int, Shape], columns: Columns
) -> bool:
    """Returns whether two of the odd cells or more have the shape of another odd column.

    Only columns of the person and of days count. In others, words become numbers in the course of
    the years, as levels of members do while their references become UUIDs.
    """
    compared = [at for at in odd if columns.are_of_person(at) or Shape.DAY in usual[at]]
    fitting = [
        at for at in compared if any(odd[at] in usual[other] for other in compared if other != at)
    ]
    return len(fitting) > 1
