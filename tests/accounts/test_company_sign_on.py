"""Sign-in with the company's provider, which runs beside the tests as a process of its own."""

import contextlib
import gzip
import json
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from itertools import cycle
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.core import mail
from django.test import Client
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.translation import override

from accounts import new_devices
from accounts.company_sign_on import connections, exchanges, providers
from accounts.company_sign_on.identities import CompanyIdentity
from accounts.models import AuditEntry, Invitation, User
from accounts.new_device import NewDevice
from breachportal.demo import app_codes
from foundations import page_parts
from harness.sign_in import give_app, sign_in, sign_in_to_desk
from tests.local_server import LocalServer
from tests.oidc_provider import CLIENT, SECRET, provider

pytestmark = pytest.mark.django_db
PORTAL = "http://testserver"
FACTOR_PAGE = reverse_lazy("mfa_authenticate")
SECRET_OF_APP = app_codes.new_secret()


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    uris = [f"{PORTAL}/sign-on/{each}/callback/" for each in ("staff", "customers")]
    with provider(tmp_path_factory.mktemp("provider"), uris) as address:
        yield address


@pytest.fixture(autouse=True)
def sign_on(settings, issuer):
    """Sets the provider up for both, and returns its settings."""
    providers._kept.cache_clear()
    values = {
        "issuer": issuer,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "name": "Example ID",
        "may_be_local": True,
    }
    settings.PORTAL_URL = PORTAL
    settings.COMPANY_SIGN_ON = {"staff": dict(values), "customers": dict(values)}
    page_parts.forget()  # the sign-in page without the button
    yield settings.COMPANY_SIGN_ON
    page_parts.forget()


@pytest.fixture
def member(db) -> User:
    """A member of the team with an authenticator app."""
    user = User.objects.create_user("member@example.com", is_staff=True)
    give_app(user, SECRET_OF_APP)
    return user


def go_to_provider(client: Client, audience: str, **query: str) -> str:
    response = client.get(reverse("company_sign_on", args=[audience]), query)
    assert response.status_code == 302, response.content.decode()
    return response["Location"]


def callback_after(address: str, name: str) -> str:
    """Signs `name` in at the provider. Returns the address to which it sends the browser."""
    with httpx.Client(follow_redirects=False) as browser:
        page = browser.get(address)
        issuer = f"{urlsplit(address).scheme}://{urlsplit(address).netloc}"
        following = parse_qs(urlsplit(page.headers["location"]).query)["next"][0]
        browser.get(f"{issuer}/sign-in/", params={"next": following, "as": name})
        return browser.get(f"{issuer}{following}").headers["location"]


def signed_on(client: Client, audience: str, name: str, **query: str):
    address = go_to_provider(client, audience, **query)
    return client.get(callback_after(address, name).removeprefix(PORTAL))


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def refused(response) -> bool:
    is_page = "accounts/company_sign_on_refused.html" in [each.name for each in response.templates]
    return response.status_code == 403 and is_page


def confirm(client: Client):
    """Presses "Connect and sign in" at the first use."""
    return client.post(reverse("company_sign_on_connect"))


def give_code(client: Client):
    """Gives the second factor, and follows to the page that connects the account."""
    fields = {"code": app_codes.code_at(SECRET_OF_APP, time.time())}
    answer = client.post(FACTOR_PAGE, fields)
    return client.get(answer["Location"])


def connect(client: Client):
    """Confirms the first use and gives the second factor."""
    confirm(client)
    return give_code(client)


def test_a_customer_signs_in_with_a_confirmed_address_and_nothing_is_kept(client):
    response = signed_on(client, "customers", "customer")
    assert response["Location"] == reverse("my_data")
    user = User.objects.get(email="customer@example.com")
    assert client.session["_auth_user_id"] == str(user.pk)
    assert not CompanyIdentity.objects.exists()
    kept = str(dict(client.session.items()))
    assert "eyJ" not in kept
    assert "accounts_proofs" not in client.session


@pytest.mark.parametrize("mark", ["unverified", "text", "no-flag"])
@pytest.mark.parametrize("audience", ["staff", "customers"])
def test_an_address_that_is_not_confirmed_proves_nothing(client, member, audience, mark):
    assert refused(signed_on(client, audience, f"member+{mark}"))
    assert not is_signed_in(client)


def test_a_sign_in_on_a_new_device_is_recorded_and_mailed_once(client):
    signed_on(client, "customers", "customer")  # the first of all
    signed_on(client, "customers", "customer")  # the same browser
    assert not NewDevice.objects.exists()
    signed_on(Client(), "customers", "customer")
    assert NewDevice.objects.get().user == User.objects.get(email="customer@example.com")
    new_devices.send_due()
    assert [one.to for one in mail.outbox] == [["customer@example.com"]]


FORGED = [
    "nonce", "no-nonce", "issuer", "audience", "azp", "expired", "none", "hs256", "signature",
    "unknown-key", "no-subject",
]  # fmt: skip


@pytest.mark.parametrize("fault", FORGED)
@pytest.mark.parametrize("audience", ["staff", "customers"])
def test_a_forged_token_opens_nothing(client, audience, fault):
    User.objects.create_user(f"{fault}@example.com", is_staff=audience == "staff")
    assert refused(signed_on(client, audience, fault))
    assert not is_signed_in(client)
    assert "accounts_company_identity" not in client.session


def test_the_first_use_asks_and_later_ones_go_by_the_subject(client, member):
    response = signed_on(client, "staff", "member")
    assert response["Location"] == reverse("company_sign_on_connect")
    assert not is_signed_in(client)
    assert "Example ID" in client.get(response["Location"]).content.decode()
    assert connect(client)["Location"] == reverse("admin:index")
    assert client.session["_auth_user_id"] == str(member.pk)
    assert CompanyIdentity.objects.get().user == member

    later = Client()
    answer = signed_on(later, "staff", "member+moved")
    assert answer["Location"] == FACTOR_PAGE
    steps = AuditEntry.objects.filter(kind="sign_in", details__step="company sign-on")
    assert steps.count() == 2


def test_the_pages_of_the_team_are_in_a_language_of_the_desk(client, member, settings):
    settings.DESK_LANGUAGES = ["en"]
    signed_on(client, "staff", "member")
    with override("ko"):
        page = client.get(reverse("company_sign_on_connect"))
        second = client.get(confirm(client)["Location"])
        client.post(FACTOR_PAGE, {"code": app_codes.code_at(SECRET_OF_APP, time.time())})
        third = client.get(reverse("mfa_index"))
    assert "<h1>Connect your company account</h1>" in page.text
    assert "<h1>The second step</h1>" in second.text
    assert "<h1>Second step</h1>" in third.text


def test_nothing_is_connected_before_the_second_factor(client, member):
    signed_on(client, "staff", "member")
    assert confirm(client)["Location"] == FACTOR_PAGE
    client.post(FACTOR_PAGE, {"code": "000000"})
    client.get(reverse("company_sign_on_connect"))
    assert not CompanyIdentity.objects.exists()
    assert not is_signed_in(client)
    give_code(client)
    assert CompanyIdentity.objects.get().user == member


def test_a_factor_of_the_provider_does_not_replace_the_own_one_at_the_first_use(
    client, member, sign_on
):
    sign_on["staff"]["second_factors"] = ["mfa"]
    signed_on(client, "staff", "member+mfa")
    assert confirm(client)["Location"] == FACTOR_PAGE
    assert not CompanyIdentity.objects.exists()


def test_a_member_without_a_second_factor_sets_one_up_first(client):
    User.objects.create_user("member@example.com", is_staff=True)
    signed_on(client, "staff", "member")
    answer = client.get(confirm(client)["Location"], follow=True)
    steps = [address for address, _status in answer.redirect_chain]
    assert any(address.startswith(reverse("mfa_activate_totp")) for address in steps)
    assert not CompanyIdentity.objects.exists()


def test_another_person_who_signs_in_meanwhile_is_not_connected(client, member):
    signed_on(client, "staff", "member")
    confirm(client)
    waiting = client.session["accounts_company_identity"]
    other = User.objects.create_user("other@example.com", is_staff=True)
    sign_in_to_desk(client, other)
    session = client.session
    session["accounts_company_identity"] = waiting
    session.save()
    assert refused(client.get(reverse("company_sign_on_connect")))
    assert not CompanyIdentity.objects.exists()


def test_another_subject_with_a_connected_address_is_refused(client, member):
    signed_on(client, "staff", "member")
    connect(client)
    assert refused(signed_on(Client(), "staff", "colleague+takes+member"))
    assert AuditEntry.objects.filter(kind="refused").exists()


def test_the_same_subject_of_another_issuer_is_another_account(client, member):
    signed_on(client, "staff", "member")
    connect(client)
    stranger = User.objects.create_user("stranger@example.com", is_staff=True)
    CompanyIdentity.objects.update(user=stranger, issuer="https://other.example")
    response = signed_on(Client(), "staff", "member")
    assert response["Location"] == reverse("company_sign_on_connect")


def test_an_address_without_a_staff_account_gets_none(client):
    User.objects.create_user("customer@example.com")
    assert refused(signed_on(client, "staff", "customer"))
    assert refused(signed_on(client, "staff", "unknown-person"))
    assert not User.objects.filter(is_staff=True).exists()
    assert not User.objects.filter(email="unknown-person@example.com").exists()


def test_a_closed_account_is_not_connected(client, member):
    User.objects.filter(pk=member.pk).update(is_active=False)
    assert refused(signed_on(client, "staff", "member"))
    assert not CompanyIdentity.objects.exists()


def test_an_invited_person_gets_the_roles_and_no_further_rights(client, sign_on):
    asking, confirming = (
        User.objects.create_user(f"{name}@example.com", is_staff=True, is_superuser=True)
        for name in ("asking", "confirming")
    )
    now = timezone.now()
    Invitation.objects.create(
        email="invited@example.com",
        asked_by=asking,
        confirmed_by=confirming,
        confirmed_at=now,
        expires_at=now + timedelta(hours=1),
    )
    assert signed_on(client, "staff", "invited")["Location"] == reverse("company_sign_on_connect")
    assert not User.objects.filter(email="invited@example.com").exists()
    sign_on["staff"]["second_factors"] = ["mfa"]
    signed_on(client, "staff", "invited+mfa")
    client.get(confirm(client)["Location"])
    user = User.objects.get(email="invited@example.com")
    assert client.session["_auth_user_id"] == str(user.pk)
    assert (user.is_staff, user.is_superuser) == (True, False)
    assert Invitation.objects.get().accepted_at
    assert CompanyIdentity.objects.get().user == user


def test_a_closed_account_stays_out(client, member):
    signed_on(client, "staff", "member")
    connect(client)
    User.objects.filter(pk=member.pk).update(is_active=False)
    later = Client()
    assert refused(signed_on(later, "staff", "member"))
    assert not is_signed_in(later)
    entry = AuditEntry.objects.filter(kind="refused").latest("pk")
    assert "company sign-on" in entry.details["reason"]


def test_the_own_second_factor_remains_unless_the_setting_accepts_the_providers(
    client, member, sign_on
):
    signed_on(client, "staff", "member+mfa")
    connect(client)
    without_setting = Client()
    assert signed_on(without_setting, "staff", "member+mfa")["Location"] == FACTOR_PAGE
    assert not is_signed_in(without_setting)

    sign_on["staff"]["second_factors"] = ["mfa"]
    assert signed_on(Client(), "staff", "member")["Location"] == FACTOR_PAGE
    accepted = Client()
    assert signed_on(accepted, "staff", "member+mfa")["Location"] == reverse("admin:index")
    assert accepted.get(reverse("admin:index")).status_code == 200


@pytest.mark.parametrize("page", ["mfa_activate_totp", "mfa_add_webauthn"])
def test_a_mailbox_alone_sets_up_no_factor_of_a_connected_member(client, sign_on, page):
    member = User.objects.create_user("member@example.com", is_staff=True)
    CompanyIdentity.objects.create(user=member, issuer=sign_on["staff"]["issuer"], subject="1")
    sign_in(client, "member@example.com")
    assert client.get(reverse(page)).status_code == 200
    sign_on["staff"]["second_factors"] = ["mfa"]
    answer = client.get(reverse(page))
    assert answer.status_code == 302
    assert answer.url.startswith(reverse("company_sign_on", args=["staff"]))


def test_a_member_of_the_team_does_not_enter_as_a_customer(client, member):
    assert refused(signed_on(client, "customers", "member"))
    assert not is_signed_in(client)


def test_a_code_or_a_response_is_used_once(client):
    address = go_to_provider(client, "customers")
    callback = callback_after(address, "customer").removeprefix(PORTAL)
    assert client.get(callback).status_code == 302
    client.logout()
    assert refused(client.get(callback))

    other = Client()
    state = parse_qs(urlsplit(go_to_provider(other, "customers")).query)["state"][0]
    code = parse_qs(urlsplit(callback).query)["code"][0]
    query = {"state": state, "code": code}
    assert refused(other.get("/sign-on/customers/callback/", query))


def test_a_response_of_another_browser_is_refused(client):
    callback = callback_after(go_to_provider(client, "customers"), "customer")
    other = Client()
    assert refused(other.get(callback.removeprefix(PORTAL)))
    go_to_provider(other, "customers")
    assert refused(other.get(callback.removeprefix(PORTAL)))
    assert not is_signed_in(other)


def test_a_response_for_customers_opens_no_desk(client, member):
    callback = callback_after(go_to_provider(client, "customers"), "member")
    assert refused(client.get(callback.removeprefix(PORTAL).replace("customers", "staff")))


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_next_leads_to_no_other_site(client, target):
    response = signed_on(client, "customers", "customer", next=target)
    assert response["Location"] == reverse("my_data")


def test_a_response_with_another_issuer_is_refused(client):
    callback = callback_after(go_to_provider(client, "customers"), "customer")
    assert refused(client.get(callback.removeprefix(PORTAL) + "&iss=https%3A%2F%2Fother.example"))


def test_a_cancelled_sign_in_offers_the_code(client):
    address = go_to_provider(client, "customers", next=reverse("account"))
    state = parse_qs(urlsplit(address).query)["state"][0]
    query = {"state": state, "error": "access_denied"}
    response = client.get("/sign-on/customers/callback/", query)
    assert refused(response)
    assert reverse("account_login") in response.content.decode()


def test_a_provider_that_is_away_leaves_the_code(client, sign_on):
    sign_on["customers"]["issuer"] = "http://127.0.0.1:1"
    assert refused(client.get(reverse("company_sign_on", args=["customers"])))


def test_a_provider_that_sends_byte_by_byte_is_left(client, sign_on, monkeypatch):
    monkeypatch.setattr(providers, "SECONDS", 0.5)
    ended = threading.Event()

    class Slow(LocalServer):
        def serve(self, request: BaseHTTPRequestHandler, _body: bytes) -> None:
            request.send_response(200)
            request.end_headers()
            with contextlib.suppress(OSError):
                while not ended.wait(0.05):
                    request.wfile.write(b" ")

    with Slow() as server:
        sign_on["customers"]["issuer"] = server.url
        began = time.monotonic()
        assert refused(client.get(reverse("company_sign_on", args=["customers"])))
        assert time.monotonic() - began < 60
        ended.set()


class Hanging(LocalServer):
    """A server that takes requests and answers none until `ended` is set."""

    ended = threading.Event()

    def serve(self, _request: BaseHTTPRequestHandler, _body: bytes) -> None:
        self.ended.wait(60)


@pytest.fixture
def hanging(sign_on, monkeypatch):
    places = threading.BoundedSemaphore(exchanges.MOST_AT_ONCE)
    monkeypatch.setattr(exchanges, "_places", places)
    Hanging.ended.clear()
    with Hanging() as server:
        sign_on["customers"]["issuer"] = server.url
        yield server
        Hanging.ended.set()
        for _each in range(exchanges.MOST_AT_ONCE):
            assert places.acquire(timeout=30)  # each thread gives its place back to this semaphore


def test_a_provider_that_hangs_holds_few_threads_and_leaves_the_code(client, hanging, monkeypatch):
    monkeypatch.setattr(exchanges, "SECONDS", 1.0)
    page = reverse("company_sign_on", args=["customers"])
    for _each in range(exchanges.MOST_AT_ONCE):
        answer = client.get(page)
        assert refused(answer)
        assert reverse("account_login") in answer.content.decode()
    began = time.monotonic()
    assert refused(client.get(page))
    assert time.monotonic() - began < 1.0  # no place is free: it does not wait


def test_the_time_of_all_answers_of_one_step_is_bounded(client, hanging, monkeypatch):
    monkeypatch.setattr(exchanges, "SECONDS", 0.5)
    began = time.monotonic()
    assert refused(client.get(reverse("company_sign_on", args=["customers"])))
    assert time.monotonic() - began < 4.0


def few(settings, **rates: str) -> None:
    settings.PROOF_RATES = {**settings.PROOF_RATES, "company_sign_on": "2/m/ip", **rates}


@pytest.mark.parametrize("page", ["company_sign_on", "company_sign_on_callback"])
def test_networks_above_the_limit_share_a_budget(settings, sign_on, page):
    few(settings, company_sign_on_in_crowd="1/m/key")
    address = reverse(page, args=["customers"])
    answers = [Client().get(address) for _each in range(4)]
    assert [one.status_code == 429 for one in answers] == [False] * 3 + [True]
    assert 1 <= int(answers[3]["Retry-After"]) <= 60
    words = answers[3].content.decode()
    assert reverse("account_login") in words  # the way on
    elsewhere = Client(REMOTE_ADDR="198.51.100.9")
    assert elsewhere.get(address).status_code != 429


def test_a_browser_that_signed_in_before_is_not_refused_because_of_its_network(
    client, settings, sign_on
):
    signed_on(client, "customers", "minji")
    client.post(reverse("account_logout"))
    few(settings, company_sign_on_in_crowd="0/m/key", company_sign_on_known="2/m/key")
    page = reverse("company_sign_on", args=["customers"])
    assert [Client().get(page).status_code for _each in range(3)][-1] == 429
    assert [client.get(page).status_code for _each in range(3)] == [302, 302, 429]


def test_who_began_a_sign_in_ends_it_whatever_others_do(client, settings, sign_on):
    few(settings, company_sign_on="1/m/ip", company_sign_on_in_crowd="0/m/key")
    signed_on(client, "customers", "minji")
    assert client.get(reverse("account")).status_code == 200
    assert Client().get(reverse("company_sign_on", args=["customers"])).status_code == 429


def superuser_at_desk() -> Client:
    chief = User.objects.create_user("chief@example.com", is_staff=True, is_superuser=True)
    desk = Client()
    sign_in_to_desk(desk, chief)
    return desk


def test_a_superuser_removes_a_connection(client, member, sign_on):
    User.objects.filter(pk=member.pk).update(language="en")  # of the mails
    signed_on(client, "staff", "member")
    connect(client)
    connections.send_due()
    assert "opens the response desk as you" in mail.outbox[-1].body
    identity = CompanyIdentity.objects.get()
    desk = superuser_at_desk()
    assert member.email in desk.get("/admin/accounts/companyidentity/").content.decode()
    page = f"/admin/accounts/companyidentity/{identity.pk}/"
    assert f"{page}remove/" in desk.get(f"{page}change/").content.decode()
    desk.post(f"{page}remove/")
    assert client.get(reverse("admin:index")).status_code == 200  # it takes a reason
    desk.post(f"{page}remove/", {"reason": "A stolen laptop"})
    assert client.get(reverse("admin:index")).status_code == 302  # signed out

    connections.send_due()
    removal = mail.outbox[-1]
    assert (removal.to, sign_on["staff"]["issuer"] in removal.body) == ([member.email], True)
    assert "removed the connection" in removal.body
    sent = len(mail.outbox)
    connections.send_due()
    assert len(mail.outbox) == sent

    assert refused(signed_on(Client(), "staff", "member"))
    assert refused(signed_on(Client(), "staff", "colleague+takes+member"))
    entry = AuditEntry.objects.get(object_type="accounts_companyidentity", kind="changed")
    assert entry.details["removed_at"][0] is None
    assert desk.post(f"{page}remove/", follow=True).status_code == 200
    assert f"{page}remove/" not in desk.get(f"{page}change/").content.decode()

    assert f"{page}allow/" in desk.get(f"{page}change/").content.decode()
    desk.post(f"{page}allow/")
    again = signed_on(Client(), "staff", "member")["Location"]
    assert again.endswith("/sign-in/company/connect/")
    assert f"{page}allow/" not in desk.get(f"{page}change/").content.decode()
    assert desk.post(f"{page}allow/", follow=True).status_code == 200


@pytest.mark.parametrize("page", ["mfa_activate_totp", "mfa_add_webauthn"])
def test_a_removal_opens_nothing_to_the_provider_or_the_mailbox(client, sign_on, page):
    sign_on["staff"]["second_factors"] = ["mfa"]
    User.objects.create_user("member@example.com", is_staff=True)
    signed_on(client, "staff", "member+mfa")
    client.get(confirm(client)["Location"])
    identity = CompanyIdentity.objects.get()
    superuser_at_desk().post(
        f"/admin/accounts/companyidentity/{identity.pk}/remove/", {"reason": "x"}
    )
    later = Client()
    assert refused(signed_on(later, "staff", "member+mfa"))
    assert not is_signed_in(later)
    sign_in(later, "member@example.com")
    assert later.get(reverse(page)).status_code == 302


def test_a_first_use_that_was_begun_before_the_removal_opens_nothing(client, sign_on):
    sign_on["staff"]["second_factors"] = ["mfa"]
    User.objects.create_user("member@example.com", is_staff=True)
    asked, confirmed = Client(), Client()
    for browser in (client, asked, confirmed):
        signed_on(browser, "staff", "member+mfa")
    confirm(confirmed)  # signed in by the provider's factor, and not connected yet
    client.get(confirm(client)["Location"])
    assert refused(confirm(asked))  # another browser connected it
    assert not is_signed_in(asked)
    assert refused(confirmed.get(reverse("company_sign_on_connect")))
    assert not is_signed_in(confirmed)


def test_only_a_superuser_removes_a_connection(member, sign_on):
    issuer = sign_on["staff"]["issuer"]
    identity = CompanyIdentity.objects.create(user=member, issuer=issuer, subject="1")
    desk = Client()
    sign_in_to_desk(desk, member)
    page = f"/admin/accounts/companyidentity/{identity.pk}/"
    assert desk.post(f"{page}remove/").status_code == 403
    assert desk.post(f"{page}allow/").status_code == 403
    for address in (f"{page}change/", "/admin/accounts/companyidentity/"):
        assert desk.post(address, {"action": "delete_selected"}).status_code == 403
    identity.refresh_from_db()
    assert identity.removed_at is None


@pytest.mark.parametrize("body", [b"[]", b"{", b"[" * 100_000, b"x" * 300_000, b'{"issuer": "x"}'])
def test_a_discovery_document_that_is_none_is_refused(client, sign_on, body):
    class Odd(LocalServer):
        def serve(self, request: BaseHTTPRequestHandler, _body: bytes) -> None:
            request.send_response(200)
            request.end_headers()
            with contextlib.suppress(OSError):
                request.wfile.write(body)

    with Odd() as server:
        sign_on["customers"]["issuer"] = server.url
        assert refused(client.get(reverse("company_sign_on", args=["customers"])))


def test_without_settings_there_is_no_page_and_no_button(client, settings):
    settings.COMPANY_SIGN_ON = {"staff": None, "customers": None}
    assert client.get(reverse("company_sign_on", args=["staff"])).status_code == 404
    assert client.get("/sign-on/customers/callback/").status_code == 404
    page = client.get(reverse("account_login") + "?next=/admin/").content.decode()
    assert "sign-in/company" not in page


def test_only_who_comes_from_the_desk_sees_the_providers_of_the_team(client, sign_on):
    sign_on["staff"]["name"] = "Team ID"
    page = client.get(reverse("account_login") + "?next=/admin/").content.decode()
    assert "Team ID" in page
    assert "Team ID" not in client.get(reverse("account_login")).content.decode()


class LyingProvider(LocalServer):
    """A provider whose claims, keys and answers a test chooses. It takes each code."""

    def __init__(self) -> None:
        self.key, self.kid = ec.generate_private_key(ec.SECP256R1()), "first"
        self.claims: dict[str, object] = {}  # in place of those of a right token
        self.nonce = self.userinfo = ""
        self.further_keys: list[object] = []
        self.answers: dict[str, bytes] = {}  # in place of right ones, by path
        self.headers: dict[str, str] = {}
        self.asked: list[str] = []

    def serve(self, request: BaseHTTPRequestHandler, _body: bytes) -> None:
        self.asked.append(request.path)
        request.send_response(200)
        for name, value in self.headers.items():
            request.send_header(name, value)
        request.end_headers()
        with contextlib.suppress(OSError):
            request.wfile.write(self.answers.get(request.path) or self.right(request.path))

    def right(self, path: str) -> bytes:
        if path == "/.well-known/openid-configuration":
            names = {"authorization_endpoint": "go", "token_endpoint": "token", "jwks_uri": "keys"}
            addresses = {name: f"{self.url}/{path}" for name, path in names.items()}
            return json.dumps({"issuer": self.url, **addresses}).encode()
        if path == "/keys":
            own = jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
            return json.dumps({"keys": [*self.further_keys, {**own, "kid": self.kid}]}).encode()
        return json.dumps({"id_token": self.token(), "access_token": "x"}).encode()

    def token(self) -> str:
        now = int(time.time())
        right = {
            "iss": self.url,
            "sub": "1",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 60,
            "nonce": self.nonce,
            "email": "member@example.com",
            "email_verified": True,
        }
        claims = json.dumps({**right, **self.claims}).encode()
        return jwt.PyJWS().encode(claims, self.key, "ES256", headers={"kid": self.kid})


@pytest.fixture
def liar(sign_on):
    with LyingProvider() as server:
        for values in sign_on.values():
            values["issuer"] = server.url
        yield server


def sign_on_at(liar: LyingProvider, client: Client, audience: str):
    query = parse_qs(urlsplit(go_to_provider(client, audience)).query)
    liar.nonce = query["nonce"][0]
    state = {"state": query["state"][0], "code": "any"}
    return client.get(reverse("company_sign_on_callback", args=[audience]), state)


_INF, _NAN = float("inf"), float("nan")
ODD_CLAIMS: dict[str, list[object]] = {
    "sub": ["a\0", "\ud800", "é", 1, [], "", "x" * 256],
    "email": [["member@example.com"], {"a": 1}, 1, None, "a\0@example.com"],
    "exp": [_INF, _NAN, "x", None, [], -1],
    "iat": [_INF, "x", None, {}],
    "nbf": [_INF, _NAN, "x", {}],
    "aud": [[], {}, None, "", [1], ["other"]],
    "iss": [[], {}, None, "", "http://127.0.0.1"],
    "nonce": [[], {}, None, "", 1],
    "azp": [[CLIENT], {}, 1, ""],
    "email_verified": ["yes", 2, [True], {}, None, "1 ", ""],
}
NO_CLAIMS = [{name: value} for name, values in ODD_CLAIMS.items() for value in values]


def test_claims_that_are_none_open_nothing(client, member, liar):
    let_in = []
    for claims, audience in zip(NO_CLAIMS, cycle(["staff", "customers"]), strict=False):
        liar.claims = claims
        if not refused(sign_on_at(liar, client, audience)) or is_signed_in(client):
            let_in.append(claims)
    assert let_in == []


@pytest.mark.parametrize("audience", ["staff", "customers"])
def test_an_address_that_only_looks_like_another_proves_nothing(client, member, liar, audience):
    for email in ("ｍember@example.com", "mem\u200bber@example.com", "ⓜember@example.com"):
        liar.claims = {"email": email}
        assert refused(sign_on_at(liar, client, audience))
        assert not is_signed_in(client)


@pytest.mark.parametrize("name", ["a\0b", "\ud800", {"a": 1}, "x" * 500])
def test_a_name_that_cannot_be_shown_stops_no_sign_in(client, liar, name):
    boss = User.objects.create_user("boss@example.com", is_staff=True, is_superuser=True)
    other = User.objects.create_user("other@example.com", is_staff=True, is_superuser=True)
    now = timezone.now()
    Invitation.objects.create(
        email="member@example.com",
        asked_by=boss,
        confirmed_by=other,
        confirmed_at=now,
        expires_at=now + timedelta(hours=1),
    )
    liar.claims = {"name": name}
    sign_on_at(liar, client, "staff")
    assert confirm(client).status_code == 302
    assert User.objects.get(email="member@example.com").name in ("member@example.com", "x" * 80)


ODD_KEYS = [
    *({"kty": []}, {"kty": "EC", "crv": "P-256", "x": 1, "y": 2}, {"kty": "EC", "alg": {}}),
    *({"kty": "RSA", "n": 1, "e": []}, {"kty": "RSA", "n": "\ud800"}, {"kty": "oct", "k": 1}),
]


def test_a_key_that_is_none_makes_no_page_fail(client, liar):
    failed = []
    for key in ODD_KEYS:
        providers._kept.cache_clear()
        liar.further_keys = [key]
        if sign_on_at(liar, client, "customers").status_code not in (302, 403):
            failed.append(key)
    assert failed == []


TOKEN_ANSWERS = [
    *(b"[]", b"{", b"{}", b"[" * 50_000, b"9" * 5_000, b"x" * 300_000, b'"\\ud800"', b"\xff"),
    *(b'{"id_token": 1}', b'{"id_token": ""}', b'{"id_token": "a.b.c"}', b'{"id_token": "..."}'),
    b'{"id_token": "e30.e30.e30"}',
    *(
        b'{"id_token": "' + head + b'.e30."}'
        for head in (b"W10", b"eyJhbGciOltdfQ", b"eyJhbGciOnt9fQ")
    ),
    b'{"id_token": "\\ud800.e30."}',
    b'{"id_token": "' + b"W1tbW1tb" * 12_000 + b'.e30."}',
]


def test_a_token_that_is_none_opens_nothing(client, liar):
    let_in = []
    for answer in TOKEN_ANSWERS:
        liar.answers = {"/token": answer}
        if not refused(sign_on_at(liar, client, "customers")):
            let_in.append(answer[:40])
    assert let_in == []


def test_the_keys_of_the_provider_may_change(client, liar):
    assert sign_on_at(liar, client, "customers").status_code == 302
    liar.key, liar.kid = ec.generate_private_key(ec.SECP256R1()), "second"
    client.logout()
    assert sign_on_at(liar, client, "customers").status_code == 302
    assert is_signed_in(client)
    assert liar.asked.count("/keys") == 2


def test_an_answer_that_unpacks_to_more_is_not_unpacked(client, liar):
    liar.answers = {"/token": gzip.compress(b" " * 20_000_000 + liar.right("/token"))}
    liar.headers = {"Content-Encoding": "gzip"}
    address = liar.right("/.well-known/openid-configuration")
    liar.answers["/.well-known/openid-configuration"] = gzip.compress(address)
    assert refused(client.get(reverse("company_sign_on", args=["customers"])))


def test_production_asks_no_address_without_https(client, liar, sign_on):
    sign_on["customers"]["may_be_local"] = False
    assert refused(client.get(reverse("company_sign_on", args=["customers"])))
