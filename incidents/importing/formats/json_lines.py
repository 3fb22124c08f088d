"""JSON Lines: one object a line. Values are read as text, like the cells of a CSV file."""

import datetime as dt
import json
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from incidents.importing.formats.base import DoubtfulText, Format, NestedText, ParsedRow
from incidents.importing.headers import name_key, places_by_key
from incidents.importing.row_messages import RejectMessages

MARK = "\ufeff"  # a byte order mark, where files were joined


class JsonLines(Format):
    """JSON Lines. The columns are the keys of the first rows. A row may lack or add keys."""

    name = "jsonl"

    def matches(self, start: bytes) -> bool:
        """Returns whether the file begins with `{` and then a key or the end of the object.

        No header row of a CSV file begins so.
        """
        return start.startswith(b"{") and start[1:].lstrip()[:1] in (b'"', b"}")

    def rows(self, text: str, line: int, columns: Sequence[str]) -> Iterator[ParsedRow]:
        """Yields the rows that are not blank. A cell is "" if the row has no such key."""
        names = _Names(columns)
        for number, row in enumerate(text.split("\n"), start=line):
            if not row.strip():
                continue
            try:
                found = names.completed(_parse_object(row.lstrip(MARK)))
            except _DuplicateKeyError:
                yield number, [row.rstrip("\r")], RejectMessages.DUPLICATE_KEY.stored()
            except (ValueError, RecursionError):
                yield number, [row.rstrip("\r")], RejectMessages.NOT_AN_OBJECT.stored()
            else:
                yield number, [found.get(name, "") for name in columns], ""

    def column_names(self, head: str) -> list[str]:
        """Returns the keys of all rows in `head`, in the order of their first occurrence."""
        names: dict[str, None] = {}
        for line in head.split("\n"):
            with suppress(ValueError, RecursionError):
                names.update(dict.fromkeys(_keys(line.lstrip(MARK))))
        return list(names)


class _Names:
    """The columns, to find a value whose key a row spells otherwise, as `Email` for `email`."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns, self._places = frozenset(columns), places_by_key(columns)
        self._names = list(columns)
        self._known: dict[str, list[int]] = {}  # the places of keys that were looked up
        self._are_alike = any(len(places) > 1 for places in self._places.values())

    def completed(self, found: dict[str, str]) -> dict[str, str]:
        """Returns the row with each value also under the columns that only spell it otherwise.

        Two keys alike with different values hold no single text. Case makes no difference.
        """
        if not self._are_alike and found.keys() <= self._columns:
            return found
        others: dict[str, str] = {}
        doubtful: dict[str, str] = {}
        for key, value in found.items():
            for name in (self._names[place] for place in self._places_of(key)):
                other = others.get(name, "")
                if value and other and value.casefold() != other.casefold():
                    doubtful[name] = DoubtfulText(value)
                others[name] = value or other
        return others | found | doubtful

    def _places_of(self, key: str) -> list[int]:
        if key not in self._known:
            self._known[key] = self._places.get(name_key(key), [])
        return self._known[key]


class _DuplicateKeyError(ValueError):
    """An object has a key twice, so that one of the two values would be lost."""


# The types of MongoDB's Extended JSON that are one text: {"$oid": "5f3a…"}, {"$numberLong": "7"}.
_TYPES_OF_TEXT = frozenset(
    ["$oid", "$date", "$uuid", "$symbol", "$numberInt", "$numberLong", "$numberDecimal"]
)
# The same number as {"$numberInt": "1001"} has the text "1001.0" here, and a larger one "1.5E+06".
_DOUBLE = "$numberDouble"
_MOMENT, _MILLISECONDS = "$date", re.compile(r"-?\d{1,16}", re.ASCII)
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 (in UTC)
_EXACT = 2**53  # up to here a float holds each whole number


def _as_dict(pairs: list[tuple[str, Any]]) -> dict[str, Any] | str | None:
    """Returns an object, or the text of one that only names the type of a text."""
    if len(pairs) == 1 and isinstance(text := pairs[0][1], str):
        if pairs[0][0] in _TYPES_OF_TEXT:
            return _of_moment(text) if pairs[0][0] == _MOMENT else text
        if pairs[0][0] == _DOUBLE:
            return _of_double(text)
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _DuplicateKeyError
    return found


def _of_moment(text: str) -> str:
    """Returns milliseconds since 1970 as a time in UTC; another text as it is.

    So mongoexport writes days before 1970, and in its canonical mode all of them.
    """
    if not _MILLISECONDS.fullmatch(text):
        return text
    try:
        moment = _EPOCH + dt.timedelta(milliseconds=int(text))
    except OverflowError:
        return text
    return moment.isoformat(timespec="milliseconds") + "Z"


def _of_double(text: str) -> str | None:
    """Returns a float of MongoDB as text, a whole number without a fraction; None for NaN."""
    number = float(text)
    if not math.isfinite(number):
        return None
    return str(int(number)) if number.is_integer() and abs(number) < _EXACT else text


def _nothing(_text: str) -> None:
    """Returns the value of NaN and Infinity, which are no values."""


# Numbers stay as they are written, because 1.0 and 1 may be the ids of two people.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_as_dict, parse_int=str, parse_float=str, parse_constant=_nothing
)


def _parse_object(line: str) -> dict[str, str]:
    """Returns the JSON object on a line, with every value as text.

    Raises ValueError or RecursionError if it is no object, and _DuplicateKeyError.
    """
    found = _DECODER.decode(line)
    if not isinstance(found, dict):
        raise ValueError
    return {key: text if isinstance(text, str) else _text(text) for key, text in found.items()}


def _keys(line: str) -> list[str]:
    """Returns the keys of the JSON object on a line, also of one with a duplicate key."""
    found = json.loads(line)
    return list(found) if isinstance(found, dict) else []


def _text(value: Any) -> str:
    """Returns null as a blank cell, and true, false, objects and arrays as JSON."""
    if value is None:
        return ""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return NestedText(text) if isinstance(value, dict | list) else text
