"""An incident has its own languages: what is asked for, published and sent, and to whom."""

import pytest
from django.utils.translation import override

from harness import exposure_factory
from incidents.models import Incident
from notices import decisions
from notices.engine import planning
from notices.models import Delivery
from statements import publishing
from statements.models import Statement, StatementVersion
from tests.desk_pages import desk_url, form_of, page_text, save
from tests.notice_factory import affected, draft_notice, work

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.usefixtures("english")


def in_languages(incident: Incident, *languages: str) -> Incident:
    incident.languages, incident.default_language = list(languages), languages[0]
    incident.save()
    return incident


def draft_of(incident: Incident, editor, texts: dict[str, str]) -> StatementVersion:
    """Returns a draft of an apology with this title and this text."""
    statement = Statement.objects.create(incident=incident, kind="apology", slug="apology")
    draft = publishing.draft_next(statement, by=editor)
    draft.title = texts
    draft.save()
    draft.sections.update(body=texts)
    return draft


def found(draft: StatementVersion) -> list[tuple[str, str]]:
    with override("en"):  # a change of settings.LANGUAGES ends the language of a fixture
        return [(one.rule, str(one.why)) for one in publishing.draft_findings(draft)]


def test_a_version_is_published_in_the_incidents_languages_only(incident, editor, approver):
    draft = draft_of(in_languages(incident, "en"), editor, {"en": "Sorry"})
    version = publishing.publish(draft, by=approver)
    record = publishing.canonical_record(version).decode()
    assert '"title":{"en":"Sorry"}' in record


def test_each_of_its_languages_is_needed(incident, editor, settings):
    settings.LANGUAGES = [*settings.LANGUAGES, ("de", "Deutsch")]
    draft = draft_of(in_languages(incident, "en", "de"), editor, {"en": "Sorry"})
    assert ("language", "The title is missing in German.") in found(draft)
    draft.title |= {"de": "Es tut uns leid"}
    assert "The title is missing in German." not in dict(found(draft)).values()


def test_a_text_in_another_language_is_refused(incident, editor):
    draft = draft_of(in_languages(incident, "en"), editor, {"en": "Sorry", "ko": "죄송합니다"})
    whys = [why for rule, why in found(draft) if rule == "language"]
    assert any("Korean, which is no language of the incident" in why for why in whys)


def test_a_language_without_rules_says_so(incident, editor, settings):
    settings.LANGUAGES = [*settings.LANGUAGES, ("it", "Italiano")]
    texts = {"en": "Call 118 by 3 May.", "it": "Chiamate il 118 entro il 3 maggio."}
    draft = draft_of(in_languages(incident, "en", "it"), editor, texts)
    assert [rule for rule, _why in found(draft)] == ["no_rules"]
    assert "Italian: The wording lint" in found(draft)[0][1]


def test_links_are_compared_in_any_two_languages(incident, editor, settings):
    settings.LANGUAGES = [*settings.LANGUAGES, ("de", "Deutsch")]
    texts = {"en": "See https://a.example/1", "de": "Siehe https://b.example/1"}
    draft = draft_of(in_languages(incident, "en", "de"), editor, texts)
    assert [rule for rule, _why in found(draft)].count("parity_link") == 4  # title and text


def test_the_desk_asks_for_the_incidents_languages(editors_desk, incident, editor):
    draft = draft_of(in_languages(incident, "en"), editor, {"en": "Sorry"})
    page = editors_desk.get(desk_url("statements_statementversion_change", draft.pk))
    assert "title_en" in form_of(page)
    assert "title_ko" not in form_of(page)


def test_an_incident_needs_texts_in_its_languages_only(editors_desk, incident):
    Incident.objects.update(is_public=False)
    page = desk_url("incidents_incident_change", incident.pk)
    korean = dict.fromkeys(("company_ko", "title_ko", "summary_ko", "department_ko"), "")
    refused = page_text(save(editors_desk, page, **korean))
    assert "Korean: this text is missing." in refused
    save(editors_desk, page, languages="en", default_language="en", **korean)
    incident.refresh_from_db()
    assert incident.languages == ["en"]
    assert incident.title == {"en": "Hanbit Store data leak"}


@pytest.mark.parametrize("languages", ["", "en,en", "en,xx", "en,de"])
def test_wrong_languages_are_refused(editors_desk, incident, languages):
    Incident.objects.update(is_public=False)
    page = desk_url("incidents_incident_change", incident.pk)
    save(editors_desk, page, languages=languages, default_language="en")
    incident.refresh_from_db()
    assert incident.languages == ["ko", "en"]


def test_the_default_language_is_one_of_them(editors_desk, incident):
    Incident.objects.update(is_public=False)
    page = desk_url("incidents_incident_change", incident.pk)
    refused = save(editors_desk, page, languages="en", default_language="ko")
    assert "This is none of the languages of the incident." in page_text(refused)


# ---------------------------------------------------------------- people of other languages


@pytest.fixture
def notice(incident, editor, approver):
    draft = draft_of(in_languages(incident, "en"), editor, {"en": "Sorry"})
    version = publishing.publish(draft, by=approver)
    return draft_notice(version, editor)


def test_people_of_another_language_get_the_default_one(notice, incident, approver, server):
    file = exposure_factory.file_of(incident)
    minji = affected(file, "김민지", "minji@example.com", language="ko")
    seojun = affected(file, "Seojun", "seojun@example.com", language="en")
    decisions.approve(notice, by=approver)
    assert [message.language for message in notice.messages.all()] == ["en"]
    work(notice)
    languages = dict(Delivery.objects.values_list("recipient", "language"))
    assert languages == {minji.pk: "en", seojun.pk: "en"}
    assert notice.accepted == 2


def test_the_approval_says_who_gets_another_language(approvers_desk, notice, incident):
    file = exposure_factory.file_of(incident)
    affected(file, "김민지", "minji@example.com", language="ko")
    assert planning.count_now(notice).by_language == {"ko": 1}
    page = page_text(approvers_desk.get(desk_url("notices_notice_approve", notice.pk)))
    assert "Language: 한국어. The incident has no text in it: they get English" in page


def test_languages_that_change_after_the_approval_do_not_matter(notice, incident, approver, server):
    file = exposure_factory.file_of(incident)
    affected(file, "김민지", "minji@example.com", language="ko")
    decisions.approve(notice, by=approver)
    Incident.objects.update(languages=["ko"], default_language="ko")
    work(notice)
    assert Delivery.objects.get().language == "en"
