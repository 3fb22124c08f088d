"""The way of a customer who lost the old mailbox, in a real Chromium of a phone's width."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connections
from django.utils import timezone
from playwright.sync_api import Browser, expect

from accounts.models import User
from incidents import address_claims, address_mails
from incidents.models import AddressChange
from notices import decisions
from notices.message_codes import message_code
from tests import browser
from tests.my_data.journeys import PHONE, walk
from tests.my_data.test_own_rows import leaked
from tests.notice_factory import delivery_to, work

pytest_plugins = ["tests.notice_fixtures"]
OLD, NEW = "old@example.com", "younghee@new.example"


@pytest.fixture
def code(transactional_db, draft, incident, approver, server) -> str:
    """The code of a mail about the leaked data of younghee."""
    who = {"name": "김영희", "phone": "010-1111-2222", "email": OLD}
    row = leaked(incident, "부산광역시 해운대구 1", "7585#", **who)
    decisions.approve(draft, by=approver)
    return message_code(delivery_to(work(draft), row).pk)


@pytest.fixture
def chromium(code, live_server, settings, monkeypatch) -> Iterator[Browser]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    settings.PORTAL_URL = live_server.url
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    with browser.chromium() as found:
        yield found


@pytest.mark.parametrize("language", ["ko", "en"])
def test_the_whole_way_of_a_lost_mailbox(chromium, code, live_server, language):
    claimant = User.objects.create_user(NEW, language=language)
    with walk(
        chromium,
        live_server.url,
        name="5-lost-address",
        user=claimant,
        language=language,
        size=PHONE,
    ) as customer:
        customer.open("account/")
        customer.see("account")
        customer.tap(customer.page.locator("main a[href$='/my-data/claims/']"))
        customer.page.wait_for_url("**/claims/")
        customer.see("claims", customer.page.locator("#id_code"))
        customer.type("#id_code", code)
        customer.type("#id_fact", "0000")
        customer.tap(customer.page.locator("main #typed-form .button").first)
        customer.see("refused", customer.page.locator(".error-summary"))
        expect(customer.page.locator("a[href*='?about=claim']")).to_be_visible()
        customer.type("#id_fact", "2222")
        customer.tap(customer.page.locator("main #typed-form .button").first)
        customer.see("claimed", customer.page.locator("main .notice-box"))
        mail.outbox.clear()
        address_mails.send_due()
        assert [one.to for one in mail.outbox] == [[OLD]]
        told = timezone.now() - timedelta(hours=73)
        customer.open("my-data/claims/")
        customer.see("told", customer.page.locator("main .notice-box"))
        AddressChange.objects.update(told_at=told)
        address_claims.open_due()
        customer.open("my-data/claims/")
        customer.tap(customer.page.locator("main .notice-box a[href$='/my-data/']"))
        customer.page.wait_for_url("**/my-data/")
        customer.see("answer", customer.page.locator(".state-leaked"))
        assert "7585" not in customer.page.content()


def test_the_old_contact_stops_the_claim_without_a_sign_in(chromium, code, live_server):
    claimant = User.objects.create_user(NEW, language="en")
    with walk(
        chromium, live_server.url, name="5-stop", user=claimant, language="en", size=PHONE
    ) as customer:
        customer.open("my-data/claims/")
        customer.type("#id_code", code)
        customer.type("#id_fact", "2222")
        customer.tap(customer.page.locator("main #typed-form .button").first)
        expect(customer.page.locator("main .notice-box")).to_be_visible()
    claim = AddressChange.objects.get()
    url = address_mails.stop_url(claim)
    with walk(chromium, live_server.url, name="5-stop", language="en", size=PHONE) as owner:
        owner.page.goto(url)
        owner.see("stop", owner.page.locator("main .button"))
        owner.tap(owner.page.locator("main .button"))
        owner.see("stopped", owner.page.locator("main .actions a"))
    claim.refresh_from_db()
    assert claim.stopped_by == "contact"
