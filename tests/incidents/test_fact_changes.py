"""Facts of a public incident: one person proposes a change, another one confirms it."""

from datetime import date

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from harness.exposure_factory import class_id, expose, file_of, person, state
from harness.sign_in import sign_in_to_desk
from incidents import facts
from incidents.models import DataClass, FactChange, Incident
from statements.models import TimelineEntry
from tests.desk_pages import desk_url, page_text, save

pytestmark = pytest.mark.django_db


def url(name: str, change: FactChange) -> str:
    return desk_url(f"incidents_factchange_{name}", change.pk)


def incident_page(incident: Incident) -> str:
    return desk_url("incidents_incident_change", incident.pk)


def page_of(row) -> str:
    return desk_url(f"{row._meta.label_lower.replace('.', '_')}_change", row.pk)


@pytest.fixture
def second(approver) -> Client:
    client = Client()
    sign_in_to_desk(client, approver)
    client.cookies["language"] = "en"
    return client


@pytest.fixture
def proposed(editors_desk, incident) -> FactChange:
    save(editors_desk, incident_page(incident), contact_phone="1577-7011")
    return FactChange.objects.get()


def test_a_second_person_puts_new_contacts_in_force(editors_desk, second, proposed, incident):
    incident.refresh_from_db()
    assert incident.contact_phone == ""
    assert "1577-7011" not in Client().get("/en/").content.decode()

    second.post(url("confirm", proposed))

    incident.refresh_from_db()
    assert incident.contact_phone == "1577-7011"
    assert "1577-7011" in Client().get("/en/").content.decode()
    proposed.refresh_from_db()
    assert proposed.changes == {"contact_phone": ["", "1577-7011"]}
    assert proposed.confirmed_at


FACTS = {
    "aware_at_0": ("2024-01-01", "aware_at"),
    "summary_en": ("Another summary.", "summary"),
    "title_ko": ("다른 제목", "title"),
    "department_en": ("Another team", "department"),
    "contact_email": ("scam@scam.example", "contact_email"),
    "official_contacts_en": ("Call 060-000", "official_contacts"),
    "reported_count": ("12", "reported_count"),
    "is_public": (None, "is_public"),
}


@pytest.mark.parametrize("field", FACTS)
def test_one_person_changes_no_fact_of_a_public_incident(editors_desk, second, incident, field):
    value, name = FACTS[field]
    before = facts.facts_of(incident)
    save(editors_desk, incident_page(incident), **{field: value})
    assert facts.facts_of(incident) == before

    change = FactChange.objects.get()
    assert list(change.changes) == [name]
    second.post(url("confirm", change))
    assert facts.difference(before, facts.facts_of(incident)) == change.changes


def test_a_change_of_the_languages_can_be_read_and_confirmed(editors_desk, second, incident):
    save(editors_desk, incident_page(incident), languages="en,ko")
    change = FactChange.objects.get()
    assert "en, ko" in page_text(second.get(url("change", change)))
    second.post(url("confirm", change))
    incident.refresh_from_db()
    assert incident.languages == ["en", "ko"]


def test_one_person_changes_neither_jurisdictions_nor_classes(editors_desk, second, incident):
    state(incident, "names", "involved")
    before = facts.facts_of(incident)
    key = f"class_states.{class_id('names')}"
    changed = {
        "class_states-0-state": "possibly",
        "jurisdictions-TOTAL_FORMS": "1",
        "jurisdictions-0-jurisdiction": "JP",
        "jurisdictions-0-standing": "applies",
    }
    save(editors_desk, incident_page(incident), **changed)
    assert facts.facts_of(incident) == before

    change = FactChange.objects.get()
    assert change.changes["jurisdictions.JP"] == [None, {"standing": "applies"}]
    assert change.changes[key][1]["state"] == "possibly"
    shown = page_text(second.get(url("change", change)))
    assert "Japan" in shown
    assert "Possibly leaked" in shown
    second.post(url("confirm", change))
    assert incident.class_states.get().state == "possibly"
    assert incident.jurisdictions.get(jurisdiction="JP").standing == "applies"


def test_a_removed_claim_takes_two(editors_desk, second, incident):
    state(incident, "names", "involved")
    save(editors_desk, incident_page(incident), **{"class_states-0-DELETE": "on"})
    assert incident.class_states.count() == 1
    second.post(url("confirm", FactChange.objects.get()))
    assert incident.class_states.count() == 0


@pytest.mark.parametrize("field", ["masking", "name_en", "actions_ko"])
def test_one_person_changes_no_class_once_an_incident_is_public(
    editors_desk, second, incident, field
):
    value = {"masking": "text", "name_en": "Names in full", "actions_ko": "기다리세요."}[field]
    names = DataClass.objects.get(slug="names")
    before = facts.facts_of(names)
    save(editors_desk, page_of(names), **{field: value})
    assert facts.facts_of(names) == before
    second.post(url("confirm", FactChange.objects.get()))
    names.refresh_from_db()
    name, _dot, language = field.partition("_")
    changed = getattr(names, name)
    assert (changed.get(language) if language else changed) == value


def test_a_timeline_entry_of_a_public_incident_takes_two(editors_desk, second, incident):
    entry = {"incident": incident.pk, "happened_on": "2025-11-20", "basis": "company"}
    texts = {"text_ko": "신고했습니다.", "text_en": "We reported it."}
    add = desk_url("statements_timelineentry_add")
    editors_desk.post(add, entry | texts, follow=True)
    assert not TimelineEntry.objects.exists()
    second.post(url("confirm", FactChange.objects.get()))
    added = TimelineEntry.objects.get()
    assert (added.happened_on, added.text.get("en")) == (date(2025, 11, 20), "We reported it.")

    save(editors_desk, page_of(added), text_en="We reported it late.")
    added.refresh_from_db()
    assert added.text.get("en") == "We reported it."
    second.post(url("confirm", FactChange.objects.waiting().get()))
    added.refresh_from_db()
    assert added.text.get("en") == "We reported it late."
    delete = desk_url("statements_timelineentry_delete", added.pk)
    assert editors_desk.post(delete, {"post": "yes"}).status_code == 403


def test_one_person_changes_the_facts_before_the_incident_is_public(editors_desk, incident):
    Incident.objects.update(is_public=False)
    save(editors_desk, incident_page(incident), contact_phone="1577-0000", is_public=None)
    incident.refresh_from_db()
    assert incident.contact_phone == "1577-0000"
    assert not FactChange.objects.exists()


def test_facts_stay_protected_if_the_incident_is_hidden(editors_desk, second, incident):
    save(editors_desk, incident_page(incident), is_public=None)
    second.post(url("confirm", FactChange.objects.get()))
    incident.refresh_from_db()
    assert not incident.is_public
    save(editors_desk, incident_page(incident), contact_phone="1577-0000")
    incident.refresh_from_db()
    assert incident.contact_phone == ""


def test_the_proposer_of_a_change_cannot_confirm_it(editors_desk, proposed, incident, editor):
    assert "Waits for a second person" in page_text(editors_desk.get(url("change", proposed)))
    refused = editors_desk.post(url("confirm", proposed))
    assert refused.status_code == 403
    assert "You proposed this; another person has to confirm it." in refused.text
    assert not proposed.confirm(editor)
    incident.refresh_from_db()
    assert incident.contact_phone == ""
    with pytest.raises(IntegrityError), transaction.atomic():
        FactChange.objects.update(confirmed_by=editor, confirmed_at=proposed.proposed_at)


def test_a_proposal_stays_as_it_was_made(second, proposed):
    for changed in ({"changes": {"contact_phone": ["", "060-000"]}}, {"incident": None}):
        with pytest.raises(IntegrityError, match="on record"), transaction.atomic():
            FactChange.objects.update(**changed)
    second.post(url("confirm", proposed))
    for change in (
        lambda: FactChange.objects.update(withdrawn_at=proposed.proposed_at),
        lambda: FactChange.objects.all().delete(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_a_change_of_facts_that_changed_meanwhile_is_not_confirmed(second, proposed, incident):
    Incident.objects.update(contact_phone="02-1234-5678")
    shown = page_text(second.post(url("confirm", proposed), follow=True))
    assert "The facts were changed meanwhile" in shown
    incident.refresh_from_db()
    assert incident.contact_phone == "02-1234-5678"


def test_the_page_shows_what_changes_and_asks_for_a_reason(editors_desk, second, incident):
    without = save(editors_desk, incident_page(incident), contact_phone="1577-7011", reason="")
    assert "This field is required." in page_text(without)
    save(editors_desk, incident_page(incident), contact_phone="1577-7011")
    shown = page_text(second.get(url("change", FactChange.objects.get())))
    assert "<strong>1577-7011</strong>" in shown
    assert "A correction" in shown
    assert "Confirm the change" in shown


def test_a_page_without_a_change_proposes_nothing(editors_desk, incident):
    assert "Nothing was changed." in page_text(save(editors_desk, incident_page(incident)))
    assert not FactChange.objects.exists()


def test_one_change_waits_at_a_time(editors_desk, proposed, incident):
    page = page_text(save(editors_desk, incident_page(incident), contact_phone="070-0000-0000"))
    assert f'<a href="{url("change", proposed)}">Another change waits to be confirmed.' in page
    assert FactChange.objects.count() == 1


def test_the_incident_leads_to_the_change_that_waits(editors_desk, second, proposed, incident):
    for client in (editors_desk, second):
        assert url("change", proposed) in page_text(client.get(incident_page(incident)))
    second.post(url("confirm", proposed))
    assert url("change", proposed) not in page_text(editors_desk.get(incident_page(incident)))


def test_a_withdrawn_or_confirmed_change_is_done(editors_desk, second, proposed, incident):
    editors_desk.post(url("withdraw", proposed))
    second.post(url("confirm", proposed))
    incident.refresh_from_db()
    assert incident.contact_phone == ""
    save(editors_desk, incident_page(incident), contact_phone="1577-7011")
    again = FactChange.objects.waiting().get()
    second.post(url("confirm", again))
    second.post(url("withdraw", again))
    again.refresh_from_db()
    assert again.withdrawn_at is None


@pytest.mark.parametrize("model", [Incident, DataClass])
def test_who_may_not_change_a_fact_is_not_told_of_a_proposal_and_its_reason(model, incident):
    """Django would show the field of the form as a row with its English name and "None"."""
    reader = User.objects.create_user("reader@breachportal.example", is_staff=True)
    right = Permission.objects.get(codename=f"view_{model._meta.model_name}")
    reader.user_permissions.add(right)
    client = Client()
    sign_in_to_desk(client, reader)
    text = client.get(page_of(model.objects.all()[0])).text
    assert "field-reason" not in text
    assert "What you save here is a proposal" not in text


def test_confirming_needs_the_permission(proposed):
    clerk = User.objects.create_user("clerk@breachportal.example", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_factchange"))
    client = Client()
    sign_in_to_desk(client, clerk)
    assert "Confirm the change" not in page_text(client.get(url("change", proposed)))
    assert client.post(url("confirm", proposed)).status_code == 403
    assert client.post(url("withdraw", proposed)).status_code == 403
    assert client.get(url("confirm", proposed)).status_code == 405


def test_a_proposal_is_recorded_in_its_own_history(proposed, incident, editor):
    entries = LogEntry.objects.filter(user=editor)
    assert [(entry.object_id, entry.get_change_message()) for entry in entries] == [
        (str(proposed.pk), "Proposed.")
    ]


@pytest.mark.parametrize("is_public", [True, False])
def test_facts_keep_to_the_wording_rules(editors_desk, incident, is_public):
    state(incident, "names", "involved")
    Incident.objects.update(is_public=is_public)
    objected = "고객의 이름이 노출되었습니다."
    page = page_text(save(editors_desk, incident_page(incident), summary_ko=objected))
    assert "“노출”:" in page
    incident.refresh_from_db()
    assert incident.summary.get("ko") != objected
    assert not FactChange.objects.exists()


def test_a_class_that_the_loaded_data_holds_is_not_denied(editors_desk, incident):
    state(incident, "names", "involved")
    row = person(incident, name="김민지", email="minji@example.com")
    expose(row, file_of(incident), "names")
    page = save(editors_desk, incident_page(incident), **{"class_states-0-state": "not_involved"})
    assert "The loaded data holds values of this class" in page_text(page)
    assert not FactChange.objects.exists()


def test_the_desk_offers_no_other_page_to_change_facts(editors_desk):
    assert editors_desk.get(reverse("admin:incidents_factchange_add")).status_code == 403
