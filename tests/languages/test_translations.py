"""Each catalogue translates what its readers see, and is compiled.

Those of the desk's languages hold every message of code and templates; the others those of
customers.
"""

import re
from fnmatch import fnmatch

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import write_po
from django.conf import settings
from django.core.management import CommandError, call_command

from breachportal import customer_messages
from breachportal.customer_messages import catalogue_path, read_catalogue

LANGUAGES = list(settings.SHIPPED_LANGUAGES)
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


def pairs(messages) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Returns {source: translation} as tuples of forms, because Babel's readers use two types."""

    def forms(text) -> tuple[str, ...]:
        return (text,) if isinstance(text, str) else tuple(text)

    return {forms(message.id): forms(message.string) for message in messages if message.id}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_translated(language):
    found = customer_messages.completeness(language)
    assert not found.missing, str(found)


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_their_placeholders(language):
    for message in read_catalogue(language):
        if not message.id or not message.string:
            continue
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        wanted = set(PLACEHOLDER.findall(str(ids[-1])))
        for string in strings:
            assert set(PLACEHOLDER.findall(str(string))) == wanted, (ids, string)


@pytest.mark.parametrize("language", LANGUAGES)
def test_compiled_catalogue_is_the_written_one(language):
    with catalogue_path(language).with_suffix(".mo").open("rb") as file:
        compiled = pairs(read_mo(file))
    assert compiled == pairs(read_catalogue(language)), "run `make messages`"


def test_customers_messages_are_computed_from_where_they_are_used():
    found = {message.singular for message in customer_messages.customer_messages()}
    assert "Send me a code" in found  # a page of customers
    assert "Confirmed" in found  # the label of a choice that pages show
    assert "Version {number} is missing." in found
    assert "Scope version %(number)s is open." not in found  # the desk only
    assert "What happened" in found  # both


def test_each_pattern_of_the_desk_names_a_file():
    places = {place for found in customer_messages.all_messages().values() for place in found}
    sources = {
        path.relative_to(settings.BASE_DIR).as_posix() for path in customer_messages.sources()
    }
    for pattern in customer_messages.DESK_PATHS:
        assert any(fnmatch(path, pattern) for path in places | sources), pattern


def test_the_report_names_what_is_missing(tmp_path, settings, capsys):
    settings.SHIPPED_LANGUAGES = {**settings.SHIPPED_LANGUAGES, "eo": "Esperanto"}
    with pytest.raises(CommandError, match="Not every catalogue"):
        call_command("report_translations", "eo")
    report = capsys.readouterr().out
    assert report.startswith("eo: 0 of ")
    assert "'Send me a code'" in report


def test_a_catalogue_is_written_with_the_customers_messages(tmp_path, monkeypatch):
    path = tmp_path / "eo" / "django.po"
    monkeypatch.setattr(customer_messages, "catalogue_path", lambda _language: path)
    customer_messages.write_catalogue("eo")
    written = read_catalogue("eo")
    assert len(written) == len(customer_messages.customer_messages())
    written["Send me a code"].string = "Sendu kodon"
    with path.open("wb") as file:
        write_po(file, written)
    customer_messages.write_catalogue("eo")
    found = customer_messages.completeness("eo")
    assert found.translated == 1
    assert "Send me a code" not in found.missing


def test_drafts_and_comments_of_translators_stay(tmp_path, monkeypatch):
    path = tmp_path / "django.po"
    head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    entries = (
        '# Is “kodo” the usual word?\n#, fuzzy\nmsgid "Send me a code"\nmsgstr "Sendu kodon"\n',
        '# On a button.\nmsgid "Confirmed"\nmsgstr "Konfirmita"\n',
    )
    path.write_text(head + "\n".join(entries))
    monkeypatch.setattr(customer_messages, "catalogue_path", lambda _language: path)
    for _again in range(2):
        customer_messages.write_catalogue("eo")
        written = path.read_text()
        assert all(f"\n\n{entry}" in written for entry in entries)
    assert customer_messages.completeness("eo").translated == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_as_make_messages_writes_it(language, tmp_path, monkeypatch):
    committed = catalogue_path(language).read_bytes()
    path = tmp_path / "django.po"
    path.write_bytes(committed)
    monkeypatch.setattr(customer_messages, "catalogue_path", lambda _language: path)
    customer_messages.write_catalogue(language)
    assert path.read_bytes() == committed, "run `make messages`"


def test_a_draft_of_a_translation_does_not_count(tmp_path, monkeypatch):
    path = tmp_path / "django.po"
    head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    path.write_text(head + '#, fuzzy\nmsgid "Send me a code"\nmsgstr "Sendu kodon"\n')
    monkeypatch.setattr(customer_messages, "catalogue_path", lambda _language: path)
    assert "Send me a code" in customer_messages.completeness("eo").missing
