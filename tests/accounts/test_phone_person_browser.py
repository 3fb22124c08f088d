"""The journey of a person who never was a customer, in a real Chromium with real parts.

The grandmother has a mobile number and no address. A customer saved her name and number to send her
parcels, and the address book leaked. Her code comes through a server that speaks Solapi's protocol.
Set JOURNEY_PICTURES to a folder to keep a picture of each step.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connections
from playwright.sync_api import Page, expect

from accounts.models import User
from harness.exposure_factory import expose, file_of, person
from incidents.models import AffectedPerson, Incident
from tests import browser
from tests.carriers import SolapiServer
from tests.text_sign_in import newest_text_code

pytest_plugins = ["tests.text_sign_in"]
OWNER, OWNERS_MAIL, OWNERS_HOME = "박지훈", "jihun@example.com", "서울특별시 마포구 성암로 189"
LANGUAGES = {
    "ko": {
        "button": "인증번호 받기",
        "sign_in": "로그인",
        "number": "010-4141-2002",
        "masked": "010-****-2002",
        "sent": "숫자 8자리가 담긴 문자 메시지를 보냈습니다",
        "help": "1분이 지나도 문자가 오지 않습니까?",
        "only": "전화번호만으로 찾은 내용입니다",
        "landline": "유선전화나 대표번호",
    },
    "en": {
        "button": "Send me a code",
        "sign_in": "Sign in",
        "number": "010-4141-2002",
        "masked": "010-****-2002",
        "sent": "We have sent a text message with eight digits to",
        "help": "No text message after a minute?",
        "only": "Only a phone number led here.",
        "landline": "This number gets no text messages from us",
    },
}


@pytest.fixture
def rows(transactional_db, coupang) -> Incident:
    """The grandmother's row in the address book, and that of the customer who saved it."""
    file = file_of(coupang, number=7)
    owner = person(coupang, name=OWNER, email=OWNERS_MAIL, phone="010-5555-0101")
    expose(
        owner,
        file,
        *("names", "email-addresses", "phone-numbers"),
        values=[("physical-addresses", OWNERS_HOME), ("entrance-codes", "7731#")],
    )
    halmoni = person(
        coupang,
        relation=AffectedPerson.Relation.RECIPIENT,
        name="김순자",
        phone="010-4141-2002",
    )
    expose(halmoni, file, "names", "phone-numbers")
    return coupang


@pytest.fixture(params=[(390, 844), (320, 640)], ids=["390", "320"])
def page(rows, solapi, live_server, settings, monkeypatch, request) -> Iterator[Page]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    settings.PORTAL_URL = live_server.url
    width, height = request.param
    with browser.chromium() as chromium:
        context = chromium.new_context(viewport={"width": width, "height": height})
        yield context.new_page()


def look(page: Page, name: str) -> None:
    """Checks the page's width and its accessibility; keeps a picture if asked to."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    if folder := os.environ.get("JOURNEY_PICTURES"):
        page.screenshot(path=str(Path(folder) / f"{name}-{width}.png"), full_page=True)
    assert browser.loaded_width(page) <= width, name
    assert [each["id"] for each in Axe().run(page).response["violations"]] == [], name


def assert_nothing_of_the_owner(text: str) -> None:
    for secret in (OWNER, OWNERS_MAIL, "성암로", "7731", "5555", "jihun", "마포구"):
        assert secret not in text


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_person_who_never_was_a_customer(page: Page, live_server, solapi: SolapiServer, language):
    said = LANGUAGES[language]
    page.goto(f"{live_server.url}/{language}/")
    look(page, f"1-home-{language}")
    field, button = page.locator("#id_email"), page.get_by_role("button", name=said["button"])
    box = button.bounding_box()
    assert box
    is_narrow = page.viewport_size == {"width": 320, "height": 640}
    assert box["y"] + box["height"] < (660 if is_narrow else 600)
    field.fill("02-345-6789")
    button.click()
    expect(page.locator(".field-error")).to_contain_text(said["landline"])
    look(page, f"2-landline-{language}")
    page.locator("#id_email").fill(" ０１０ 4141 2002 ")
    page.get_by_role("button", name=said["button"]).click()
    expect(page.locator(".lead")).to_contain_text(said["sent"])
    expect(page.locator(".lead")).to_contain_text(said["number"])
    expect(page.locator("main")).to_contain_text(said["help"])
    look(page, f"3-code-{language}")
    page.locator("#id_code").fill(newest_text_code(solapi))
    page.get_by_role("button", name=said["sign_in"], exact=True).click()
    expect(page.locator("main")).to_contain_text(said["masked"])
    expect(page.locator("main")).to_contain_text(said["only"])
    look(page, f"4-my-data-{language}")
    assert_nothing_of_the_owner(page.content())
    for number, path in enumerate(("account/", "alerts/", "account/contacts/new/")):
        page.goto(f"{live_server.url}/{language}/{path}")
        look(page, f"{5 + number}-{path.strip('/').replace('/', '-')}-{language}")
        assert_nothing_of_the_owner(page.content())
        assert "None" not in page.inner_text("body")
    assert User.objects.filter(phones__number="+821041412002", email=None).count() == 1
    assert len(solapi.messages) == 1
