"""Adding a further address or number to an account, each proven by a code."""

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import User, VerifiedPhone
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import give_app, newest_code, sign_in, step_up
from tests.carriers import SolapiServer
from tests.desk_pages import page_text
from tests.text_sign_in import HALMONI, browser, newest_text_code, sign_in_by_text

pytest_plugins = ["tests.text_sign_in"]
pytestmark = pytest.mark.django_db
JOIN = "/en/account/contacts/join/"
NEW, CODE, ACCOUNT = (
    "/en/account/contacts/new/",
    "/en/account/contacts/new/code/",
    "/en/account/",
)


def by_number(server: SolapiServer) -> Client:
    client = browser()
    sign_in_by_text(client, server)
    return client


def add(client: Client, contact: str, server: SolapiServer):
    """Adds a contact through the pages. Returns the last response."""
    answer = client.post(NEW, {"email": contact})
    assert answer["Location"] == CODE, answer
    code = newest_code() if "@" in contact else newest_text_code(server)
    return client.post(CODE, {"code": code, "email": ""})


def test_a_person_with_a_number_adds_an_address(solapi, incident):
    row = person(incident, name="김순자", email="halmoni@example.com", phone="010-4141-2002")
    expose(row, file_of(incident), "names", "phone-numbers", values=[("entrance-codes", "7731#")])
    client = by_number(solapi)
    hidden = page_text(client.post("/en/my-data/reveal/", follow=True))
    assert "Only a phone number led here" in hidden
    assert "7731#" not in hidden
    assert add(client, "halmoni@example.com", solapi)["Location"] == ACCOUNT
    user = User.objects.get(email="halmoni@example.com")
    assert user.verified_emails() == ["halmoni@example.com"]
    assert user.verified_phones() == [HALMONI]
    shown = page_text(client.post("/en/my-data/reveal/", follow=True))
    assert "7731#" in shown
    assert sign_in(Client(), "halmoni@example.com").status_code == 302
    assert User.objects.filter(email="halmoni@example.com").count() == 1


@pytest.mark.parametrize(
    ("typed", "link"),
    [
        ("halmonni@example.com", "Use another address"),
        ("010-4141-2003", "Use another number or e‑mail address"),
    ],
)
def test_a_mistyped_contact_is_typed_again(solapi, typed, link):
    client = by_number(solapi)
    client.post(NEW, {"email": typed})
    assert f'href="{NEW}">{link}</a>' in client.get(CODE).text


def test_an_address_with_an_account_of_its_own_takes_the_number(solapi, minji):
    client = by_number(solapi)
    alone = User.objects.get(email=None)
    add(client, minji.email, solapi)
    client.post(JOIN, {"join": "1"})
    assert client.session["_auth_user_id"] == str(minji.pk)
    assert minji.verified_phones() == [HALMONI]
    assert not User.objects.filter(pk=alone.pk).exists()


def test_the_second_factor_of_that_account_still_asks(solapi, minji):
    give_app(minji)
    client = by_number(solapi)
    add(client, minji.email, solapi)
    joined = client.post(JOIN, {"join": "1"})
    assert joined["Location"].startswith("/en/account/sign-in/second")
    assert "_auth_user_id" not in client.session


def test_an_address_of_the_response_team_takes_no_number(solapi, editor):
    client = by_number(solapi)
    answer = add(client, editor.email, solapi)
    assert answer["Location"] == ACCOUNT
    assert "has an account of its own" in client.get(ACCOUNT).text
    assert editor.verified_phones() == []


def test_a_person_with_an_address_adds_a_number_and_a_second_address(solapi, minji):
    client = browser()
    sign_in(client, minji.email)
    add(client, "010-4141-2002", solapi)
    add(client, "minji@work.example", solapi)
    assert minji.verified_phones() == [HALMONI]
    assert set(minji.verified_emails()) == {"minji@example.com", "minji@work.example"}
    assert EmailAddress.objects.get(primary=True).email == "minji@example.com"
    page = client.get(ACCOUNT).text
    assert all(shown in page for shown in ("010-4141-2002", "minji@work.example", minji.email))


def test_the_address_of_another_account_is_not_taken(solapi, minji, seojun):
    client = browser()
    sign_in(client, minji.email)
    add(client, seojun.email, solapi)
    assert seojun.verified_emails() == ["seojun@example.com"]
    assert minji.verified_emails() == ["minji@example.com"]


def test_an_open_browser_alone_adds_nothing(client, solapi, minji):
    client.force_login(minji)
    assert reverse("step_up") in client.post(reverse("new_contact"), {"email": "a@b.example"}).url
    assert (mail.outbox, solapi.messages) == ([], [])


def test_a_code_for_a_sign_in_adds_no_contact(solapi, minji):
    client = by_number(solapi)
    client.post(NEW, {"email": "halmoni@example.com"})
    browser("198.51.100.9").post("/en/account/sign-in/", {"email": "halmoni@example.com"})
    client.post(CODE, {"code": newest_code()})
    assert User.objects.filter(email="halmoni@example.com").count() == 0


def test_a_number_passes_to_the_account_that_proves_it_now(solapi, minji, seojun):
    VerifiedPhone.objects.create(user=seojun, number=HALMONI)
    client = browser()
    sign_in(client, minji.email)
    add(client, "010-4141-2002", solapi)
    assert (minji.verified_phones(), seojun.verified_phones()) == ([HALMONI], [])


@pytest.mark.parametrize("takes_numbers", [True, False])
def test_a_number_is_asked_for_only_where_numbers_are_taken(minji, request, takes_numbers):
    if takes_numbers:
        request.getfixturevalue("solapi")
    client = Client()
    client.force_login(minji)
    step_up(client, minji)
    for page in (ACCOUNT, NEW, "/en/account/contacts/remove/"):
        text = client.get(page).text
        assert ("Add another address or number" in text) is takes_numbers
        assert ("Add another e‑mail address" in text) is not takes_numbers
