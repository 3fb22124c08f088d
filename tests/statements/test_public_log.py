"""The public log: it shows what changed, and detects other changes."""

import pytest
from django.core.management import call_command

from statements import publishing
from statements.models import Section
from statements.public.differences import word_diff
from tests.database import without_triggers

pytest_plugins = ["tests.statements.correction_fixtures"]


def test_the_log_marks_changed_words_in_each_language(client, second):
    english = client.get("/en/incidents/hanbit-2025/log/").content.decode()
    assert "About your <ins>own</ins> data" in english
    assert "<ins>deeply</ins> sorry." in english
    assert "<del>Reported by the company" in english
    korean = client.get("/ko/incidents/hanbit-2025/log/").content.decode()
    assert "고객 여러분께" in korean
    assert "<del>깊이</del>" in korean


def test_markup_in_a_text_is_escaped(client, second):
    page = client.get("/en/incidents/hanbit-2025/log/").content.decode()
    assert "<b>tag" not in page
    assert "&lt;b&gt;tag&lt;/b&gt;" in page


def test_a_first_version_shows_no_difference(client, first):
    assert "<ins>" not in client.get("/en/incidents/hanbit-2025/log/").content.decode()


def test_an_added_or_removed_section_is_shown(client, first, editor, approver):
    draft = publishing.draft_next(first.statement, by=editor)
    draft.change_reason = {"ko": "고쳤습니다.", "en": "Mended."}
    draft.save()
    draft.sections.all().delete()
    Section.objects.create(
        version=draft, key="not_known_yet", position=1, body={"ko": "모릅니다.", "en": "Unknown."}
    )
    publishing.publish(draft, by=approver)
    page = client.get("/en/incidents/hanbit-2025/log/").content.decode()
    assert "Unknown.</ins>" in page
    assert "<del>" in page


def test_long_stretches_that_stayed_are_left_out():
    text = " ".join(f"word{number}" for number in range(100))
    shown = word_diff(text, text.replace("word50", "new"))
    assert "word49 <del>word50</del> <ins>new</ins> word51" in shown
    assert "word10 " not in shown
    assert "word90" not in shown
    assert shown.startswith("… ")
    assert shown.endswith(" …")


def test_verifying_finds_nothing_where_nothing_changed(second, capsys):
    call_command("verify_statements")
    assert "1 statements stand" in capsys.readouterr().out


def test_verifying_names_one_changed_letter(second, capsys):
    with without_triggers() as cursor:
        cursor.execute("UPDATE statements_section SET body = body || jsonb_build_object('en', '.')")
    with pytest.raises(SystemExit) as ended:
        call_command("verify_statements")
    assert ended.value.code == 1
    problems = capsys.readouterr().err
    assert "hanbit-2025/our-apology: Version 1 is not what was published." in problems
    assert "hanbit-2025/our-apology: Version 2 is not what was published." in problems
