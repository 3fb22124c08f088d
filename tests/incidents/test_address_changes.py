"""A new address of a person: support proposes it after a proof, a second person confirms it."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from django.utils.translation import override

from accounts import due_mails
from accounts.due_mails import MOST_TRIES
from accounts.mail_codes import MailKind
from accounts.models import AuditEntry, User, VerifiedPhone
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import sign_in_to_desk
from incidents import address_mails, reencryption, second_fact
from incidents.admin.person_forms import EndAddressChangeForm, NewAddressForm
from incidents.models import (
    AddressChange,
    AffectedPerson,
    ExposureBatch,
    Incident,
    PersonMark,
    RowProof,
    SharedContact,
)
from incidents.models.address_change import Kind
from incidents.own_rows import own_rows
from notices import decisions, tasks
from notices.models import Suppression
from notices.proof import ledger_export
from notices.returned_mail import suppression_list
from scams.message_check import answer_for
from tests.database import without_triggers
from tests.desk_pages import desk_url, page_text, say_why
from tests.my_data.test_own_rows import SECRETS, answer, leaked, page, shows_none

pytest_plugins = ["tests.notice_fixtures", "tests.text_sign_in"]
pytestmark = pytest.mark.django_db
NEW, PROOF = "younghee@new.example", "Called back, named two past orders."
PERSON, CHANGE_PAGE = "incidents_affectedperson", "incidents_addresschange_change"
ADDRESS = "부산광역시 해운대구 1"


@pytest.fixture
def younghee(incident) -> AffectedPerson:
    """A person of whom an address and an entrance code leaked."""
    who = {"name": "김영희", "phone": "010-1111-2222", "email": "old@example.com"}
    return leaked(incident, ADDRESS, "7585#", **who)


@pytest.fixture
def owner(db) -> User:
    """Who signed in with the new address, by a code."""
    return User.objects.create_user(NEW, language="en")


def desk(user: User) -> Client:
    client = Client()
    sign_in_to_desk(client, user)
    client.cookies["language"] = "en"
    return client


def propose(team: dict[str, User], row: AffectedPerson, address: str = NEW) -> AddressChange | str:
    """Returns the proposal of support, or the page with the refusal."""
    support = desk(team["support"])
    say_why(support, desk_url(f"{PERSON}_change", row.pk))
    form = {"address": address, "reason": PROOF}
    shown = support.post(desk_url(f"{PERSON}_address", row.pk), form, follow=True)
    found = AddressChange.objects.waiting().order_by("-pk").first()
    return found or page_text(shown)


def confirmed(team: dict[str, User], row: AffectedPerson, address: str = NEW) -> AddressChange:
    change = propose(team, row, address)
    assert isinstance(change, AddressChange), change
    address_page = desk_url("incidents_addresschange_confirm", change.pk)
    assert desk(team["approver"]).post(address_page).status_code == 302
    change.refresh_from_db()
    assert change.confirmed_by == team["approver"]
    return change


def test_a_new_address_opens_the_row_after_two_people_a_code_and_a_second_fact(
    team, incident, younghee, owner, empty_trail
):
    change = propose(team, younghee)
    assert isinstance(change, AddressChange), change
    assert "Show that this data is yours" not in page(owner)
    support, approver = desk(team["support"]), desk(team["approver"])
    own = desk_url("incidents_addresschange_confirm", change.pk)
    assert support.post(own).status_code == 403
    team["support"].groups.add(Group.objects.get(name="approver"))
    assert support.post(own).status_code == 403  # also with the right: it is their own proposal
    change_page = desk_url(CHANGE_PAGE, change.pk)
    assert PROOF not in page_text(approver.get(change_page))
    say_why(approver, change_page)
    shown = page_text(approver.get(change_page))
    assert "y***@n***.example" in shown
    assert NEW not in shown
    assert PROOF in shown
    assert approver.post(own).status_code == 302
    text = page(owner)
    assert "Show that this data is yours" in text
    assert "Several people" not in text
    assert shows_none(text, "mother")
    assert "That matches" in answer(owner, incident, " 김 영희 ")
    opened = page(owner)
    assert SECRETS["mother"][1] in opened
    ended = desk_url("incidents_addresschange_end", change.pk)
    assert desk(team["importer"]).post(ended, {"reason": "x"}).status_code == 403
    assert support.post(ended, {"reason": "It was another person."}).status_code == 302
    assert SECRETS["mother"][1] not in page(owner)
    assert "Show that this data is yours" not in page(owner)
    trail = AuditEntry.objects.filter(object_type="incidents_addresschange").order_by("pk")
    assert {entry.actor_id for entry in trail} == {team["support"].pk, team["approver"].pk}
    kept = json.dumps([entry.details for entry in trail], ensure_ascii=False)
    assert not any(word in kept for word in (NEW, "Called back", "another person"))


def test_the_address_in_the_data_is_told_once_and_still_opens_the_row(team, younghee):
    propose(team, younghee)
    address_mails.send_due()
    assert not mail.outbox
    change = AddressChange.objects.get()
    desk(team["approver"]).post(desk_url("incidents_addresschange_confirm", change.pk))
    address_mails.send_due()
    address_mails.send_due()
    [told] = mail.outbox
    assert told.to == ["old@example.com"]
    assert NEW not in told.body
    assert "김영희" not in told.body
    change.refresh_from_db()
    assert change.told_at
    old = User.objects.create_user("old@example.com", language="en")
    assert SECRETS["mother"][1] in page(old)


def of_a_hidden_incident(change: AddressChange, team: dict[str, User]) -> str:
    Incident.objects.filter(pk=change.incident_id).update(is_public=False)
    return "The contact in the data is told once the incident is public."


def of_one_who_died(change: AddressChange, team: dict[str, User]) -> str:
    about = {"incident": change.incident, "person": change.person, "kind": "deceased"}
    PersonMark.objects.create(**about, reason="x", marked_by=team["support"])
    return "No contact in the data can be told"


def of_a_stranger(change: AddressChange, team: dict[str, User]) -> str:
    mark_as_strangers(change.incident, "old@example.com")
    return "No contact in the data can be told"


def of_many_people(change: AddressChange, team: dict[str, User]) -> str:
    assert change.person.email_index
    SharedContact.objects.create(
        incident=change.incident,
        kind="email",
        contact_index=change.person.email_index,
        people=9,
    )
    return "No contact in the data can be told"


def of_no_file_any_more(change: AddressChange, team: dict[str, User]) -> str:
    with without_triggers():
        ExposureBatch.objects.filter(incident=change.incident).update(state="withdrawn")
    return "No contact in the data can be told"


def of_a_mailbox_that_is_gone(change: AddressChange, team: dict[str, User]) -> str:
    AddressChange.objects.update(mail_tries=MOST_TRIES)
    return "No contact in the data can be told"


def of_a_mailbox_to_which_a_mail_came_back(change: AddressChange, team: dict[str, User]) -> str:
    hold_back(change.incident, "old@example.com", "bounce")
    return "came back or were called spam. No contact in the data can be told"


@pytest.mark.parametrize(
    "make",
    [
        of_a_hidden_incident,
        of_one_who_died,
        of_a_stranger,
        of_many_people,
        of_no_file_any_more,
        of_a_mailbox_that_is_gone,
        of_a_mailbox_to_which_a_mail_came_back,
    ],
)
def test_an_address_that_may_not_be_told_gets_no_mail(team, younghee, make):
    change = recorded(team, younghee)
    said = make(change, team)
    address_mails.send_due()
    assert not mail.outbox
    change.refresh_from_db()
    assert change.told_at is None
    support = desk(team["support"])
    change_page = desk_url(CHANGE_PAGE, change.pk)
    say_why(support, change_page)
    shown = page_text(support.get(change_page))
    assert said in shown
    assert "after the confirmation" not in shown


@pytest.mark.parametrize("source", ["", "bounce", "complaint", "one bounce"])
def test_who_is_reached_only_by_phone_is_told_by_a_text_that_the_message_check_knows(
    team, incident, solapi, settings, source
):
    email = "old@example.com" if source else ""
    row = leaked(incident, ADDRESS, "7585#", name="김영희", phone="010-1111-2222", email=email)
    if source:
        hold_back(incident, email, source.removeprefix("one "))
    if source == "one bounce":  # which holds back nothing any more
        Suppression.objects.update(applies_until=timezone.now())
    support = desk(team["support"])
    say_why(support, desk_url(f"{PERSON}_change", row.pk))
    before = page_text(support.get(desk_url(f"{PERSON}_address", row.pk)))
    assert ("came back or were called spam." in before) == bool(source)
    change = propose(team, row)
    assert isinstance(change, AddressChange), change
    for shown in (before, page_text(support.get(desk_url(CHANGE_PAGE, change.pk)))):
        assert "is told by text message after the confirmation." in shown
    assert change.confirm(team["approver"])
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 1  # no mail server answers
    address_mails.send_due()
    address_mails.send_due()
    [text] = solapi.messages
    assert text["to"] == "01011112222"
    assert NEW not in text["text"]
    assert [one.kind for one in answer_for(text["text"]).account_mails] == [MailKind.ADDRESS_TEXT]
    assert AddressChange.objects.get().told_at


def test_a_mailbox_of_one_bounce_is_told_if_there_is_no_number(team, younghee):
    hold_back(younghee.incident, "old@example.com", "bounce")
    Suppression.objects.update(applies_until=timezone.now())
    recorded(team, younghee)
    address_mails.send_due()
    assert [one.to for one in mail.outbox] == [["old@example.com"]]


def test_a_text_that_the_gateway_refuses_is_tried_again_and_a_mail_uses_up_no_tries_of_it(
    team, younghee, solapi
):
    hold_back(younghee.incident, "old@example.com", "bounce")
    change = recorded(team, younghee)
    solapi.refuse("01011112222", 400, {"errorCode": "NotEnoughBalance", "errorMessage": "no"})
    address_mails.send_due()
    change.refresh_from_db()
    assert change.mail_after
    assert not change.told_at
    Suppression.objects.update(lifted_at=timezone.now())
    AddressChange.objects.update(mail_after=None, mail_tries=3)
    address_mails.send_due()
    assert [one.to for one in mail.outbox] == [["old@example.com"]]


def test_a_number_is_told_if_the_mailbox_in_the_data_is_gone(
    team, younghee, solapi, mails, monkeypatch
):
    refusals = ["550 5.1.1 no such mailbox"] * MOST_TRIES
    mails.reply_next("recipient", "old@example.com", *refusals)
    monkeypatch.setattr(due_mails, "AGAIN_AFTER", timedelta(0))
    change = recorded(team, younghee)
    for _run in range(MOST_TRIES):
        address_mails.send_due()
    assert not solapi.messages
    support = desk(team["support"])
    change_page = desk_url(CHANGE_PAGE, change.pk)
    say_why(support, change_page)
    assert "is told by text message" in page_text(support.get(change_page))
    wrong = {"errorCode": "ValidationError", "errorMessage": "invalid recipient"}
    solapi.refuse("01011112222", 400, wrong)
    address_mails.send_due()
    change.refresh_from_db()
    assert (change.mail_tries, change.text_tries, change.told_at) == (MOST_TRIES, 1, None)
    AddressChange.objects.update(text_tries=MOST_TRIES)
    assert not AddressChange.objects.to_tell().exists()
    assert "No contact in the data can be told" in page_text(support.get(change_page))
    AddressChange.objects.update(text_tries=MOST_TRIES - 1)
    address_mails.send_due()
    change.refresh_from_db()
    assert change.told_at
    assert [one["to"] for one in solapi.messages] == ["01011112222"]


def test_a_new_number_finds_the_row_and_support_looks_it_up(team, incident, younghee, solapi):
    change = confirmed(team, younghee, "010-9876-5432")
    assert (change.kind, change.contact()) == (Kind.PHONE, "+821098765432")
    support = desk(team["support"])
    asked = {"asked": "010 9876 5432", "reason": "7QK2-X9ND"}
    assert str(younghee.pk) in page_text(support.post(desk_url(f"{PERSON}_changelist"), asked))


def test_it_locks_no_row_of_another_person(team, incident, younghee, owner):
    other = person(incident, name="박지훈", email=NEW)
    expose(other, file_of(incident), values=[("physical-addresses", "대구광역시 수성구 2")])
    assert "대구광역시" in page(owner)
    change = confirmed(team, younghee)
    approver, change_page = desk(team["approver"]), desk_url(CHANGE_PAGE, change.pk)
    say_why(approver, change_page)
    assert "<td>1</td>" in page_text(approver.get(change_page))
    text = page(owner)
    assert "대구광역시" in text
    assert shows_none(text, "mother")


@pytest.mark.parametrize(
    ("address", "refusal"),
    [
        ("old@example.com", "The data has this address of the person already."),
        ("OLD@Example.com ", "The data has this address of the person already."),
        ("+82 10-1111-2222", "The data has this address of the person already."),
        ("younghee@new", "such as name@example.com"),
        ("123", "such as name@example.com"),
        ("", "This field is required."),
        ("call 010-9876-5432 or x@y", "such as name@example.com"),
        ("010-9876-5432, x@y.example", "such as name@example.com"),
        ("010-9876-5432, 010-9876-5433", "Enter one number only."),
        ("02-123-4567", "it is a landline or a service number"),
        ("postmaster@naver.com", "This mailbox is not one person's"),
        ("no-reply+1@naver.com", "This mailbox is not one person's"),
        ("younghee@gmial.com", "ask whether gmail.com is meant"),
        ("marked@naver.com", "marked as another person's"),
        ("010-9876-5432", "marked as another person's"),
    ],
)
def test_what_is_no_new_address_is_refused(team, younghee, solapi, address, refusal):
    for channel, marked in (("email", "marked@naver.com"), ("sms", "+821098765432")):
        mark_as_strangers(younghee.incident, marked, channel)
    with override("en"):
        assert refusal in form_of(team, younghee, address).errors["address"][0]


def test_without_a_gateway_a_number_is_refused(team, younghee):
    with override("en"):
        errors = form_of(team, younghee, "010-9876-5432").errors["address"]
    assert errors == ["Enter a whole e\u2011mail address, such as name@example.com."]


def form_of(
    team: dict[str, User], row: AffectedPerson, address: str = NEW, reason: str = PROOF
) -> NewAddressForm:
    return NewAddressForm({"address": address, "reason": reason}, person=row, by=team["support"])


def mark_as_strangers(incident: Incident, address: str, channel: str = "email") -> None:
    hold_back(incident, address, "stranger", channel)


def hold_back(incident: Incident, address: str, source: str, channel: str = "email") -> None:
    index = suppression_list.index_in(channel, address, incident)
    Suppression.objects.create(incident=incident, channel=channel, index=index, source=source)


@pytest.mark.parametrize("typed", ["Called 010-1111-2222, mail old@example.com", "mail old@x.kr"])
def test_a_reason_holds_no_address_or_number(team, younghee, typed):
    proposal = form_of(team, younghee, reason=typed)
    end = EndAddressChangeForm({"reason": typed}, change=AddressChange(), by=team["support"])
    for form in (proposal, end):
        assert [*form.errors] == ["reason"]


def test_of_two_proposals_at_the_same_moment_one_is_refused(team, younghee):
    forms = [form_of(team, younghee) for _ in range(2)]
    assert all(form.is_valid() for form in forms)
    assert [bool(form.save()) for form in forms] == [True, False]
    assert [*forms[1].errors] == ["address"]


def test_a_strangers_address_is_not_confirmed(team, incident, younghee):
    change = propose(team, younghee)
    assert isinstance(change, AddressChange), change
    mark_as_strangers(incident, NEW)
    approver = desk(team["approver"])
    say_why(approver, desk_url(CHANGE_PAGE, change.pk))
    address = desk_url("incidents_addresschange_confirm", change.pk)
    assert "marked as another person's" in page_text(approver.post(address, follow=True))
    assert AddressChange.objects.waiting().get() == change


def test_one_new_address_of_a_kind_counts_at_a_time(team, younghee):
    change = confirmed(team, younghee)
    refusal = "End that change first."
    assert refusal in str(propose(team, younghee, "third@new.example"))
    assert change.end(team["support"], "wrong")
    assert not change.end(team["support"], "wrong")
    assert isinstance(propose(team, younghee, "third@new.example"), AddressChange)


def test_it_is_on_record(team, younghee):
    change = confirmed(team, younghee)
    rows = AddressChange.objects.filter(pk=change.pk)
    for act in (
        rows.delete,
        lambda: rows.update(reason="x"),
        lambda: rows.update(confirmed_by=team["editor"]),
        lambda: rows.update(ended_reason="x", contact_index=younghee.pk),
    ):
        with pytest.raises(IntegrityError, match="on record"), transaction.atomic():
            act()


def test_it_is_encrypted_again_with_the_rest(team, incident, younghee):
    change = confirmed(team, younghee)
    before = bytes(change.ciphertext)
    reencryption.reencrypt_incident(incident, processes=0, wait=lambda _seconds: None)
    change = AddressChange.objects.get()
    assert bytes(change.ciphertext) != before
    assert change.contact() == NEW


def test_the_proof_of_a_notice_shows_when_it_counted(team, incident, younghee, draft, approver):
    change = confirmed(team, younghee)
    decisions.approve(draft, by=approver)
    tasks.plan_notice(draft.pk)
    [row] = ledger_export.proof(draft, is_opened=False)
    assert change.confirmed_at
    assert row["marks"].startswith(f"new address {change.confirmed_at:%Y-%m-%dT%H:%M}")
    assert " to " not in row["marks"]
    assert change.end(team["support"], "wrong")
    [row] = ledger_export.proof(draft, is_opened=False)
    assert " to " in row["marks"]


def recorded(team: dict[str, User], row: AffectedPerson, address: str = NEW) -> AddressChange:
    """Returns a confirmed change, made without the pages."""
    kind = Kind.EMAIL if "@" in address else Kind.PHONE
    change = AddressChange(person=row, incident=row.incident, kind=kind, reason=PROOF)
    change.proposed_by = team["support"]
    change.set_contact(address)
    change.save()
    assert change.confirm(team["approver"])
    return change


def test_it_shows_no_values_under_a_number_that_may_be_another_persons_now(
    team, incident, younghee, owner
):
    VerifiedPhone.objects.create(user=owner, number="+821011112222")
    owner.last_login = timezone.now()
    owner.save()
    recorded(team, younghee)
    own = own_rows(owner, [incident])[incident.pk]
    assert (own.opened, own.by_number_only) == ([younghee], {younghee.pk})
    assert second_fact.try_answer(owner, incident, "김영희")
    assert not own_rows(owner, [incident])[incident.pk].by_number_only


@pytest.mark.parametrize("people", [1, 3])
def test_recorded_addresses_lock_no_row_of_the_data(team, incident, owner, people):
    names = ["박지훈", "이서준", "최하린"][:people]
    family = [leaked(incident, ADDRESS, "7585#", name=name, email=NEW) for name in names]
    if people > 1:
        assert second_fact.try_answer(owner, incident, "박지훈")
    for number in range(4 - people):
        recorded(team, leaked(incident, ADDRESS, "9021#", name="김", email=f"{number}@x.example"))
    own = own_rows(owner, [incident])[incident.pk]
    assert own.opened == family[:1]
    assert {row.person for row in own.locked} == {*family[1:]}
    assert not own.shared


def test_an_address_that_is_recorded_for_too_many_is_no_clearance(team, incident, owner):
    rows = [person(incident, name="김", email=f"{number}@x.example") for number in range(5)]
    for row in rows:
        expose(row, file_of(incident), "names")
    recorded(team, rows[0])
    RowProof.objects.create(user=owner, person=rows[0], fact="name")
    for row in rows[1:]:
        recorded(team, row)
    own = own_rows(owner, [incident])[incident.pk]
    assert (own.opened, own.locked, own.shared) == ([rows[0]], [], [])
    RowProof.objects.all().delete()
    assert "Your address is recorded for many people" in page(owner)


@pytest.mark.parametrize("kind", [PersonMark.Kind.RESTRICTED, PersonMark.Kind.DECEASED])
@pytest.mark.parametrize("is_family", [True, False])
def test_a_closed_row_is_no_clearance(team, incident, owner, kind, is_family):
    rows = [leaked(incident, ADDRESS, "7585#", name="김영희", email="old@example.com")]
    if is_family:
        names = ("김영희", "박지훈")
        rows = [leaked(incident, ADDRESS, "7585#", name=name, email=NEW) for name in names]
    else:
        recorded(team, rows[0])
    for row in rows:
        about = {"incident": incident, "person": row, "reason": "x", "marked_by": team["support"]}
        PersonMark.objects.create(kind=kind, **about)
    text = page(owner)
    assert "not among" not in text
    assert not any(word in text for word in (ADDRESS, "restricted", "has died"))
    assert second_fact.try_answer(owner, incident, "김영희")
    own = own_rows(owner, [incident])[incident.pk]
    assert (own.opened, own.closed_by) == ([], {kind})


def test_a_second_fact_counts_only_for_the_change_that_it_was_given_after(
    team, incident, younghee, owner
):
    change = recorded(team, younghee)
    assert second_fact.try_answer(owner, incident, "김영희")
    assert own_rows(owner, [incident])[incident.pk].opened
    assert change.end(team["support"], "It was another person.")
    recorded(team, younghee)
    own = own_rows(owner, [incident])[incident.pk]
    assert (own.opened, [row.person for row in own.locked]) == ([], [younghee])
    assert second_fact.try_answer(owner, incident, "김영희")
    assert own_rows(owner, [incident])[incident.pk].opened == [younghee]
