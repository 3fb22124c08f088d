"""No English on the Korean desk and no Korean on the English one: every page, with content.

Words of the team, of the company and of customers are data and may be in any language. They are
read from the database; all other text of a page is the portal's and has to be in its language.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.apps import apps

from foundations.languages import LocalizedText
from foundations.localized_fields import LocalizedTextField
from harness.sign_in import sign_in_to_desk, step_up
from incidents.models import DataClass
from tests.desk.test_role_limits import address, desk_pages, world  # noqa: F401  a fixture
from tests.desk_pages import desk_url, say_why

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]
HANGUL = re.compile("[\u3131-\u318e\uac00-\ud7a3]+")
# Whole words: no abbreviation such as CSV, and no part of a number, an address or a path.
LATIN = re.compile(r"(?<![\w.@-])(?![A-Z]+\b)[A-Za-z][A-Za-z’']+(?![\w@])")
AS_WRITTEN = re.compile(  # addresses, paths, commands, titles of documents
    r"\S+@\S+|https?://\S+|[\w.-]*/[\w./-]+|(?:manage\.py|breachportal) \w+|“[A-Z][A-Za-z ]+”"
)
NAMES = {  # which no language translates
    *("English", "한국어", "Markdown", "Redis", "Lines", "MiB", "gzip", "zstd", "windows"),
    *("Have", "Been", "Pwned", "Control", "Command", "Mac", "doctor", "postgres"),
    *("개", "건"),  # examples of Korean counters
}
CODES_OF_CLASSES = {
    field.attname
    for field in DataClass._meta.concrete_fields
    if not isinstance(field, LocalizedTextField)
}
# The trail repeats reasons and steps that it records; a superuser's list of permissions names
# tables without a page, which have English names only; the list of data classes has both languages.
NOT_ASKED = {
    *("accounts_auditentry_changelist", "auth_group_add", "auth_group_change"),
    "incidents_dataclass_changelist",
}
NOT_DATA = (  # tables with texts of the portal itself
    *("auth.permission", "contenttypes.contenttype", "accounts.auditentry"),
    "admin.logentry",
)
NOT_SHOWN = ("script", "style", "code", "pre", "textarea", "head")
VOID = ("input", "br", "img", "hr", "link", "meta", "wbr", "source", "col")
ATTRIBUTES = ("title", "alt", "placeholder", "aria-label")


class ShownTexts(HTMLParser):
    """The texts of a page, also of attributes, outside code and elements of another language."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._language = language
        self._open: list[tuple[str, bool]] = []  # elements, and whether each is left out

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        is_other = named.get("lang", self._language) != self._language
        is_left_out = tag in NOT_SHOWN or is_other or "hidden" in named or self._is_left_out()
        if not is_left_out:
            is_button = named.get("type") in ("submit", "button", "reset")
            names = (*ATTRIBUTES, "value") if is_button else ATTRIBUTES
            self.texts += [text for name in names if (text := named.get(name))]
        if tag not in VOID:
            self._open.append((tag, is_left_out))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass  # an element without an end tag

    def handle_data(self, data: str) -> None:
        if not self._is_left_out():
            self.texts.append(data)

    def _is_left_out(self) -> bool:
        return bool(self._open) and self._open[-1][1]


def data() -> set[str]:
    """Returns the words of the texts that people stored."""
    models = [each for each in apps.get_models() if each._meta.label_lower not in NOT_DATA]
    rows = (row for model in models for row in model._default_manager.all()[:500])
    texts = {
        text
        for row in rows
        for field in row._meta.concrete_fields
        for text in _texts(getattr(row, field.attname))
        if not isinstance(row, DataClass) or field.attname in CODES_OF_CLASSES
    }
    return {word for text in texts for word in (*LATIN.findall(text), *HANGUL.findall(text))}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, LocalizedText):
        yield from value.by_language().values()
    elif isinstance(value, (list, tuple, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def foreign(page: str, language: str, known: set[str]) -> set[str]:
    """Returns the words of a page that are of the other language, and no data."""
    shown = ShownTexts(language)
    shown.feed(page)
    pattern = LATIN if language == "ko" else HANGUL
    found = (pattern.findall(AS_WRITTEN.sub(" ", text)) for text in shown.texts)
    return {word for words in found for word in words} - known - NAMES


@pytest.mark.parametrize("language", ["ko", "en"])
def test_no_page_of_the_desk_has_words_of_the_other_language(client, approver, people, language):
    sign_in_to_desk(client, approver)
    step_up(client, approver)
    client.cookies["language"] = language
    say_why(client, desk_url("incidents_affectedperson_change", people["minji"].pk))
    known, wrong, seen = data(), {}, 0
    for page in desk_pages():
        if page.name == "logout" or page.name in NOT_ASKED:
            continue
        response = client.get(address(page), follow=True)
        if not response.get("Content-Type", "").startswith("text/html"):
            continue
        seen += 1
        if found := foreign(response.content.decode(), language, known):
            wrong[page.name] = sorted(found)
    assert seen > 150
    assert not wrong, "\n".join(f"{name}: {' '.join(words)}" for name, words in wrong.items())
