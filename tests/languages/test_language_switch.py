"""The language switch with nine languages: in a real browser, also with typed and unsent text."""

from collections.abc import Iterator

import pytest
from django.conf import settings as real_settings
from django.db import connections
from django.test import Client
from playwright.sync_api import Page, expect

from tests import browser
from tests.pages.test_narrow_pages import shown

NINE = list(real_settings.SHIPPED_LANGUAGES.items())
PASTED = "쿠팡입니다. 7QK2-X9ND-4HTB\nhttps://www.coupang.example"

LOOK = """() => {
  const style = getComputedStyle(document.querySelector(".site-nav"));
  return [style.fontFamily, style.wordBreak];
}"""


@pytest.fixture
def nine(settings) -> None:
    settings.LANGUAGES = NINE


@pytest.fixture
def page(
    transactional_db, live_server, nine, client, minji, incident, settings, monkeypatch
) -> Iterator[Page]:
    """A narrow browser in which Minji is signed in."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    client.force_login(minji)
    name = settings.SESSION_COOKIE_NAME
    with browser.chromium() as chromium:
        context = chromium.new_context(
            base_url=live_server.url, viewport={"width": 320, "height": 640}
        )
        value = client.cookies[name].value
        context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
        yield context.new_page()


def choose(page: Page, name: str) -> None:
    page.locator(".language-menu summary").click()
    page.get_by_role("button", name=name, exact=True).first.click()


def test_a_typed_address_is_kept(page):
    page.context.clear_cookies()
    page.goto("/ko/account/sign-in/")
    page.locator("#id_email").fill("minji@example.com")
    choose(page, "English")
    expect(page).to_have_url("/en/account/sign-in/")
    expect(page.locator("#id_email")).to_have_value("minji@example.com")
    page.reload()
    expect(page.locator("#id_email")).to_have_value("")  # it is kept once


def test_a_pasted_message_and_a_begun_report_are_kept(page):
    page.goto("/en/check/")
    page.locator("#id_text").fill(PASTED)
    page.locator("#report summary").click()
    page.locator("#report textarea").first.fill("They called me")
    choose(page, "한국어")
    expect(page).to_have_url("/ko/check/")
    expect(page.locator("#id_text")).to_have_value(PASTED)
    expect(page.locator("#report textarea").first).to_have_value("They called me")
    expect(page.locator("#report textarea").first).to_be_visible()


def test_the_ticks_of_alerts_are_kept(page):
    page.goto("/ko/alerts/")
    boxes = page.locator("main input[type=checkbox]")
    before = [box.is_checked() for box in boxes.all()]
    boxes.first.set_checked(not before[0])
    choose(page, "Deutsch")
    expect(page).to_have_url("/de/alerts/")
    assert [box.is_checked() for box in boxes.all()] == [not before[0], *before[1:]]


def test_text_is_not_kept_for_another_page(page):
    page.goto("/ko/check/")
    page.locator("#id_text").fill(PASTED)
    page.goto("/en/check/")
    expect(page.locator("#id_text")).to_have_value("")


@pytest.mark.django_db
def test_the_menu_lists_the_other_languages_by_their_own_names(coupang, nine):
    text = Client().get("/vi/").text
    for _name, page in shown({"home": text}, width=320, height=640):
        page.locator(".language-menu summary").click()
        names = page.locator(".language-menu li").all_inner_texts()
        assert names == [name for code, name in NINE if code != "vi"]
        assert page.locator(".language-menu summary").inner_text().endswith("Tiếng Việt")


@pytest.mark.django_db
def test_each_language_has_fonts_of_its_own(coupang, nine):
    codes = ("ko", "ja", "zh-hans", "zh-hant", "de")
    page_of = {code: Client().get(f"/{code}/").text for code in codes}
    found = {code: page.evaluate(LOOK) for code, page in shown(page_of, width=390, height=800)}
    assert "Noto Sans CJK JP" in found["ja"][0]
    assert "Noto Sans CJK SC" in found["zh-hans"][0]
    assert "Noto Sans CJK TC" in found["zh-hant"][0]
    assert [code for code, (_font, broken) in found.items() if broken == "keep-all"] == ["ko"]


@pytest.mark.django_db
def test_the_desk_has_a_switch_that_comes_back(editors_desk):
    path = "/admin/statements/statement/add/?incident=1&page=2"
    switch = next(
        link.split('href="')[1].split('"')[0].replace("&amp;", "&")
        for link in editors_desk.get(path).text.split('<span class="languages">')[1:]
    )
    answer = editors_desk.get(switch)
    assert answer.url == path
    page = editors_desk.get(path).text
    assert 'lang="en"' in page or 'lang="ko"' in page
    assert "language=ja" not in page
