"""Steps that hold in single countries: where people turn to there (`country_steps.toml`).

The steps of a data class hold everywhere; these are added for the jurisdictions of the incident.
"""

from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, Strict

from foundations import toml_files
from foundations.languages import LocalizedText
from foundations.toml_files import Localized, Text, Texts, TomlTable
from incidents.class_texts import step_texts

_FILE = Path(__file__).parent / "country_steps.toml"


class CountryStep(TomlTable):
    """The table [[step]]: one step, where it holds, and about which data classes."""

    name: Text  # the key of its texts in other languages
    jurisdictions: Texts  # of the incident, or their countries; one of them is enough
    classes: Texts  # slugs; one that leaked is enough
    text: Localized
    links: dict[Text, Text] = {}  # words of the text, and the address to which each leads
    source: Text


class _CountrySteps(TomlTable):
    step: Annotated[tuple[CountryStep, ...], Strict(False), Field(min_length=1)]


@cache
def all_country_steps() -> tuple[CountryStep, ...]:
    """Returns the steps of the file, read once a process, with their texts in all languages.

    Raises TomlFileError.
    """
    steps = toml_files.load(_FILE, _CountrySteps).step
    further = step_texts([step.name for step in steps])
    return tuple(step.model_copy(update={"text": step.text | further[step.name]}) for step in steps)


def country_steps(slug: str, jurisdictions: Collection[str]) -> list[LocalizedText]:
    """Returns the steps about a data class in these jurisdictions, in the order of the file."""
    names = {*jurisdictions, *(name.partition("-")[0] for name in jurisdictions)}
    return [
        step.text
        for step in all_country_steps()
        if slug in step.classes and not names.isdisjoint(step.jurisdictions)
    ]


@cache
def links_by_text() -> dict[str, dict[str, str]]:
    """Returns the links of each step, {word: address}, by its text in each language."""
    return {
        text: step.links
        for step in all_country_steps()
        if step.links
        for text in step.text.by_language().values()
    }
