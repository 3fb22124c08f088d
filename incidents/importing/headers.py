"""Compares column names as people see them: without regard to case, form, spaces and marks."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence

from foundations.plain_signs import INVISIBLE

# What databases write around a name.
_AROUND = "[]`\"'"


def name_key(name: str) -> str:
    """Returns what two spellings of a column name have in common."""
    if not name.isascii():
        name = INVISIBLE.sub("", unicodedata.normalize("NFKC", name))
    return "".join(name.split()).strip(_AROUND).casefold()


def places_by_key(header: Iterable[str]) -> dict[str, list[int]]:
    """Returns the indexes of the columns that have each name key."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(header):
        places[name_key(name)].append(place)
    return places


class HeaderNames:
    """The names of a header row, to recognise the row where it is repeated in the file."""

    def __init__(self, header: Sequence[str]) -> None:
        self._keys = frozenset(filter(None, map(name_key, header)))
        self._first_keys = self._keys | {name_key(header[0])} if header else frozenset()
        self._longest = max((2 * len(name) + 2 for name in header), default=0)
        # Whether no name is a number.
        self.are_words = not any(key.isdecimal() for key in self._keys)

    def may_be_in(self, first_cell: str) -> bool:
        """Returns whether the first cell of a row is a column name; cheap, for every row.

        It is none if it is a number and `are_words`, which takes even less time.
        """
        return len(first_cell) <= self._longest and name_key(first_cell) in self._first_keys

    def are_in(self, cells: Iterable[str]) -> bool:
        """Returns whether a row is a header: at least half of its cells are column names.

        They may have another order, and some columns another name. One name is not enough, unless
        the header has no other.
        """
        found = [key for key in map(name_key, cells) if key]
        matching = self._keys.intersection(found)
        return len(matching) >= min(2, len(self._keys)) and 2 * len(matching) >= len(found)
