"""A customer asks and support answers, in a real Chromium."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.core import mail
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils.translation import override
from playwright.sync_api import Browser, Page

from accounts.models import User
from harness.sign_in import sign_in_to_desk
from incidents.models import IncidentJurisdiction
from tests import browser
from tickets import answer_mails
from tickets.models import AnswerTemplate, Ticket

TEXT = "제 주소가 두 개인데 하나는 이사 전 주소입니다.\n지워 주십시오.\n<b>굵게</b>\n"
TEXT += "\u202eesrever\u202c " + "가" * 90
ANSWER = "지난 주소를 지웠습니다.\n확인해 주십시오."


@pytest.fixture
def of_live_server(monkeypatch):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)


@contextmanager
def opened(
    chromium: Browser, live_server, user: User, language: str, width: int, *, desk: bool = False
) -> Iterator[Page]:
    client = Client()
    if desk:
        sign_in_to_desk(client, user)
    else:
        client.force_login(user)
    context = chromium.new_context(viewport={"width": width, "height": 844})
    cookies = {
        settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value,
        settings.LANGUAGE_COOKIE_NAME: language,
    }
    for name, value in cookies.items():
        context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
    yield context.new_page()
    context.close()


def examined(page: Page, name: str, width: int, context: str = "main") -> None:
    """Stores a screenshot if SCREENSHOTS names a folder; the page is clean."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
    assert browser.loaded_width(page) <= width, name
    assert [each["id"] for each in Axe().run(page, context=context).response["violations"]] == []


@pytest.mark.parametrize(("language", "width"), [("ko", 390), ("en", 320), ("ko", 1280)])
def test_a_customer_asks_and_reads_the_answer_of_support(
    live_server, of_live_server, team, minji, incident, language, width
):
    IncidentJurisdiction.objects.create(incident=incident, jurisdiction="EU")
    AnswerTemplate.objects.create(name="지난 주소", text={"ko": ANSWER, "en": ANSWER})
    with browser.chromium() as chromium:
        with opened(chromium, live_server, minji, language, width) as page:
            _ask(page, live_server, language, width)
        with opened(chromium, live_server, team["support"], language, 1280, desk=True) as page:
            _answer(page, live_server, language)
        answer_mails.send_due()
        assert TEXT[:10] not in str(mail.outbox[-1].message().as_bytes(), "utf-8", "replace")
        with opened(chromium, live_server, minji, language, width) as page:
            _read(page, live_server, language, width)


def _ask(page: Page, live_server, language: str, width: int) -> None:
    with override(language):
        page.goto(live_server.url + reverse("account"))
        examined(page, f"account-{language}", width)
        browser.follow(page.locator(f"a[href='{reverse('my_tickets')}']"))
        examined(page, f"none-{language}", width)
        browser.follow(page.locator("main .nav-list a"))
    examined(page, f"ask-{language}", width)
    browser.follow(page.locator("main form .button").last)
    assert page.locator(".error-summary li").count() == 2
    examined(page, f"errors-{language}", width)
    page.locator("input[value=erasure]").check()
    page.locator("textarea").fill(TEXT)
    browser.follow(page.locator("main form .button").last, "**/questions/*-*/")
    examined(page, f"waiting-{language}", width)
    assert page.locator(".as-written").inner_text().startswith(TEXT[:30])
    assert page.locator(".as-written b").count() == 0


def _answer(page: Page, live_server, language: str) -> None:
    ticket = Ticket.objects.get()
    page.goto(f"{live_server.url}/admin/")
    examined(page, f"desk-index-{language}", 1280, "#content")
    page.goto(live_server.url + reverse("admin:tickets_ticket_changelist"))
    examined(page, f"desk-queue-{language}", 1280, "#content-main")
    browser.follow(page.get_by_role("link", name=ticket.number))
    page.locator("#id_note-text").fill("두 번 전화함")
    browser.follow(page.locator("form[action$='/note/'] input[type=submit]"))
    browser.follow(page.get_by_role("link", name="지난 주소"))
    assert page.locator("#id_text").input_value() == ANSWER
    examined(page, f"desk-ticket-{language}", 1280, "#content-main")
    browser.follow(page.locator("#answer input[type=submit]"))
    assert ANSWER[:10] in page.locator(".as-written").last.inner_text()
    examined(page, f"desk-answered-{language}", 1280, "#content-main")


def _read(page: Page, live_server, language: str, width: int) -> None:
    with override(language):
        page.goto(live_server.url + reverse("my_tickets"))
    examined(page, f"list-{language}", width)
    browser.follow(page.locator("main .card a"))
    examined(page, f"answered-{language}", width)
    assert page.locator(".thread-answer .as-written").inner_text() == ANSWER
    assert "두 번 전화함" not in page.content()
    page.locator("textarea").fill("고맙습니다.")
    browser.follow(page.locator("main form .button").last)
    assert Ticket.objects.get().state == "waiting"


def test_the_customers_pages_work_without_javascript(live_server, of_live_server, minji, incident):
    client = Client()
    client.force_login(minji)
    with browser.chromium() as chromium:
        context = chromium.new_context(java_script_enabled=False)
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": live_server.url}]
        )
        page = context.new_page()
        page.goto(f"{live_server.url}/en/questions/ask/hanbit-2025/")
        page.keyboard.press("Tab")
        page.locator("input[value=question]").focus()
        page.keyboard.press("Space")
        page.locator("textarea").fill("When?")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url("**/questions/*-*/")
        assert page.locator(".as-written").inner_text() == "When?"
        context.close()
