"""Support answers tickets on the desk; other roles may not."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, User
from harness.exposure_factory import person
from harness.sign_in import sign_in_to_desk
from incidents import team_messages
from incidents.desk_page import board_of
from incidents.models import Incident, TeamMessage
from tests.desk_pages import desk_url, page_text, say_why
from tests.incident_factory import another_incident
from tickets import correspondence, desk_queue
from tickets.desk_queue import QueueForm, queue_page
from tickets.models import AnswerTemplate, Ticket, TicketMessage

pytestmark = pytest.mark.django_db
QUEUE = "/admin/tickets/ticket/"
SECRET = "Which addresses of mine do you have?"


def asked(user: User, incident: Incident, *, kind: str = "access", text: str = SECRET) -> Ticket:
    return correspondence.ask(
        user, incident, kind=kind, text=text, language=user.language, key=uuid4()
    )


@pytest.fixture
def ticket(minji, incident) -> Ticket:
    return asked(minji, incident)


def desk_of(user: User) -> Client:
    client = Client()
    sign_in_to_desk(client, user)
    return client


@pytest.fixture
def desk(team) -> Client:
    """The desk of a member of the role support."""
    return desk_of(team["support"])


def address(ticket: Ticket, step: str = "change") -> str:
    return desk_url(f"tickets_ticket_{step}", ticket.pk)


# Reading


def test_the_queue_shows_no_text_and_no_customer(desk, ticket, minji):
    page = page_text(desk.get(QUEUE))
    assert ticket.number in page
    assert SECRET not in page
    assert minji.email not in page
    assert ">10<" in page  # days left


def test_reading_a_ticket_is_recorded_without_its_text(desk, ticket, team, caplog):
    with caplog.at_level("INFO"):
        assert SECRET in page_text(desk.get(address(ticket)))
    entry = AuditEntry.objects.filter(kind="reveal").get()
    assert (entry.actor_id, entry.object_id) == (team["support"].pk, str(ticket.pk))
    assert entry.incident_id == ticket.incident_id
    assert f"read ticket {ticket.pk}" in caplog.text
    assert SECRET not in caplog.text
    assert SECRET not in str(list(AuditEntry.objects.values()))


def test_hostile_text_is_text_on_the_desk(desk, minji, incident):
    ticket = asked(minji, incident, text='<script>alert(1)</script>"><b>x</b>\u202egnp.exe')
    page = desk.get(address(ticket)).text
    assert "<script>alert" not in page
    assert "<b>x</b>" not in page
    assert '<p class="as-written" dir="auto">' in page


def test_the_queue_goes_on_by_key_and_shows_each_ticket_once(desk, minji, incident, monkeypatch):
    monkeypatch.setattr(desk_queue, "PAGE", 2)
    days = (3, 1, 1, 1, 2)
    today = timezone.now().date()
    for day in days:
        found = Ticket(incident=incident, user=minji, kind="question", language="en")
        found.due_on = today + timedelta(days=day)
        found.save()
    seen, query = [], ""
    while True:
        page = desk.get(f"{QUEUE}?{query}").context["page"]
        seen += [each.due_on for each in page.tickets]
        if not page.next_query:
            break
        query = page.next_query
    assert seen == [today + timedelta(days=day) for day in sorted(days)]


@pytest.mark.parametrize(
    "query",
    ["after=2025-99-99.1", "after=x", "state=lost", "incident=999", "whose=%00", "number=%00"],
)
def test_a_query_that_no_page_made_is_no_error(desk, ticket, query):
    assert desk.get(f"{QUEUE}?{query}").status_code == 200


def test_the_queue_is_filtered(desk, ticket, team, seojun, incident):
    other = asked(seojun, another_incident(incident, "hanbit-2024"))
    answered = asked(seojun, incident)
    correspondence.answer(answered, text="Yes.", by=team["support"])
    correspondence.take(other, by=team["support"])

    def shown(query: str) -> set[str]:
        return {each.number for each in desk.get(f"{QUEUE}?{query}").context["page"].tickets}

    assert shown("") == {ticket.number, other.number}
    assert shown("state=answered") == {answered.number}
    assert shown("whose=me") == {other.number}
    assert shown("whose=none") == {ticket.number}
    assert shown(f"incident={incident.pk}") == {ticket.number}


def test_a_ticket_is_found_by_the_number_that_a_customer_reads_out(desk, ticket):
    typed = ticket.number.lower().replace("-", " ").replace("0", "o")
    response = desk.get(QUEUE, {"number": typed})
    assert response.url == address(ticket)
    assert "No ticket has this number" in desk.get(QUEUE, {"number": "0000-0000"}).text


def test_the_page_of_a_person_lists_the_tickets_of_the_account(
    desk, ticket, incident, minji, seojun
):
    other = asked(seojun, incident)
    row = person(incident, email=minji.email)
    person_page = desk_url("incidents_affectedperson_change", row.pk)
    say_why(desk, person_page)
    page = page_text(desk.get(person_page))
    assert ticket.number in page
    assert other.number not in page
    assert minji.email in page_text(desk.get(address(ticket)))  # looked up with one button


# Answering


def test_support_answers_and_the_trail_says_who_without_the_text(desk, ticket, team, empty_trail):
    response = desk.post(address(ticket), {"text": "We have two."})
    assert response.url == address(ticket)
    ticket.refresh_from_db()
    assert (ticket.state, ticket.assigned_to) == ("answered", team["support"])
    assert ticket.answered_at is not None
    assert "We have two." in page_text(desk.get(address(ticket)))
    entries = AuditEntry.objects.filter(
        object_type__startswith="tickets_", kind__in=["added", "changed"]
    )
    assert {each.object_type for each in entries} == {"tickets_ticket", "tickets_ticketmessage"}
    assert {each.actor_id for each in entries} == {team["support"].pk}
    assert "We have" not in str(list(AuditEntry.objects.values()))


def test_an_answer_begins_with_a_template_in_the_customers_language(desk, ticket, minji):
    texts = {"ko": "안녕하십니까.", "en": "Good day."}
    template = AnswerTemplate.objects.create(name="Greeting", text=texts)
    AnswerTemplate.objects.create(name="For deletions", kind="erasure", text=texts)
    page = page_text(desk.get(address(ticket)))
    assert "Greeting" in page
    assert "For deletions" not in page
    chosen = desk.get(address(ticket), {"template": template.pk})
    assert chosen.context["answer"].initial == {"text": texts[minji.language]}
    for unknown in ("999", "x", "²", "9" * 30):
        assert desk.get(address(ticket), {"template": unknown}).status_code == 200


def test_a_note_is_for_the_desk_only(desk, ticket, minji):
    desk.post(address(ticket, "note"), {"note-text": "calls often"})
    assert "calls often" in page_text(desk.get(address(ticket)))
    ticket.refresh_from_db()
    assert ticket.state == "waiting"
    customer = Client()
    customer.force_login(minji)
    assert "calls often" not in customer.get(f"/en/questions/{ticket.number}/").text


def test_a_ticket_is_not_closed_before_an_answer(desk, ticket):
    response = desk.post(address(ticket, "close"), follow=True)
    assert "the customer has no answer yet" in response.text
    desk.post(address(ticket), {"text": "Yes."})
    desk.post(address(ticket, "close"))
    ticket.refresh_from_db()
    assert ticket.state == "closed"


def test_after_the_customer_left_no_answer_is_taken_and_it_can_be_closed(desk, ticket, minji):
    minji.delete()
    assert "closed the account" in page_text(desk.get(address(ticket)))
    desk.post(address(ticket), {"text": "Yes."})
    assert not TicketMessage.objects.filter(kind="answer").exists()
    desk.post(address(ticket, "close"))
    ticket.refresh_from_db()
    assert ticket.state == "closed"


def test_after_shredding_a_ticket_opens_without_its_text(desk, ticket, incident):
    incident.shred()
    page = page_text(desk.get(address(ticket)))
    assert "This text cannot be decrypted." in page
    assert "Send the answer" not in page
    assert desk.post(address(ticket), {"text": "Yes."}).status_code == 200
    assert TicketMessage.objects.count() == 1


def test_an_answer_that_misses_a_newer_message_is_refused_with_its_text_kept(desk, ticket):
    read = len(desk.get(address(ticket)).context["thread"])
    correspondence.write_again(ticket, text="It is solved.", key=uuid4())
    response = desk.post(address(ticket), {"text": "An older answer", "read": read})
    assert "A message came meanwhile" in response.text
    assert "An older answer" in response.text
    assert "It is solved." in response.text
    ticket.refresh_from_db()
    assert ticket.state == "waiting"
    desk.post(address(ticket), {"text": "Good.", "read": read + 1})
    assert TicketMessage.objects.filter(kind="answer").count() == 1


@pytest.mark.parametrize("text", ["", "  ", "a" * 4001, "a\x00b"])
def test_what_is_no_answer_is_refused(desk, ticket, text):
    assert desk.post(address(ticket), {"text": text}).status_code == 200
    desk.post(address(ticket, "note"), {"note-text": text})
    assert TicketMessage.objects.count() == 1


# Who may


def test_a_customer_does_not_find_the_desk(ticket, minji):
    customer = Client()
    customer.force_login(minji)
    for step in ("change", "take", "close", "note"):
        assert customer.post(address(ticket, step)).status_code == 404
    assert customer.get(QUEUE).status_code == 404


@pytest.mark.parametrize("role", ["importer", "editor", "approver"])
def test_other_roles_neither_read_nor_answer(team, ticket, role):
    desk = desk_of(team[role])
    assert desk.get(QUEUE).status_code == 403
    assert desk.get(address(ticket)).status_code == 403
    _refused_everything(desk, ticket)


def test_the_auditor_reads_and_does_not_answer(team, ticket):
    desk = desk_of(team["auditor"])
    page = page_text(desk.get(address(ticket)))
    assert SECRET in page
    assert "Send the answer" not in page
    _refused_everything(desk, ticket)


def _refused_everything(desk: Client, ticket: Ticket) -> None:
    posts = {"change": {"text": "Yes."}, "note": {"note-text": "x"}, "take": {}, "close": {}}
    for step, data in posts.items():
        assert desk.post(address(ticket, step), data).status_code == 403, step
    ticket.refresh_from_db()
    assert (ticket.state, ticket.assigned_to) == ("waiting", None)
    assert TicketMessage.objects.count() == 1


def test_the_editor_writes_templates_and_support_uses_them(team, desk):
    add = reverse("admin:tickets_answertemplate_add")
    form = {"name": "Greeting", "kind": "", "text_ko": "안녕하십니까.", "text_en": "Good day."}
    assert desk.post(add, form).status_code == 403
    assert desk_of(team["editor"]).post(add, form).status_code == 302
    assert AnswerTemplate.objects.get().text.get("ko") == "안녕하십니까."
    assert AuditEntry.objects.filter(object_type="tickets_answertemplate").exists()


@pytest.mark.parametrize("step", ["take", "close", "note"])
def test_a_link_changes_nothing(desk, ticket, step):
    assert desk.get(address(ticket, step)).status_code == 405


# The incident's page, and messages to the team


def due_in(ticket: Ticket, days: int) -> None:
    today = timezone.now().astimezone(ticket.incident.zone).date()
    Ticket.objects.filter(pk=ticket.pk).update(due_on=today + timedelta(days=days))


def test_the_incidents_page_says_how_many_wait_and_are_due(team, ticket, seojun, incident):
    due_in(asked(seojun, incident), 1)
    board = board_of(incident)
    figures = {each.key: each.value for each in board.figures}
    assert (figures["tickets"], figures["tickets-due"]) == (2, 1)
    (task,) = [each for each in board.waiting_for(team["support"]) if "ticket" in each.key]
    assert task.message_kind == "tickets"
    assert not [each for each in board.waiting_for(team["editor"]) if "ticket" in each.key]


def test_a_board_counts_no_further_than_its_limit(incident, minji, monkeypatch):
    monkeypatch.setattr("tickets.desk_parts.COUNTED", 3)
    for _number in range(5):
        asked(minji, incident)
    figure = next(each for each in board_of(incident).figures if each.key == "tickets")
    assert (figure.value, figure.limit) == (4, 3)


def test_support_gets_one_message_a_day_for_what_is_due(team, ticket):
    team_messages.queue()
    assert not TeamMessage.objects.filter(kind="tickets").exists()
    due_in(ticket, 1)
    for _time in range(2):
        team_messages.queue()
    message = TeamMessage.objects.get(kind="tickets")
    assert message.to == f"mail:{team['support'].pk}"
    assert SECRET not in message.text
    assert str(ticket.number) not in message.text


def test_a_ticket_takes_few_queries(desk, ticket, django_assert_max_num_queries):
    for number in range(20):
        correspondence.write_again(ticket, text=f"{number}", key=uuid4())
    with django_assert_max_num_queries(25):
        desk.get(address(ticket))


def test_the_pages_of_the_queue_are_read_by_index(ticket, minji, incident):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tickets_ticket (number, kind, incident_id, user_id, language, state,"
            " created_at, changed_at, due_on) SELECT n::text, 'question', %s, %s, 'ko',"
            " 'waiting', now(), now(), date '2026-01-01' + n / 10"
            " FROM generate_series(1, 20000) n",
            [incident.pk, minji.pk],
        )
        cursor.execute("ANALYZE tickets_ticket")
    for query in ("", "after=2027-06-01.9000", f"incident={incident.pk}&after=2027-06-01.9000"):
        with CaptureQueriesContext(connection) as asked:
            page = queue_page(QueueForm(QueryDict(query)), minji)
        assert len(page.tickets) == desk_queue.PAGE
        (statement,) = [each["sql"] for each in asked if 'ORDER BY "tickets_ticket"' in each["sql"]]
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {statement}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "ticket_queue" in plan, plan
        assert "Sort" not in plan, plan
