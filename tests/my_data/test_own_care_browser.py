"""A customer has a reminder sent, takes a copy and reads easy words, in a real Chromium.

Set SCREENSHOTS to a folder to keep a picture of each page.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from accounts import known_devices
from harness.exposure_factory import expose, file_of, person
from harness.sign_in import newest_code, step_up
from incidents.models import Incident, StepReminder
from tests import browser

ADDRESS = "서울특별시 강남구 테헤란로 558"
SAID = {
    "ko": (
        "이메일로 다시 알려 주기",
        "할 일 알림 이메일 그만 받기",
        "쉬운 글로 보기",
        "프로그램용 파일(JSON)",
    ),
    "en": (
        "Remind me by e\u2011mail",
        "Stop the reminder",
        "In easy words",
        "A file for programs (JSON)",
    ),
}
READ = {"ko": "읽고 인쇄하는 문서", "en": "A page to read and print"}


@pytest.fixture
def leaked(transactional_db, coupang, minji) -> Incident:
    row = person(coupang, name="김민지", email=minji.email)
    values = [("physical-addresses", ADDRESS), ("entrance-codes", "7585#")]
    expose(row, file_of(coupang, number=7), "names", "email-addresses", values=values)
    return coupang


@pytest.fixture
def chromium(leaked, monkeypatch) -> Iterator[Browser]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    with browser.chromium() as found:
        yield found


def opened(chromium: Browser, live_server, user, language: str, width: int) -> Page:
    """Returns a page of a browser in which the user has just entered a code."""
    client = Client()
    client.force_login(user)
    step_up(client, user)
    context = chromium.new_context(viewport={"width": width, "height": 844})
    cookies = {
        settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value,
        settings.LANGUAGE_COOKIE_NAME: language,
    }
    for name, value in cookies.items():
        context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
    return context.new_page()


def look(page: Page, name: str, width: int) -> None:
    """Checks the page's width and its accessibility; keeps a picture if asked to."""
    assert browser.loaded_width(page) <= width, name
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}-{width}.png"), full_page=True)
    assert [each["id"] for each in Axe().run(page).response["violations"]] == [], name


@pytest.mark.parametrize("width", [390, 320])
@pytest.mark.parametrize("language", SAID)
def test_reminder_easy_words_and_copy(chromium, live_server, minji, language, width):
    remind, stop, easy, as_json = SAID[language]
    page = opened(chromium, live_server, minji, language, width)
    page.goto(f"{live_server.url}/{language}/my-data/")
    page.get_by_role("button", name=remind).click()
    expect(page.get_by_role("button", name=stop)).to_be_visible()
    look(page, f"reminder-{language}", width)
    assert StepReminder.objects.filter(user=minji).count() == 1
    page.get_by_role("link", name=easy).click()
    page.wait_for_url("**/easy/")
    expect(page.locator("h1")).to_be_visible()
    look(page, f"easy-{language}", width)
    page.goto(f"{live_server.url}/{language}/account/")
    page.locator("main a[href$='/my-data/copy/']").click()
    page.wait_for_url("**/copy/")
    look(page, f"copy-{language}", width)
    with page.expect_download() as download:
        page.get_by_role("button", name=as_json).click()
    data = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert ADDRESS in json.dumps(data, ensure_ascii=False)
    with page.expect_download() as download:
        page.get_by_role("button", name=READ[language]).click()
    kept = Path(download.value.path()).read_text(encoding="utf-8")
    assert ADDRESS in kept
    reading = page.context.new_page()
    reading.set_content(kept)
    look(reading, f"kept-{language}", width)


@pytest.mark.parametrize("language", SAID)
def test_a_helper_signs_a_parent_in_on_another_device(chromium, live_server, minji, language):
    """The browser keeps no lasting cookie."""
    context = chromium.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{live_server.url}/{language}/account/sign-in/")
    page.locator("#id_email").fill(minji.email)
    page.locator("main form button").first.click()
    page.wait_for_url("**/code/**")
    expect(page.locator("#id_code")).to_be_visible()
    page.locator("#id_is_borrowed").check()
    look(page, f"borrowed-{language}", 390)
    page.locator("#id_code").fill(newest_code())
    page.locator("main form button").first.click()
    page.wait_for_url("**/my-data/**")
    kept = {cookie["name"]: cookie.get("expires") for cookie in context.cookies()}
    assert kept[settings.SESSION_COOKIE_NAME] == -1
    assert known_devices.COOKIE not in kept
