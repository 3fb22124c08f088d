"""Reminders of steps that are not done: asked for, sent twice at most, ended by one click."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email import message_from_bytes
from email.policy import SMTP
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from accounts import due_mails
from accounts.mail_codes import MailKind
from accounts.models import User
from harness.exposure_factory import expose, file_of, person
from incidents import reminders
from incidents.models import AffectedPerson, Exposure, Incident, PersonMark, StepReminder
from incidents.my_data import masked, parts_for
from incidents.own_facts import own_facts
from incidents.steps import mark_step
from scams.message_check import MessageVerdict, answer_for
from tests.desk_pages import page_text

pytestmark = pytest.mark.django_db
PAGE = "/en/my-data/"
OFFER, STOP = "Remind me by e\u2011mail", "Stop the reminder"


@pytest.fixture
def browser(minji, incident) -> Client:
    """Minji's browser; an entrance code of hers leaked."""
    row = person(incident, name="김민지", email=minji.email)
    expose(row, file_of(incident), values=[("entrance-codes", "7585#")])
    client = Client()
    client.force_login(minji)
    return client


def press(client: Client, incident, remind: str):
    with override("en"):
        url = reverse("my_data_reminder", args=[incident.slug])
    return client.post(url, {"remind": remind, "at": "steps1"})


def mails_after(days: float) -> list[Any]:
    """Returns the mails that the task sends so many days after the wish."""
    before = len(mail.outbox)
    for reminder in StepReminder.objects.exclude(due_at=None):
        since = timezone.now() - timedelta(days=days)
        assert reminder.due_at
        due_at = since + (reminder.due_at - reminder.asked_at)
        StepReminder.objects.filter(pk=reminder.pk).update(asked_at=since, due_at=due_at)
    reminders.send_due()
    return mail.outbox[before:]


def do_all_steps(user, incident) -> None:
    for part in parts_for(user, own_facts(user), masked):
        for step in part.steps:
            mark_step(user, incident, step.key, is_done=True)


def test_no_reminder_goes_out_that_was_not_asked_for(browser):
    assert OFFER in page_text(browser.get(PAGE))
    assert mails_after(30) == []


def test_the_page_offers_it_and_stops_it(browser, incident):
    assert press(browser, incident, "1")["Location"] == "/en/my-data/#steps1"
    text = page_text(browser.get(PAGE))
    assert STOP in text
    assert OFFER not in text
    press(browser, incident, "0")
    assert OFFER in page_text(browser.get(PAGE))
    assert mails_after(30) == []


@pytest.mark.django_db(transaction=True)
def test_two_tabs_may_ask_and_end_at_the_same_moment(incident, minji):
    def press_in_tab(act: Callable[[User, Incident], None]) -> None:
        try:
            act(minji, incident)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(press_in_tab, [reminders.ask, reminders.end, reminders.ask] * 10))
    assert StepReminder.objects.count() <= 1


def test_two_mails_go_out_while_steps_are_to_do(browser, incident, minji):
    press(browser, incident, "1")
    assert mails_after(2.9) == []
    (first,) = mails_after(3.1)
    assert first.to == [minji.email]
    assert mails_after(9.9) == []
    (second,) = mails_after(10.1)
    assert second.extra_headers["Message-ID"] != first.extra_headers["Message-ID"]
    assert mails_after(60) == []
    assert OFFER in page_text(browser.get(PAGE))


def test_a_mail_holds_no_value_and_is_in_the_users_language(browser, incident, minji):
    press(browser, incident, "1")
    (sent,) = mails_after(4)
    whole = sent.message().as_bytes().decode()
    for value in ("7585#", "김민지", "entrance", "현관"):
        assert value not in sent.body
        assert value not in whole
    assert "내 정보" in sent.body


def test_a_user_who_did_all_steps_gets_no_mail(browser, incident, minji):
    press(browser, incident, "1")
    do_all_steps(minji, incident)
    assert mails_after(4) == []
    assert mails_after(11) == []


def test_an_incident_that_is_no_longer_public_is_not_reminded_of(browser, incident):
    press(browser, incident, "1")
    type(incident).objects.update(is_public=False)
    assert mails_after(4) == []


def test_one_click_ends_it_without_a_sign_in(browser, incident):
    press(browser, incident, "1")
    (sent,) = mails_after(4)
    assert sent.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = sent.extra_headers["List-Unsubscribe"].strip("<>")
    assert url in sent.body
    path = url[url.index("/", 8) :]
    visitor = Client(enforce_csrf_checks=True)
    assert visitor.get(path).status_code == 200
    assert StepReminder.objects.exists()
    assert visitor.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert not StepReminder.objects.exists()
    assert visitor.post(path).status_code == 200
    assert mails_after(11) == []


@pytest.mark.parametrize("token", ["1", "1:x", "x" * 300])
def test_an_unknown_token_ends_nothing(browser, incident, token):
    press(browser, incident, "1")
    assert Client().post(f"/en/my-data/reminder/end/{token}/").status_code == 404
    assert StepReminder.objects.exists()


def test_the_check_page_knows_the_mail(browser, incident, minji):
    press(browser, incident, "1")
    (sent,) = mails_after(4)
    answer = answer_for(sent.body)
    assert answer.verdict == MessageVerdict.SENT, answer.strange
    assert [one.kind for one in answer.account_mails] == [MailKind.REMINDER]
    page = Client().post("/en/check/answer/", {"text": sent.body}).text
    assert "A reminder of the steps that you have not done yet" in page


@pytest.fixture
def many(incident) -> Callable[[int], list[User]]:
    """Returns a function that makes users with a leaked entrance code and a due reminder."""
    file = file_of(incident)

    def make(count: int) -> list[User]:
        first = User.objects.count()
        users = [
            User.objects.for_proven_email(f"user{number}@example.com", language="en")
            for number in range(first, first + count)
        ]
        for user in users:
            row = person(incident, name="김민지", email=user.email or "")
            expose(row, file, values=[("entrance-codes", "7585#")])
            ask_in_the_past(user, incident)
        return users

    return make


def ask_in_the_past(user: User, incident) -> None:
    reminders.ask(user, incident)
    StepReminder.objects.filter(user=user).update(due_at=timezone.now())


def test_many_reminders_cost_as_many_queries_as_few(many):
    counts = []
    for number in (2, 12):
        many(number)
        with CaptureQueriesContext(connection) as captured:
            reminders.send_due()
        counts.append(len(captured))
    assert len(mail.outbox) == 14
    assert counts[1] <= counts[0]


def test_a_refused_mail_of_a_batch_stops_no_other(many, mails):
    users = many(5)
    mails.reply_next("recipient", users[1].email, "550 5.1.1 unknown")
    reminders.send_due()
    reminders.send_due()
    assert sorted(str(each["To"]) for each in map(parsed, mails.taken)) == sorted(
        user.email for user in users if user != users[1]
    )
    refused = StepReminder.objects.get(user=users[1])
    assert (refused.mails, refused.mail_tries) == (0, 1)
    assert {each.text for each in users[0].sent_mails.all()} == {
        parsed(each).get_body(("plain",)).get_content().replace("\r\n", "\n")
        for each in mails.taken
        if parsed(each)["To"] == users[0].email
    }


def parsed(taken: Any) -> Any:
    return message_from_bytes(taken.data, policy=SMTP)


def test_a_server_that_goes_away_leaves_the_rest_of_a_batch_due(many, mails):
    users = many(4)
    mails.reply_next("recipient", users[1].email, *["421 4.3.2 closing"] * 20)
    reminders.send_due()
    assert len(mails.taken) == 1
    assert StepReminder.objects.due().count() == 2
    reminders.send_due()  # the row at which the server went away does not stop the later ones
    assert len(mails.taken) == 3
    assert StepReminder.objects.get(user=users[1]).mail_tries == 0


def test_an_error_at_one_reminder_repeats_and_stops_no_other(many, monkeypatch, caplog):
    users, has_open_steps = many(4), reminders._Reminders._has_open_steps

    def fail(self: Any, reminder: StepReminder) -> bool:
        if reminder.user == users[2]:
            raise ValueError(reminder.user.email)
        return has_open_steps(self, reminder)

    monkeypatch.setattr(reminders._Reminders, "_has_open_steps", fail)
    for _run in range(3):
        reminders.send_due()
    assert [each.to for each in mail.outbox] == [[user.email] for user in users if user != users[2]]
    waiting = StepReminder.objects.get(user=users[2])
    assert waiting.mail_after
    assert waiting.mail_after > timezone.now()
    assert "ValueError" in caplog.text
    assert users[2].email not in caplog.text


def test_a_slow_server_gets_one_mail_in_a_transaction(many, monkeypatch):
    """The lock of a row whose mail takes long must not make "end reminder" wait for others."""
    users = many(3)
    recorded, record = [], reminders._Reminders.record
    monkeypatch.setattr(due_mails, "BATCH_SECONDS", -1.0)

    def count_and_record(self, taken):
        recorded.append(len(taken))
        record(self, taken)

    monkeypatch.setattr(reminders._Reminders, "record", count_and_record)
    reminders.send_due()
    assert (len(mail.outbox), recorded) == (len(users), [1, 1, 1])


@pytest.mark.parametrize("case", ["open", "done", "no row", "family", "marked", "unproven"])
def test_a_reminder_is_sent_if_my_data_shows_an_open_step(many, incident, case):
    (user,) = many(1)
    if case == "done":
        do_all_steps(user, incident)
    if case == "no row":
        Exposure.objects.all().delete()
    if case == "family":
        row = person(incident, name="이서준", email=user.email)
        expose(row, file_of(incident), values=[("entrance-codes", "1")])
    if case == "marked":
        row = AffectedPerson.objects.get()
        PersonMark.objects.create(
            incident=incident, person=row, kind="restricted", reason="x", marked_by=user
        )
    if case == "unproven":
        EmailAddress.objects.update(verified=False)
    shown = any(part.plan.next_step for part in parts_for(user, own_facts(user), masked))
    assert shown == (case == "open")
    reminders.send_due()
    assert len(mail.outbox) == shown


def test_a_stranger_asks_for_nothing_of_an_incident_that_is_not_public(seojun, incident):
    type(incident).objects.update(is_public=False)
    client = Client()
    client.force_login(seojun)
    assert press(client, incident, "1").status_code == 404
