"""A customer who lost the old contact claims data with the code of a message and a second fact."""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from statistics import median

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from accounts.mail_codes import MailKind
from accounts.models import AuditEntry, User, VerifiedPhone
from harness.sign_in import sign_in_to_desk, step_up
from incidents import address_claims, address_mails, joined_accounts
from incidents.models import (
    AddressChange,
    AffectedPerson,
    ExposureBatch,
    Incident,
    PersonMark,
    RowProof,
    SharedContact,
    WrongAnswer,
)
from incidents.models.address_change import Kind
from notices import decisions
from notices.message_codes import message_code
from notices.models import Delivery, Letter, Notice
from scams.message_check import answer_for
from tests.database import without_triggers
from tests.desk_pages import desk_url, page_text, say_why
from tests.incidents.test_address_changes import hold_back
from tests.my_data.test_own_rows import SECRETS, leaked, page, shows_none
from tests.notice_factory import delivery_to, draft_notice, scam_alert, work

pytest_plugins = ["tests.notice_fixtures", "tests.text_sign_in"]
pytestmark = pytest.mark.django_db
NEW, OLD, DIGITS = "younghee@new.example", "old@example.com", "2222"
ADDRESS = "부산광역시 해운대구 1"
REFUSED = "This does not match, or it cannot be claimed here."
StoppedBy = AddressChange.StoppedBy


@pytest.fixture
def younghee(incident) -> AffectedPerson:
    """A person of whom an address and an entrance code leaked."""
    who = {"name": "김영희", "phone": "010-1111-2222", "email": OLD}
    return leaked(incident, ADDRESS, "7585#", **who)


@pytest.fixture
def sent(draft, younghee, approver, server) -> Notice:
    """A notice by mail that reached younghee."""
    decisions.approve(draft, by=approver)
    return work(draft)


@pytest.fixture
def code(sent, younghee) -> str:
    return message_code(delivery_to(sent, younghee).pk)


@pytest.fixture
def claimant(db) -> User:
    """Who signed in with a new address."""
    return User.objects.create_user(NEW, language="en")


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    step_up(client, user)
    return client


def claim(user: User, code: str, fact: str = DIGITS, contact: str = "") -> str:
    """Returns the text of the page after a claim."""
    with override("en"):
        typed = {"code": code, "fact": fact, "contact": contact or user.contact}
        return page_text(browser(user).post(reverse("claims"), typed, follow=True))


def claims_page(user: User) -> str:
    with override("en"):
        return page_text(browser(user).get(reverse("claims")))


def told_long_ago() -> None:
    """Sends what is due, and lets the waiting time pass."""
    address_mails.send_due()
    told = timezone.now() - timedelta(hours=73)
    AddressChange.objects.filter(told_at__isnull=False).update(told_at=told)
    address_claims.open_due()


def the_claim() -> AddressChange:
    return AddressChange.objects.claims().get()


# ---------------------------------------------------------------- the way


def test_a_claim_opens_the_data_after_the_old_contact_was_told_and_three_days(
    younghee, code, claimant
):
    assert "Claimed. This page says what happens next." in claim(claimant, code)
    assert "If none can be told within an hour" in claims_page(claimant)
    assert shows_none(page(claimant), "mother")
    mail.outbox.clear()
    address_mails.send_due()
    address_claims.open_due()
    [told] = mail.outbox
    assert told.to == [OLD]
    assert NEW not in told.body
    assert "김영희" not in told.body
    assert [one.kind for one in answer_for(str(told.body)).account_mails] == [MailKind.CLAIM]
    assert "If no objection comes from it" in claims_page(claimant)
    assert shows_none(page(claimant), "mother")
    told_long_ago()
    assert "It is open" in claims_page(claimant)
    text = page(claimant)
    assert SECRETS["mother"][1] in text
    assert "Show that this data is yours" not in text
    proof = RowProof.objects.get()
    assert (proof.user, proof.person, proof.fact) == (claimant, younghee, "digits")


def test_a_letters_code_opens_the_data_of_who_has_no_usable_mailbox(
    incident, draft, approver, server, claimant
):
    row = leaked(incident, ADDRESS, "7585#", name="김영희", phone="010-1111-2222")
    decisions.approve(draft, by=approver)
    notice = work(draft)
    letter = delivery_to(notice, row)
    assert REFUSED in claim(claimant, message_code(letter.pk))  # the letter is not exported yet
    WrongAnswer.objects.all().delete()
    Letter.objects.create(delivery=letter, notice=notice, exported_at=timezone.now())
    assert "Claimed." in claim(claimant, message_code(letter.pk))


def test_a_text_messages_second_fact_is_the_whole_address(
    incident, version, editor, approver, gateway, claimant
):
    row = leaked(incident, ADDRESS, "7585#", name="김영희", phone="010-1111-2222", email=OLD)
    notice = draft_notice(version, editor, channel="sms")
    decisions.approve(notice, by=approver)
    work(notice)
    code = message_code(delivery_to(notice, row).pk)
    for fact in (DIGITS, "old", "김영희", "010-1111-2222"):
        assert REFUSED in claim(claimant, code, fact)
    assert "Claimed." in claim(claimant, code, " OLD@Example.com ")
    assert the_claim().claim_fact == "email"


# ---------------------------------------------------------------- thieves


@pytest.mark.parametrize(
    "fact",
    ["김영희", " 김 영희 ", OLD, "old", "010-1111-2222", "1111", "222", "02222", "", "***2222"],
)
def test_what_the_mail_shows_or_lets_guess_is_no_second_fact(younghee, code, claimant, fact):
    text = claim(claimant, code, fact)
    assert REFUSED in text or not fact
    assert not AddressChange.objects.exists()


def made_of_no_message(code: str) -> str:
    return "7QK2-X9ND-4HTB"


def cut(code: str) -> str:
    return code[:-1]


@pytest.mark.parametrize("make", [made_of_no_message, cut])
def test_a_wrong_code_gets_the_answer_of_a_wrong_fact(younghee, code, claimant, make):
    replies = {
        re.sub(r'value="[^"]*"', "", claim(claimant, typed, fact).split("<main")[1])
        for typed, fact in ((make(code), DIGITS), (make(code), "0000"), (code, "0000"))
    }
    assert len(replies) == 1
    assert REFUSED in replies.pop()


def deceased(younghee: AffectedPerson, team: dict[str, User]) -> None:
    about = {"incident": younghee.incident, "person": younghee, "kind": "deceased"}
    PersonMark.objects.create(**about, reason="x", marked_by=team["support"])


def restricted(younghee: AffectedPerson, team: dict[str, User]) -> None:
    about = {"incident": younghee.incident, "person": younghee, "kind": "restricted"}
    PersonMark.objects.create(**about, reason="x", marked_by=team["support"])


def hidden(younghee: AffectedPerson, team: dict[str, User]) -> None:
    with without_triggers():
        Incident.objects.update(is_public=False)


def withdrawn(younghee: AffectedPerson, team: dict[str, User]) -> None:
    with without_triggers():
        ExposureBatch.objects.update(state="withdrawn")


def mail_went_to_a_stranger(younghee: AffectedPerson, team: dict[str, User]) -> None:
    mark_strangers(younghee.incident, OLD)


def claimant_is_a_stranger(younghee: AffectedPerson, team: dict[str, User]) -> None:
    mark_strangers(younghee.incident, NEW)


def mark_strangers(incident: Incident, email: str) -> None:
    hold_back(incident, email, "stranger")


def of_many_people(younghee: AffectedPerson, team: dict[str, User]) -> None:
    assert younghee.email_index
    SharedContact.objects.create(
        incident=younghee.incident, kind="email", contact_index=younghee.email_index, people=9
    )


def already_in_data(younghee: AffectedPerson, team: dict[str, User]) -> None:
    index = younghee.incident.cipher().email_index(NEW)
    younghee.further_contacts.create(kind=Kind.EMAIL, contact_index=index)


def change_of_the_team(younghee: AffectedPerson, team: dict[str, User]) -> None:
    change = AddressChange(
        person=younghee, incident=younghee.incident, kind=Kind.EMAIL, proposed_by=team["support"]
    )
    change.set_contact("third@new.example")
    change.save()


def of_a_test(younghee: AffectedPerson, team: dict[str, User]) -> None:
    with without_triggers():
        Notice.objects.update(audience="test")


def not_sent(younghee: AffectedPerson, team: dict[str, User]) -> None:
    with without_triggers():
        Delivery.objects.update(state="cancelled")


def refused_at_once(younghee: AffectedPerson, team: dict[str, User]) -> None:
    with without_triggers():
        Delivery.objects.update(state="bounced", data_classes=[])


def one_message_to_a_shared_contact(younghee: AffectedPerson, team: dict[str, User]) -> None:
    with without_triggers():
        Delivery.objects.update(data_classes=[])


def purged(younghee: AffectedPerson, team: dict[str, User]) -> None:
    with without_triggers():
        Delivery.objects.update(person=None)


def answers_used_up(younghee: AffectedPerson, team: dict[str, User]) -> None:
    for _ in range(5):
        WrongAnswer.objects.create(person=younghee)


CLOSED = [
    *(deceased, restricted, hidden, withdrawn, mail_went_to_a_stranger, claimant_is_a_stranger),
    *(of_many_people, already_in_data, change_of_the_team, of_a_test, not_sent),
    *(refused_at_once, one_message_to_a_shared_contact, purged, answers_used_up),
]


@pytest.mark.parametrize("make", CLOSED)
def test_what_cannot_be_claimed_gets_the_same_answer(team, younghee, code, claimant, make):
    wrong = claim(claimant, code, "0000")
    make(younghee, team)
    text = claim(claimant, code)
    assert REFUSED in text
    assert not AddressChange.objects.claims().exists()
    if make is not hidden:  # without an incident the foot of the page differs
        assert without_values(text) == without_values(wrong)


def without_values(text: str) -> str:
    return re.sub(r'value="[^"]*"', "", text.split("<main")[1].split("</main>")[0])


def test_codes_of_alerts_claim_nothing(version, editor, approver, server, minji, claimant):
    alert = scam_alert(version, editor, minji)
    decisions.approve(alert, by=approver)
    work(alert)
    assert REFUSED in claim(claimant, message_code(Delivery.objects.get().pk))


def test_a_code_claims_the_row_of_its_own_person_only(incident, younghee, code, claimant):
    other = leaked(incident, "대구광역시 수성구 2", "9021#", name="박지훈", phone="010-3333-4444")
    assert REFUSED in claim(claimant, code, "4444")
    assert "Claimed." in claim(claimant, code)
    told_long_ago()
    assert shows_none(page(claimant), "son")
    assert not AddressChange.objects.filter(person=other).exists()


def test_five_guesses_a_day_and_twenty_in_all_for_each_row_over_all_users(younghee, code):
    guessers = [User.objects.create_user(f"g{n}@new.example", language="en") for n in range(3)]
    for number in range(6):
        claim(guessers[number % 3], code, f"000{number}")
    assert WrongAnswer.objects.filter(by_claim=True).count() == 5
    assert REFUSED in claim(guessers[0], code)
    WrongAnswer.objects.update(at=timezone.now() - timedelta(days=2))
    assert "Claimed." in claim(guessers[1], code)
    AddressChange.objects.get().stop(StoppedBy.CLAIMANT)
    for _ in range(15):
        WrongAnswer.objects.create(person=younghee, by_claim=True)
    WrongAnswer.objects.update(at=timezone.now() - timedelta(days=9))
    assert REFUSED in claim(guessers[2], code)


def test_guesses_of_a_thief_use_up_no_answers_of_the_owner(incident, younghee, code, claimant):
    other = leaked(incident, "대구광역시 수성구 2", "9021#", name="박지훈", email=OLD)
    for number in range(5):
        claim(claimant, code, f"000{number}")
    owner = User.objects.create_user(OLD, language="en")
    text = page(owner)
    assert "Several people share your address" in text
    assert "too many wrong answers" not in text
    assert other.wrong_answers.count() == 0


def test_an_account_may_try_five_times_an_hour(code, claimant):
    client = browser(claimant)
    typed = {"code": "7QK2-X9ND-4HTB", "fact": "0000", "contact": NEW}
    answers = [client.post("/en/my-data/claims/", typed).status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]


def test_a_network_with_many_accounts_is_refused(code, settings):
    settings.PROOF_RATES = {**settings.PROOF_RATES, "claim_network": "2/h/ip"}
    typed = {"code": "7QK2-X9ND-4HTB", "fact": "0000"}
    answers = []
    for number in range(3):
        user = User.objects.create_user(f"g{number}@new.example", language="en")
        sent = {**typed, "contact": user.contact}
        answers.append(browser(user).post("/en/my-data/claims/", sent).status_code)
    assert answers == [200, 200, 429]


def test_a_contact_of_another_account_cannot_be_claimed_for(younghee, code, claimant, minji):
    assert "Claimed." not in claim(claimant, code, contact=minji.email)
    assert not AddressChange.objects.exists()


def test_a_mailbox_of_a_department_claims_nothing(younghee, code):
    assert REFUSED in claim(User.objects.create_user("info@company.example", language="en"), code)


def test_one_account_claims_three_rows_at_most(incident, draft, approver, server, claimant):
    rows = [
        leaked(
            incident,
            ADDRESS,
            "1#",
            name=f"김{n}",
            email=f"p{n}@example.com",
            phone=f"010-1111-222{n}",
        )
        for n in range(4)
    ]
    decisions.approve(draft, by=approver)
    notice = work(draft)
    for number, row in enumerate(rows):
        text = claim(claimant, message_code(delivery_to(notice, row).pk), f"222{number}")
        assert ("Claimed." in text) == (number < 3)


def test_an_open_browser_alone_claims_nothing(younghee, code, claimant):
    client = Client()
    client.force_login(claimant)
    typed = {"code": code, "fact": DIGITS, "contact": NEW}
    assert "/account/confirm/" in client.post("/en/my-data/claims/", typed)["Location"]
    assert not AddressChange.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_claims_at_the_same_moment_make_one_change(younghee, code):
    users = [User.objects.create_user(f"g{n}@new.example", language="en") for n in range(4)]

    def act(user: User) -> str:
        try:
            return claim(user, code)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        texts = list(pool.map(act, users))
    assert sum("Claimed." in text for text in texts) == 1
    assert AddressChange.objects.count() == 1


def test_each_refusal_of_a_known_message_makes_the_same_queries(team, younghee, code, claimant):
    def queries(typed: str, fact: str) -> list[str]:
        client = browser(claimant)
        with CaptureQueriesContext(connection) as made:
            client.post("/en/my-data/claims/", {"code": typed, "fact": fact, "contact": NEW})
        return [
            re.sub(r"'[^']*'|\d+", "?", one["sql"]) for one in made if "SAVEPOINT" not in one["sql"]
        ]

    queries(code, "0000")
    wrong = queries(code, "0000")
    deceased(younghee, team)
    assert queries(code, DIGITS) == wrong
    assert len(queries("7QK2-X9ND-4HTB", DIGITS)) >= len(wrong) - 4


def test_the_time_of_a_refusal_does_not_tell_a_wrong_fact_from_a_closed_row(
    team, younghee, code, claimant, settings
):
    settings.PROOF_RATES = {**settings.PROOF_RATES, "claim": "999/h/key"}
    client = browser(claimant)

    def seconds(fact: str) -> float:
        WrongAnswer.objects.all().delete()
        begun = time.perf_counter()
        client.post("/en/my-data/claims/", {"code": code, "fact": fact, "contact": NEW})
        return time.perf_counter() - begun

    deceased(younghee, team)
    pairs = [(seconds("0000"), seconds(DIGITS)) for _ in range(25)]
    wrong, closed = (median(times) for times in zip(*pairs, strict=True))
    assert abs(wrong - closed) < 0.3 * max(wrong, closed)


# ---------------------------------------------------------------- objections


def stop_path() -> str:
    """Returns the path in the mail to the old contact, of its page in English."""
    [told] = mail.outbox
    found = re.search(r"https?://[^/]+/ko(/\S+/claims/stop/\S+/)", str(told.body))
    assert found
    return f"/en{found[1]}"


@pytest.mark.parametrize("is_open", [False, True])
def test_the_contact_in_the_data_stops_a_claim_forever(younghee, code, claimant, is_open):
    claim(claimant, code)
    mail.outbox.clear()
    if is_open:
        told_long_ago()
        assert SECRETS["mother"][1] in page(claimant)
    else:
        address_mails.send_due()
    reader = Client()
    path = stop_path()
    assert "Stop the claim" in reader.get(path).text
    assert the_claim().stopped_by == ""  # a program that opens links stops nothing
    stopped = reader.post(path)
    assert "The claim is stopped" in stopped.text
    assert stopped["Referrer-Policy"] == "strict-origin"
    assert reader.post(path).status_code == 200
    assert the_claim().stopped_by == "contact"
    told_long_ago()
    assert shows_none(page(claimant), "mother")
    assert not RowProof.objects.exists()
    assert "It is stopped" in claims_page(claimant)
    assert REFUSED in claim(claimant, code)
    assert REFUSED in claim(User.objects.create_user("third@new.example", language="en"), code)


def test_a_forged_token_stops_nothing(younghee, code, claimant):
    claim(claimant, code)
    for token in ("x", f"{the_claim().pk}:x", str(the_claim().pk)):
        assert Client().post(f"/en/my-data/claims/stop/{token}/").status_code == 404


def test_who_is_reached_by_phone_is_told_by_a_text_without_a_link(younghee, code, claimant, solapi):
    hold_back(younghee.incident, OLD, "complaint")
    claim(claimant, code)
    address_mails.send_due()
    [text] = solapi.messages
    assert text["to"] == "01011112222"
    assert "http" not in text["text"]
    assert NEW not in text["text"]
    assert [one.kind for one in answer_for(text["text"]).account_mails] == [MailKind.CLAIM_TEXT]
    assert the_claim().told_at


def test_the_claimant_withdraws_and_may_claim_again(younghee, code, claimant, minji):
    claim(claimant, code)
    path = f"/en/my-data/claims/{the_claim().pk}/withdraw/"
    assert browser(minji).post(path).status_code == 404
    assert browser(claimant).get(path).status_code == 302
    assert the_claim().is_waiting
    assert "Withdrawn." in browser(claimant).post(path, follow=True).text
    told_long_ago()
    assert shows_none(page(claimant), "mother")
    assert "Claimed." in claim(claimant, code)


# ---------------------------------------------------------------- the team


def desk(user: User) -> Client:
    client = Client()
    sign_in_to_desk(client, user)
    client.cookies["language"] = "en"
    return client


def test_a_claim_that_can_be_told_to_no_contact_waits_for_a_person(
    team, younghee, code, claimant, incident
):
    claim(claimant, code)
    hold_back(incident, OLD, "complaint")
    told_long_ago()
    assert the_claim().is_waiting
    approver, support = desk(team["approver"]), desk(team["support"])
    incident_page = desk_url("incidents_incident_page", incident.pk)
    assert "Confirm a new address of a person" not in approver.get(incident_page).text
    with without_triggers():
        AddressChange.objects.update(proposed_at=timezone.now() - timedelta(hours=2))
    assert "Confirm a new address of a person" in approver.get(incident_page).text
    change_page = desk_url("incidents_addresschange_change", the_claim().pk)
    say_why(approver, change_page)
    shown = page_text(approver.get(change_page))
    assert "the code of a message, and the last four digits" in shown
    assert f"user {claimant.pk}" in shown
    assert "once a person confirms it" in shown
    assert NEW not in shown
    confirm = desk_url("incidents_addresschange_confirm", the_claim().pk)
    assert support.post(confirm).status_code == 403
    assert approver.post(confirm).status_code == 302
    assert SECRETS["mother"][1] in page(claimant)


def test_support_withdraws_a_claim_and_ends_an_open_one(team, younghee, code, claimant):
    support = desk(team["support"])
    for is_open in (False, True):
        claim(claimant, code)
        change = AddressChange.objects.open().get()
        if is_open:
            told_long_ago()
            url, typed = desk_url("incidents_addresschange_end", change.pk), {"reason": "A thief."}
        else:
            url, typed = desk_url("incidents_addresschange_withdraw", change.pk), {}
        assert desk(team["importer"]).post(url, typed).status_code == 403
        assert support.post(url, typed).status_code == 302
        told_long_ago()
        assert shows_none(page(claimant), "mother")


def test_a_member_of_the_team_confirms_no_claim_of_their_own(team, younghee, code):
    approver = team["approver"]
    change = AddressChange(
        person=younghee,
        incident=younghee.incident,
        kind=Kind.EMAIL,
        claimed_by=approver,
        claim_fact="digits",
        claimed_with=1,
    )
    change.set_contact(NEW)
    change.save()
    confirm = desk_url("incidents_addresschange_confirm", change.pk)
    assert desk(approver).post(confirm).status_code == 403
    assert not change.confirm(approver)


# ---------------------------------------------------------------- records


def test_the_trail_has_claim_and_end_without_contacts(younghee, code, claimant, empty_trail):
    claim(claimant, code)
    told_long_ago()
    the_claim().stop(StoppedBy.CLAIMANT)
    trail = AuditEntry.objects.filter(object_type="incidents_addresschange").order_by("pk")
    kept = json.dumps([entry.details for entry in trail], ensure_ascii=False)
    assert trail.count() >= 3
    assert f'"claimed_by_id": [null, {claimant.pk}]' in kept
    assert '"stopped_by"' in kept
    assert not any(word in kept for word in (NEW, OLD, DIGITS + '"'))
    assert not trail.filter(actor_id=claimant.pk).exists()  # else the account could not be closed


def test_a_closed_account_ends_its_waiting_claim(younghee, code, claimant):
    claim(claimant, code)
    claimant.delete()
    told_long_ago()
    assert the_claim().withdrawn_at
    assert not RowProof.objects.exists()


def test_a_joined_account_keeps_its_claims(younghee, code, claimant, minji):
    claim(claimant, code)
    joined_accounts.move_rows(claimant, minji)
    assert the_claim().claimed_by == minji


def test_the_claimed_contact_of_another_account_needs_a_second_fact(younghee, code, claimant):
    VerifiedPhone.objects.create(user=claimant, number="+821099998888")
    assert "Claimed." in claim(claimant, code, contact="+821099998888")
    told_long_ago()
    VerifiedPhone.objects.all().delete()
    other = User.objects.create_user("next@owner.example", language="en")
    VerifiedPhone.objects.create(user=other, number="+821099998888")
    assert shows_none(page(other), "mother")


def test_the_database_refuses_a_claim_that_is_also_proposed(team, younghee):
    change = AddressChange(
        person=younghee, incident=younghee.incident, kind=Kind.EMAIL, proposed_by=team["support"]
    )
    change.claim_fact = "digits"
    change.set_contact(NEW)
    with pytest.raises(IntegrityError), transaction.atomic():
        change.save()


def test_a_row_that_opens_already_needs_no_claim(younghee, code, claimant):
    EmailAddress.objects.create(user=claimant, email=OLD, verified=True)
    assert REFUSED in claim(claimant, code, contact=OLD)


def test_a_refused_claim_leads_to_a_filled_in_ticket(incident, younghee, code, claimant):
    assert f"/en/questions/ask/{incident.slug}/?about=claim" in claim(claimant, code, "0000")
    asked = browser(claimant).get(f"/en/questions/ask/{incident.slug}/?about=claim").text
    assert "I have a message of yours with a code." in asked


def test_a_person_with_a_name_only_is_led_to_support(incident, draft, approver, server, claimant):
    row = leaked(incident, ADDRESS, "7585#", name="김영희", email=OLD)
    decisions.approve(draft, by=approver)
    code = message_code(delivery_to(work(draft), row).pk)
    assert REFUSED in claim(claimant, code, "김영희")
