"""The copy of all that the portal holds about one user, as JSON and as a page to print."""

import html
import json
from typing import Any
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from accounts import look_up_keys
from accounts.company_sign_on.member_numbers import MemberNumber
from accounts.joined_account import JoinedAccount
from accounts.models import User, VerifiedPhone
from accounts.sent_mail import SentMail
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import sign_in, step_up
from incidents.models import (
    AddressChange,
    DoneStep,
    IncidentJurisdiction,
    Reveal,
    RowProof,
    StepReminder,
    WrongAnswer,
)
from notices.message_codes import message_code
from notices.models import AlertNumber, AlertSubscription, Delivery, PushSubscription
from offers.models import OfferTaking
from tests.accounts.test_joining import ENDED, MOVED
from tests.notice_factory import work
from tests.offer_factory import offer_of
from tickets import correspondence
from tickets.models import Ticket

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.django_db
PAGE = "/en/my-data/copy/"
ADDRESS = "서울특별시 강남구 테헤란로 558"
IN_COPY = {  # where the copy has the rows of each table that names a customer
    "account.EmailAddress": "account.email_addresses",
    "accounts.VerifiedPhone": "account.mobile_numbers",
    "accounts.NewDevice": "account.new_devices",
    "accounts.MemberNumber": "account.member_numbers",
    "accounts.JoinedAccount": "account.joined_accounts",
    "accounts.SentMail": "messages",
    "accounts.LookUpKey": "account.keys_for_programs",
    "mfa.Authenticator": "account.passkeys",
    "usersessions.UserSession": "account.sessions",
    "incidents.Reveal": "seen_in_full",
    "incidents.RowProof": "right_answers",
    "incidents.WrongAnswer": "wrong_answers",
    "incidents.AddressChange": "claims",
    "incidents.DoneStep": "done_steps",
    "incidents.StepReminder": "reminders_of_steps",
    "offers.OfferTaking": "offers",
    "tickets.Ticket": "tickets",
    "notices.AlertNumber": "number_for_alerts",
    "notices.AlertSubscription": "alerts",
    "notices.PushSubscription": "browsers_with_push_messages",
}


@pytest.fixture
def browser(minji, incident) -> Client:
    """Minji's browser; an address and an entrance code of hers leaked, and data of Seojun."""
    file = file_of(incident)
    row = person(incident, name="김민지", email=minji.email)
    expose(row, file, values=[("physical-addresses", ADDRESS), ("entrance-codes", "7585#")])
    other = person(incident, name="박서준", email="seojun@example.com")
    expose(other, file, values=[("physical-addresses", "부산광역시 해운대구 우동 1")])
    client = Client()
    client.force_login(minji)
    return client


def json_of(client: Client) -> Any:
    response = client.post(PAGE, {"form": "json"})
    assert response.status_code == 200
    assert response["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert "no-store" in response["Cache-Control"]
    return json.loads(response.content)


def page_of(client: Client) -> str:
    response = client.post(PAGE, {"form": "page"})
    assert response.status_code == 200
    assert response["Content-Disposition"] == 'attachment; filename="my-data.html"'
    assert "no-store" in response["Cache-Control"]
    return html.unescape(response.content.decode())


@pytest.mark.parametrize("method", ["get", "post"])
def test_it_needs_a_fresh_code(browser, method):
    response = getattr(browser, method)(PAGE)
    with override("en"):
        assert response["Location"].startswith(reverse("step_up"))
    assert not Reveal.objects.exists()


def test_the_account_page_leads_to_it(browser):
    assert PAGE in browser.get("/en/account/").text


def test_both_forms_hold_the_persons_values_in_full_and_no_other(browser, minji):
    step_up(browser, minji)
    page, data = page_of(browser), json_of(browser)
    for text in (page, json.dumps(data, ensure_ascii=False)):
        for own in (ADDRESS, "7585#", minji.email):
            assert own in text
        for foreign in ("박서준", "seojun", "부산"):
            assert foreign not in text
    (part,) = data["incidents"]
    assert part["places"][0]["value"] == ADDRESS
    assert part["places"][0]["with_it"][0]["value"] == "7585#"
    assert [step["is_done"] for step in part["steps"]]


def test_each_copy_is_recorded_as_a_look(browser, minji):
    step_up(browser, minji)
    assert browser.get(PAGE).status_code == 200
    assert not Reveal.objects.exists()
    json_of(browser)
    assert Reveal.objects.filter(user=minji).count() == 1
    page_of(browser)
    assert Reveal.objects.filter(user=minji).count() == 2


def test_a_row_that_only_a_number_found_stays_masked_and_is_no_look(incident, db):
    file = file_of(incident)
    row = person(incident, name="최하늘", phone="+821012345678")
    expose(row, file, values=[("physical-addresses", ADDRESS)])
    user = User.objects.create(language="en")
    VerifiedPhone.objects.create(user=user, number="+821012345678")
    client = Client()
    client.force_login(user)
    step_up(client, user)
    data = json_of(client)
    assert data["incidents"][0]["parts_are_hidden"] is True
    assert "558" not in json.dumps(data["incidents"], ensure_ascii=False)
    assert not Reveal.objects.exists()


def test_tickets_and_their_answers_are_in_it_without_notes(browser, minji, incident, editor):
    with override("en"):
        ask = reverse("ask", args=[incident.slug])
    browser.post(ask, {"kind": "access", "text": "Which addresses?"})
    ticket = Ticket.objects.get()
    correspondence.answer(ticket, text="We have two.\nCall 1577-0000.", by=editor)
    correspondence.note(ticket, text="calls often", by=editor)
    step_up(browser, minji)
    page, data = page_of(browser), json_of(browser)
    assert [one["text"] for one in data["tickets"][0]["messages"]] == [
        "Which addresses?",
        "We have two.\nCall 1577-0000.",
    ]
    assert "Which addresses?" in page
    assert 'We have two.<br>Call <span class="whole">1577-0000</span>.' in page
    assert f'<h3><span class="whole">{data["tickets"][0]["number"]}</span></h3>' in page
    assert "calls often" not in page + json.dumps(data)


def test_alerts_are_in_it(browser, minji, incident):
    AlertSubscription.objects.create(user=minji, incident=incident, topic="updates")
    step_up(browser, minji)
    assert json_of(browser)["alerts"][0]["topic"] == "Updates to this incident"
    assert "Updates to this incident" in page_of(browser)


def test_messages_are_in_it_with_code_and_text(minji, incident, notice, people, server):
    work(notice)
    client = Client()
    client.force_login(minji)
    step_up(client, minji)
    (sent,) = json_of(client)["messages"]
    delivery = Delivery.objects.get(notice=notice, person=people["minji"])
    assert sent["code"] == message_code(delivery.pk)
    assert sent["code"] in sent["text"]
    assert "김민지" in sent["text"]
    page = page_of(client)
    assert f'<span class="whole">{sent["code"]}' in page.split("<br>", 1)[1]  # in the text
    assert "nowrap" not in page  # a long code would be wider than a phone
    assert sent["title"] in page


def test_each_table_that_names_a_customer_is_in_it(minji, seojun, incident):
    row = person(incident, name="김민지", email="old@example.com")
    member_number = {"email": minji.email, "issuer": "https://x.example", "number": "M-1042"}
    MemberNumber.objects.create(user=minji, **member_number)
    passkey = {"name": "My phone", "credential": {"id": "a-public-key"}}
    Authenticator.objects.create(user=minji, type="webauthn", data=passkey)
    Authenticator.objects.create(user=seojun, type="webauthn", data=passkey)
    phone = VerifiedPhone.objects.create(user=minji, number="+821041412002")
    AlertNumber.objects.create(user=minji, phone=phone)
    minji.new_devices.create(browser="Chrome", system="Android")
    look_up_keys.make(minji, "My backup", "a form")
    JoinedAccount.objects.create(user=minji)
    Reveal.objects.create(user=minji, person=row)  # whose address the account has no more
    RowProof.objects.create(user=minji, person=row, fact="name")
    WrongAnswer.objects.create(user=minji, person=row)
    claim = AddressChange(incident=incident, person=row, kind=1, claimed_by=minji, claimed_with=1)
    claim.claim_fact = "digits"
    claim.set_contact("new@example.com")
    claim.save()
    DoneStep.objects.create(user=minji, incident=incident, step="passwords")
    StepReminder.objects.create(user=minji, incident=incident, due_at=timezone.now())
    AlertSubscription.objects.create(user=minji, incident=incident, topic="scams")
    mail = {"subject": "A sign-in", "text": "Hello", "language": "en", "code": "7QK2-X9ND-4HTB"}
    SentMail.objects.create(user=minji, **mail)
    PushSubscription.objects.create(user=minji, endpoint_index="0" * 32, address=b"")
    offer = offer_of(incident)
    code, now = offer.codes.latest("pk"), timezone.now()
    offer.codes.filter(pk=code.pk).update(taken_at=now)
    OfferTaking.objects.create(offer=offer, code=code, user=minji, taken_at=now)
    client = Client()
    sign_in(client, minji.email)
    correspondence.ask(minji, incident, kind="access", text="Which?", language="en", key=uuid4())
    step_up(client, minji)
    data, page = json_of(client), page_of(client)
    assert IN_COPY.keys() == MOVED | ENDED
    for table, path in IN_COPY.items():
        section = data
        for name in path.split("."):
            section = section[name]
        assert len(section) == 1, (table, section)
    for text in (json.dumps(data), page):
        assert "My phone" in text
        assert "My backup" in text
        assert "M-1042" in text
        assert "a-public-key" not in text
    for heading in ("When you looked", "When an answer of yours opened", "two accounts of yours"):
        assert heading in page


def test_no_name_in_it_becomes_markup(minji, incident):
    row = person(incident, name="<script>alert(1)</script>", email=minji.email)
    expose(row, file_of(incident), "names")
    client = Client()
    client.force_login(minji)
    step_up(client, minji)
    raw = client.post(PAGE, {"form": "page"}).content.decode()
    assert "<script" not in raw
    assert "&lt;script&gt;" in raw


def test_three_thousand_addresses_are_all_in_it(minji, incident):
    file = file_of(incident)
    row = person(incident, name="김민지", email=minji.email)
    streets = [("physical-addresses", f"서울특별시 강남구 테헤란로 {one}") for one in range(3000)]
    for first in range(0, 3000, 100):
        expose(row, file, values=streets[first : first + 100])
    client = Client()
    client.force_login(minji)
    step_up(client, minji)
    (part,) = json_of(client)["incidents"]
    assert len(part["places"]) + len(part["leaked"]) >= 3000


def test_the_page_gives_the_reason_for_missing_values(browser, minji, incident):
    step_up(browser, minji)
    deleted_at = timezone.now()
    type(incident).objects.filter(pk=incident.pk).update(values_deleted_at=deleted_at)
    page, data = page_of(browser), json_of(browser)
    assert "deleted the values on" in page
    assert "names of different people" not in page
    assert ADDRESS not in page + json.dumps(data, ensure_ascii=False)
    assert data["incidents"][0]["values_deleted_at"]


def test_the_page_says_why_parts_are_hidden(incident, db):
    file = file_of(incident)
    row = person(incident, name="최하늘", phone="+821012345678")
    expose(row, file, values=[("physical-addresses", ADDRESS)])
    user = User.objects.create(language="en")
    VerifiedPhone.objects.create(user=user, number="+821012345678")
    client = Client()
    client.force_login(user)
    step_up(client, user)
    assert "Only a phone number led here." in page_of(client)
    assert "nothing hidden" not in client.get(PAGE).text


def test_more_time_for_an_answer_is_not_called_an_answer(browser, minji, incident, editor):
    IncidentJurisdiction.objects.get_or_create(incident=incident, jurisdiction="EU")
    ticket = correspondence.ask(
        minji, incident, kind="access", text="Which addresses?", language="en", key=uuid4()
    )
    (period,) = correspondence.extensions_of(ticket)
    correspondence.extend(ticket, period=period, reason="Many files.", by=editor)
    step_up(browser, minji)
    page = page_of(browser)
    assert "needs more time" in page
    assert "There is an answer" not in page


def test_it_says_which_contact_found_which_row(browser, minji, incident):
    VerifiedPhone.objects.create(user=minji, number="+821012345678")
    row = person(incident, name="최하늘", phone="010-1234-5678")
    expose(row, file_of(incident), "names")
    step_up(browser, minji)
    found_by = [part["found_by"] for part in json_of(browser)["incidents"]]
    assert sorted(found_by) == [["010-1234-5678"], [minji.email]]
    page = page_of(browser)
    assert f"Found by: {minji.email}" in page
    assert "Found by: 010-1234-5678" in page
