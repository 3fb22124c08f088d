"""Push messages in a real Chromium: the button, the worker, and the message that it shows.

The push company's servers are away in tests, so the address that `subscribe` gives is that of the
local push service, and the decrypted message is handed to the worker as Chromium's own client does.
"""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.urls import reverse
from playwright.sync_api import Page, expect

from foundations import web_push
from foundations.web_push import PushAddress, VapidKey
from notices import decisions
from notices.models import AlertSubscription, PushSubscription
from tests import browser
from tests.my_data.push_service import LocalBrowser, LocalPushService
from tests.notice_factory import draft_notice, work

pytest_plugins = ["tests.notice_fixtures", "tests.tls_fixtures"]

SUBSCRIBE = """address => {
  PushManager.prototype.subscribe = async options => {
    window.asked = options;
    return { toJSON: () => address };
  };
}"""


# A script cannot make the event of a browser, and `waitUntil` refuses another one.
CHANGE = """async ({ old, new: given }) => {
  const subscription = address => ({ toJSON: () => address, options: {} });
  const event = new Event("pushsubscriptionchange");
  event.oldSubscription = subscription(old);
  PushManager.prototype.subscribe = async () => subscription(given);
  let renewed;
  event.waitUntil = promise => { renewed = promise; };
  self.dispatchEvent(event);
  await renewed;
}"""


@pytest.fixture
def service(settings, certificate, monkeypatch) -> Iterator[LocalPushService]:
    settings.WEB_PUSH_KEY = VapidKey(web_push.new_vapid_key())
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with LocalPushService(certificate, settings.WEB_PUSH_KEY.public) as running:
        settings.WEB_PUSH_HOSTS = [running.url.removeprefix("https://")]
        yield running


@pytest.fixture
def page(
    transactional_db, live_server, client, minji, incident, service, settings, monkeypatch
) -> Iterator[Page]:
    """The page of alerts, with Minji signed in, in a browser that allows messages."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    client.force_login(minji)
    name = settings.SESSION_COOKIE_NAME
    with browser.chromium() as chromium:
        context = chromium.new_context(locale="ko-KR")
        context.grant_permissions(["notifications"], origin=live_server.url)
        value = client.cookies[name].value
        context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
        opened = context.new_page()
        opened.goto(live_server.url + reverse("alerts"))
        yield opened


def push_button(page: Page) -> Any:
    return page.locator("[data-push-key] button")


def press(page: Page, service: LocalPushService) -> LocalBrowser:
    """Presses the button, with a push company that gives an address at the local service."""
    local = service.browser("/1")
    address = local.address(service.url)
    keys = {"p256dh": address.p256dh, "auth": address.auth}
    page.evaluate(SUBSCRIBE, {"endpoint": address.endpoint, "keys": keys})
    push_button(page).click()
    expect(page.locator("form[action*='/browsers/'][action$='/end/']")).to_have_count(1)
    return local


def test_nothing_is_asked_before_the_button_is_pressed(page):
    expect(push_button(page)).to_be_visible()
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then(all => all.length)") == 0


def test_without_a_push_company_the_page_says_so(page):
    push_button(page).click()
    expect(page.locator("[data-push-text=failed]")).to_be_visible(timeout=30_000)
    assert not PushSubscription.objects.exists()


def test_a_browser_that_may_not_show_messages_says_so(page):
    page.context.clear_permissions()
    page.evaluate("Notification.requestPermission = async () => 'denied'")
    push_button(page).click()
    expect(page.locator("[data-push-text=denied]")).to_be_visible()


def test_an_alert_is_shown_by_the_worker(
    page, service, live_server, minji, incident, version, editor, approver, settings
):
    settings.PORTAL_URL = live_server.url
    AlertSubscription.objects.create(user=minji, incident=incident, topic="scams")
    local = press(page, service)
    alert = draft_notice(version, editor, kind="alert", topic="scams", channel="push")
    decisions.approve(alert, by=approver)
    assert work(alert).accepted == 1
    [content] = local.received
    shown = delivered(page, live_server.url, content)
    assert shown == {key: content[key] for key in ("title", "lang", "tag")} | {
        "data": content["url"]
    }


def delivered(page: Page, origin: str, content: dict[str, Any]) -> dict[str, Any]:
    """Hands a message to the worker, and returns the notification that it shows."""
    session = page.context.new_cdp_session(page)
    found: list[dict[str, Any]] = []
    session.on(
        "ServiceWorker.workerRegistrationUpdated", lambda e: found.extend(e["registrations"])
    )
    session.send("ServiceWorker.enable")
    page.evaluate("navigator.serviceWorker.getRegistrations().then(([one]) => one.update())")
    until = time.monotonic() + 10
    while not found and time.monotonic() < until:
        page.wait_for_timeout(100)
    message = {"origin": origin, "registrationId": found[0]["registrationId"]}
    session.send("ServiceWorker.deliverPushMessage", message | {"data": json.dumps(content)})
    script = """async () => {
      for (let tries = 0; tries < 50; tries += 1) {
        const [worker] = await navigator.serviceWorker.getRegistrations();
        const [shown] = await worker.getNotifications();
        if (shown) {
          const { title, data, lang, tag } = shown;
          return { title, data, lang, tag };
        }
        await new Promise(resolve => setTimeout(resolve, 100));
      }
    }"""
    return dict(page.evaluate(script))


def test_the_worker_names_its_new_address(page, service):
    old, new = press(page, service), service.browser("/2")
    change = {name: named(each.address(service.url)) for name, each in (("old", old), ("new", new))}
    [worker] = page.context.service_workers
    worker.evaluate(CHANGE, change)
    [row] = PushSubscription.objects.all()
    assert row.decrypt_address() == new.address(service.url)


def named(address: PushAddress) -> dict[str, Any]:
    keys = {"p256dh": address.p256dh, "auth": address.auth}
    return {"endpoint": address.endpoint, "keys": keys}


def test_the_worker_asks_no_other_host():
    source = (Path(__file__).parents[2] / "static/js/push_worker.js").read_text()
    assert not any(word in source for word in ("http:", "https:", "importScripts"))
    assert re.findall(r"fetch\((.+?),", source) == ["RENEWAL"]
    assert f'RENEWAL = "{reverse("renew_browser")}";' in source


def test_the_worker_names_its_new_address_again_after_a_refusal(page, service, settings):
    """The limit of the network lets one request pass in three seconds, and another used it up."""
    old, new = press(page, service), service.browser("/2")
    settings.PROOF_RATES = {**settings.PROOF_RATES, "push_renewal": "1/3s/ip,5/3s/site"}
    assert page.request.post(page.url.partition("/ko/")[0] + reverse("renew_browser")).status == 404
    change = {name: named(each.address(service.url)) for name, each in (("old", old), ("new", new))}
    [worker] = page.context.service_workers
    worker.evaluate(CHANGE, change)
    [row] = PushSubscription.objects.all()
    assert row.decrypt_address() == new.address(service.url)
