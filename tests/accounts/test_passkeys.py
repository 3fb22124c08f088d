"""Passkeys as the second factor: a real Chromium with a virtual key, and what no browser sends."""

import json

import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page, expect

from accounts.models import AuditEntry, User
from harness.sign_in import give_app, newest_code, sign_in
from tests import browser
from tests.accounts.test_team_accounts_browser import check, new_browser
from tests.desk_pages import desk_url
from tests.incidents.test_incident_page_browser import of_live_server  # noqa: F401

BUTTON = "#passkey-button"


def add_virtual_key(page: Page) -> None:
    """Gives the browser a key that confirms each request, as a person's touch does."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def enter_mail_code(page: Page, url: str, user: User) -> None:
    page.goto(f"{url}?next=/admin/")
    page.locator("input[name=email]").fill(user.contact)
    page.locator("main form button").first.click()
    page.locator("input[name=code]").wait_for()
    page.locator("input[name=code]").fill(newest_code())
    page.locator("main form button").first.click()


@pytest.mark.usefixtures("of_live_server")
@pytest.mark.parametrize(("language", "width"), [("ko", 390), ("en", 1280)])
def test_a_passkey_opens_the_desk_and_no_copy_of_it_does(
    live_server, editor, approver, language, width
):
    sign_in_page = f"{live_server.url}/{language}/account/sign-in/"
    with browser.chromium() as chromium, new_browser(chromium, language, width) as page:
        add_virtual_key(page)
        enter_mail_code(page, sign_in_page, editor)
        page.locator(f"a[href='/{language}/account/mfa/passkeys/set-up/']").click()
        check(page, "passkey-set-up", language, "main")
        page.locator(BUTTON).click()
        expect(page.locator("code.whole")).to_have_count(10)
        page.locator("main .actions a").first.click()
        page.wait_for_url("**" + desk_url("index"))
        page.goto(f"{live_server.url}/{language}/account/mfa/passkeys/")
        check(page, "passkeys", language, "main")
        page.goto(f"{live_server.url}/{language}/account/mfa/passkeys/confirm/")
        check(page, "passkey-confirm", language, "main")
        page.locator(BUTTON).click()
        page.wait_for_url(lambda url: "passkeys/confirm" not in url)

        page.context.clear_cookies()
        enter_mail_code(page, sign_in_page, editor)
        check(page, "passkey-second-step", language, "main")
        page.locator(BUTTON).click()
        page.wait_for_url("**" + desk_url("index"))

        page.context.clear_cookies()
        row = Authenticator.objects.get(type="webauthn")
        Authenticator.objects.create(user=approver, type="webauthn", data=row.data)
        row.delete()
        enter_mail_code(page, sign_in_page, approver)
        page.locator(BUTTON).click()
        expect(page.locator("main .error[role=alert]:not([hidden])")).to_be_visible()
        page.goto(live_server.url + desk_url("index"))
        page.wait_for_url(f"{sign_in_page}**")


@pytest.mark.usefixtures("of_live_server")
def test_a_browser_without_a_key_says_so(live_server, editor):
    with browser.chromium() as chromium, new_browser(chromium, "en", 390) as page:
        enter_mail_code(page, f"{live_server.url}/en/account/sign-in/", editor)
        page.goto(f"{live_server.url}/en/account/mfa/passkeys/set-up/")
        refuse = "navigator.credentials.create = () => Promise.reject(new DOMException('no'))"
        page.evaluate(f"() => {{ {refuse} }}")
        page.locator(BUTTON).click()
        expect(page.locator("[data-passkey-error]")).to_be_visible()
        assert not Authenticator.objects.exists()


LIKE_A_CREDENTIAL = {
    "id": "AAAA",
    "rawId": "AAAA",
    "type": "public-key",
    "response": {"clientDataJSON": "e30", "attestationObject": "oA"},
}
MALFORMED = [
    "", "{}", "[]", "1", '"x"', "null", "{", "[[]]", '{"id": 1}', '{"id": "A", "response": []}',
    json.dumps(LIKE_A_CREDENTIAL),
    json.dumps(LIKE_A_CREDENTIAL | {"response": {}}),
    json.dumps(LIKE_A_CREDENTIAL | {"response": None}),
    json.dumps(LIKE_A_CREDENTIAL | {"id": None, "rawId": None}),
    json.dumps(LIKE_A_CREDENTIAL | {"response": {"clientDataJSON": "%", "attestationObject": "%"}}),
    json.dumps({**LIKE_A_CREDENTIAL, "response": {
        "clientDataJSON": "e30", "authenticatorData": "AA", "signature": "AA"}}),
]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("credential", MALFORMED)
def test_a_response_that_no_browser_made_sets_nothing_up(client, editor, credential):
    sign_in(client, editor.email)
    client.get(reverse("mfa_add_webauthn"))
    answer = client.post(reverse("mfa_add_webauthn"), {"name": "x", "credential": credential})
    assert answer.status_code == 200
    assert not Authenticator.objects.exists()
    assert client.get(desk_url("index")).status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize("credential", MALFORMED)
def test_a_response_that_no_browser_made_signs_no_one_in(client, editor, credential):
    give_app(editor)
    sign_in(client, editor.email)
    client.get(reverse("mfa_authenticate"))
    answer = client.post(reverse("mfa_authenticate"), {"credential": credential})
    assert answer.status_code == 200
    assert "_auth_user_id" not in client.session


@pytest.mark.django_db
def test_responses_of_any_shape_are_refused_in_words(client, editor):
    sign_in(client, editor.email)
    client.get(reverse("mfa_add_webauthn"))
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["id", "rawId", "type", "response", "clientDataJSON", "x"]), inner
            )
        ),
        max_leaves=8,
    )

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(values)
    def refused(value):
        posted = {"credential": json.dumps(value)}
        assert client.post(reverse("mfa_add_webauthn"), posted).status_code == 200

    refused()
    assert not Authenticator.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["mfa_list_webauthn", "mfa_add_webauthn", "mfa_reauthenticate_webauthn"]
)
def test_customers_have_no_passkeys(client, minji, name):
    sign_in(client, minji.email)
    assert client.get(reverse(name)).status_code == 404


@pytest.mark.django_db
def test_a_second_factor_is_needed_before_another_passkey_is_made(client, editor):
    give_app(editor)
    client.force_login(editor)
    answer = client.get(reverse("mfa_add_webauthn"))
    assert answer.status_code == 302
    sign_in_code_only = reverse("mfa_add_webauthn")
    assert client.post(sign_in_code_only, {"credential": "{}"}).status_code == 302
    assert not Authenticator.objects.filter(type="webauthn").exists()


@pytest.mark.django_db
def test_removing_a_passkey_is_recorded_and_of_its_owner_only(client, editor, approver):
    row = Authenticator.objects.create(
        user=approver, type="webauthn", data={"name": "x", "credential": {}}
    )
    sign_in(client, editor.email)
    assert client.post(reverse("mfa_remove_webauthn", args=[row.pk])).status_code in (302, 404)
    assert Authenticator.objects.filter(pk=row.pk).exists()
    entry = AuditEntry.objects.filter(object_type="mfa_authenticator").first()
    assert entry is not None
    assert entry.details["data"] == "changed"
