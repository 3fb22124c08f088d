"""A new incident by the guide: one question at a time, from a template of a common case."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from accounts.models import User
from foundations.languages import portal_codes
from harness.exposure_factory import class_id
from harness.sign_in import sign_in_to_desk
from incidents.guide.answers import NAMES
from incidents.guide.incident_templates import filled, incident_templates
from incidents.models import DataClass, Incident, IncidentDraft
from statements.wording import lint
from tests.desk_pages import desk_url, page_text

pytestmark = pytest.mark.django_db

AWARE_AT = datetime(2026, 1, 5, 9, tzinfo=ZoneInfo("America/New_York"))
ANSWERS: dict[str, dict[str, Any]] = {
    "template": {"template": "retail"},
    "languages": {
        "languages": ["ko", "en"],
        "default_language": "ko",
        "time_zone": "America/New_York",
        "phone_region": "KR",
    },
    "company": {"company_ko": "달빛상점", "company_en": "Dalbit Store"},
    "aware": {"aware_at": "2026-01-05T09:00"},
    "access": {"began_on": "2025-12-01", "ended_on": "", "illegal_access": "true"},
    "laws": {"jurisdictions": ["KR", "EU"]},
    "classes": {"involved": ["names"], "basis": "company"},
    "other-classes": {"possibly": ["purchases"], "not_involved": ["passwords"]},
    "people": {"reported_count": "5000"},
    "title": {"title_ko": "달빛상점 유출", "title_en": "A leak", "slug": "dalbit-2026"},
    "summary": {"summary_ko": "유출되었습니다.", "summary_en": "Data leaked."},
    "contact": {"department_ko": "보호팀", "department_en": "Privacy", "contact_email": ""},
}


def url(name: str) -> str:
    return desk_url("incidents_incident_guide", name)


def posted(name: str, **changes: Any) -> dict[str, Any]:
    classes = ("involved", "possibly", "not_involved")
    fields = ANSWERS[name] | changes
    return {
        key: [class_id(slug) for slug in value] if key in classes else value
        for key, value in fields.items()
    }


def answer(client: Client, name: str, **changes: Any):
    return client.post(url(name), posted(name, **changes))


def answer_all(client: Client, *, until: str = "") -> None:
    for name in NAMES:
        if name == until:
            return
        assert answer(client, name).status_code == 302, name


def suggested(client: Client, name: str) -> Any:
    return client.get(url(name)).context["form"].initial


def test_the_answers_become_an_incident_that_customers_do_not_see(editors_desk):
    answer_all(editors_desk)
    page = page_text(editors_desk.get(url("answers")))
    assert "Dalbit Store" in page
    assert "5 January 2026, 09:00" in page
    response = editors_desk.post(url("answers"), {"record": "1"})
    incident = Incident.objects.get()
    assert response.url == desk_url("incidents_incident_page", incident.pk)
    assert not incident.is_public
    assert incident.company.get("ko") == "달빛상점"
    assert incident.aware_at == datetime(2026, 1, 5, 9, tzinfo=ZoneInfo("America/New_York"))
    assert {each.jurisdiction for each in incident.jurisdictions.all()} == {"KR", "EU"}
    states = {each.data_class.slug: each.state for each in incident.class_states.all()}
    assert states == {"names": "involved", "purchases": "possibly", "passwords": "not_involved"}
    assert incident.cipher()
    assert not IncidentDraft.objects.exists()
    assert editors_desk.get(response.url).status_code == 200


def test_each_answer_is_checked_at_once_and_stays_on_the_page(editors_desk):
    answer_all(editors_desk, until="aware")
    future = (timezone.now() + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M")
    shown = page_text(answer(editors_desk, "aware", aware_at=future))
    assert "This time is in the future." in shown
    assert f'value="{future}"' in shown
    assert editors_desk.get(desk_url("incidents_incident_guide_start"))["Location"] == url("aware")


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("template", {"template": "unknown"}, "Select a valid choice"),
        ("languages", {"default_language": "en", "languages": ["ko"]}, "none of the languages"),
        ("languages", {"languages": []}, "This field is required"),
        ("company", {"company_en": ""}, "English: this text is missing"),
        ("access", {"ended_on": "2025-11-01"}, "ended before it began"),
        ("access", {"began_on": "2125-11-01"}, "This day is in the future"),
        ("laws", {"jurisdictions": []}, "This field is required"),
        ("classes", {"involved": []}, "This field is required"),
        ("other-classes", {"possibly": ["passwords"]}, "Marked twice: Password"),
        ("other-classes", {"not_involved": ["names"]}, "Select a valid choice"),
        ("people", {"reported_count": "-1"}, "greater than or equal to 0"),
        ("title", {"slug": "not an address"}, "valid “slug”"),
        ("title", {"title_ko": "달빛상점 정보 노출"}, "노출"),
        ("contact", {"contact_email": "x"}, "valid email"),
    ],
)
def test_a_wrong_answer_is_refused_with_a_reason(editors_desk, name, changes, message):
    answer_all(editors_desk, until=name)
    assert message in page_text(answer(editors_desk, name, **changes))
    response = editors_desk.get(url("answers"))
    assert response.status_code == 302


def test_an_address_that_is_taken_is_refused(editors_desk, incident):
    answer_all(editors_desk, until="title")
    shown = page_text(answer(editors_desk, "title", slug=incident.slug))
    assert "already exists" in shown


def test_back_keeps_even_a_wrong_answer(editors_desk):
    answer_all(editors_desk, until="people")
    response = editors_desk.post(url("people"), {"reported_count": "many", "back": "1"})
    assert response.url == url("other-classes")
    assert 'value="many"' in page_text(editors_desk.get(url("people")))


def test_a_later_sign_in_goes_on_where_the_person_left(editors_desk, editor):
    answer_all(editors_desk, until="laws")
    other = Client()
    sign_in_to_desk(other, editor)
    assert other.get(desk_url("incidents_incident_guide_start"))["Location"] == url("laws")


def test_another_person_has_answers_of_their_own(editors_desk, approver):
    answer_all(editors_desk, until="laws")
    other = Client()
    sign_in_to_desk(other, approver)
    assert other.get(desk_url("incidents_incident_guide_start"))["Location"] == url("template")


def test_a_question_is_not_asked_before_those_it_depends_on(editors_desk):
    assert editors_desk.get(url("title")).url == url("template")
    assert editors_desk.post(url("answers"), {"record": "1"}).url == url("template")
    assert not Incident.objects.exists()


def test_the_template_suggests_classes_title_and_summary(editors_desk, incident):
    answer_all(editors_desk, until="classes")
    first = suggested(editors_desk, "classes")["involved"]
    assert class_id("names") in first
    answer(editors_desk, "classes", involved=["names", "phone-numbers"])
    others = suggested(editors_desk, "other-classes")
    assert others == {"possibly": [class_id("entrance-codes")]}
    answer(editors_desk, "other-classes")
    answer(editors_desk, "people")
    title = suggested(editors_desk, "title")
    assert title["title"].get("en") == "Personal data of Dalbit Store customers leaked"
    assert title["slug"] == "dalbit-store-2026"
    Incident.objects.filter(pk=incident.pk).update(slug=title["slug"])
    assert suggested(editors_desk, "title")["slug"] == "dalbit-store-2026-2"
    answer(editors_desk, "title")
    summary = suggested(editors_desk, "summary")["summary"]
    assert "This leaked: Name, Phone number." in summary.get("en")
    assert "이름, 전화번호" in summary.get("ko")


def test_without_a_template_nothing_is_filled_in(editors_desk):
    answer(editors_desk, "template", template="none")
    for name in NAMES[1 : NAMES.index("title")]:
        answer(editors_desk, name)
    assert not suggested(editors_desk, "title")["title"]


def test_the_answers_can_be_deleted(editors_desk):
    answer_all(editors_desk)
    editors_desk.post(url("answers"), {"discard": "1"})
    assert not IncidentDraft.objects.exists()
    assert not Incident.objects.exists()


@pytest.mark.parametrize("role", ["editor", "approver", "support", "auditor"])
def test_only_who_may_record_an_incident_is_asked(client, role):
    user = User.objects.create_user("one@hanbit.example", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    sign_in_to_desk(client, user)
    assert client.get(url("template")).status_code == 403
    assert client.post(url("template"), posted("template")).status_code == 403
    assert client.post(url("answers"), {"record": "1"}).status_code == 403
    assert client.get(desk_url("incidents_incident_guide_start")).status_code == 403


@pytest.mark.parametrize("name", incident_templates())
def test_a_template_names_classes_that_exist_once(name):
    template = incident_templates()[name]
    slugs = [*template.involved, *template.possibly]
    assert len(set(slugs)) == len(slugs)
    assert DataClass.objects.filter(slug__in=slugs).count() == len(slugs)


@pytest.mark.parametrize("name", incident_templates())
def test_a_template_is_complete_and_passes_the_wording_lint(name):
    template = incident_templates()[name]
    for code in portal_codes():
        names = {code: "X"}
        for text in (template.title, template.summary):
            shown = filled(text, company=names, classes=names).get(code)
            assert shown
            found = lint(
                shown, language=code, is_mandatory=False, involved_classes=["X"],
                other_classes=[], own_domains=[], basis="company",
            )  # fmt: skip
            assert [each for each in found if each.blocks] == []
        assert template.name.get(code)
        assert template.description.get(code)


def test_the_guide_suggests_the_languages_that_the_team_speaks(editors_desk, settings):
    settings.LANGUAGES = list(settings.SHIPPED_LANGUAGES.items())
    answer(editors_desk, "template")
    page = editors_desk.get(url("languages"))
    chosen = page.context["form"]["languages"].value()
    assert chosen == ["ko", "en"]
    assert len(page.context["form"].fields["languages"].choices) == 9
