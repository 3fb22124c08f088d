"""Official contacts of a public incident: one person proposes, another confirms."""

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from harness.sign_in import sign_in_to_desk
from incidents.models import ContactChange, Incident

NEW = {
    "contact_phone": "1577-7011",
    "contact_email": "privacy@hanbit.example",
    "official_contacts_ko": "문자: 1577-7011",
    "official_contacts_en": "Text messages: 1577-7011",
    "reason": "A new hotline",
}


def page(name: str, *args: int) -> str:
    return reverse(f"admin:incidents_contactchange_{name}", args=args)


def propose(client: Client, incident: Incident, **changes: str):
    return client.post(page("add"), {"incident": incident.pk, **NEW, **changes}, follow=True)


@pytest.fixture
def second(approver) -> Client:
    client = Client()
    sign_in_to_desk(client, approver)
    return client


@pytest.fixture
def proposed(editors_desk, incident) -> ContactChange:
    propose(editors_desk, incident)
    return ContactChange.objects.get()


def test_a_second_person_puts_the_new_contacts_in_force(editors_desk, second, proposed, incident):
    incident.refresh_from_db()
    assert incident.contact_phone == ""
    assert "1577-7011" not in Client().get("/en/").content.decode()

    second.post(page("confirm", proposed.pk))

    incident.refresh_from_db()
    assert incident.contact_phone == "1577-7011"
    assert "1577-7011" in Client().get("/en/").content.decode()
    proposed.refresh_from_db()
    assert proposed.before["contact_phone"] == ""
    assert proposed.confirmed_at


def test_the_proposer_of_a_change_cannot_confirm_it(editors_desk, proposed, incident, editor):
    html = editors_desk.get(page("change", proposed.pk)).content.decode()
    assert "Waits for a second person" in html
    refused = editors_desk.post(page("confirm", proposed.pk))
    assert refused.status_code == 403
    assert "You proposed this; somebody else has to confirm it." in refused.text
    assert not proposed.confirm(editor)
    incident.refresh_from_db()
    assert incident.contact_phone == ""
    with pytest.raises(IntegrityError), transaction.atomic():
        ContactChange.objects.update(confirmed_by=editor, confirmed_at=proposed.proposed_at)


def test_the_page_shows_what_changes(second, proposed):
    html = second.get(page("change", proposed.pk)).content.decode()
    assert "<strong>1577-7011</strong>" in html
    assert "Confirm the new contacts" in html


def test_the_form_begins_with_the_current_contacts(editors_desk, incident):
    html = editors_desk.get(f"{page('add')}?incident={incident.pk}").content.decode()
    assert "privacy@hanbit.example" in html


def test_one_change_waits_at_a_time(editors_desk, proposed, incident):
    html = propose(editors_desk, incident, contact_phone="070-0000-0000").content.decode()
    assert "Another change of these contacts waits already." in html
    assert ContactChange.objects.count() == 1


def test_the_incident_leads_to_the_change_that_waits(editors_desk, second, proposed, incident):
    incident_page = reverse("admin:incidents_incident_change", args=[incident.pk])
    for client in (editors_desk, second):
        shown = client.get(incident_page).text
        assert page("change", proposed.pk) in shown
        assert f"{page('add')}?incident=" not in shown
    second.post(page("confirm", proposed.pk))
    shown = editors_desk.get(incident_page).text
    assert page("change", proposed.pk) not in shown
    assert f"{page('add')}?incident={incident.pk}" in shown


def test_a_withdrawn_or_confirmed_change_is_done(editors_desk, second, proposed, incident):
    editors_desk.post(page("withdraw", proposed.pk))
    second.post(page("confirm", proposed.pk))
    incident.refresh_from_db()
    assert incident.contact_phone == ""
    propose(editors_desk, incident)
    again = ContactChange.objects.waiting().get()
    second.post(page("confirm", again.pk))
    second.post(page("withdraw", again.pk))
    again.refresh_from_db()
    assert again.withdrawn_at is None


def test_a_change_can_be_neither_edited_nor_deleted(editors_desk, proposed):
    assert (
        'name="contact_phone"' not in editors_desk.get(page("change", proposed.pk)).content.decode()
    )
    assert editors_desk.get(page("delete", proposed.pk)).status_code == 403


def test_confirming_needs_the_permission(proposed, db):
    clerk = User.objects.create_user("clerk@breachportal.example", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_contactchange"))
    client = Client()
    sign_in_to_desk(client, clerk)
    assert "Confirm the new" not in client.get(page("change", proposed.pk)).content.decode()
    assert client.post(page("confirm", proposed.pk)).status_code == 403
    assert client.post(page("withdraw", proposed.pk)).status_code == 403
    assert client.get(page("confirm", proposed.pk)).status_code == 405
