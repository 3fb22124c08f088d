"""Templates that build one value from cells of a row."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

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


def contact_template(text: str) -> CellTemplate:
    """Returns the template of a name, an address or a number, which may be a column.

    Raises ValueError as `CellTemplate.parse` does.
    """
    if "{" in text or "}" in text:
        return CellTemplate.parse(text)
    return CellTemplate((("", text),), "")
