"""The texts of the first data classes, and of the steps of countries, in further languages.

`class_texts/<language>.toml` holds one language. Korean and English are in
initial_data_classes.toml and country_steps.toml, which name the classes and the steps; each file
has the same ones.
"""

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from foundations import toml_files
from foundations.languages import CODE, SOURCE_LANGUAGE
from foundations.toml_files import Text, Texts, TomlFileError, TomlTable

FOLDER = Path(__file__).parent / "class_texts"


class ClassTexts(TomlTable):
    """The table [classes.<slug>]. `units` is empty in a language without plural forms."""

    name: Text
    unit: Text
    units: str = ""
    actions: Texts


class LanguageTexts(TomlTable):
    """One file: texts of classes by slug, and of steps by name."""

    classes: dict[str, ClassTexts]
    country_steps: dict[str, Text]


def with_further_languages(classes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns the data classes with their texts in further languages added to those they have.

    Raises TomlFileError for a file that lacks a class, knows another one, or has another number of
    actions of a class than its English text.
    """
    lines = {
        str(entry["slug"]): entry["actions"][SOURCE_LANGUAGE].splitlines() for entry in classes
    }
    for code, texts in _by_language().items():
        problems = [*_differences("class", texts.classes, lines)]
        for slug, text in texts.classes.items():
            number, wanted = len(text.actions), len(lines.get(slug, text.actions))
            if number != wanted:
                problems.append(f"[classes.{slug}]: it has {number} actions; write {wanted}.")
        _raise_if(problems, code)
    return [_with(entry, _by_language()) for entry in classes]


def step_texts(names: Collection[str]) -> dict[str, dict[str, str]]:
    """Returns the texts of the steps of countries: {name: {language: text}}.

    Raises TomlFileError for a file that lacks a step or knows another one.
    """
    for code, texts in _by_language().items():
        _raise_if(list(_differences("step", texts.country_steps, names)), code)
    return {
        name: {code: texts.country_steps[name] for code, texts in _by_language().items()}
        for name in names
    }


@cache
def _by_language() -> dict[str, LanguageTexts]:
    found = {}
    for path in sorted(FOLDER.glob("*.toml")):
        if not CODE.fullmatch(path.stem):
            raise TomlFileError([f"{path.name}: its name is no language code."])
        found[path.stem] = toml_files.load(path, LanguageTexts)
    return found


def _with(entry: dict[str, Any], further: Mapping[str, LanguageTexts]) -> dict[str, Any]:
    texts = {code: language.classes[entry["slug"]] for code, language in further.items()}
    added = {
        "name": {code: text.name for code, text in texts.items()},
        "unit": {code: text.unit for code, text in texts.items()},
        "units": {code: text.units for code, text in texts.items() if text.units},
        "actions": {code: "\n".join(text.actions) for code, text in texts.items()},
    }
    return entry | {key: entry[key] | by_language for key, by_language in added.items()}


def _differences(kind: str, given: Collection[str], known: Collection[str]) -> Iterator[str]:
    for name in given:
        if name not in known:
            near = toml_files.nearest(name, known)
            hint = f" Did you mean “{near}”?" if near else ""
            yield f"there is no {kind} “{name}”.{hint}"
    for name in known:
        if name not in given:
            yield f"the {kind} “{name}” is missing; add it."


def _raise_if(problems: list[str], code: str) -> None:
    if problems:
        raise TomlFileError(f"{code}.toml: {problem}" for problem in problems)
