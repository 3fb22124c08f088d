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


def name_template(name: str) -> CellTemplate | None:
    """Returns the template of a name, which may be a column. Raises ValueError as `parse` does."""
    if "{" in name or "}" in name:
        return CellTemplate.parse(name)
    return CellTemplate((("", name),), "") if name else None
