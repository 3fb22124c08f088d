"""The data classes that every portal starts with, of `initial_data_classes.toml`.

The response team edits them in the desk.
"""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, Strict

from foundations import toml_files
from foundations.toml_files import Text, TomlTable
from incidents.class_texts import with_further_languages


class InitialDataClass(TomlTable):
    """The table [[class]]: the fields of a DataClass. What it leaves out has the field's default.

    The texts are by language. Each action has a text in every language of the name.
    """

    slug: Text
    hibp_name: str
    name: dict[str, Text]
    unit: dict[str, Text]
    units: dict[str, Text]
    is_one_each: bool = False
    sensitivity: Annotated[int, Field(ge=1, le=3)]
    may_have_lines: bool = False
    masking: Text
    date_meaning: str = ""
    actions: Annotated[tuple[dict[str, Text], ...], Strict(False)]


class _InitialDataClasses(TomlTable):
    classes: Annotated[tuple[InitialDataClass, ...], Strict(False), Field(alias="class")]


def _fields(entry: InitialDataClass) -> dict[str, Any]:
    """Returns the fields of the row; `actions` has the steps by language, one a line."""
    actions = {code: "\n".join(step[code] for step in entry.actions) for code in entry.name}
    return entry.model_dump(exclude_unset=True) | {"actions": actions}


_FILE = Path(__file__).with_suffix(".toml")
_CLASSES = [_fields(entry) for entry in toml_files.load(_FILE, _InitialDataClasses).classes]

# With their texts in the languages of class_texts/, of which a portal shows those that it has.
DATA_CLASSES = with_further_languages(_CLASSES)
