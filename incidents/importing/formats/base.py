"""The interface of a file format: everything that the import needs to know of it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

MAX_ROW_BYTES = 1 << 20  # a longer row refuses the file

# The line that a row begins on, its cells, and its defect: why it cannot be taken, or "".
ParsedRow = tuple[int, list[str], str]


class Dialect(NamedTuple):
    """How a CSV file separates and quotes its cells."""

    separator: str = ","
    quote: str = '"'  # "" for none
    escape: str = ""  # the character that makes the next one ordinary; "" for none


DEFAULT_DIALECT = Dialect()


class NestedText(str):
    """The text of a cell that is an object or an array, in a format that has such values."""

    __slots__ = ()


class DoubtfulText(NestedText):
    """One of two texts that a row has for a cell, under keys that only differ in their spelling."""

    __slots__ = ()


class Format(ABC):
    """A file format in which rows end at line breaks, so that a file can be cut there.

    An instance holds no state of a file. Worker processes find it by its name.
    """

    name = ""  # the value of `format` in a column mapping
    has_header = False  # whether the first row that is not blank names the columns
    may_hold_surrogates = True  # whether a cell may hold half a character, as "\\ud800" in JSON

    @abstractmethod
    def matches(self, start: bytes) -> bool:
        """Returns whether a file with these first bytes is of this format.

        `start` has at most 4 KiB, decompressed, without the byte order mark and leading blanks.
        """

    @abstractmethod
    def rows(self, text: str, line: int, columns: Sequence[str]) -> Iterator[ParsedRow]:
        """Yields the rows of `text`, which begins on `line` and consists of whole rows.

        Blank rows are left out. The cells are in the order of `columns`. A format with a header
        yields the cells of the row as they are, of any number, and it yields the header row too.
        Bytes that could not be decoded are surrogates in `text` (PEP 383), and in the cells. Raises
        nothing: a faulty row is yielded with its text as the only cell, and a sentence of
        RejectMessages as defect.
        """

    def in_dialect(self, dialect: Dialect) -> Self:  # noqa: ARG002
        """Returns the format for files in a dialect; itself if it has no dialects."""
        return self

    def column_names(self, head: str) -> list[str]:
        """Returns the column names in `head`, the first rows of a file (about 1 MiB).

        Only a format without a header must implement it.
        """
        raise NotImplementedError

    def end_of_rows(self, data: bytes) -> int:
        """Returns the position after the last whole row in `data`; 0 if no row ends there.

        `data` begins with the start of a row.
        """
        return data.rfind(b"\n") + 1

    def end_of_first_row(self, data: bytes, begin: int = 0) -> int:
        """Returns the position after the row that begins at `begin`; 0 if it does not end."""
        return data.find(b"\n", begin) + 1
