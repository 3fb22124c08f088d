"""TOML files read through typed schemas. One run finds every fault of a file.

A schema is a subclass of `TomlTable`. pydantic checks the content. This module reports where each
fault is, in the terms of the file. The sentences here are for files that ship with the portal. A
column mapping, which an operator writes, has translated sentences of its own.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    GetPydanticSchema,
    PlainSerializer,
    Strict,
    StringConstraints,
    ValidationError,
)
from pydantic.fields import FieldInfo

from foundations.languages import LocalizedText

# The path to a value: keys of tables, and indexes in arrays from 0.
FilePath = tuple[str | int, ...]
Text = Annotated[str, StringConstraints(pattern=r"\S")]  # not blank
# Not strict: a strict tuple refuses the list that TOML gives. The items stay strict.
Texts = Annotated[tuple[Text, ...], Strict(False)]
# A table of texts by language: `name.ko = "…"` and `name.en = "…"`.
Localized = Annotated[
    LocalizedText,
    GetPydanticSchema(
        lambda _type, schema_of: schema_of(
            Annotated[
                dict[str, Text], AfterValidator(LocalizedText), PlainSerializer(lambda text: text)
            ]
        )
    ),
]


class TomlTable(BaseModel):
    """A TOML table. It refuses unknown keys and converts no value to another type.

    A validator that finds several faults raises ValueError with one argument for each.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


SchemaT = TypeVar("SchemaT", bound=TomlTable)


class TomlFileError(ValueError):
    """A file does not match its schema. Each of `problems` is a sentence that names the place."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(self.problems))


def load(path: Path, schema: type[SchemaT]) -> SchemaT:
    """Returns the content of a file that ships with the portal, as a `schema` object.

    Raises TomlFileError with every fault of the file, and OSError if it cannot be read.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return schema.model_validate(content)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TomlFileError([f"{path.name}: it is not TOML ({error}); correct it."]) from None
    except ValidationError as error:
        found = faults(error, schema)
        raise TomlFileError(_in_english(fault, content, path.name) for fault in found) from None


def nearest(wrong: str, right: Iterable[str]) -> str:
    """Returns the string of `right` that is most similar to `wrong`, or "" if none is similar."""
    return next(iter(difflib.get_close_matches(wrong, list(right), n=1)), "")


# ---------------------------------------------------------------- from pydantic's errors


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault of a file. `kind` is pydantic's name of the error, such as "missing"."""

    kind: str
    path: FilePath
    table: FilePath  # the path of the table that holds the key
    key: str  # the last key of the path; the value may be an item of its list
    value: object
    choices: list[str]  # the keys that the table may have, or the allowed values of an enumeration
    rule: Any  # the argument of the ValueError that a validator raised
    wants: Literal["", "table", "tables"]  # set if a table or an array of tables is required here


def faults(error: ValidationError, schema: type[TomlTable]) -> Iterator[Fault]:
    """Yields every fault of a validation error, in the terms of the file."""
    for detail in error.errors(include_url=False):
        kind, path, context = detail["type"], detail["loc"], detail.get("ctx", {})
        if kind == "too_short" and detail["input"]:
            continue  # the array is not empty: its entries are wrong, and each has its own error
        keys = [place for place, step in enumerate(path) if isinstance(step, str)]
        fields = _fields_at(schema, path[:-1])
        choices = re.findall(r"'(.*?)'", context.get("expected", ""))
        for rule in context["error"].args if kind == "value_error" else [None]:
            yield Fault(
                kind=kind,
                path=path,
                table=path[: keys[-1]] if keys else (),
                key=str(path[keys[-1]]) if keys else "",
                value=detail["input"],
                choices=sorted(fields) if kind == "extra_forbidden" else choices,
                rule=rule,
                wants=_wants(fields.get(str(path[-1])) if path else None, kind),
            )


def _fields_at(schema: type[TomlTable], path: FilePath) -> dict[str, FieldInfo]:
    """Returns the fields of the table at `path`, by their key in the file."""
    fields = {entry.alias or name: entry for name, entry in schema.model_fields.items()}
    for place, step in enumerate(path):
        if inner := _schema_in(fields[step].annotation if step in fields else None):
            return _fields_at(inner, path[place + 1 :])
    return fields


def _wants(field: FieldInfo | None, kind: str) -> Literal["", "table", "tables"]:
    if kind == "value_error":
        return ""
    if kind == "model_type":  # also for an item of an array
        return "table"
    if field is None or _schema_in(field.annotation) is None:
        return ""
    return "tables" if get_origin(field.annotation) is tuple else "table"


def _schema_in(annotation: Any) -> type[TomlTable] | None:
    """Returns the schema in the annotation of a table, an optional table or an array of tables.

    Returns None if the annotation contains no schema.
    """
    if isinstance(annotation, type) and issubclass(annotation, TomlTable):
        return annotation
    return next(filter(None, map(_schema_in, get_args(annotation))), None)


# ---------------------------------------------------------------- in English

_TERMS = {
    "string_type": "a text",
    "string_pattern_mismatch": "a text",
    "int_type": "a whole number",
    "greater_than": "1 or more",
    "bool_type": "true or false",
    "date_type": "a date",
    "datetime_type": "a date with a time",
    "timezone_aware": "a date with a time and an offset",
    "tuple_type": "a list of texts",
    "dict_type": "a table of texts",
}


def _in_english(fault: Fault, content: dict[str, Any], file: str) -> str:
    """Returns a sentence with the file, the place in it, the fault and its correction."""
    is_whole = fault.kind == "value_error" or fault.wants == "table"
    place = _place(fault.path if is_whole else fault.table, content, file)
    return f"{place}: {_sentence(fault)}"


def _sentence(fault: Fault) -> str:
    if fault.wants == "tables":
        return f"it holds no {fault.key}; add one under [[{fault.key}]]."
    if fault.wants == "table":
        return "it is missing or no table; write it as one."
    match fault.kind:
        case "value_error":
            return str(fault.rule)
        case "missing":
            return f"“{fault.key}” is missing; add it."
        case "extra_forbidden":
            near = nearest(fault.key, fault.choices)
            hint = f" Did you mean “{near}”?" if near else ""
            return f"unknown key “{fault.key}”; known are {', '.join(fault.choices)}.{hint}"
    term = (
        f"one of {', '.join(fault.choices)}"
        if fault.choices
        else _TERMS.get(fault.kind, "another value")
    )
    return f"“{fault.key}” is {fault.value!r}; it must be {term}."


def _place(path: FilePath, content: Any, file: str) -> str:
    """Returns a place such as `xx.toml, [law]` or `xx.toml, duty xx-one, trigger`.

    A table of an array is named by its `id`. Without an id it is named by its number from 1, such
    as `xx.toml, duty number 2`.
    """
    parts = [file]
    for step in path:
        content = content.get(step) if isinstance(content, dict) else content[step]
        if isinstance(step, int):
            name = content.get("id") if isinstance(content, dict) else None
            parts[-1] += f" {name}" if isinstance(name, str) else f" number {step + 1}"
        else:
            is_table = len(parts) == 1 and not isinstance(content, list)
            parts.append(f"[{step}]" if is_table else step)
    return ", ".join(parts)
