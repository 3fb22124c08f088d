"""The search in "my data" of a person with 3,000 addresses, in a real Chromium.

Set MEASURE to print how long the answer to the first key takes.
"""

import os
import unicodedata
from collections.abc import Iterator
from functools import partial

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.db import connections
from django.test import Client
from playwright.sync_api import Page, expect

from foundations.languages import portal_codes
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import step_up
from incidents.models import Incident
from incidents.my_data_parts import FEW_LINES
from tests import browser, web_programs
from tests.pages.test_valid_html import faults

ADDRESSES = 3_000
ARABIC = "شارع الملك فهد، ١٢"
TOWNS = ("서울특별시 강남구", "부산광역시 해운대구", "경기도 성남시")
FIELD = "#search1"
# From the event of the key to the frame after the page has changed, in milliseconds.
FIRST_KEY = """async field => {
  const began = performance.now();
  field.value = "동"; // all addresses have it
  field.dispatchEvent(new Event("input"));
  await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
  return performance.now() - began;
}"""


def addresses(count: int) -> Iterator[tuple[str, str, str]]:
    for number in range(count):
        street = f"{TOWNS[number % 3]} 테헤란로 {number}, 101동"
        yield "physical-addresses", street, f"2025-{number % 12 + 1:02}-03"


@pytest.fixture
def count() -> int:
    return ADDRESSES


@pytest.fixture
def leaked(transactional_db, coupang, minji, count) -> Incident:
    row = person(coupang, name="김민지", email=minji.email, phone="010-2345-6789")
    file = file_of(coupang, number=7)
    expose(row, file, "names", "email-addresses", "phone-numbers")
    for one in addresses(count):
        expose(row, file, values=[one])
    cards = ((ARABIC, "7585#"), ("1 Grand Café Street, Zürich", "Gate B"))
    for place, code in cards:
        expose(row, file, values=[("physical-addresses", place), ("entrance-codes", code)])
    orders = [("purchases", f"생수 {number}묶음", "2025-06-09") for number in range(8)]
    expose(row, file, values=orders)
    return coupang


@pytest.fixture
def open_page(leaked, minji, live_server, settings, monkeypatch) -> Iterator[partial[Page]]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    settings.PORTAL_URL = live_server.url
    client = Client()
    client.force_login(minji)
    step_up(client, minji)
    with browser.chromium() as chromium:
        yield partial(_page, chromium, live_server.url, client)


def _page(chromium, origin: str, client: Client, language: str = "ko", **options) -> Page:
    context = chromium.new_context(**{"viewport": {"width": 320, "height": 844}} | options)
    session = client.cookies[django_settings.SESSION_COOKIE_NAME].value
    cookie = {"name": django_settings.SESSION_COOKIE_NAME, "value": session, "url": origin}
    context.add_cookies([cookie])
    page = context.new_page()
    page.goto(f"{origin}/{language}/my-data/")
    return page


def show_in_full(page: Page) -> None:
    browser.follow(page.locator("form[action$='/reveal/'] button").first)


def found(page: Page, typed: str) -> int:
    """Returns how many lines of values and cards are shown once `typed` stands in the field."""
    page.fill(FIELD, typed)
    expect(page.locator("[data-found] [role=status]")).not_to_have_text("")
    visible = page.locator(".my-values :is(.values > li, .place)").filter(visible=True)
    return visible.count()


def test_a_person_with_three_thousand_addresses_finds_one(open_page):
    page = open_page()
    show_in_full(page)
    if os.environ.get("MEASURE"):
        took = page.locator(FIELD).evaluate(FIRST_KEY)
        print(f"\nthe first key: {took:.0f} ms")
    assert found(page, "테헤란로 2998") == 1
    expect(page.locator("[data-found] [role=status]")).to_contain_text("1개")
    expect(page.get_by_text("부산광역시 해운대구 테헤란로 2998")).to_be_visible()
    assert browser.loaded_width(page) == 320
    assert not Axe().run(page).response["violations"]

    for typed in (
        unicodedata.normalize("NFD", "테헤란로 2998"),
        "해운대구테헤란로２９９８",  # full-width digits
        "  2998   테헤란로 ",
        "테헤ㄹ 2998",  # a syllable that is being typed
    ):
        assert found(page, typed) == 1, typed
    for typed, lines in {
        "GRAND cafe": 1,
        "zurich gate": 1,  # an address with the code on its card
        "\u2067شارع الملك\u2069": 1,
        "7585#": 1,
        "010 2345": 1,
        "01023456789": 1,
        "생수 3묶음": 1,
        "주문 생수": 8,  # with the name of the kind of data
        "없는길": 0,
    }.items():
        assert found(page, typed) == lines, typed
    assert page.locator(".group").filter(visible=True).count() == 0

    page.press(FIELD, "Escape")
    expect(page.locator(FIELD)).to_have_value("")
    expect(page.locator("[data-found] [role=status]")).to_have_text("")
    expect(page.locator(".group").first).to_be_visible()
    assert page.locator(".group > details > .places .place").filter(visible=True).count() == 0


def test_a_masked_page_is_searched_by_what_it_shows(open_page):
    page = open_page("en")
    assert found(page, "해운대구") == 1_000
    assert found(page, "테헤란로") == 0
    assert found(page, "February 3, 2025") == 250
    expect(page.locator("[data-found] [role=status]")).to_contain_text("Found: 250 of 3,0")
    assert "가" not in page.url + page.title()


@pytest.mark.parametrize("count", [FEW_LINES])
def test_what_is_typed_is_neither_sent_nor_kept(open_page, settings):
    settings.STEP_UP_MINUTES = 0.4
    page = open_page()
    show_in_full(page)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))

    assert found(page, "판교역로") == 0
    assert [url for url in sent if "/static/" not in url] == []
    assert page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])") == "[{},{}]"

    page.wait_for_url("**/my-data/", timeout=40_000)  # the values hide themselves
    expect(page.locator(FIELD)).to_have_value("")
    page.go_back()
    expect(page.locator(FIELD)).to_have_count(0)  # it asks for a code
    assert "판교역로" not in page.content()


def test_the_field_is_reached_by_keys_and_named(open_page):
    page = open_page("en", viewport={"width": 1280, "height": 800})
    page.get_by_role("searchbox", name="Search in your data").focus()
    page.keyboard.type("성남시")
    expect(page.get_by_role("status")).to_contain_text("Found: 1,000 of 3,0")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.my-values') !== null")


@pytest.mark.parametrize("count", [FEW_LINES])
def test_without_javascript_there_is_no_field(open_page):
    page = open_page(java_script_enabled=False)
    expect(page.locator(FIELD)).to_be_hidden()


@pytest.mark.django_db
def test_each_language_names_the_search_of_a_long_list_only(
    client, coupang, minji, settings, tmp_path
):
    settings.LANGUAGES = list(settings.SHIPPED_LANGUAGES.items())
    row, file = person(coupang, email=minji.email), file_of(coupang, number=7)
    expose(row, file, "email-addresses")
    client.force_login(minji)
    assert "data-found" not in client.get("/en/my-data/").text
    streets = [("physical-addresses", f"경기도 성남시 {one}") for one in range(FEW_LINES)]
    for street in streets:
        expose(row, file, values=[street])
    pages = {code: client.get(f"/{code}/my-data/").text for code in portal_codes()}
    for page in pages.values():
        assert "{found}" in page
        assert "{total}" in page
        assert page.count("js/search.js") == 1
    web_programs.require()
    assert faults(pages, tmp_path) == {}
