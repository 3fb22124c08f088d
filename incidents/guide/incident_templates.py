"""The templates of incidents: what usually leaks in a common case, as data in `templates/*.toml`.

A template only suggests. Each suggestion is shown as an answer that the person may change.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from foundations import toml_files
from foundations.languages import LocalizedText
from foundations.toml_files import Localized, Texts, TomlTable

FOLDER = Path(__file__).parent / "templates"


class IncidentTemplate(TomlTable):
    """One file of `templates/`. Title and summary may hold {company} and {classes}."""

    order: int
    name: Localized
    description: Localized
    title: Localized
    summary: Localized
    involved: Texts
    possibly: Texts = ()


@cache
def incident_templates() -> Mapping[str, IncidentTemplate]:
    """Returns the templates by the name of their file, in their order. Raises TomlFileError."""
    found = {path.stem: toml_files.load(path, IncidentTemplate) for path in FOLDER.glob("*.toml")}
    return dict(sorted(found.items(), key=lambda entry: entry[1].order))


def filled(text: LocalizedText, **values: Mapping[str, str]) -> LocalizedText:
    """Returns the text in each language with the values of that language in its placeholders.

    A language in which a value is missing has no text.
    """
    texts = {}
    for code, template in text.in_order():
        own = {name: by_language.get(code, "") for name, by_language in values.items()}
        if all(own[name] for name in own if f"{{{name}}}" in template):
            texts[code] = template.format(**own)
    return LocalizedText(texts)
