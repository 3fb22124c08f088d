"""The answer templates that ship with the portal (`answer_templates.toml`), stored for support."""

from pathlib import Path
from typing import Annotated

from django.db import transaction
from pydantic import Field, Strict

from foundations import toml_files
from foundations.languages import LocalizedText, portal_codes
from foundations.toml_files import Localized, TomlTable
from tickets.models import AnswerTemplate

PLACEHOLDER = "[…]"  # what support has to write
_FILE = Path(__file__).parent / "answer_templates.toml"


class ShippedTemplate(TomlTable):
    """The table [[template]]: its name for the team, and its text for customers, by language."""

    name: Localized
    text: Localized


class _ShippedTemplates(TomlTable):
    template: Annotated[tuple[ShippedTemplate, ...], Strict(False), Field(min_length=1)]


def shipped_templates() -> tuple[ShippedTemplate, ...]:
    """Returns the templates of the file. Raises TomlFileError."""
    return toml_files.load(_FILE, _ShippedTemplates).template


@transaction.atomic
def store(language: str) -> list[str]:
    """Stores the templates that are missing, with names in `language`. Returns their names.

    One that has its name, in any language, stays as support changed it. The texts are in the
    languages of the portal.
    """
    stored = []
    for shipped in shipped_templates():
        names = shipped.name.by_language()
        if AnswerTemplate.objects.filter(name__in=names.values()).exists():
            continue
        texts = {code: shipped.text.get(code).strip() for code in portal_codes()}
        AnswerTemplate.objects.create(name=names[language], text=LocalizedText(texts))
        stored.append(names[language])
    return stored
