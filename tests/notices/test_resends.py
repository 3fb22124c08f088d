"""Support has one message of a notice sent again to its person."""

from email import message_from_bytes
from email.policy import SMTP

import pytest
from celery.app.task import Task
from django.core import mail
from django.test import Client
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.models import AuditEntry
from harness.sign_in import sign_in_to_desk
from incidents.models import ExposureBatch, PersonMark, SharedContact
from notices import decisions, resends, tasks
from notices.message_codes import envelope_sender, message_code
from notices.models import Delivery, Notice, Resend, Suppression
from notices.proof import ledger_export
from notices.resends import ResendRefusedError
from scams.message_check import MessageVerdict, answer_for
from statements import publishing
from statements.models import StatementVersion
from tests.database import without_triggers
from tests.desk_pages import desk_url, page_text, say_why
from tests.notice_factory import delivery_to, draft_notice, work

pytest_plugins = ["tests.notice_fixtures"]


@pytest.fixture
def delivery(notice, people, server) -> Delivery:
    """The accepted delivery of Minji, of a closed notice."""
    work(notice)
    return delivery_to(notice, people["minji"])


@pytest.fixture
def desk(client: Client, team, people) -> Client:
    """The desk of support, which looked Minji up."""
    sign_in_to_desk(client, team["support"])
    say_why(client, desk_url("incidents_affectedperson_change", people["minji"].pk))
    return client


def press(desk: Client, delivery: Delivery, reason: str = "Ticket 7QK2-X9ND"):
    return desk.post(desk_url("notices_delivery_resend", delivery.pk), {"reason": reason})


def test_the_person_gets_the_frozen_message_again(desk, delivery, people, server, team):
    mails = [message_from_bytes(each.data, policy=SMTP) for each in server.taken]
    (first,) = (each for each in mails if each["To"] == "minji@example.com")
    person_page = desk_url("incidents_affectedperson_change", people["minji"].pk)
    assert "Send it again" in page_text(desk.get(person_page))
    assert press(desk, delivery).url == person_page
    tasks.mail_resends()
    tasks.mail_resends()
    (again,) = mail.outbox
    assert (again.to, again.from_email) == (["minji@example.com"], envelope_sender(delivery.pk))
    second = message_from_bytes(bytes(again.message().as_bytes()), policy=SMTP)
    for name in ("Subject", "From", "To"):
        assert second[name] == first[name]
    assert second["Message-ID"] != first["Message-ID"]
    bodies = [each.get_body(("plain",)) for each in (first, second)]
    texts = [body.get_content().splitlines() for body in bodies if body]
    assert texts[0] == texts[1]
    text = "\n".join(texts[1])
    assert message_code(delivery.pk) in text
    assert answer_for(text).verdict == MessageVerdict.SENT
    resend = Resend.objects.get()
    assert (resend.asked_by, resend.delivery) == (team["support"], delivery)
    assert resend.sent_at
    assert "Ticket 7QK2-X9ND" in page_text(desk.get(person_page))


def test_the_page_is_the_usual_one_while_the_broker_is_away(
    desk, delivery, notice, monkeypatch, django_capture_on_commit_callbacks
):
    """The sweeps find the work in the database."""

    def away(*_arguments: object, **_options: object) -> None:
        raise OperationalError

    draft = draft_notice(notice.version, notice.created_by)
    monkeypatch.setattr(Task, "apply_async", away)
    with django_capture_on_commit_callbacks(execute=True) as called:
        assert press(desk, delivery).status_code == 302
        decisions.approve(draft, by=notice.approved_by)
    assert len(called) >= 2
    assert Resend.objects.due().exists()
    draft.refresh_from_db()
    assert draft.state == Notice.State.PLANNING


def test_the_proof_and_the_trail_show_both(desk, delivery, notice, people, team, empty_trail):
    press(desk, delivery)
    tasks.mail_resends()
    rows = {row["person"]: row for row in ledger_export.proof(notice, is_opened=False)}
    later = rows[str(people["minji"].pk)]["later"]
    assert f"by user {team['support'].pk}, accepted 2" in later
    assert rows[str(people["minji"].pk)]["state"] == "accepted"
    added = AuditEntry.objects.get(object_type="notices_resend", kind="added")
    assert (added.actor_id, added.incident_id) == (team["support"].pk, notice.incident_id)
    assert AuditEntry.objects.filter(object_type="notices_resend", kind="changed").count() == 1


def test_a_page_that_no_look_up_led_to_sends_nothing(client, delivery, people, team):
    sign_in_to_desk(client, team["support"])
    address = desk_url("notices_delivery_resend", delivery.pk)
    person_page = desk_url("incidents_affectedperson_change", people["minji"].pk)
    assert client.get(address).url == press(client, delivery).url == person_page
    sign_in_to_desk(client, team["approver"])
    assert press(client, delivery).status_code == 403
    assert not Resend.objects.exists()


@pytest.mark.parametrize("reason", ["", "call of minji@example.com"])
def test_no_message_goes_out_without_a_reason(desk, delivery, reason):
    assert press(desk, delivery, reason).status_code == 200
    assert not Resend.objects.exists()


def _paused(delivery, notice, person, staff):
    Notice.objects.filter(pk=notice.pk).update(state="paused", closed_at=None)


def _cancelled(delivery, notice, person, staff):
    Notice.objects.filter(pk=notice.pk).update(state="cancelled")


def _hidden(delivery, notice, person, staff):
    type(notice.incident).objects.update(is_public=False)


def _corrected(delivery, notice, person, staff):
    following = publishing.draft_next(notice.version.statement, by=staff["editor"])
    StatementVersion.objects.filter(pk=following.pk).update(
        state="published",
        published_at=timezone.now(),
        approved_by=staff["approver"],
        hash="0" * 64,
    )


def _suppressed(delivery, notice, person, staff):
    Suppression.objects.create(
        index=person.email_index, channel="email", source="bounce", incident=notice.incident
    )


def _marked(delivery, notice, person, staff):
    PersonMark.objects.create(
        incident=notice.incident,
        person=person,
        kind="deceased",
        reason="x",
        marked_by=staff["support"],
    )


def _shared(delivery, notice, person, staff):
    SharedContact.objects.create(
        incident=notice.incident, kind="email", contact_index=person.email_index, people=50
    )


def _left_the_scope(delivery, notice, person, staff):
    ExposureBatch.objects.update(state="withdrawn", withdrawn_at=timezone.now())


def _never_due(delivery, notice, person, staff):
    Delivery.objects.filter(pk=delivery.pk).update(state="suppressed")


CAUSES = {
    _paused: "paused or was cancelled",
    _cancelled: "paused or was cancelled",
    _hidden: "not public",
    _corrected: "corrected since",
    _suppressed: "on the suppression list: bounce",
    _marked: "deceased or restricted",
    _shared: "many people share",
    _left_the_scope: "withdrawn from the incident's scope",
    _never_due: "not due",
}


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.__name__)
def test_only_a_message_that_the_person_is_due_goes_out_again(
    delivery, notice, people, team, cause
):
    """Before the request it is refused; after it, the worker refuses it with the same reason."""
    asked = resends.ask(delivery, by=team["support"], reason="x")
    with without_triggers():
        cause(delivery, notice, people["minji"], team)
    fresh = Delivery.objects.get(pk=delivery.pk)
    tasks.mail_resends()
    asked.refresh_from_db()
    assert CAUSES[cause] in asked.refused
    assert (mail.outbox, asked.sent_at) == ([], None)
    with pytest.raises(ResendRefusedError, match=CAUSES[cause]):
        resends.ask(fresh, by=team["support"], reason="x")


def test_an_alert_a_test_and_a_text_message_are_not_sent_again(delivery, team):
    for change in ({"kind": "alert", "topic": "scams"}, {"channel": "sms"}, {"audience": "test"}):
        fresh = Delivery.objects.get(pk=delivery.pk)
        for name, value in change.items():
            setattr(fresh.notice, name, value)
        assert "only e-mails" in resends.objection(fresh, by=team["support"])


def test_a_message_goes_out_again_three_times_at_most_and_once_a_day(delivery, team, monkeypatch):
    support = team["support"]
    resends.ask(delivery, by=support, reason="x")
    assert "24 hours" in resends.objection(delivery, by=support)
    monkeypatch.setattr(resends, "AGAIN_AFTER", resends.AGAIN_AFTER * 0)
    for _number in range(2):
        resends.ask(delivery, by=support, reason="x")
    assert "3 times" in resends.objection(delivery, by=support)


def test_one_member_of_the_team_has_so_many_sent_again_in_a_day(
    delivery, notice, people, team, monkeypatch
):
    monkeypatch.setattr(resends, "MOST_A_DAY", 1)
    resends.ask(delivery, by=team["support"], reason="x")
    other = delivery_to(notice, people["seojun"])
    assert "within a day" in resends.objection(other, by=team["support"])
    assert not resends.objection(other, by=team["editor"])


def test_the_desk_says_why_it_cannot_be_sent_again(desk, delivery, notice, people, team):
    _marked(delivery, notice, people["minji"], team)
    shown = page_text(desk.get(desk_url("notices_delivery_resend", delivery.pk)))
    assert "It cannot be sent again" in shown
    assert "deceased" in shown
    assert press(desk, delivery).status_code == 200
    assert not Resend.objects.exists()


def test_an_address_on_the_suppression_list_leads_to_its_entry(
    desk, delivery, notice, people, team
):
    desk.get(desk_url("incidents_affectedperson_change", people["minji"].pk))
    address = desk_url("notices_delivery_resend", delivery.pk)
    find = desk_url("notices_suppression_look_up")
    assert find not in page_text(desk.get(address))
    _suppressed(delivery, notice, people["minji"], team)
    shown = page_text(desk.get(address))
    assert "It cannot be sent again: on the suppression list" in shown
    assert f'<a href="{find}">Find the entry</a>' in shown
    assert desk.get(find).status_code == 200
