"""What the import needs to know of a file format."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

MAX_ROW_BYTES = 1 << 20

# The line that a row begins on, its cells, and why it is no row ("" if it is one).
ParsedRow = tuple[int, list[str], str]


class Format(ABC):
    """A format in which a dump's rows are written: bytes that can be cut at line breaks.

    An instance holds no state of a file. Worker processes find it by its name.
    """

    name = ""  # as a mapping gives it
    has_header = False  # the first row that is not blank names the columns
    may_hold_surrogates = True  # a cell may hold half a character, as "\\ud800" in JSON

    @abstractmethod
    def matches(self, start: bytes) -> bool:
        """Whether a file that begins so is of this format.

        `start` is up to 4 KiB, decompressed, without a byte order mark and leading blanks.
        """

    @abstractmethod
    def rows(self, text: str, line: int, columns: Sequence[str]) -> Iterator[ParsedRow]:
        """Yields the rows of a text that begins on `line` and ends with a row; no blank ones.

        The cells stand in the order of `columns`. A format with a header yields what stands in the
        row, however many cells that is, and so the header as well. Bytes that could not be decoded
        are surrogates in `text` (PEP 383). Nothing is raised: a faulty row is yielded with the
        reason, a sentence of Rejected, and its text as the only cell.
        """

    def column_names(self, head: str) -> list[str]:
        """Returns the columns that the first rows name, about 1 MiB; for formats without header."""
        raise NotImplementedError

    def end_of_rows(self, data: bytes) -> int:
        """Returns the place behind the last whole row; 0 if no row ends in `data`.

        `data` begins with a row.
        """
        return data.rfind(b"\n") + 1

    def end_of_first_row(self, data: bytes, begin: int = 0) -> int:
        """Returns the place behind the row that begins at `begin`; 0 if it does not end."""
        return data.find(b"\n", begin) + 1
