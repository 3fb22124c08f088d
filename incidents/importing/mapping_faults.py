"""Stored sentences about the faults of a column mapping: the place in the file, and what to do."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from pydantic import ValidationError

from foundations import toml_files
from foundations.toml_files import Fault, FilePath, TomlTable
from incidents.importing import mapping_limits
from incidents.importing.refusals import RefusalMessages

_WRONG_TYPES = {
    "string_type": RefusalMessages.NOT_TEXT,
    "bool_type": RefusalMessages.NOT_BOOLEAN,
    "frozen_set_type": RefusalMessages.NOT_LIST,
    "tuple_type": RefusalMessages.NOT_LIST,
    "dict_type": RefusalMessages.NOT_TABLE,
    "model_type": RefusalMessages.NOT_TABLE,
}


def sentences(error: ValidationError, schema: type[TomlTable], name: str) -> Iterator[str]:
    """Yields a stored sentence for each of the first faults of a mapping that `schema` refused.

    `name` is that of its file.
    """
    found = toml_files.faults(error, schema)
    for fault in islice(found, mapping_limits.MOST_FAULTS):
        yield _sentence(fault, name)
    if next(found, None):
        yield RefusalMessages.MORE_FAULTS.stored(mapping_words=name)


def _sentence(fault: Fault, name: str) -> str:
    slots: dict[str, Any] = {
        "mapping_words": name,
        "place_words": _place(fault.table, name),
        "key": fault.key,
    }
    if fault.kind == "value_error":
        return str(fault.rule(**slots))
    if fault.kind == "missing":
        return (RefusalMessages.NO_TABLE if fault.wants else RefusalMessages.NO_KEY).stored(**slots)
    if fault.kind == "extra_forbidden":
        return RefusalMessages.UNKNOWN_KEY.stored(
            advice_words=nearest_choices(fault.key, fault.choices), **slots
        )
    if fault.path == ("format",):
        return RefusalMessages.NO_FORMAT.stored(**slots)
    if fault.kind == "literal_error":
        return RefusalMessages.NOT_AMONG.stored(
            advice_words=nearest_choices(str(fault.value), fault.choices), **slots
        )
    if fault.kind == "model_type" and isinstance(fault.path[-1], int):
        return RefusalMessages.NOT_BLOCKS.stored(table=_table_header(fault.path), **slots)
    return _WRONG_TYPES[fault.kind].stored(**slots)


def _place(path: FilePath, name: str) -> str:
    if not path:
        return name
    if isinstance(path[-1], int):
        return RefusalMessages.BLOCK.stored(
            mapping_words=name, table=_table_header(path), number=path[-1] + 1
        )
    return RefusalMessages.TABLE.stored(mapping_words=name, table=_table_header(path))


def _table_header(path: FilePath) -> str:
    """Returns the header of a TOML table: `[person]` or `[[second_person.leaked]]`."""
    header = f"[{'.'.join(step for step in path if isinstance(step, str))}]"
    return f"[{header}]" if isinstance(path[-1], int) else header


def described(wrong: str, known: Mapping[str, str]) -> str:
    """Returns the data classes most like a wrong slug, by slug and by name; all if none is."""
    spellings = {slug: slug for slug in known}
    for slug, description in known.items():
        for name in description.lower().split(" / "):
            spellings.setdefault(name.replace(" ", "-"), slug)
    near = difflib.get_close_matches(wrong.lower(), spellings, n=4, cutoff=0.5)
    slugs = dict.fromkeys(spellings[spelling] for spelling in near) or sorted(known)
    return ", ".join(f"{slug} ({known[slug]})" for slug in slugs)


def nearest_choices(wrong: str, right: Iterable[str]) -> str:
    """Returns the remedy for a wrong value: the right value nearest to it, or all right values."""
    right = sorted(right)
    if near := toml_files.nearest(wrong, right):
        return RefusalMessages.NEAR.stored(near=near)
    return RefusalMessages.CHOICES.stored(
        choices_words=", ".join(right) or RefusalMessages.NONE.stored()
    )
