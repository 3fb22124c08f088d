"""The live lint: findings appear beside each section of a draft while an editor types."""

import re

import pytest
from django.conf import settings
from django.db import connections
from django.urls import reverse
from django.utils.text import capfirst
from playwright._impl._api_structures import SetCookieParam
from playwright.sync_api import expect

from harness import exposure_factory
from harness.sign_in import sign_in_to_desk
from notices.models import Notice
from statements import publishing
from statements.models import Section, Statement, StatementVersion
from tests import browser
from tests.desk_pages import form_of, version_url
from tests.localized import merged
from tests.statement_factory import NAMES_LEAKED, complete_draft


@pytest.fixture
def draft(incident, editor) -> StatementVersion:
    """A draft notice that meets Korean law."""
    exposure_factory.state(incident, "names", "involved", basis="confirmed")
    statement = Statement.objects.create(incident=incident, kind="notice", slug="notice")
    return complete_draft(statement, editor)


def place(draft: StatementVersion, key: str) -> str:
    """Returns the prefix of a section's form."""
    return f"sections-{[section.key for section in draft.sections.all()].index(key)}"


def found_at(response, prefix: str) -> str:
    """Returns the findings shown below the fields of one section."""
    form = response.content.decode().split(f'id="{prefix}"')[1].split('class="inline-related')[0]
    return form.partition("data-findings")[2]


def test_each_finding_is_shown_under_its_section(editors_desk, draft):
    draft.sections.filter(key="when_and_how").update(**merged("body", ko="이름이 노출되었습니다."))
    response = editors_desk.get(version_url("change", draft))
    assert "노출" in found_at(response, place(draft, "when_and_how"))
    assert "유출" in found_at(response, place(draft, "when_and_how"))  # the suggested word
    assert "노출" not in found_at(response, place(draft, "data_items"))


def test_unnamed_classes_and_missing_languages_are_shown_there_too(editors_desk, draft):
    draft.sections.filter(key="data_items").update(body={"ko": "전화번호", "en": ""})
    shown = found_at(editors_desk.get(version_url("change", draft)), place(draft, "data_items"))
    assert "does not name “이름”" in shown
    assert "is missing in English" in shown


def test_findings_about_missing_sections_are_shown_at_the_top(editors_desk, draft):
    draft.sections.filter(key="self_protection_steps").delete()
    response = editors_desk.get(version_url("change", draft)).content.decode()
    top = response.split('data-findings="top"')[1].split('name="title_ko"')[0]
    assert str(Section.Key.SELF_PROTECTION_STEPS.label) in top
    assert "things keep" in response or "thing keeps" in response


def test_a_finding_about_the_title_is_shown_at_the_title(editors_desk, draft):
    StatementVersion.objects.filter(pk=draft.pk).update(**merged("title", ko="개인정보 노출 안내"))
    response = editors_desk.get(version_url("change", draft)).content.decode()
    shown = response.split('data-findings="title"')[1].split('name="display_until"')[0]
    assert "노출" in shown


def test_typed_text_is_reviewed_and_not_saved(editors_desk, draft):
    prefix = place(draft, "when_and_how")
    typed = form_of(editors_desk.get(version_url("change", draft)))
    typed |= {f"{prefix}-body_ko": "이름이 노출되었습니다.", "title_ko": "노출 통지"}
    answer = editors_desk.post(version_url("live_lint", draft), typed).json()
    assert "노출" in answer["findings"][prefix]
    assert "노출" in answer["findings"]["title"]
    assert answer["findings"][place(draft, "data_items")] == ""
    assert answer["blocking"] >= 2
    draft.refresh_from_db()
    assert draft.title.get("ko") == "유출 통지"
    assert draft.sections.get(key="when_and_how").body.get("ko") == NAMES_LEAKED["ko"]
    assert not draft.editors.exists()


def test_added_and_deleted_sections_are_reviewed(editors_desk, draft):
    typed = form_of(editors_desk.get(version_url("change", draft)))
    total = int(str(typed["sections-TOTAL_FORMS"]))
    struck = place(draft, "when_and_how")
    typed |= {"sections-TOTAL_FORMS": total + 1, f"{struck}-DELETE": "on"}
    new = {"key": "not_known_yet", "position": 99, "basis": "company", "body_ko": "이름이 노출"}
    typed |= {f"sections-{total}-{name}": value for name, value in new.items()}
    found = editors_desk.post(version_url("live_lint", draft), typed).json()["findings"]
    assert "노출" in found[f"sections-{total}"]
    assert str(Section.Key.WHEN_AND_HOW.label) in found["top"]
    assert struck not in found


def test_markup_in_a_draft_is_escaped_in_a_finding(editors_desk, draft):
    typed = form_of(editors_desk.get(version_url("change", draft)))
    typed |= {"title_en": "<img src=x> for your convenience"}
    found = editors_desk.post(version_url("live_lint", draft), typed).json()["findings"]["title"]
    assert "<img" not in found


def test_the_live_lint_needs_the_permission(client, draft, minji, approver):
    url = version_url("live_lint", draft)
    assert client.post(url).status_code == 302  # to the sign-in page
    minji.is_staff = True
    minji.save()
    sign_in_to_desk(client, minji)
    assert client.post(url).status_code == 403
    assert client.get(url).status_code == 405


def test_a_published_version_is_not_reviewed_again(editors_desk, draft, approver):
    publishing.publish(draft, by=approver)
    assert "data-live-lint" not in editors_desk.get(version_url("change", draft)).content.decode()
    assert editors_desk.post(version_url("live_lint", draft)).status_code == 404


# The second person


def test_the_author_reads_that_a_second_person_must_publish(editors_desk, client, draft, approver):
    mine = editors_desk.get(version_url("change", draft)).content.decode()
    assert "Waits for a second person" in mine
    assert version_url("publish", draft) not in mine
    sign_in_to_desk(client, approver)
    theirs = client.get(version_url("change", draft)).content.decode()
    assert version_url("publish", draft) in theirs
    assert "Waits for a second person" not in theirs


# Previews


def test_the_previews_show_page_and_mail_in_both_languages(editors_desk, draft):
    shown = editors_desk.get(version_url("previews", draft)).content.decode()
    for words in ("Notice of a leak", "유출 통지", "Names leaked.", "홍길동", "Gildong Hong"):
        assert words in shown
    for code, _name in settings.LANGUAGES:
        assert f"{version_url('preview', draft)}?language={code}" in shown
        url = reverse("admin:statements_statementversion_mail", args=[draft.pk, code])
        assert url in shown
        mail = editors_desk.get(url)
        assert NAMES_LEAKED[code] in mail.content.decode()
        assert "sandbox" in mail["Content-Security-Policy"]


def test_the_previews_show_every_channel(editors_desk, draft):
    shown = editors_desk.get(version_url("previews", draft)).content.decode()
    assert shown.count("<pre>") == len(settings.LANGUAGES) * len(Notice.Channel.choices)
    for channel, label in Notice.Channel.choices:
        assert channel == "email" or f"<h3>{capfirst(label)}</h3>" in shown


@pytest.mark.parametrize("kind", ["apology", "update", "faq", "advisory"])
def test_every_kind_has_its_mail(editors_desk, incident, editor, kind):
    statement = Statement.objects.create(incident=incident, kind=kind, slug=kind)
    draft = publishing.draft_next(statement, by=editor)
    draft.title = {"ko": "제목", "en": "A title"}
    draft.save()
    assert "A title" in editors_desk.get(version_url("previews", draft)).content.decode()


# In a browser


@pytest.fixture
def editors_page(transactional_db, live_server, client, editor, draft, monkeypatch):
    """The draft's page in Chromium, with the editor signed in."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    sign_in_to_desk(client, editor)
    cookies: list[SetCookieParam] = [
        {"name": name, "value": client.cookies[name].value, "url": live_server.url}
        for name in (settings.SESSION_COOKIE_NAME, settings.LANGUAGE_COOKIE_NAME)
    ]
    with browser.chromium() as chromium:
        context = chromium.new_context()
        context.add_cookies(cookies)
        opened = context.new_page()
        opened.goto(live_server.url + version_url("change", draft))
        yield opened


def test_findings_change_while_the_editor_types(editors_page, draft):
    prefix = place(draft, "when_and_how")
    found = editors_page.locator(f"#{prefix} [data-findings]")
    expect(found).to_be_hidden()
    field = editors_page.locator(f"#id_{prefix}-body_ko")
    field.fill("이름이 노출되었습니다.")
    expect(found).to_contain_text("노출")
    expect(editors_page.locator("[data-blocking]")).to_have_text(re.compile("keep"))
    field.fill("이름이 유출되었습니다.")
    expect(found).to_be_hidden()
    expect(editors_page.locator("[data-blocking]")).to_have_text(re.compile("no objection"))
