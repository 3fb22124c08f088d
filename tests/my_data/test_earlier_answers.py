""" "My data" says what it said before a scope version was withdrawn, when and why."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format

from accounts.models import VerifiedPhone
from harness import exposure_factory
from harness.exposure_factory import expose, file_of, person
from incidents import own_rows, scope_versions, withdrawal_decisions
from incidents.models import (
    BatchChange,
    ExposureBatch,
    FurtherContact,
    Incident,
    PersonMark,
    WithdrawnContact,
)

pytestmark = pytest.mark.django_db
Reason = ExposureBatch.PublicReason
CHANGED = "What changed"
TWO_CLASSES = ("names", "email-addresses")


@pytest.fixture
def customer(client, minji, english) -> Client:
    client.force_login(minji)
    return client


def page(client: Client) -> str:
    """Returns the words of the page, without line breaks."""
    return " ".join(client.get(reverse("my_data")).content.decode().split())


def leaked(incident: Incident, *, email: str = "minji@example.com", phone: str = ""):
    """Creates a person in the scope version 1 or the one with `number`."""
    row = person(incident, name="김민지", email=email, phone=phone)
    expose(row, file_of(incident), *TWO_CLASSES)
    return row


def withdraw(
    incident: Incident, *, number: int = 1, public_reason: str = Reason.NOT_LEAKED
) -> ExposureBatch:
    batch = incident.batches.get(number=number)
    exposure_factory.withdraw(batch, "Ms Park's note", public_reason)
    batch.refresh_from_db()
    return batch


def test_the_page_says_what_it_said_before_when_it_stopped_and_why(incident, customer):
    leaked(incident)
    assert CHANGED not in page(customer)

    batch = withdraw(incident)
    text = page(customer)

    day = date_format(timezone.localtime(batch.withdrawn_at))
    assert f"Until {day} this page said that data of yours had leaked" in text
    assert "names and e-mail addresses." in text
    assert "It was not part of the data that leaked." in text
    assert "Ms Park" not in text
    assert "김민지" not in text


def test_the_page_says_it_in_korean(incident, customer):
    leaked(incident)
    withdraw(incident, public_reason=Reason.MISTAKES)

    with translation.override("ko"):  # the language is in the path
        text = page(customer)

    assert "이 페이지는 고객님의 정보가 유출되었다고 안내했습니다" in text
    assert "자료에 오류가 있었습니다." in text


def test_a_person_who_leaked_again_reads_both(incident, customer):
    row = leaked(incident)
    file_of(incident, number=2)
    withdraw(incident)
    row.refresh_from_db()
    again = person(incident, name="김민지", email="minji@example.com")
    expose(again, file_of(incident, number=2), "names")

    text = page(customer)

    assert "Your name leaked" in text
    assert CHANGED in text


def test_what_another_version_still_holds_is_shown_beside_what_was_withdrawn(incident, customer):
    row = leaked(incident)
    expose(row, file_of(incident, number=2), "purchases", values=[("purchases", "coat")])
    withdraw(incident, number=2)

    text = page(customer)

    assert "leaked" in text
    assert CHANGED in text
    assert text.index(CHANGED) > text.index("Found in the data that leaked.")
    after = text[text.index(CHANGED) :]
    assert "orders" in after[:600]
    assert "e-mail addresses" not in after[:600]


def test_a_phone_and_a_further_address_find_it_too(incident, customer, minji):
    row = leaked(incident, email="other@example.com", phone="010-1111-2341")
    index = incident.cipher().email_index("minji@example.com")
    FurtherContact.objects.create(person=row, kind=1, contact_index=index)
    withdraw(incident)

    assert CHANGED in page(customer)
    assert WithdrawnContact.objects.count() == 3
    WithdrawnContact.objects.filter(contact_index=index).delete()
    assert CHANGED not in page(customer)
    VerifiedPhone.objects.create(user=minji, number="+821011112341")
    assert CHANGED in page(customer)


def test_a_stranger_reads_nothing_of_it(incident, client, seojun, english):
    leaked(incident)
    withdraw(incident)
    client.force_login(seojun)

    assert CHANGED not in page(client)


def test_a_contact_of_several_people_names_no_class(incident, customer):
    leaked(incident)
    leaked(incident)
    withdraw(incident)

    text = page(customer)

    assert "under a contact of yours that several people share" in text
    assert "e-mail addresses" not in text[text.index(CHANGED) :][:600]


@pytest.mark.parametrize("kind", PersonMark.CLOSING)
def test_a_closed_row_stays_closed(incident, customer, editor, kind):
    row = leaked(incident)
    PersonMark.objects.create(
        incident=incident, person=row, kind=kind, reason="x", marked_by=editor
    )
    withdraw(incident)

    assert CHANGED not in page(customer)


def test_an_address_that_support_marked_as_a_strangers_reads_nothing(
    incident, customer, monkeypatch
):
    leaked(incident)
    withdraw(incident)
    every = own_rows.StrangerCheck(lambda one: [one.contact_index], "SELECT unnest(%s::uuid[])")
    monkeypatch.setattr(own_rows, "STRANGER_CHECKS", [every])

    assert CHANGED not in page(customer)


def test_what_was_withdrawn_before_the_incident_was_public_was_never_said(incident, customer):
    leaked(incident)
    batch = withdraw(incident)
    assert batch.withdrawn_at
    incident.first_public_at = batch.withdrawn_at + timedelta(seconds=1)
    incident.save()

    assert CHANGED not in page(customer)


def test_shredding_closes_it(incident, customer):
    leaked(incident)
    withdraw(incident)
    incident.shred()

    assert CHANGED not in page(customer)


def test_an_incident_without_a_withdrawal_costs_no_query(incident, customer):
    leaked(incident)
    page(customer)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        page(customer)
    assert not any("withdrawncontact" in query["sql"] for query in queries)


def test_another_reason_says_how_to_ask(incident, customer):
    leaked(incident)
    withdraw(incident, public_reason=Reason.OTHER)

    link = '<a href="mailto:privacy@hanbit.example">'
    assert f"If you want to know why: Ask Hanbit Store: {link}" in page(customer)


def test_the_desk_asks_for_the_reason_that_customers_read(incident, editors_desk, approver):
    leaked(incident)
    batch = incident.batches.get()
    url = reverse("admin:incidents_exposurebatch_withdraw", args=[batch.pk])
    refused = editors_desk.post(url, {"reason": "a note"})
    assert "This field is required" in refused.content.decode()

    editors_desk.post(url, {"reason": "a note", "public_reason": "replaced"})
    proposal = batch.withdrawals.get()
    shown = editors_desk.get(
        reverse("admin:incidents_batchwithdrawal_change", args=[proposal.pk])
    ).content.decode()
    assert "It had mistakes. A corrected version replaces it." in shown
    assert withdrawal_decisions.confirm(proposal, by=approver)

    batch.refresh_from_db()
    assert (batch.withdrawn_reason, batch.public_reason) == ("a note", "replaced")


def test_a_worker_keeps_the_reason_that_customers_read(incident, editor):
    leaked(incident)
    batch = incident.batches.get()
    exposure_factory.decide_withdrawal(batch, "a note", "mistakes")
    change = scope_versions.request_change(batch, BatchChange.Kind.WITHDRAW, by=editor)

    scope_versions.apply_change(change.pk)

    batch.refresh_from_db()
    assert batch.public_reason == "mistakes"


def test_one_statement_keeps_the_contacts_of_many_people(incident):
    """People are inserted in bulk, because the statement must not depend on their number."""
    leaked(incident)
    file = file_of(incident)
    for number in range(50):
        expose(person(incident, email=f"customer{number}@example.com"), file, "names")

    with CaptureQueriesContext(connection) as queries:
        withdraw(incident)

    kept = [query for query in queries if "INSERT INTO incidents_withdrawncontact" in query["sql"]]
    assert len(kept) == 1
    assert WithdrawnContact.objects.count() == 51
