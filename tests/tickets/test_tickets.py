"""A customer asks the company, and reads the answer on the portal."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry
from harness.sign_in import sign_in, step_up
from incidents import reencryption
from incidents.encryption import EncryptionError
from incidents.models import Incident
from scams.message_check import MessageVerdict, answer_for
from tests.incident_factory import another_incident
from tickets import answer_mails, correspondence
from tickets.models import Ticket, TicketMessage

ASK = "/en/questions/ask/hanbit-2025/"
ASKED = {"kind": "access", "text": "Which addresses of mine do you have?"}
HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=y> {{ 7 }} \u202egnihton\u202c =1+1 𠮷👩‍👩‍👧"
)


@pytest.fixture
def minjis(client, minji, incident) -> Client:
    """Minji's browser, signed in."""
    client.force_login(minji)
    return client


@pytest.fixture
def ticket(minjis) -> Ticket:
    minjis.post(ASK, ASKED)
    return Ticket.objects.get()


def page_of(ticket: Ticket) -> str:
    return f"/en/questions/{ticket.number}/"


# Asking


def test_strangers_sign_in_first(client, incident):
    for address in ("/en/questions/", ASK, "/en/questions/7QK2-X9ND/"):
        assert client.get(address).url.startswith("/en/account/sign-in/")
    assert client.post(ASK, ASKED).url.startswith("/en/account/sign-in/")
    assert not Ticket.objects.exists()


def test_the_form_says_before_what_the_law_gives(minjis, incident):
    page = minjis.get(ASK).text
    before = page.partition("<form method")[0]
    today = timezone.now().astimezone(incident.zone).date()
    due = today + timedelta(days=10)
    assert "10 days (Korea: Personal Information Protection Act" in before
    assert f"by {due.day} {due:%B %Y}" in before
    assert "our own promise" in before


def test_a_ticket_is_stored_encrypted_and_shown_to_its_customer(minjis, minji, incident):
    response = minjis.post(ASK, ASKED)
    ticket = Ticket.objects.get()
    assert response.headers["Location"] == page_of(ticket)
    assert (ticket.user, ticket.incident, ticket.kind) == (minji, incident, "access")
    assert (ticket.state, ticket.language) == ("waiting", "en")
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}", ticket.number)
    assert ASKED["text"] in minjis.get(page_of(ticket)).text
    stored = bytes(TicketMessage.objects.get().ciphertext)
    assert b"addresses" not in stored
    assert TicketMessage.objects.get().decrypt_text() == ASKED["text"]
    listed = minjis.get("/en/questions/").text
    assert ticket.number in listed
    assert "which comes by" in listed


def test_the_text_is_in_no_log_and_not_in_the_audit_trail(minjis, caplog, empty_trail):
    with caplog.at_level("DEBUG"):
        minjis.post(ASK, ASKED)
    lines = [r.getMessage() for r in caplog.records if not r.name.startswith("django.db")]
    assert not any("addresses of mine" in line for line in lines)
    assert not any("addresses of mine" in str(each.details) for each in AuditEntry.objects.all())


def test_the_same_form_sent_twice_opens_one_ticket(minjis):
    key = str(uuid4())
    first = minjis.post(ASK, ASKED | {"key": key})
    second = minjis.post(ASK, ASKED | {"key": key})
    assert first.url == second.url
    assert Ticket.objects.count() == 1
    for _time in range(2):
        minjis.post(first.url, {"text": "And my orders?", "key": (other := str(uuid4()))})
        minjis.post(first.url, {"text": "And my orders?", "key": other})
    assert TicketMessage.objects.count() == 3


def test_a_key_of_another_customer_opens_no_ticket_of_theirs(ticket, seojun):
    key = str(TicketMessage.objects.get().pk)
    other = Client()
    other.force_login(seojun)
    response = other.post(ASK, ASKED | {"key": key})
    assert response.headers["Location"] != page_of(ticket)
    assert Ticket.objects.filter(user=seojun).count() == 1
    assert TicketMessage.objects.filter(ticket=ticket).count() == 1


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"text": ""}, "Write what you want"),
        ({"text": "   \n "}, "Write what you want"),
        ({"text": "a" * 4001}, "at most 4000 characters; these are 4001"),
        ({"text": "a\x00b"}, "Null characters"),
        ({"kind": ""}, "Choose what you want"),
        ({"kind": "refund"}, "refund"),
    ],
)
def test_what_cannot_be_taken_is_said_and_the_text_stays(minjis, changes, error):
    response = minjis.post(ASK, ASKED | changes)
    assert response.status_code == 200
    summary = response.text.partition("error-summary")[2].partition("</div>")[0]
    assert error in summary
    assert not Ticket.objects.exists()
    kept = changes.get("text", ASKED["text"]).strip().replace("\x00", "")
    assert kept[:20] in response.text.replace("\x00", "")


def test_line_ends_count_as_one_character(minjis):
    text = "\r\n".join(["a" * 9] * 400)  # 3,999 characters and 399 more bytes of line ends
    minjis.post(ASK, ASKED | {"text": text})
    assert TicketMessage.objects.get().decrypt_text() == text.replace("\r\n", "\n")


def test_ten_megabytes_are_refused(minjis):
    assert minjis.post(ASK, ASKED | {"text": "a" * 10_000_000}).status_code == 413
    assert not Ticket.objects.exists()


def test_hostile_text_is_shown_as_text(minjis):
    minjis.post(ASK, ASKED | {"text": HOSTILE})
    page = minjis.get(page_of(Ticket.objects.get())).text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert 'class="as-written" dir="auto"' in page
    assert "𠮷👩‍👩‍👧" in page


def test_five_questions_may_wait_at_a_time(minjis, minji, editor):
    for number in range(5):
        minjis.post(ASK, ASKED | {"text": f"question {number}"})
    response = minjis.post(ASK, ASKED)
    assert "5 questions of yours wait for an answer" in response.text
    assert ASKED["text"] in response.text
    assert Ticket.objects.count() == 5
    correspondence.answer(Ticket.objects.all()[0], text="Here.", by=editor)
    assert minjis.post(ASK, ASKED).status_code == 302


def test_writing_often_is_refused_with_the_text_kept(minjis, settings, ticket):
    settings.PROOF_RATES = {**settings.PROOF_RATES, "ticket": "2/h/key"}
    for number in range(2):
        assert minjis.post(page_of(ticket), {"text": f"again {number}"}).status_code == 302
    response = minjis.post(page_of(ticket), {"text": "a third time"})
    assert "You have written often. Your text is still here" in response.text
    assert "a third time" in response.text
    assert TicketMessage.objects.count() == 3
    assert "You have written often" in minjis.post(ASK, ASKED).text


def test_in_a_crowded_network_each_customer_may_write_less_often(minjis, settings, ticket):
    """Accounts are free, so strangers behind the same carrier can use up a limit of its network."""
    rates = {"ticket_network": "0/h/ip", "ticket_in_crowd": "2/h/key"}
    settings.PROOF_RATES = {**settings.PROOF_RATES, **rates}
    minjis.post(ASK, ASKED | {"text": ""})  # what is not sent does not count
    assert minjis.post(ASK, ASKED).status_code == 302
    assert minjis.post(page_of(ticket), ASKED).status_code == 302
    for address in (page_of(ticket), ASK):
        assert "You have written often. Your text is still here" in minjis.post(address, ASKED).text
    assert (Ticket.objects.count(), TicketMessage.objects.count()) == (2, 3)


@pytest.mark.parametrize("change", [{"is_public": False}, {"shredded": True}])
def test_a_hidden_or_shredded_incident_takes_no_question(minjis, incident, change):
    if change.get("shredded"):
        incident.shred()
    else:
        Incident.objects.update(**change)
    assert minjis.get(ASK).status_code == 404
    assert minjis.post(ASK, ASKED).status_code == 404
    assert not Ticket.objects.exists()


def test_each_public_incident_can_be_asked_about(minjis, incident):
    another_incident(incident, "hanbit-2024")
    page = minjis.get("/en/questions/").text
    assert ASK in page
    assert "/en/questions/ask/hanbit-2024/" in page


# Whose ticket


def test_the_ticket_of_another_customer_is_not_found(ticket, seojun):
    other = Client()
    other.force_login(seojun)
    assert other.get(page_of(ticket)).status_code == 404
    assert other.post(page_of(ticket), {"text": "mine"}).status_code == 404
    for number in ("0000-0000", "%00", "%F0%9F%98%80", "..%2F", "a" * 5000):
        assert other.get(f"/en/questions/{number}/").status_code == 404
    assert ticket.number not in other.get("/en/questions/").text
    assert TicketMessage.objects.count() == 1


def test_numbers_do_not_show_how_many_people_ask(minjis):
    for number in range(3):
        minjis.post(ASK, ASKED | {"text": f"{number}"})
    numbers = Ticket.objects.order_by("pk").values_list("number", flat=True)
    assert len({number[:3] for number in numbers}) > 1


# The answer


def test_an_answer_is_on_the_page_and_a_mail_says_so_without_it(minjis, ticket, editor, minji):
    mail.outbox.clear()
    correspondence.answer(ticket, text="We have two addresses.", by=editor)
    correspondence.note(ticket, text="calls often", by=editor)
    answer_mails.send_due()
    page = minjis.get(page_of(ticket)).text
    assert "We have two addresses." in page
    assert "There is an answer." in page
    assert "calls often" not in page
    (sent,) = mail.outbox
    assert sent.to == [minji.email]
    whole = str(sent.message().as_bytes())
    assert "two addresses" not in whole
    assert "Which addresses" not in whole
    assert ticket.number in sent.body
    assert "http" not in re.sub(r"http://[^ ,]+(?= |,)", "", str(sent.body))
    answer_mails.send_due()
    assert len(mail.outbox) == 1


def test_the_message_check_knows_the_mail(ticket, editor, minji, client):
    minji.language = "en"
    minji.save()
    mail.outbox.clear()
    correspondence.answer(ticket, text="Yes.", by=editor)
    answer_mails.send_due()
    body = str(mail.outbox[0].body)
    answer = answer_for(body)
    assert answer.verdict == MessageVerdict.SENT, answer.strange
    page = Client().post("/en/check/answer/", {"text": body}).text
    assert "A mail that the company has answered a question" in page
    assert "code to sign in" not in page
    altered = f"{body}\nSend your card number to 010-5555-6666 or 12345678"
    assert answer_for(altered).verdict == MessageVerdict.ALTERED
    assert answer_for(f"{body}\n\n    12345678\n").verdict == MessageVerdict.ALTERED


def test_a_mail_that_fails_is_tried_again(ticket, editor, settings, mails):
    correspondence.answer(ticket, text="Yes.", by=editor)
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    answer_mails.send_due()
    message = TicketMessage.objects.get(kind="answer")
    assert (message.mailed_at, message.mail_tries) == (None, 0)
    settings.EMAIL_PORT = port
    answer_mails.send_due()
    message.refresh_from_db()
    assert message.mailed_at is not None
    assert len(mails.taken) == 1


def test_an_account_without_an_address_gets_no_mail(ticket, editor, minji):
    mail.outbox.clear()
    type(minji).objects.filter(pk=minji.pk).update(email="+821012345678")
    correspondence.answer(ticket, text="Yes.", by=editor)
    answer_mails.send_due()
    assert mail.outbox == []


def write_three_days_later(ticket: Ticket, text: str) -> None:
    later = timezone.now() + timedelta(days=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tickets.correspondence.timezone.now", lambda: later)
        correspondence.write_again(ticket, text=text, key=uuid4())


def test_the_customers_next_message_opens_the_ticket_again(minjis, ticket, editor):
    first_due = ticket.due_on
    correspondence.answer(ticket, text="Yes.", by=editor)
    correspondence.close(ticket)
    assert "Closed. If you write again" in minjis.get(page_of(ticket)).text
    write_three_days_later(ticket, "But which?")
    ticket.refresh_from_db()
    assert ticket.state == "waiting"
    assert ticket.due_on == first_due + timedelta(days=3)


def test_a_second_message_before_the_answer_does_not_move_the_day(minjis, ticket):
    write_three_days_later(ticket, "And my orders?")
    due = ticket.due_on
    ticket.refresh_from_db()
    assert ticket.due_on == due


# The file


def test_the_customer_downloads_what_both_wrote(minjis, ticket, editor, seojun, incident):
    correspondence.answer(ticket, text="두 개입니다.", by=editor)
    correspondence.note(ticket, text="calls often", by=editor)
    correspondence.ask(
        seojun, incident, kind="question", text="of Seojun", language="en", key=uuid4()
    )
    assert "/en/questions/file/" in minjis.get("/en/questions/").text
    response = minjis.get("/en/questions/file/")
    assert response.headers["Content-Disposition"] == 'attachment; filename="my-questions.json"'
    assert "no-store" in response.headers["Cache-Control"]
    (found,) = response.json()["tickets"]
    assert found["number"] == ticket.number
    assert [(one["from"], one["text"]) for one in found["messages"]] == [
        ("customer", ASKED["text"]),
        ("answer", "두 개입니다."),
    ]
    assert Client().get("/en/questions/file/").status_code == 302


# What stays


def test_closing_the_account_says_what_stays_and_removes_the_customer(client, minji, incident):
    sign_in(client, minji.email)
    client.post(ASK, ASKED)
    step_up(client, minji)
    assert "Your questions and the company’s answers" in client.get("/en/account/close/").text
    client.post(reverse("close_account"), {"sure": "on"})
    ticket = Ticket.objects.get()
    assert ticket.user is None
    assert ticket.messages.get().decrypt_text() == ASKED["text"]
    again = Client()
    sign_in(again, "minji@example.com")
    assert again.get(page_of(ticket)).status_code == 404


def test_after_shredding_the_dates_stay_and_the_text_is_gone(minjis, ticket, incident):
    Incident.objects.get().shred()
    page = minjis.get(page_of(ticket)).text
    assert "has deleted the data of this incident" in page
    assert ASKED["text"] not in page
    assert minjis.post(page_of(ticket), {"text": "again"}).status_code == 200
    assert TicketMessage.objects.count() == 1
    with pytest.raises(EncryptionError):
        TicketMessage.objects.get().decrypt_text()


def test_a_text_is_readable_after_re_encryption(ticket, incident):
    before = bytes(TicketMessage.objects.get().ciphertext)
    reencryption.reencrypt_incident(incident)
    message = TicketMessage.objects.get()
    assert bytes(message.ciphertext) != before
    assert message.decrypt_text() == ASKED["text"]


def test_a_text_cannot_be_moved_to_another_message(minjis, ticket):
    minjis.post(page_of(ticket), {"text": "second"})
    first, second = TicketMessage.objects.order_by("sent_at")
    second.ciphertext = first.ciphertext
    with pytest.raises(EncryptionError):
        second.decrypt_text()


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (Ticket, {"kind": "question"}),
        (Ticket, {"number": "0000-0000"}),
        (Ticket, {"created_at": timezone.now()}),
        (Ticket, {"language": "ko"}),
        (TicketMessage, {"kind": "answer"}),
        (TicketMessage, {"sent_at": timezone.now()}),
    ],
)
def test_the_database_refuses_to_change_the_record(ticket, model, change):
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.update(**change)


def test_the_database_refuses_another_owner_and_a_deletion(ticket, seojun):
    with pytest.raises(IntegrityError), transaction.atomic():
        Ticket.objects.update(user=seojun)
    for rows in (TicketMessage.objects.all(), Ticket.objects.all()):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows._raw_delete("default")
