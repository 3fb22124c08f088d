"""A customer's whole way by keyboard alone, on a slow network, with keys that are pressed twice."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from harness.sign_in import newest_code
from incidents.models import DoneStep
from notices.models import AlertSubscription
from tests.my_data.journeys import DESKTOP
from tests.my_data.test_journeys_browser import chromium, leaked  # noqa: F401  # fixtures

# 400 kbit/s, and 400 ms until each answer begins.
SLOW = {
    "offline": False,
    "latency": 400,
    "downloadThroughput": 50_000,
    "uploadThroughput": 50_000,
}
NARROW = (320, 844)
MOST_STOPS = 60  # of a page, with those of its head and foot
FOCUSED = """() => {
  const found = document.activeElement, style = getComputedStyle(found);
  if (found === document.body) return null;
  const place = found.getBoundingClientRect();
  return {
    name: found.name || found.id, text: found.innerText.trim(),
    leads: found.getAttribute("href") || found.form?.getAttribute("action") || "",
    hasRing: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    isSeen: place.width > 0 && place.top >= -1 && place.bottom <= innerHeight + 1,
  };
}"""
Stop = dict[str, Any]


def tab_to(page: Page, is_right: Callable[[Stop], bool]) -> None:
    """Presses Tab until the right element has the focus. Each stop is seen, with its ring."""
    for _press in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop:
            assert stop["hasRing"], stop
            assert stop["isSeen"], stop
            if is_right(stop):
                return
    raise AssertionError(f"no key leads there on {page.url}")


def press(page: Page, key: str, *, times: int = 1) -> None:
    """Presses a key, also while the answer to the first press is on its way."""
    page.evaluate("document.body.dataset.isBefore = 1")
    for _press in range(times):
        page.keyboard.press(key)
    expect(page.locator("body:not([data-is-before])")).to_be_attached(timeout=30_000)
    page.wait_for_load_state()


@pytest.mark.parametrize("size", [NARROW, DESKTOP], ids=["phone", "desktop"])
def test_the_whole_way_works_by_keyboard_on_a_slow_network(
    chromium: Browser,  # noqa: F811
    leaked,  # noqa: F811
    minji,
    live_server,
    size,
):
    page = chromium.new_page(viewport={"width": size[0], "height": size[1]})
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", SLOW)
    page.goto(f"{live_server.url}/en/")
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUSED)["leads"] == "#main"
    page.keyboard.press("Enter")  # the skip link: the field is the next stop
    tab_to(page, lambda stop: stop["name"] == "email")
    page.keyboard.type(minji.email)
    press(page, "Enter", times=2)
    expect(page.locator("#id_code")).to_be_visible()
    assert len(mail.outbox) == 1

    tab_to(page, lambda stop: stop["name"] == "code")
    page.keyboard.type(newest_code())
    press(page, "Enter", times=2)
    page.wait_for_url("**/my-data/")
    tab_to(page, lambda stop: stop["text"].startswith("Done"))
    press(page, "Space", times=2)
    expect(page.locator(".state-leaked").first).to_be_visible()
    assert DoneStep.objects.filter(user=minji).count() == 1

    tab_to(page, lambda stop: stop["leads"].endswith("/certificate/"))
    press(page, "Enter")
    tab_to(page, lambda stop: stop["text"].startswith("Make the certificate"))
    with page.expect_download():
        page.keyboard.press("Enter")

    tab_to(page, lambda stop: stop["text"] == "More")
    page.keyboard.press("Enter")
    tab_to(page, lambda stop: stop["leads"].endswith("/alerts/"))
    press(page, "Enter")
    tab_to(page, lambda stop: stop["name"].startswith(leaked.slug))
    page.keyboard.press("Space")
    tab_to(page, lambda stop: stop["text"] == "Save my choice")
    press(page, "Enter", times=2)
    assert AlertSubscription.objects.filter(user=minji).count() == 1

    tab_to(page, lambda stop: stop["leads"].endswith(reverse("account_logout")[3:]))
    press(page, "Enter")
    page.wait_for_url(f"{live_server.url}/en/")
