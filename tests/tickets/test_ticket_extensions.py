"""More time for an answer: once, in time, and by a law of the incident; the customer reads why."""

from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone
from django.utils.translation import override

from accounts.models import AuditEntry, User
from harness.sign_in import sign_in_to_desk
from incidents.models import Incident, IncidentJurisdiction
from tests.desk_pages import desk_url, page_text
from tickets import answer_mails, correspondence
from tickets.answer_periods import AnswerPeriod, all_answer_periods
from tickets.correspondence import NotExtendedError, extend, extensions_of
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
REASON = "Your request concerns three systems that we have to search by hand."


def asked(user: User, incident: Incident, kind: str = "access") -> Ticket:
    return correspondence.ask(
        user, incident, kind=kind, text="Which data?", language="en", key=uuid4()
    )


def under(incident: Incident, *laws: str) -> None:
    incident.jurisdictions.all().delete()
    for law in laws:
        IncidentJurisdiction.objects.create(incident=incident, jurisdiction=law)


@pytest.fixture
def ticket(seojun, incident) -> Ticket:
    under(incident, "EU")
    return asked(seojun, incident)


def only(ticket: Ticket) -> AnswerPeriod:
    (period,) = extensions_of(ticket)
    return period


@pytest.mark.parametrize(
    ("law", "kind", "words"),
    [
        ("EU", "access", "2 months"),
        ("UK", "erasure", "2 months"),
        ("US-CA", "access", "45 days"),
        ("US-HIPAA", "access", "30 days"),
        ("US-HIPAA", "rectification", "30 days"),
        ("KR", "access", ""),
        ("JP", "access", ""),
        ("UK", "complaint", ""),
        ("US-CA", "objection", ""),
        ("EU", "question", ""),
    ],
)
def test_what_each_law_lets_the_company_take(seojun, incident, law, kind, words):
    under(incident, law)
    found = extensions_of(asked(seojun, incident, kind))
    with override("en"):
        assert [each.extension.words for each in found if each.extension] == [words] * bool(words)


def test_an_extension_counts_from_the_day_on_which_the_answer_is_due():
    gdpr = next(each for each in all_answer_periods() if each.jurisdiction == "EU")
    assert gdpr.extension is not None
    assert gdpr.extension.after(date(2025, 12, 29)) == date(2026, 2, 28)
    assert gdpr.extension.after(date(2025, 12, 31)) == date(2026, 2, 28)
    assert gdpr.extension.source


def test_the_customer_reads_the_reason_and_the_new_day(client, ticket, seojun, editor):
    before = ticket.due_on
    extend(ticket, period=only(ticket), reason=REASON, by=editor)
    ticket.refresh_from_db()
    assert ticket.is_waiting
    assert timedelta(days=58) < ticket.due_on - before < timedelta(days=63)
    client.force_login(seojun)
    page = page_text(client.get(f"/en/questions/{ticket.number}/"))
    assert REASON in page
    assert f"{incident_name(ticket)} needs more time" in page
    mail.outbox.clear()
    answer_mails.send_due()
    (sent,) = mail.outbox
    assert sent.to == [seojun.email]
    assert "your answer takes longer" in sent.subject
    assert ticket.number in sent.body
    assert REASON not in sent.body
    answer_mails.send_due()
    assert len(mail.outbox) == 1


def incident_name(ticket: Ticket) -> str:
    return str(ticket.incident.company.in_language("en"))


def test_a_period_is_extended_once_until_the_ticket_is_opened_again(ticket, editor):
    period = only(ticket)
    extend(ticket, period=period, reason=REASON, by=editor)
    ticket.refresh_from_db()
    with pytest.raises(NotExtendedError):
        extend(ticket, period=period, reason=REASON, by=editor)
    correspondence.answer(ticket, text="Here it is.", by=editor)
    correspondence.write_again(ticket, text="And the rest?", key=uuid4())
    ticket.refresh_from_db()
    assert extensions_of(ticket) == [period]


@pytest.mark.parametrize("state", ["answered", "closed", "late", "no customer", "another law"])
def test_what_cannot_be_extended_is_refused(ticket, editor, incident, state):
    period = only(ticket)
    if state in ("answered", "closed"):
        correspondence.answer(ticket, text="Here it is.", by=editor)
    if state == "closed":
        correspondence.close(ticket)
    if state == "late":
        Ticket.objects.update(due_on=timezone.now().astimezone(incident.zone).date())
        assert extensions_of(Ticket.objects.get())
        Ticket.objects.update(due_on=timezone.now().date() - timedelta(days=2))
    if state == "no customer":
        Ticket.objects.update(user=None)
    if state == "another law":
        under(incident, "KR")
    with pytest.raises(NotExtendedError):
        extend(Ticket.objects.get(), period=period, reason=REASON, by=editor)
    assert not ticket.messages.filter(kind="extended").exists()


@pytest.fixture
def desk(team) -> Client:
    client = Client()
    sign_in_to_desk(client, team["support"])
    return client


def test_support_extends_on_the_desk_with_a_reason(desk, ticket, team):
    page = page_text(desk.get(desk_url("tickets_ticket_change", ticket.pk)))
    assert "GDPR, article 12(3): 2 months more, until" in page
    address = desk_url("tickets_ticket_extend", ticket.pk)
    refused = desk.post(address, {"extension-law": "EU", "extension-text": " "})
    assert "This field is required" in page_text(refused)
    done = desk.post(address, {"extension-law": "EU", "extension-text": REASON}, follow=True)
    assert "Extended. The customer gets a mail" in page_text(done)
    assert 'id="extension"' not in page_text(done)
    ticket.refresh_from_db()
    assert ticket.extended_at
    again = desk.post(address, {"extension-law": "EU", "extension-text": REASON})
    assert "Select a valid choice" in page_text(again)
    entries = AuditEntry.objects.filter(object_type=Ticket._meta.db_table, kind="changed")
    assert any("extended_at" in str(entry.details) for entry in entries)
    assert REASON not in str([entry.details for entry in AuditEntry.objects.all()])


def test_of_several_laws_support_names_one(desk, ticket, incident):
    under(incident, "EU", "US-CA")
    address = desk_url("tickets_ticket_extend", ticket.pk)
    refused = desk.post(address, {"extension-law": "", "extension-text": REASON})
    assert "This field is required" in page_text(refused)
    shown = page_text(desk.get(desk_url("tickets_ticket_change", ticket.pk)))
    assert '<option value="" selected>' in shown
    assert "45 days more" in shown


def test_a_law_without_an_extension_offers_none(desk, ticket, incident):
    under(incident, "KR")
    assert 'id="extension"' not in page_text(desk.get(desk_url("tickets_ticket_change", ticket.pk)))


def test_the_database_keeps_the_message(ticket, editor):
    extend(ticket, period=only(ticket), reason=REASON, by=editor)
    with pytest.raises(Exception, match="on record"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM tickets_ticketmessage WHERE kind = 'extended'")
