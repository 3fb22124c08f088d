"""JSON Lines: one object a line; its values are read as text, as a CSV's cells are."""

import json
from typing import Any

from incidents.importing.refusals import RejectMessages

NOT_AN_OBJECT = RejectMessages.NOT_AN_OBJECT.said()


def begins_object(start: bytes) -> bool:
    """Whether a file that begins so is JSON Lines: `{`, then a key or the end of the object."""
    after = start[1:].lstrip()
    return after[:1] in (b'"', b"}")


def keys(head: str) -> list[str]:
    """The keys of the first rows, in the order in which they are met."""
    names: dict[str, None] = {}
    for line in head.split("\n"):
        names.update(dict.fromkeys(parsed(line) or ()))
    return list(names)


def parsed(line: str) -> dict[str, str] | None:
    """The row on a line, every value as text; None if it is no JSON object."""
    try:
        found = _DECODER.decode(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    return {key: text if isinstance(text, str) else _text(text) for key, text in found.items()}


def _text(value: Any) -> str:
    """A number as it was typed; null is a blank cell; what is nested stays JSON."""
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# Numbers as they stand: an id of 007 is no JSON, but 1.0 and 1 may be two people.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
