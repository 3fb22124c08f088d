"""Templates that build one value from cells of a row."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

_SLOT = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True)
class CellTemplate:
    """A template that builds one value from cells of a row, with literals before the cells."""

    pieces: tuple[tuple[str, str], ...]  # (the literal before the cell, column)
    tail: str  # the literal after the last cell

    @classmethod
    def parse(cls, text: str) -> "CellTemplate":
        """Returns the template of a text such as `{postcode} {address1}`.

        Raises ValueError if the text has no column in braces, or a single brace.
        """
        literals = _SLOT.split(text)[0::2]
        columns = _SLOT.findall(text)
        if not columns or any(brace in literal for literal in literals for brace in "{}"):
            raise ValueError(text)
        return cls(tuple(zip(literals, columns, strict=False)), literals[-1])

    @property
    def only_column(self) -> str:
        """The column whose cells are the values as they are; "" if the template builds them."""
        is_only = len(self.pieces) == 1 and not self.pieces[0][0] and not self.tail
        return self.pieces[0][1] if is_only else ""

    @property
    def label(self) -> str:
        """The columns, for messages."""
        return ", ".join(self.columns())

    @property
    def literal_characters(self) -> int:
        """The number of characters before, between and after the columns."""
        return sum(len(literal) for literal, _ in self.pieces) + len(self.tail)

    def columns(self) -> Iterator[str]:
        """Yields each column in the template; a column may be repeated."""
        yield from (column for _, column in self.pieces)

    def fill(self, row: dict[str, str]) -> str:
        """Returns the value for a row, or "" if every cell is blank.

        The literal before a blank cell is left out together with the cell.
        """
        value = ""
        for literal, column in self.pieces:
            if row[column].strip():
                value += (literal if value else literal.lstrip(" ,;/")) + row[column]
        return value + self.tail if value else ""

    def fill_contact(self, row: Mapping[str, str]) -> str:
        """Returns the address or the number for a row, or "" if a cell is blank.

        Spaces around cells are left out, because columns of a fixed width are filled with them. A
        part of an address or a number is no person's contact.
        """
        cells = [row[column].strip() for column in self.columns()]
        return self._joined(cells) if all(cells) else ""

    def fill_incomplete(self, row: Mapping[str, str], blank: str) -> str:
        """Returns what `fill_contact` does not: the text with `blank` for each blank cell.

        Returns "" if no cell is blank, or if all are.
        """
        cells = [row[column].strip() for column in self.columns()]
        if all(cells) or not any(cells):
            return ""
        return self._joined([cell or blank for cell in cells])

    def _joined(self, cells: Iterable[str]) -> str:
        pairs = zip(self.pieces, cells, strict=True)
        return "".join(literal + cell for (literal, _), cell in pairs) + self.tail


def contact_template(text: str) -> CellTemplate:
    """Returns the template of a name, an address or a number, which may be a column.

    Raises ValueError as `CellTemplate.parse` does.
    """
    if "{" in text or "}" in text:
        return CellTemplate.parse(text)
    return CellTemplate((("", text),), "")


class ProfiledContact(NamedTuple):
    """A contact of a mapping whose values the profile looks at besides the columns."""

    cells: CellTemplate
    is_number: bool
