"""JSON Lines: one object a line. Values are read as text, like the cells of a CSV file."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from incidents.importing.formats.base import Format, ParsedRow
from incidents.importing.refusals import RejectMessages

_ESCAPED = re.compile("[\udc80-\udcff]")  # a byte that could not be decoded
# Numbers stay as they are written, because 1.0 and 1 may be the ids of two people.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


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
        for number, row in enumerate(text.split("\n"), start=line):
            if not row.strip():
                continue
            found = _parse_object(row)
            if found is None:
                yield number, [row.rstrip("\r")], RejectMessages.NOT_AN_OBJECT.stored()
                continue
            defect = RejectMessages.UNDECODABLE.stored() if _ESCAPED.search(row) else ""
            yield number, [found.get(name, "") for name in columns], defect

    def column_names(self, head: str) -> list[str]:
        """Returns the keys of all rows in `head`, in the order of their first occurrence."""
        names: dict[str, None] = {}
        for line in head.split("\n"):
            names.update(dict.fromkeys(_parse_object(line) or ()))
        return list(names)


def _parse_object(line: str) -> dict[str, str] | None:
    """Returns the JSON object on a line, with every value as text; None if it is no object."""
    try:
        found = _DECODER.decode(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    return {key: text if isinstance(text, str) else _text(text) for key, text in found.items()}


def _text(value: Any) -> str:
    """Returns null as a blank cell, and true, false, objects and arrays as JSON."""
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
