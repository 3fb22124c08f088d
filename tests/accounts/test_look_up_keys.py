"""Keys with which a customer's own program looks up the customer's addresses."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts import look_up_keys
from accounts.look_up_key import LASTS, PREFIX, LookUpKey
from accounts.models import RightsGrant, User, VerifiedPhone
from harness.sign_in import sign_in, step_up
from tests.accounts.test_customer_passkeys import passkey_of
from tests.incidents.test_rights_grants import save

pytestmark = pytest.mark.django_db
KEYS, NEW, END = "/en/account/keys/", "/en/account/keys/new/", "/en/account/keys/end/"
SECRET = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")


@pytest.fixture
def browser(client, minji) -> Client:
    client.force_login(minji)
    step_up(client, minji)
    return client


def secret_in(page: str) -> str:
    (found,) = set(SECRET.findall(page))
    return found


def test_a_key_is_shown_once_and_kept_as_a_hash(browser, minji):
    made = browser.post(NEW, {"name": "<b>backup</b>"})
    assert "no-store" in made["Cache-Control"]
    secret = secret_in(made.text)
    row = minji.look_up_keys.get()
    assert secret.encode() not in bytes(row.digest)
    assert LookUpKey.objects.of(secret) == row
    assert row.expires_at - row.made_at == pytest.approx(LASTS, abs=timedelta(seconds=5))
    page = browser.get(KEYS).text
    assert "&lt;b&gt;backup&lt;/b&gt;" in page
    assert "Not used yet" in page
    assert not SECRET.search(page)


def test_a_key_needs_a_fresh_code_and_a_name(browser, minji):
    assert "Enter a name for the key." in browser.post(NEW, {"name": " "}).text
    step_up(browser, minji, seconds_ago=3600)
    for answer in (browser.get(NEW), browser.post(NEW, {"name": "backup"})):
        assert answer.status_code == 302
        assert "/account/confirm/" in answer["Location"]
    assert not LookUpKey.objects.exists()


def test_there_are_three_at_most_and_a_press_ends_one(browser, minji, seojun):
    strangers, _secret = look_up_keys.make(seojun, "his", "a form")
    secrets = [secret_in(browser.post(NEW, {"name": str(one)}).text) for one in range(3)]
    assert browser.post(NEW, {"name": "4"})["Location"] == KEYS
    assert minji.look_up_keys.count() == 3
    assert "One account can have no more keys." in browser.get(KEYS).text
    ended = LookUpKey.objects.of(secrets[0])
    assert ended
    step_up(browser, minji, seconds_ago=3600)  # to end one needs no fresh code
    for number in (ended.pk, strangers.pk, "x", "9" * 40):
        browser.post(END, {"key": number})
    assert LookUpKey.objects.of(secrets[0]) is None
    assert minji.look_up_keys.valid().count() == 2
    assert seojun.look_up_keys.valid().count() == 1


def test_two_presses_make_one_key_and_show_it(browser, minji):
    page = browser.get(NEW).text
    (number,) = re.findall(r'name="form" value="([^"]+)"', page)
    form = {"name": "backup", "form": number}
    assert number not in browser.get(NEW).text
    for name in ("one", "two"):
        browser.post(NEW, {"name": name})
    first, second = (secret_in(browser.post(NEW, form).text) for _press in range(2))  # of the third
    assert first == second
    assert minji.look_up_keys.count() == 3
    minji.look_up_keys.end()
    assert browser.post(NEW, form)["Location"] == KEYS
    assert minji.look_up_keys.count() == 3
    assert secret_in(browser.post(NEW, form | {"name": "another"}).text) != first


def test_a_number_alone_makes_no_key(client):
    user = User.objects.create(language="en")
    VerifiedPhone.prove("+821041412002", user)
    client.force_login(user)
    step_up(client, user)
    assert "A key needs an account with an e-mail address." in client.get(KEYS).text.replace(
        "\u2011", "-"
    )
    assert client.post(NEW, {"name": "backup"})["Location"] == KEYS
    assert not LookUpKey.objects.exists()


def expire(key: LookUpKey, _browser: Client) -> None:
    key.expires_at = timezone.now()
    key.save()


def deactivate(key: LookUpKey, _browser: Client) -> None:
    User.objects.filter(pk=key.user_id).update(is_active=False)


def join_the_team(key: LookUpKey, _browser: Client) -> None:
    User.objects.filter(pk=key.user_id).update(is_staff=True)


def join_and_leave_the_team(key: LookUpKey, _browser: Client) -> None:
    first, second = (
        User.objects.create_user(f"{name}@hanbit.example", is_staff=True, is_superuser=True)
        for name in ("first", "second")
    )
    grant = RightsGrant.objects.create(user=key.user, is_staff=True, asked_by=first)
    assert grant.confirm(second)
    User.objects.filter(pk=key.user_id).update(is_staff=False)


def sign_out_everywhere(_key: LookUpKey, browser: Client) -> None:
    browser.post("/en/account/sessions/")


def remove_an_address(key: LookUpKey, browser: Client) -> None:
    EmailAddress.objects.create(user=key.user, email="mj@example.com", verified=True)
    assert "This also ends your keys" in browser.get("/en/account/contacts/remove/").text
    browser.post("/en/account/contacts/remove/", {"contact": "mj@example.com"})


def remove_a_passkey(key: LookUpKey, browser: Client) -> None:
    passkey = passkey_of(key.user)
    warning = "This also ends your keys for programs."
    assert warning in browser.get("/en/account/passkeys/").text
    assert warning not in browser.get("/en/account/contacts/remove/").text  # the only address
    browser.post("/en/account/passkeys/remove/", {"passkey": passkey.pk})


def close_the_account(_key: LookUpKey, browser: Client) -> None:
    browser.post("/en/account/close/", {"sure": "on"})


@pytest.mark.parametrize(
    "end",
    [
        *(expire, deactivate, join_the_team, join_and_leave_the_team, sign_out_everywhere),
        *(remove_an_address, remove_a_passkey, close_the_account),
    ],
)
def test_a_key_ends(browser, minji, end):
    key, secret = look_up_keys.make(minji, "backup", "a form")
    assert LookUpKey.objects.of(secret) == key
    end(key, browser)
    assert LookUpKey.objects.of(secret) is None


def test_signing_out_one_other_browser_ends_no_key(browser, minji):
    _key, secret = look_up_keys.make(minji, "backup", "a form")
    for one in (browser, Client()):
        one.logout()
        sign_in(one, minji.email)
    session = minji.usersession_set.exclude(session_key=browser.session.session_key).first()
    assert "This also ends your keys for programs." in browser.get("/en/account/sessions/").text
    browser.post("/en/account/sessions/", {"session": session.pk})
    assert LookUpKey.objects.of(secret)


def test_an_account_that_support_ends_has_no_key_when_it_may_sign_in_again(editors_desk, minji):
    _key, secret = look_up_keys.make(minji, "backup", "a form")
    fields = {"email": minji.email, "is_active": "", "reason": "She called."}
    assert save(editors_desk, minji, **fields).status_code == 302
    assert User.objects.filter(pk=minji.pk, is_active=False).update(is_active=True)
    assert LookUpKey.objects.of(secret) is None


def test_a_key_stays_valid_when_the_secret_key_of_the_portal_changes(minji, settings):
    key, secret = look_up_keys.make(minji, "backup", "a form")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    assert LookUpKey.objects.of(secret) == key
    settings.SECRET_KEY_FALLBACKS = []
    assert LookUpKey.objects.of(secret) is None


def test_a_new_key_is_mailed_once_also_if_it_is_ended_at_once(browser, minji):
    secret = secret_in(browser.post(NEW, {"name": "Call 010-1234-5678"}).text)
    minji.look_up_keys.end()
    look_up_keys.send_due()
    look_up_keys.send_due()
    (sent,) = mail.outbox
    assert sent.to == [minji.email]
    whole = sent.message().as_bytes().decode()
    assert secret not in whole
    assert "1234-5678" not in sent.body  # a thief would write to the owner in our name
    assert minji.sent_mails.get().text == sent.body


def test_old_rows_are_deleted(minji):
    look_up_keys.make(minji, "backup", "a form")
    LookUpKey.objects.update(made_at=timezone.now() - look_up_keys.KEPT_FOR - timedelta(hours=1))
    look_up_keys.purge()
    assert not LookUpKey.objects.exists()


def test_the_account_page_leads_to_it_last(browser):
    links = re.findall(r'<li><a href="(/en/account/[^"]*)"', browser.get("/en/account/").text)
    assert links[-1] == KEYS


def test_the_team_has_no_page_of_keys(editors_desk):
    assert editors_desk.get(KEYS).status_code == 404
