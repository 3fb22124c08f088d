"""Both catalogues translate every string of code and templates, and are compiled."""

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).parent.parent
APPS = (
    *("breachportal", "foundations", "accounts", "incidents", "statements"),
    *("notices", "tickets", "scams"),
)
KEYWORDS = DEFAULT_KEYWORDS | {
    "gettext_noop": None,
    "gettext_lazy": None,
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


def words_of_the_project() -> set[str | tuple[str, ...]]:
    """Returns every source string, as Django's makemessages finds it."""
    sources = [path for app in APPS for path in (ROOT / app).rglob("*.py")]
    templates = [path for path in (ROOT / "templates").rglob("*") if path.is_file()]
    found: set[str | tuple[str, ...]] = set()
    for path in sources + templates:
        text = path.read_text(encoding="utf-8")
        if path in templates:
            text = templatize(text, origin=str(path))
        for _line, message, _comments, _context in extract(
            "python", BytesIO(text.encode()), keywords=KEYWORDS
        ):
            found.add(tuple(message[:2]) if isinstance(message, tuple) else message)
    return found


def catalogue(language: str):
    path = ROOT / "locale" / language / "LC_MESSAGES" / "django.po"
    with path.open("rb") as file:
        return read_po(file, locale=language)


def pairs(messages) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Returns {source: translation} as tuples of forms, because Babel's readers use two types."""

    def forms(text) -> tuple[str, ...]:
        return (text,) if isinstance(text, str) else tuple(text)

    return {forms(message.id): forms(message.string) for message in messages if message.id}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_string_is_translated(language):
    translated = {
        message.id
        for message in catalogue(language)
        if message.string and all(message.string) and not message.fuzzy
    }
    single = {words[0] if isinstance(words, tuple) else words for words in translated}
    missing = {
        words
        for words in words_of_the_project()
        if words and (words[0] if isinstance(words, tuple) else words) not in single
    }
    assert not missing, f"{len(missing)} missing; run `make messages` and translate"


@pytest.mark.parametrize("language", ["ko", "en"])
def test_translations_keep_their_placeholders(language):
    for message in catalogue(language):
        if not message.id or not message.string:
            continue
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        wanted = set(PLACEHOLDER.findall(ids[-1]))
        for string in strings:
            assert set(PLACEHOLDER.findall(string)) == wanted, (ids, string)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_compiled_catalogue_is_the_written_one(language):
    with (ROOT / "locale" / language / "LC_MESSAGES" / "django.mo").open("rb") as file:
        compiled = pairs(read_mo(file))
    assert compiled == pairs(catalogue(language)), "run `make messages`"
