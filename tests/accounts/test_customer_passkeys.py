"""Passkeys of customers: in place of a code, in a real Chromium with a virtual key."""

import base64
import hashlib
import json
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.core import mail
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.translation import override
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)
from playwright.sync_api import Page, expect

from accounts import new_devices
from accounts.customer_passkeys import MOST_PASSKEYS
from accounts.models import RightsGrant, User, VerifiedPhone
from accounts.new_device import NewDevice
from accounts.proofs import Proof
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import ask_for_code, newest_code, sign_in, step_up
from tests import browser
from tests.accounts.test_passkeys import BUTTON, MALFORMED, add_virtual_key
from tests.accounts.test_team_accounts_browser import check, new_browser
from tests.database import a_lock_is_waited_for
from tests.incidents.test_incident_page_browser import of_live_server  # noqa: F401

HALMONI = "+821041412002"
PASSKEYS, ADD, REMOVE, SIGN_IN, STEP_UP = (
    "/en/account/passkeys/",
    "/en/account/passkeys/new/",
    "/en/account/passkeys/remove/",
    "/en/account/sign-in/passkey/",
    "/en/account/confirm/passkey/",
)


def passkey_of(user: User) -> Authenticator:
    """Returns a row like that of a passkey. No browser has its key."""
    data = {"name": "My phone", "credential": {}}
    return Authenticator.objects.create(user=user, type="webauthn", data=data)


def sign_in_with_code(page: Page, url: str, email: str) -> None:
    page.goto(url)
    page.locator("input[name=email]").fill(email)
    page.locator("main form button").first.click()
    page.locator("input[name=code]").wait_for()
    page.locator("input[name=code]").fill(newest_code())
    page.locator("main form button").first.click()
    page.wait_for_url("**/my-data/")


@pytest.mark.usefixtures("of_live_server")
@pytest.mark.parametrize(("language", "width"), [("ko", 390), ("en", 1280)])
def test_a_customer_makes_names_uses_and_removes_a_passkey(
    live_server, minji, incident, language, width
):
    row = person(incident, name="김민지", email=minji.email)
    expose(row, file_of(incident), "names", values=[("entrance-codes", "7731#")])
    account = f"{live_server.url}/{language}/account/"
    with browser.chromium() as chromium, new_browser(chromium, language, width) as page:
        add_virtual_key(page)
        logged: list[str] = []
        page.on("console", lambda line: logged.append(line.text))
        sign_in_with_code(page, f"{account}sign-in/", minji.email)
        page.goto(account)
        page.locator(f"a[href='/{language}/account/passkeys/']").click()
        check(page, "own-passkeys-none", language, "main")
        page.locator(f"a[href='/{language}/account/passkeys/new/']").click()
        check(page, "own-passkey-set-up", language, "main")
        page.locator("input[name=name]").fill("민지의 전화기")
        page.locator("input[name=name]").press("Enter")
        page.wait_for_url("**/account/passkeys/")
        expect(page.locator("main h2")).to_have_text("민지의 전화기")
        page.locator("input[name=name]").fill("<b>두 번째</b>")
        page.locator("main .card form button").first.click()
        expect(page.locator("main h2")).to_have_text("<b>두 번째</b>")

        page.context.clear_cookies()
        mail.outbox.clear()
        page.goto(f"{account}sign-in/")
        page.locator(f"a[href^='/{language}/account/sign-in/passkey/']").click()
        check(page, "passkey-sign-in", language, "main")
        page.locator(BUTTON).click()
        page.wait_for_url("**/my-data/")
        page.locator("main form[action$='/reveal/'] button").first.click()
        expect(page.get_by_text("7731#").first).to_be_visible()  # it counts as a fresh code
        assert mail.outbox == []
        assert NewDevice.objects.count() == 1  # the cookies are gone: it is a new device
        new_devices.send_due()
        assert [one.to for one in mail.outbox] == [[minji.email]]

        page.goto(f"{account}close/")  # needs a step-up, also right after the sign-in
        page.wait_for_url("**/account/confirm/**")
        page.locator(f"a[href^='/{language}/account/confirm/passkey/']").click()
        check(page, "passkey-step-up", language, "main")
        page.locator(BUTTON).click()
        page.locator("input[name=sure]").wait_for()

        page.goto(f"{account}passkeys/")
        page.locator("input[name=name]").fill("1")
        page.locator("main .card form button").first.click()
        expect(page.locator("main h2")).to_have_text("1")
        check(page, "own-passkeys", language, "main")
        page.locator("main .card form button").last.click()
        expect(page.locator("main .card")).to_have_count(0)
        page.context.clear_cookies()
        page.goto(f"{account}sign-in/passkey/")
        page.locator(BUTTON).click()
        expect(page.locator("main .error[role=alert]:not([hidden])")).to_be_visible()
        page.locator("main .actions a").first.click()
        sign_in_with_code(page, f"{account}sign-in/", minji.email)
        assert not [line for line in logged if "Policy" in line]  # the CSP refused nothing


@pytest.mark.usefixtures("of_live_server")
def test_a_copied_passkey_and_one_of_the_team_open_nothing(live_server, minji, seojun):
    account = f"{live_server.url}/en/account/"
    with browser.chromium() as chromium, new_browser(chromium, "en", 390) as page:
        add_virtual_key(page)
        sign_in_with_code(page, f"{account}sign-in/", minji.email)
        page.goto(f"{account}passkeys/new/")
        page.locator(BUTTON).click()
        page.wait_for_url("**/account/passkeys/")
        row = Authenticator.objects.get(type="webauthn")
        for change in ("copied", "team"):
            page.context.clear_cookies()
            if change == "copied":  # the row of another user: the browser still names minji
                Authenticator.objects.filter(pk=row.pk).update(user=seojun)
            else:
                Authenticator.objects.filter(pk=row.pk).update(user=minji)
                User.objects.filter(pk=minji.pk).update(is_staff=True)
            page.goto(f"{account}sign-in/passkey/")
            page.locator(BUTTON).click()
            expect(page.locator("main .error[role=alert]:not([hidden])")).to_be_visible()
            page.goto(account)
            page.wait_for_url("**/account/sign-in/**")


@pytest.mark.django_db
def test_a_code_signs_in_without_the_passkey(client, minji):
    passkey_of(minji)
    assert sign_in(client, minji.email).url == reverse("my_data")
    assert client.session["_auth_user_id"] == str(minji.pk)
    page = client.get(PASSKEYS).text
    assert "My phone" in page
    assert "a code always works" in page


@pytest.mark.django_db
@pytest.mark.parametrize("credential", MALFORMED)
@pytest.mark.parametrize("path", [SIGN_IN, STEP_UP, ADD])
def test_a_response_that_no_browser_made_proves_nothing(client, minji, credential, path):
    if path != SIGN_IN:
        sign_in(client, minji.email)
    client.get(path)
    answer = client.post(path, {"name": "x", "credential": credential})
    assert answer.status_code == 200
    assert not Authenticator.objects.exists()
    assert str(Proof.STEP_UP_CODE) not in str(client.session.get("accounts_proofs"))
    assert ("_auth_user_id" in client.session) == (path != SIGN_IN)


@pytest.mark.django_db
def test_naming_another_user_in_the_response_signs_no_one_in(client, minji):
    passkey_of(minji)
    client.get(SIGN_IN)
    parts = {"clientDataJSON": "e30", "authenticatorData": "AA", "signature": "AA"}
    handles: list[Any] = ["MQ", "", None, 1, "%%", [], "A" * 5000]
    for handle in handles:
        response = {**parts, "userHandle": handle}
        credential = {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": response}
        answer = client.post(SIGN_IN, {"credential": json.dumps(credential)})
        assert answer.status_code == 200
        assert "_auth_user_id" not in client.session


@pytest.mark.django_db
def test_changes_need_a_fresh_code_and_the_own_passkey(client, minji, seojun):
    own, other = passkey_of(minji), passkey_of(seojun)
    client.force_login(minji)
    assert "/account/confirm/" in client.get(ADD)["Location"]
    assert "/account/confirm/" in client.post(REMOVE, {"passkey": own.pk})["Location"]
    step_up(client, minji)
    for key in (other.pk, "", "x", "9" * 30, "²"):
        assert client.post(REMOVE, {"passkey": key}).status_code == 404
        assert client.post(PASSKEYS, {"passkey": key, "name": "mine"}).status_code == 404
    assert client.post(REMOVE, {"passkey": own.pk}).status_code == 302
    assert list(Authenticator.objects.all()) == [other]


@pytest.mark.django_db
def test_a_new_name_locks_the_row_so_that_the_counter_of_a_sign_in_stays(client, minji):
    own = passkey_of(minji)
    client.force_login(minji)
    with CaptureQueriesContext(connection) as queries:
        client.post(PASSKEYS, {"passkey": own.pk, "name": "My key"})
    read = [each["sql"] for each in queries if 'FROM "mfa_authenticator"' in each["sql"]]
    assert [sql.endswith("FOR UPDATE") for sql in read] == [True]
    own.refresh_from_db()
    assert own.data == {"name": "My key", "credential": {}}


@pytest.mark.django_db
def test_removing_a_passkey_ends_the_other_sessions(client, minji):
    own, elsewhere = passkey_of(minji), Client()
    sign_in(elsewhere, minji.email)
    sign_in(client, minji.email)
    client.post(REMOVE, {"passkey": own.pk})
    assert client.get(PASSKEYS).status_code == 200
    assert elsewhere.get(PASSKEYS).status_code == 302


@pytest.mark.django_db
def test_an_account_with_a_number_only_gets_none(client):
    user = User.objects.create(password="!", language="en")
    VerifiedPhone.objects.create(user=user, number=HALMONI)
    client.force_login(user)
    step_up(client, user)
    assert client.get(ADD)["Location"] == PASSKEYS
    with override("en"):
        assert "A passkey needs an account with an e\u2011mail address" in client.get(PASSKEYS).text


@pytest.mark.django_db
@pytest.mark.parametrize("path", [PASSKEYS, ADD, STEP_UP])
def test_the_pages_are_for_customers(client, editor, path):
    assert "/account/sign-in/" in client.get(path)["Location"]
    client.force_login(editor)
    assert client.get(path).status_code == 404


@pytest.mark.django_db
def test_a_customer_who_joins_the_team_loses_the_passkeys_of_a_customer(minji, editor, approver):
    passkey_of(minji)
    grant = RightsGrant.objects.create(user=minji, is_staff=True, asked_by=editor)
    User.objects.filter(pk=approver.pk).update(is_superuser=True)
    assert grant.confirm(User.objects.get(pk=approver.pk))
    assert not Authenticator.objects.exists()
    assert User.objects.get(pk=minji.pk).is_staff


@pytest.mark.django_db
def test_the_sign_in_page_says_nothing_about_an_address(client, minji):
    before = client.get(SIGN_IN).context["js_data"]["request_options"]["publicKey"]
    passkey_of(minji)
    ask_for_code(client, minji.email)
    after = client.get(SIGN_IN).context["js_data"]["request_options"]["publicKey"]
    assert not before.get("allowCredentials")
    assert not after.get("allowCredentials")
    assert after["userVerification"] == "required"


HOST = "localhost"  # the only one for which browsers and the library take http
OWN = f"http://{HOST}"
FLAG = AuthenticatorData.FLAG


class SoftKey:
    """A key as a browser holds it, which says what a test wants."""

    def __init__(self) -> None:
        self.key, self.id = ec.generate_private_key(ec.SECP256R1()), secrets.token_bytes(16)
        self.counter = 0

    def made(self, challenge: bytes, **lies: Any) -> str:
        """Returns the browser's answer at the set-up."""
        cose = ES256.from_cryptography_key(self.key.public_key())
        attested = AttestedCredentialData.create(b"\0" * 16, self.id, cose)
        made = AttestationObject.create("none", self._data(lies, attested), {})
        asked = self._asked("webauthn.create", challenge, lies)
        return self._answer({"attestationObject": websafe_encode(made)}, asked)

    def used(self, challenge: bytes, user: User, **lies: Any) -> str:
        """Returns the browser's answer at a sign-in."""
        data, asked = self._data(lies), self._asked("webauthn.get", challenge, lies)
        signature = self.key.sign(data + asked.hash, ec.ECDSA(hashes.SHA256()))
        handle = user_pk_to_url_str(lies.get("named", user)).encode()
        parts = {
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(lies.get("signature", signature)),
            "userHandle": websafe_encode(handle),
        }
        return self._answer(parts, asked)

    def _data(self, lies: dict[str, Any], attested: bytes = b"") -> AuthenticatorData:
        host = hashlib.sha256(lies.get("rp", HOST).encode()).digest()
        flags = lies.get("flags", FLAG.UP | FLAG.UV) | (FLAG.AT if attested else 0)
        return AuthenticatorData.create(host, flags, lies.get("counter", self.counter), attested)

    def _asked(self, kind: str, challenge: bytes, lies: dict[str, Any]) -> CollectedClientData:
        return CollectedClientData.create(
            lies.get("kind", kind),
            lies.get("asked", challenge),
            lies.get("origin", OWN),
            cross_origin=lies.get("in_frame", False),
        )

    def _answer(self, parts: dict[str, str], asked: CollectedClientData) -> str:
        key, response = websafe_encode(self.id), {"clientDataJSON": websafe_encode(asked), **parts}
        return json.dumps({"id": key, "rawId": key, "type": "public-key", "response": response})


def challenge_of(client: Client, path: str) -> bytes:
    data = client.get(path).context["js_data"]
    options = data.get("creation_options") or data["request_options"]
    challenge = str(options["publicKey"]["challenge"])
    return base64.urlsafe_b64decode(challenge + "==")


def set_up(client: Client, **lies: Any) -> SoftKey:
    key = SoftKey()
    client.post(ADD, {"name": "x", "credential": key.made(challenge_of(client, ADD), **lies)})
    return key


def with_passkey(user: User, **lies: Any) -> SoftKey:
    """Signs the user in with a code in a new browser, and sets a passkey up."""
    client = Client(HTTP_HOST=HOST)
    sign_in(client, str(user.email))
    return set_up(client, **lies)


@pytest.mark.django_db(transaction=True)
def test_browsers_that_add_a_passkey_at_the_same_moment_do_not_exceed_the_most(minji):
    other_browser = Client(HTTP_HOST=HOST)
    sign_in(other_browser, minji.email)
    answer = SoftKey().made(challenge_of(other_browser, ADD))
    for _number in range(MOST_PASSKEYS - 1):
        passkey_of(minji)
    with ThreadPoolExecutor(1) as threads, transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=minji.pk)
        passkey_of(minji)
        pressed = threads.submit(press, other_browser, answer)
        while not pressed.done() and not a_lock_is_waited_for():
            time.sleep(0.05)
    assert pressed.result() == 302
    assert Authenticator.objects.filter(user=minji).count() == MOST_PASSKEYS


@pytest.mark.django_db(transaction=True)
def test_a_browser_adds_no_passkey_to_an_account_that_joins_the_team_at_the_same_moment(minji):
    other_browser = Client(HTTP_HOST=HOST)
    sign_in(other_browser, minji.email)
    answer = SoftKey().made(challenge_of(other_browser, ADD))
    with ThreadPoolExecutor(1) as threads, transaction.atomic():
        User.objects.filter(pk=minji.pk).update(is_staff=True)
        pressed = threads.submit(press, other_browser, answer)
        while not pressed.done() and not a_lock_is_waited_for():
            time.sleep(0.05)
    assert pressed.result() == 302
    assert not Authenticator.objects.filter(user=minji).exists()


def press(client: Client, answer: str) -> int:
    try:
        return client.post(ADD, {"name": "x", "credential": answer}).status_code
    finally:
        connection.close()


def is_let_in(client: Client, answer: str) -> bool:
    client.post(SIGN_IN, {"credential": answer})
    return "_auth_user_id" in client.session


LIES: list[dict[str, Any]] = [
    *(
        {"origin": f"{scheme}localhost{port}"}
        for scheme, port in (("http://", ":9"), ("http://x.", ""))
    ),
    *({"origin": origin} for origin in ("https://evil.example", "https://localhost.evil.example")),
    *({"origin": origin} for origin in ("null", "", "http://localhost@evil.example", "localhost")),
    *({"rp": "evil.example"}, {"rp": "x.localhost"}, {"kind": "payment.get"}, {"in_frame": True}),
    *({"flags": 0}, {"flags": FLAG.UV}, {"flags": FLAG.UP}, {"asked": b"x" * 32}),
]


@pytest.mark.django_db
def test_a_passkey_that_was_made_with_a_lie_is_not_stored(minji):
    client = Client(HTTP_HOST=HOST)
    sign_in(client, minji.email)
    for lie in [*LIES, {"kind": "webauthn.get"}]:
        set_up(client, **lie)
        assert not Authenticator.objects.exists(), lie
    set_up(client)
    assert Authenticator.objects.count() == 1


@pytest.mark.django_db
def test_an_answer_with_a_lie_signs_no_one_in(minji, seojun):
    key, client = with_passkey(minji), Client(HTTP_HOST=HOST)
    lies = [*LIES, {"kind": "webauthn.create"}, {"named": seojun}, {"signature": b"x"}]
    for lie in lies:
        assert not is_let_in(client, key.used(challenge_of(client, SIGN_IN), minji, **lie)), lie
    assert is_let_in(client, key.used(challenge_of(client, SIGN_IN), minji))


@pytest.mark.django_db
def test_an_answer_works_once_and_in_its_browser_only(minji):
    key, client, other = with_passkey(minji), Client(HTTP_HOST=HOST), Client(HTTP_HOST=HOST)
    answer = key.used(challenge_of(client, SIGN_IN), minji)
    assert not is_let_in(Client(HTTP_HOST=HOST), answer)
    challenge_of(other, SIGN_IN)
    assert not is_let_in(other, answer)
    assert is_let_in(client, answer)
    client.logout()
    assert not is_let_in(client, answer)
    stepped_up = key.used(challenge_of(other, SIGN_IN), minji)
    sign_in(client, minji.email)
    client.get(STEP_UP)
    client.post(STEP_UP, {"credential": stepped_up})
    assert str(Proof.STEP_UP_CODE) not in str(client.session["accounts_proofs"])


@pytest.mark.django_db
def test_a_counter_that_does_not_rise_is_of_a_copy(minji):
    key, client = with_passkey(minji, counter=5), Client(HTTP_HOST=HOST)
    let_in = []
    for counter in (4, 5, 0, 6, 6, 5, 0, 7):
        if is_let_in(client, key.used(challenge_of(client, SIGN_IN), minji, counter=counter)):
            let_in.append(counter)
            client.logout()
    assert let_in == [6, 7]


@pytest.mark.django_db
def test_a_key_that_is_written_into_the_row_of_another_opens_nothing(minji, seojun):
    own, thief = with_passkey(seojun), Authenticator.objects.get(user=seojun)
    with_passkey(minji)
    row = Authenticator.objects.get(user=minji)
    row.data["credential"]["response"] = thief.data["credential"]["response"]
    for name in ([], ["id", "rawId"]):
        row.data["credential"] |= {each: thief.data["credential"][each] for each in name}
        row.save()
        client = Client(HTTP_HOST=HOST)
        assert not is_let_in(client, own.used(challenge_of(client, SIGN_IN), minji))


def hostile_answers() -> list[str]:
    """Returns answers that are long to read, and what neither JSON nor the database takes."""
    data = hashlib.sha256(HOST.encode()).digest() + bytes([FLAG.UP | FLAG.UV | FLAG.ED]) + bytes(4)
    many, deep = b"\x9a\x00\x0d\x00\x00" + bytes(900_000), b"\x81" * 3_000
    asked = websafe_encode(CollectedClientData.create("webauthn.get", b"x", OWN))
    found = ["[" * 2_000, "9" * 5_000, '{"a":' * 1_000, '"\\ud800"', "NaN", "x" * 100_000]
    for extensions in (many, deep, b"", b"\x1b", b"\xff", b"\x7a\xff\xff\xff\xff"):
        parts = {
            "clientDataJSON": asked,
            "signature": "AA",
            "userHandle": "MQ",
            "authenticatorData": websafe_encode(data + extensions),
            "attestationObject": websafe_encode(extensions),
        }
        found.append(
            json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": parts})
        )
    return found


@pytest.mark.django_db
@pytest.mark.parametrize("path", [SIGN_IN, STEP_UP, ADD])
def test_no_answer_makes_the_page_fail_or_takes_long(minji, path):
    client = Client(HTTP_HOST=HOST)
    if path != SIGN_IN:
        sign_in(client, minji.email)
    began = time.thread_time()
    for answer in hostile_answers():
        client.get(path)
        assert client.post(path, {"name": "x", "credential": answer}).status_code == 200
    assert time.thread_time() - began < 5


@pytest.mark.django_db
def test_only_the_key_is_stored_of_what_a_browser_sends(minji):
    client, key = Client(HTTP_HOST=HOST), SoftKey()
    sign_in(client, minji.email)
    sent = json.loads(key.made(challenge_of(client, ADD)))
    sent |= {"clientExtensionResults": {"a": "\0"}, "bound_to_user": "x", "more": ["\ud800"]}
    sent["response"] |= {"transports": ["\0"], "more": float("nan")}
    client.post(ADD, {"name": "x", "credential": json.dumps(sent)})
    stored = Authenticator.objects.get().data["credential"]
    own = {"id", "rawId", "type", "response", "clientExtensionResults", "bound_to_user", "counter"}
    assert set(stored) == own
    assert stored["clientExtensionResults"] == {}
    assert set(stored["response"]) == {"clientDataJSON", "attestationObject"}
    other = Client(HTTP_HOST=HOST)
    assert is_let_in(other, key.used(challenge_of(other, SIGN_IN), minji))
