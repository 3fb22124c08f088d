"""Two accounts of one person become one, after a code to each of them in one session."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.core import mail
from django.db import IntegrityError, connection, models, transaction
from django.test import Client
from django.utils import timezone
from django.utils.translation import override

from accounts import code_limits, due_mails, joining, look_up_keys
from accounts.audit import acts
from accounts.joined_account import TEXT_WAITS, JoinedAccount
from accounts.look_up_key import LookUpKey
from accounts.mail_codes import MailKind
from accounts.models import NUMBER_STAYS_FOR, AuditEntry, User, VerifiedPhone, lock_contact
from foundations.web_push import PushAddress
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import sign_in
from incidents.models import DoneStep, Reveal, RowProof, StepReminder
from notices.models import AlertSubscription, PushSubscription
from scams.message_check import MessageVerdict, answer_for
from tests.accounts.test_further_contacts import ACCOUNT, NEW, add, by_number
from tests.database import a_lock_is_waited_for
from tests.desk_pages import page_text
from tests.text_sign_in import HALMONI, browser
from tickets.models import Ticket

pytest_plugins = ["tests.text_sign_in"]
pytestmark = pytest.mark.django_db
JOIN, REMOVE = "/en/account/contacts/join/", "/en/account/contacts/remove/"

# The tables that name a customer, and what a join does with them.
MOVED = {
    *(
        "account.EmailAddress",
        "accounts.VerifiedPhone",
        "accounts.NewDevice",
        "accounts.MemberNumber",
        "accounts.SentMail",
    ),
    *("accounts.JoinedAccount", "incidents.Reveal", "incidents.RowProof", "incidents.WrongAnswer"),
    *("incidents.AddressChange", "incidents.DoneStep", "incidents.StepReminder"),
    "tickets.Ticket",
    "offers.OfferTaking",
    *("notices.AlertNumber", "notices.AlertSubscription", "notices.PushSubscription"),
}
ENDED = {"mfa.Authenticator", "usersessions.UserSession", "accounts.LookUpKey"}
OF_THE_TEAM = {
    *("accounts.User_groups", "accounts.User_user_permissions", "accounts.CompanyIdentity"),
    *("accounts.RightsGrant", "accounts.Invitation", "accounts.ApiToken", "admin.LogEntry"),
    *("incidents.MessageChoice", "incidents.IncidentDraft", "incidents.BatchChange"),
    *("incidents.Upload", "incidents.SavedMapping"),
    *("statements.Statement_editors", "statements.StatementVersion_editors"),
}


def joined(client: Client):
    return client.post(JOIN, {"join": "1"})


def test_each_table_that_names_a_customer_is_moved_or_ended():
    naming = {
        f"{model._meta.app_label}.{model.__name__}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.concrete_fields
        if field.related_model is User
        and getattr(field.remote_field, "on_delete", None) is not models.PROTECT
    }
    assert naming - OF_THE_TEAM - ENDED == MOVED
    assert naming >= ENDED


@pytest.fixture
def both(solapi, minji, incident):
    """The histories of minji, and of the number that she signed in with as well."""
    by_number(solapi)
    other = User.objects.get(email=None)
    row = person(incident, name="김민지", email=minji.email, phone="010-4141-2002")
    expose(row, file_of(incident), "names")
    for user in (minji, other):
        Reveal.objects.create(user=user, person=row)
        RowProof.objects.create(user=user, person=row, fact="name")
        DoneStep.objects.create(user=user, incident=incident, step="passwords")
        StepReminder.objects.create(user=user, incident=incident, due_at=timezone.now())
        AlertSubscription.objects.create(user=user, incident=incident, topic="scams")
        ticket = {"kind": "question", "language": "en", "due_on": date(2026, 1, 5)}
        Ticket.objects.create(user=user, incident=incident, **ticket)
    DoneStep.objects.create(user=other, incident=incident, step="names")
    AlertSubscription.objects.create(user=other, incident=incident, topic="updates")
    AlertSubscription.objects.create(
        user=other, incident=incident, topic="scams", unsubscribed_at=timezone.now()
    )
    push = PushSubscription(user=other, endpoint_index="0" * 32)
    push.encrypt_address(PushAddress("https://push.example/1", "key", "secret"))
    push.save()
    return minji, other


@pytest.mark.django_db(transaction=True)
def test_a_join_waits_for_a_contact_before_it_locks_an_account(minji):
    """Who proves a contact locks it first, too; in another order two would wait for each other."""
    other = User.objects.for_proven_phone(HALMONI, language="ko")
    with ThreadPoolExecutor(1) as threads, transaction.atomic():
        lock_contact(HALMONI, using="default")
        begun = threads.submit(join_alone, minji, other)
        while not begun.done() and not a_lock_is_waited_for():
            time.sleep(0.05)
        assert not begun.done()
        assert User.objects.select_for_update(nowait=True).count() == 2
        VerifiedPhone.prove(HALMONI, other)
    assert begun.result() == minji
    assert minji.verified_phones() == [HALMONI]


def join_alone(user: User, other: User) -> User:
    try:
        return joining.join(user, other)
    finally:
        connection.close()


@pytest.mark.parametrize("begins_with", ["address", "number"])
def test_the_histories_of_both_stay_without_duplicates(
    solapi, both, incident, begins_with, empty_trail
):
    minji, other = both
    ended = other.pk
    if begins_with == "address":
        client = browser()
        sign_in(client, minji.email)
        answer = add(client, "010-4141-2002", solapi)
    else:
        client = by_number(solapi)
        answer = add(client, minji.email, solapi)
    assert answer["Location"] == JOIN
    assert User.objects.filter(pk=ended).exists()  # nothing before it is said and confirmed
    page = client.get(JOIN).text
    assert "Nothing is sent to you twice" in page
    assert "It cannot be undone" in page
    assert joined(client)["Location"] == ACCOUNT
    assert "Your two accounts are one now." in client.get(ACCOUNT).text
    assert client.session["_auth_user_id"] == str(minji.pk)

    assert not User.objects.filter(pk=ended).exists()
    assert minji.verified_phones() == [HALMONI]
    assert minji.verified_emails() == [minji.email]
    assert Reveal.objects.filter(user=minji).count() == 2
    assert Ticket.objects.filter(user=minji).count() == 2
    assert RowProof.objects.filter(user=minji).count() == 1
    assert StepReminder.objects.filter(user=minji).count() == 1
    assert set(DoneStep.objects.values_list("user", "step")) == {
        (minji.pk, "passwords"),
        (minji.pk, "names"),
    }
    live = AlertSubscription.objects.live().values_list("user", "topic")
    assert sorted(live) == [(minji.pk, "scams"), (minji.pk, "updates")]
    assert AlertSubscription.objects.count() == 4  # with the two that ended
    push = PushSubscription.objects.get()
    assert push.decrypt_address().endpoint == "https://push.example/1"
    entry = AuditEntry.objects.get(kind="joined")
    assert (entry.object_id, entry.details) == (str(ended), {"into": minji.pk})
    assert "@" not in str(entry.details) + entry.actor


def test_two_addresses_with_accounts_of_their_own(solapi, minji, seojun):
    elsewhere = Client()
    sign_in(elsewhere, seojun.email)
    client = browser()
    sign_in(client, minji.email)
    keys = [look_up_keys.make(user, "backup", "a form")[1] for user in (minji, seojun)]
    mail.outbox.clear()
    assert add(client, seojun.email, solapi)["Location"] == JOIN
    assert "This also ends your keys for programs." in client.get(JOIN).text
    joined(client)
    assert [LookUpKey.objects.of(key) for key in keys] == [None, None]
    assert set(minji.verified_emails()) == {"minji@example.com", "seojun@example.com"}
    assert "_auth_user_id" not in elsewhere.session
    assert not UserSession.objects.exclude(user=minji).exists()
    mail.outbox.clear()
    joining.send_due()
    joining.send_due()
    assert sorted(one.to[0] for one in mail.outbox) == ["minji@example.com", "seojun@example.com"]
    assert "became one" in mail.outbox[0].subject or "합쳤습니다" in mail.outbox[0].subject
    client = browser()
    sign_in(client, "seojun@example.com")
    assert client.session["_auth_user_id"] == str(minji.pk)


def test_a_number_without_an_address_is_told_by_text(solapi, both):
    minji, _other = both
    client = browser()
    sign_in(client, minji.email)
    add(client, "010-4141-2002", solapi)
    joined(client)
    client.post(REMOVE, {"contact": HALMONI})  # a thief would
    codes, mails = len(solapi.messages), len(mail.outbox)
    joining.send_due()
    joining.send_due()
    assert [one.to[0] for one in mail.outbox[mails:]] == [minji.email]
    (text,) = [one["text"] for one in solapi.messages[codes:]]
    answer = answer_for(text)
    assert answer.verdict == MessageVerdict.SENT, answer.strange
    assert [one.kind for one in answer.account_mails] == [MailKind.JOINED_TEXT]
    checked = page_text(Client().post("/en/check/answer/", {"text": text}))
    assert "A text message that two accounts of yours became one" in checked
    assert "Do not give its sign-in code" not in checked
    listed = page_text(client.get("/en/my-data/messages/"))
    assert "<dd>text message</dd>" in listed
    assert text.split()[-1] in listed


def test_a_text_waits_for_the_gateway_and_the_budget_but_not_for_days(solapi, both, settings):
    minji, other = both
    joining.join(minji, other)
    before = len(solapi.messages)
    solapi.refuse("01041412002", 400, {"errorCode": "NotEnoughBalance", "errorMessage": "no"})
    joining.send_due()
    assert JoinedAccount.objects.get(mailed_at=None).contact == HALMONI
    JoinedAccount.objects.update(mail_after=None)
    settings.CODE_TEXTS_PER_DAY = 1
    with code_limits.account_text(""):
        pass  # and uses up the budget
    joining.send_due()
    assert len(solapi.messages) == before
    JoinedAccount.objects.update(mail_after=None, at=timezone.now() - TEXT_WAITS)
    settings.CODE_TEXTS_PER_DAY = 1_000
    joining.send_due()
    assert len(solapi.messages) == before
    JoinedAccount.objects.update(at=timezone.now())
    joining.send_due()
    assert len(solapi.messages) == before + 1


def test_a_number_that_is_refused_costs_no_budget_and_is_given_up(solapi, both, settings):
    settings.CODE_TEXTS_PER_DAY = 1
    joining.join(*both)
    for _run in range(due_mails.MOST_TRIES + 1):
        refusal = {"errorCode": "ValidationError", "errorMessage": "wrong 'to'"}
        solapi.refuse("01041412002", 400, refusal)
        joining.send_due()
        JoinedAccount.objects.update(mail_after=None)
    row = JoinedAccount.objects.get(mailed_at=None)
    assert row.mail_tries == due_mails.MOST_TRIES
    with code_limits.account_text(""):
        pass  # the budget is whole


def test_a_text_about_an_account_that_does_not_fit_the_budget_counts_nothing(
    solapi, settings, monkeypatch
):
    settings.CODE_TEXTS_PER_DAY = 1
    with monkeypatch.context() as patch:
        patch.setattr("accounts.code_texts.codes_for_price_of", lambda _text: 2)
        with pytest.raises(code_limits.TooManyRequestsError), code_limits.account_text(""):
            pass
    with code_limits.account_text(""):
        pass


def test_a_text_leaves_while_the_mail_server_is_away(solapi, both, settings):
    joining.join(*both)
    before = len(solapi.messages)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # nothing listens
    joining.send_due()
    assert len(solapi.messages) == before + 1
    waiting = JoinedAccount.objects.filter(mailed_at=None)
    assert [row.contact for row in waiting] == [both[0].email]


def test_no_keeps_both(solapi, minji, seojun):
    client = browser()
    sign_in(client, minji.email)
    add(client, seojun.email, solapi)
    client.post(JOIN, {"join": "0"})
    assert seojun.verified_emails() == ["seojun@example.com"]
    assert joined(client)["Location"] == NEW  # the proof is used up
    assert User.objects.filter(pk=seojun.pk).exists()


def test_no_adds_the_number_only(solapi, both):
    minji, other = both
    client = browser()
    sign_in(client, minji.email)
    add(client, "010-4141-2002", solapi)
    client.post(JOIN, {"join": "0"})
    assert minji.verified_phones() == [HALMONI]
    assert Reveal.objects.filter(user=other).count() == 1


# ------------------------------------------------------------ one proof is not enough


def test_one_proof_alone_joins_nothing(solapi, minji, seojun):
    client = browser()
    sign_in(client, minji.email)
    assert joined(client)["Location"] == NEW
    client.post(NEW, {"email": seojun.email})  # the code is not entered
    assert joined(client)["Location"] == NEW
    assert User.objects.filter(pk=seojun.pk).exists()


def test_an_open_browser_with_the_code_of_the_other_joins_nothing(solapi, minji, seojun):
    client = browser()
    sign_in(client, minji.email)
    add(client, seojun.email, solapi)
    session = client.session
    session.pop("accounts_proofs")  # the code of the own address is not fresh any more
    session.save()
    assert "/account/confirm/" in joined(client)["Location"]
    assert User.objects.filter(pk=seojun.pk).exists()


def test_a_number_opens_no_account_that_has_an_address(solapi, minji, seojun):
    VerifiedPhone.objects.create(user=seojun, number=HALMONI)
    client = browser()
    sign_in(client, minji.email)
    assert add(client, "010-4141-2002", solapi)["Location"] == ACCOUNT
    assert User.objects.filter(pk=seojun.pk).exists()
    assert seojun.verified_emails() == ["seojun@example.com"]


def test_a_number_that_may_have_a_new_owner_brings_no_history(solapi, both):
    minji, other = both
    VerifiedPhone.objects.update(verified_at=timezone.now() - NUMBER_STAYS_FOR)
    client = browser()
    sign_in(client, minji.email)
    assert add(client, "010-4141-2002", solapi)["Location"] == ACCOUNT
    assert minji.verified_phones() == [HALMONI]
    assert Reveal.objects.filter(user=other).count() == 1


def test_the_proof_ends_after_minutes_and_with_the_session(solapi, minji, seojun, settings):
    client = browser()
    sign_in(client, minji.email)
    add(client, seojun.email, solapi)
    session = client.session
    session["accounts_joining"] |= {"at": session["accounts_joining"]["at"] - 301}
    session.save()
    assert joined(client)["Location"] == NEW


def test_an_account_of_the_team_is_not_joined(minji, editor):
    for pair in ((minji, editor), (editor, minji)):
        with pytest.raises(joining.NotJoinableError):
            joining.join(*pair)


def test_the_database_moves_a_look_only_with_an_entry_of_the_trail(both, seojun):
    minji, other = both
    for rows in (Reveal.objects.filter(user=other), Ticket.objects.filter(user=other)):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(user=minji)
    acts.record(AuditEntry.Kind.JOINED, by=None, about=other, into=seojun.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        Reveal.objects.filter(user=other).update(user=minji)


# ------------------------------------------------------------ removing a contact


def test_a_contact_is_removed_and_the_last_one_is_not(solapi, minji):
    client = browser()
    sign_in(client, minji.email)
    assert "Remove an address or number" not in client.get(ACCOUNT).text
    assert "This is your only address or number here." in client.get(REMOVE).text
    add(client, "minji@work.example", solapi)
    add(client, "010-4141-2002", solapi)
    assert "Remove an address or number" in client.get(ACCOUNT).text
    client.post(REMOVE, {"contact": HALMONI})
    client.post(REMOVE, {"contact": "minji@example.com"})
    minji.refresh_from_db()
    assert (minji.email, minji.verified_emails()) == ("minji@work.example", ["minji@work.example"])
    refused = client.post(REMOVE, {"contact": "minji@work.example"}, follow=True)
    assert "This is your only address or number here." in refused.text
    assert minji.verified_emails() == ["minji@work.example"]
    with override("en"):
        sign_in(Client(), "minji@example.com")
    assert User.objects.filter(email="minji@example.com").exclude(pk=minji.pk).exists()


def test_an_account_keeps_its_number_when_the_address_goes(solapi, minji):
    VerifiedPhone.objects.create(user=minji, number=HALMONI)
    passkeys = Authenticator.objects.filter(user=minji)
    passkeys.create(
        user=minji, type=Authenticator.Type.WEBAUTHN, data={"name": "", "credential": {}}
    )
    client = browser()
    sign_in(client, minji.email)
    client.post(REMOVE, {"contact": minji.email})
    minji.refresh_from_db()
    assert (minji.email, minji.contact) == (None, HALMONI)
    assert not passkeys.exists()  # the number can pass to another person


def test_removing_a_contact_ends_the_sessions_that_a_thief_of_it_opened(minji):
    EmailAddress.objects.create(user=minji, email="minji@stolen.example", verified=True)
    thief, client = browser(), browser()
    sign_in(thief, "minji@stolen.example")
    sign_in(client, minji.email)
    client.post(REMOVE, {"contact": "minji@stolen.example"})
    assert client.get(ACCOUNT).status_code == 200
    assert thief.get(ACCOUNT).status_code == 302


def test_removing_needs_a_fresh_code_and_the_own_contact(client, minji, seojun):
    client.force_login(minji)
    assert "/account/confirm/" in client.post(REMOVE, {"contact": minji.email})["Location"]
    client = browser()
    sign_in(client, minji.email)
    client.post(REMOVE, {"contact": seojun.email})
    assert seojun.verified_emails() == ["seojun@example.com"]
