"""Each journey of docs/journeys.md, walked by its person in a real Chromium, on real parts.

`make screenshots` keeps a picture of each page that a walk checks. The taps are those of
docs/journeys.md.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest
from django.db import connections
from playwright.sync_api import Browser, expect

from accounts.mail_codes import MailKind, account_mail_code
from accounts.models import User
from foundations import page_parts
from harness.exposure_factory import expose, file_of, person, withdraw
from harness.sign_in import newest_code, sign_in
from incidents.models import AffectedPerson, ExposureFile, Incident
from notices import decisions
from notices.models import AlertSubscription
from statements.models import StatementVersion
from tests import browser
from tests.carriers import SolapiServer
from tests.my_data.journeys import DESKTOP, PHONE, Walk, walk
from tests.notice_factory import draft_notice, work
from tests.offer_factory import codes, offer_of
from tests.oidc_provider import CLIENT, SECRET, provider
from tests.smtp_server import SmtpServer
from tests.text_sign_in import newest_text_code

pytest_plugins = ["tests.text_sign_in"]
NOTE = Path(__file__).parents[2] / "docs" / "journeys.md"
HOME = "서울특별시 강남구 테헤란로 558, 101동 1203호"
WORK = "경기도 성남시 분당구 판교역로 235"
PARENTS = "부산광역시 해운대구 우동 1411"
WAYS = [("ko", PHONE), ("en", DESKTOP)]

Begin = Callable[..., AbstractContextManager[Walk]]


@pytest.fixture
def leaked(transactional_db, coupang, minji) -> Incident:
    """An ordinary customer: three addresses, an entrance code, and orders."""
    row = person(coupang, name="김민지", email=minji.email, phone="010-2345-6789")
    file = file_of(coupang, number=7)
    leak_of(row, file)
    return coupang


def leak_of(row: AffectedPerson, file: ExposureFile) -> None:
    contacts: tuple[str, ...] = ("names", "email-addresses", "phone-numbers")
    for place, more in ((HOME, [("entrance-codes", "7585#")]), (WORK, []), (PARENTS, [])):
        expose(row, file, *contacts, values=[("physical-addresses", place), *more])
        contacts = ()
    orders = [
        ("purchases", f"생수 2L {number}묶음", f"2025-06-{number:02}") for number in (3, 9, 24)
    ]
    expose(row, file, values=orders)


@pytest.fixture
def chromium(leaked, live_server, settings, monkeypatch) -> Iterator[Browser]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    settings.PORTAL_URL = live_server.url
    with browser.chromium() as found:
        yield found


@pytest.fixture(params=WAYS, ids=["phone", "desktop"])
def begin(chromium, live_server, request) -> Begin:
    """Begins a walk by name; `user` has just signed in."""
    language, size = request.param
    return partial(walk, chromium, live_server.url, language=language, size=size)


def documented_taps(name: str) -> int:
    """Returns the taps that docs/journeys.md states for a walk."""
    found = re.search(
        rf"^\| {name} \|.*\| (\d+) \|", NOTE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert found, f"docs/journeys.md has no walk {name}"
    return int(found[1])


def sign_in_by_mail(person: Walk, email: str) -> None:
    person.type("#id_email", email)
    person.tap(person.page.locator("main form .button").first)
    expect(person.page.locator("#id_code")).to_be_visible()
    person.see("code")
    person.type("#id_code", newest_code())
    person.tap(person.page.locator("main form .button").first)


@pytest.mark.parametrize(
    ("email", "name", "shown"),
    [
        ("minji@example.com", "1-affected", ".state-leaked"),
        ("nobody@example.com", "1-not-found", "main h1"),
    ],
)
def test_am_i_affected(begin: Begin, email, name, shown):
    with begin(name=name) as visitor:
        visitor.open("")
        visitor.see("home")
        sign_in_by_mail(visitor, email)
        visitor.page.wait_for_url("**/my-data/**")
        visitor.see("answer", visitor.page.locator(shown))
        visitor.answered()
        assert visitor.taps == documented_taps(name)


def test_am_i_affected_without_javascript(begin: Begin):
    with begin(name="1-without-javascript", has_javascript=False) as visitor:
        visitor.open("")
        sign_in_by_mail(visitor, "minji@example.com")
        visitor.page.wait_for_url("**/my-data/**")
        visitor.see("answer", visitor.page.locator(".state-leaked"))
        visitor.tap(visitor.page.locator("form[action$='/reveal/'] button").first)
        visitor.see("in-full", visitor.page.get_by_text(HOME))
        visitor.answered()
        assert visitor.taps == documented_taps("1-without-javascript")


def test_what_exactly(begin: Begin, minji, leaked):
    with begin(name="2-exactly", user=minji) as customer:
        customer.open("my-data/")
        customer.see("masked", customer.page.locator(".state-leaked"))
        assert "558" not in customer.page.content()
        customer.tap(customer.page.locator("form[action$='/reveal/'] button").first)
        customer.see("in-full", customer.page.get_by_text(HOME))
        customer.answered()
        assert customer.taps == documented_taps("2-exactly")
        customer.tap(customer.page.locator("form[action$='/hide/'] button"))
        expect(customer.page.get_by_text(HOME)).to_have_count(0)
        withdraw(leaked.batches.get(number=7), public_reason="not_leaked")
        customer.open("my-data/")
        customer.see("withdrawn", customer.page.locator(".notice-box"))


def test_what_should_i_do(begin: Begin, minji):
    with begin(name="3-steps", user=minji) as customer:
        customer.open("my-data/")
        customer.see("first-step", customer.page.locator(".next-step"))
        customer.tap(customer.page.locator(".next-step button[name=done]"))
        expect(customer.page.locator(".bar")).to_have_attribute("value", "1")
        customer.see("one-done", customer.page.locator(".next-step"))
        customer.answered()
        assert customer.taps == documented_taps("3-steps")
        customer.tap(customer.page.locator(".next-step button[name=remind]"))
        customer.see("reminded", customer.page.locator("button[name=remind][value='0']"))


def test_i_am_not_a_customer(begin: Begin, solapi: SolapiServer, leaked):
    halmoni = person(
        leaked,
        relation=AffectedPerson.Relation.RECIPIENT,
        name="김순자",
        phone="010-4141-2002",
    )
    expose(halmoni, leaked.batches.get(number=7).files.get(), "names", "phone-numbers")
    with begin(name="4-number") as visitor:
        visitor.open("")
        visitor.see("home")
        visitor.type("#id_email", "010 4141 2002")
        visitor.tap(visitor.page.locator("main form .button").first)
        expect(visitor.page.locator("#id_code")).to_be_visible()
        visitor.see("code")
        visitor.type("#id_code", newest_text_code(solapi))
        visitor.tap(visitor.page.locator("main form .button").first)
        visitor.page.wait_for_url("**/my-data/**")
        visitor.see("answer", visitor.page.get_by_text("010-****-2002"))
        visitor.answered()
        assert visitor.taps == documented_taps("4-number")
        assert "minji" not in visitor.page.content()


def test_i_have_another_address(begin: Begin, minji, leaked):
    other = person(leaked, name="김민지", email="minji@work.example")
    expose(other, leaked.batches.get(number=7).files.get(), "names", "email-addresses")
    with begin(name="5-another-address", user=minji) as customer:
        customer.open("account/")
        customer.see("account")
        customer.tap(customer.page.locator("main a[href$='/contacts/new/']"))
        customer.page.wait_for_url("**/contacts/new/")
        customer.see("new-address", customer.page.locator("#id_email"))
        customer.type("#id_email", "minji@work.example")
        customer.tap(customer.page.locator("main form .button").first)
        customer.page.wait_for_url("**/contacts/new/code/")
        customer.see("code", customer.page.locator("#id_code"))
        customer.type("#id_code", newest_code())
        customer.tap(customer.page.locator("main form .button").first)
        customer.page.wait_for_url("**/account/")
        customer.see("added", customer.page.locator(".message"))
        customer.tap(customer.page.locator(".site-nav a[href$='/my-data/']"))
        customer.page.wait_for_url("**/my-data/")
        customer.see("answer", customer.page.locator(".state-leaked").nth(1))
        customer.answered()
        assert customer.taps == documented_taps("5-another-address")


@pytest.fixture
def alerted(leaked, minji, settings) -> StatementVersion:
    """Minji has got an alert on scams, by mail."""
    version = StatementVersion.objects.get(statement__slug="kisa-advisory")
    AlertSubscription.objects.create(user=minji, incident=leaked, topic="scams")
    alert = draft_notice(version, version.created_by, kind="alert", topic="scams")
    with SmtpServer() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        assert version.approved_by
        decisions.approve(alert, by=version.approved_by)
        assert work(alert).accepted == 1
    return version


def test_tell_me(begin: Begin, minji, alerted):
    with begin(name="6-alerts", user=minji) as customer:
        customer.open("alerts/")
        save = customer.page.locator("main form:has(input[type=checkbox]) .button")
        customer.see("alerts", save)
        customer.tap(customer.page.locator("input[type=checkbox]").first)
        customer.tap(save)
        customer.see("saved", customer.page.locator(".message"))
        customer.answered()
        assert customer.taps == documented_taps("6-alerts")
        customer.tap(customer.page.locator("input[value=weekly]"))
        customer.tap(save)
        customer.see("weekly", customer.page.locator(".notice-box li", has_text="("))
        assert minji.subscriptions.live().get(topic="updates").is_weekly
    with begin(name="6-messages", user=minji) as customer:
        customer.open("my-data/")
        customer.see("my-data")
        customer.tap(customer.page.locator("main a[href$='/my-data/messages/']"))
        customer.page.wait_for_url("**/messages/")
        customer.see("messages", customer.page.locator(".card"))
        customer.tap(customer.page.locator(".card summary").first)
        customer.see("text", customer.page.locator(".as-written").first)
        customer.answered()
        assert customer.taps == documented_taps("6-messages")


@pytest.mark.parametrize(
    ("text", "name", "verdict"),
    [
        ("", "7-ours", ".verdict-sent"),
        ("환급금이 있습니다. http://coupang-refund.example", "7-scam", ".verdict-no_record"),
    ],
)
def test_is_this_message_from_you(begin: Begin, text, name, verdict):
    with begin(name=name) as visitor:
        visitor.open("")
        visitor.see("home")
        visitor.tap(visitor.page.locator(".site-nav a[href$='/check/']"))
        visitor.page.wait_for_url("**/check/")
        visitor.see("check")
        visitor.type("#id_text", text or account_mail_code(MailKind.SIGN_IN))
        visitor.tap(visitor.page.locator("main form .button").first)
        visitor.see("answer", visitor.page.locator(verdict))
        visitor.answered()
        assert visitor.taps == documented_taps(name)


def test_my_rights(begin: Begin, minji, leaked):
    with begin(name="8-copy", user=minji) as customer:
        customer.open("account/")
        customer.tap(customer.page.locator("main a[href$='/my-data/copy/']"))
        customer.page.wait_for_url("**/copy/")
        customer.see("copy")
        with customer.page.expect_download() as download:
            customer.tap(customer.page.locator("button[value=json]"))
        content = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
        assert HOME in json.dumps(content, ensure_ascii=False)
        customer.answered()
        assert customer.taps == documented_taps("8-copy")
    with begin(name="8-certificate", user=minji) as customer:
        customer.open("my-data/")
        customer.tap(customer.page.locator("main a[href$='/certificate/']"))
        customer.page.wait_for_url("**/certificate/")
        customer.see("certificate")
        with customer.page.expect_download() as download:
            customer.tap(customer.page.locator("main form .button").first)
        assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
        customer.answered()
        assert customer.taps == documented_taps("8-certificate")
    with begin(name="8-question", user=minji) as customer:
        customer.open("my-data/")
        customer.tap(customer.page.locator("main a[href*='/questions/ask/']"))
        customer.page.wait_for_url("**/questions/ask/**")
        customer.see("question")
        customer.tap(customer.page.locator("input[value=erasure]"))
        customer.type("textarea", "지난 주소를 지워 주십시오.")
        customer.tap(customer.page.locator("main form .button").last)
        customer.page.wait_for_url("**/questions/*-*/")
        customer.see("asked")
        customer.answered()
        assert customer.taps == documented_taps("8-question")
    offer = offer_of(leaked)
    with begin(name="8-offer", user=minji) as customer:
        customer.open("my-data/")
        button = customer.page.locator(f"#offer{offer.pk} form .button")
        offered = customer.page.locator(f"#offer{offer.pk} summary")
        customer.see("offer", offered)
        customer.tap(offered)
        customer.see("offer-opened", button)
        customer.tap(button)
        code = customer.page.locator(f"#offer{offer.pk} .code")
        customer.see("code of the offer", code)
        customer.answered()
        assert customer.taps == documented_taps("8-offer")
        taken = code.inner_text()
        assert taken in {text for _line, text in codes(3)}
        assert taken not in customer.page.url + customer.page.title()
        customer.page.reload()
        expect(code).to_have_text(taken)
        expect(button).to_have_count(0)
    with begin(name="8-close", user=minji) as customer:
        customer.open("account/")
        customer.tap(customer.page.locator("main a[href$='/account/close/']"))
        customer.page.wait_for_url("**/close/")
        customer.see("close")
        customer.tap(customer.page.locator("input[type=checkbox]"))
        customer.tap(customer.page.locator("main form .button").first)
        customer.page.wait_for_url("**/closed/")
        customer.see("closed")
        customer.answered()
        assert customer.taps == documented_taps("8-close")


def test_for_my_parents(begin: Begin, minji):
    with begin(name="9-easy-words") as visitor:
        visitor.open("")
        visitor.tap(visitor.page.locator("main a[href$='/easy/']"))
        visitor.page.wait_for_url("**/easy/")
        visitor.see("easy-words")
        visitor.answered()
        assert visitor.taps == documented_taps("9-easy-words")
    with begin(name="9-helper") as helper:
        helper.open("")
        helper.type("#id_email", minji.email)
        helper.tap(helper.page.locator("main form .button").first)
        expect(helper.page.locator("#id_code")).to_be_visible()
        helper.type("#id_code", newest_code())
        helper.tap(helper.page.locator("#id_is_borrowed"))
        helper.see("not-my-device")
        helper.tap(helper.page.locator("main form .button").first)
        helper.page.wait_for_url("**/my-data/**")
        helper.see("answer", helper.page.locator(".state-leaked"))
        helper.answered()
        assert helper.taps == documented_taps("9-helper")
        helper.tap(helper.page.locator(".sign-out button"))
        expect(helper.page.locator(".sign-out")).to_have_count(0)
        helper.see("signed-out")
        assert helper.page.locator(".my-data").count() == 0


def test_staying_safe(begin: Begin, minji, client):
    sign_in(client, minji.email)
    with begin(name="10-sessions") as customer:
        customer.open("account/")
        sign_in_by_mail(customer, minji.email)
        customer.page.wait_for_url("**/account/")
        customer.see("account")
        customer.tap(customer.page.locator("main a[href$='/account/sessions/']"))
        customer.page.wait_for_url("**/sessions/")
        customer.see("sessions", customer.page.locator(".card").nth(1))
        customer.tap(customer.page.locator("main > form .button"))
        expect(customer.page.locator(".card")).to_have_count(1)
        customer.see("signed-out")
        customer.answered()
        assert customer.taps == documented_taps("10-sessions")
    assert client.get("/en/account/").status_code == 302


@pytest.fixture
def company(begin, live_server, settings, tmp_path) -> Iterator[None]:
    with provider(tmp_path, [f"{live_server.url}/sign-on/customers/callback/"]) as issuer:
        values = {"issuer": issuer, "client_id": CLIENT, "client_secret": SECRET}
        settings.COMPANY_SIGN_ON = {
            "customers": {**values, "name": "Coupang ID", "may_be_local": True}
        }
        page_parts.forget()  # the sign-in page without the button
        yield
    page_parts.forget()


def test_company_sign_on(begin: Begin, company):
    with begin(name="11-company-sign-on") as member:
        member.open("account/sign-in/")
        member.see("sign-in")
        member.tap(member.page.locator("main a[href*='/sign-in/company/']"))
        member.page.wait_for_url("**/sign-in/?next=/authorize/**")
        member.page.locator("input[name=as]").fill("customer")  # the provider's own page
        member.page.locator("button").click()
        member.page.wait_for_url("**/my-data/**")
        member.see("answer")
        member.answered()
        assert member.taps == documented_taps("11-company-sign-on")


def test_a_code_that_does_not_come(begin: Begin):
    with begin(name="12-no-code") as visitor:
        visitor.open("")
        visitor.type("#id_email", "minji@gmial.com")
        visitor.tap(visitor.page.locator("main form .button").first)
        visitor.see("typing-mistake", visitor.page.locator("input[name=is_as_typed]").locator(".."))
        visitor.tap(visitor.page.locator("main p.actions a"))
        visitor.page.wait_for_url("**/sign-in/**")
        visitor.see("sign-in", visitor.page.locator("#id_email"))
        visitor.type("#id_email", "minji@example.com")
        visitor.tap(visitor.page.locator("main form .button").first)
        expect(visitor.page.locator("#id_code")).to_be_visible()
        visitor.see("what-to-try", visitor.page.locator("main ol"))
        earlier = newest_code()
        visitor.tap(visitor.page.locator("form[action*='/code/again/'] .button").first)
        visitor.see("new-code", visitor.page.locator("#id_code"))
        assert newest_code() != earlier
        visitor.type("#id_code", earlier)
        visitor.tap(visitor.page.locator("main form .button").first)
        visitor.see("earlier-code", visitor.page.locator(".error-summary"))
        visitor.type("#id_code", newest_code())
        visitor.tap(visitor.page.locator("main form .button").first)
        visitor.page.wait_for_url("**/my-data/**")
        visitor.see("answer", visitor.page.locator(".state-leaked"))
        visitor.answered()
        assert visitor.taps == documented_taps("12-no-code")
    assert User.objects.filter(email="minji@example.com").count() == 1
