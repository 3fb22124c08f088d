"""JSON Lines: one object a line. Its values are read as text, as a CSV's cells are."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from incidents.importing.formats.base import Format, ParsedRow
from incidents.importing.refusals import RejectMessages

_ESCAPED = re.compile("[\udc80-\udcff]")  # a byte that could not be decoded
# Numbers as they stand: an id of 007 is no JSON, but 1.0 and 1 may be two people.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)


class JsonLines(Format):
    """The columns are the keys of the first rows; a row may lack some, or have others."""

    name = "jsonl"

    def matches(self, start: bytes) -> bool:
        """Whether it is `{` and then a key or the end of the object; no column is called so."""
        return start.startswith(b"{") and start[1:].lstrip()[:1] in (b'"', b"}")

    def rows(self, text: str, line: int, columns: Sequence[str]) -> Iterator[ParsedRow]:
        """Yields the value of each column; "" where the row has none."""
        for number, row in enumerate(text.split("\n"), start=line):
            if not row.strip():
                continue
            found = _parsed(row)
            if found is None:
                yield number, [row.rstrip("\r")], RejectMessages.NOT_AN_OBJECT.stored()
                continue
            defect = RejectMessages.UNDECODABLE.stored() if _ESCAPED.search(row) else ""
            yield number, [found.get(name, "") for name in columns], defect

    def column_names(self, head: str) -> list[str]:
        """Returns the keys in the order in which they are met."""
        names: dict[str, None] = {}
        for line in head.split("\n"):
            names.update(dict.fromkeys(_parsed(line) or ()))
        return list(names)


def _parsed(line: str) -> dict[str, str] | None:
    """Returns the row on a line, every value as text; None if it is no JSON object."""
    try:
        found = _DECODER.decode(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    return {key: text if isinstance(text, str) else _text(text) for key, text in found.items()}


def _text(value: Any) -> str:
    """Returns a number as it was typed, null as a blank cell, and what is nested as JSON."""
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
