"""The incident's page in a real Chromium: as each role, at two widths, in each language."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.db import connections
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page

from accounts.models import User
from harness.sign_in import sign_in_to_desk
from incidents.guide.answers import NAMES
from incidents.models import FigurePoint, Incident
from notices.models import Notice
from tests import browser
from tests.desk_pages import desk_url
from tests.notice_factory import draft_notice

pytest_plugins = ["tests.notice_fixtures"]
WIDTHS = (390, 1280)
HANGUL = re.compile("[가-힣]+")
# A role's name, an address, a file's name and a hash stay as they are.
LATIN = re.compile(r"[A-Za-z]{3,}")
AS_WRITTEN = re.compile(
    r"\(\w+\)|\S+@\S+|(?<![A-Za-z])(?:SMS|PDF|KST)(?![A-Za-z])|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}"
)


@pytest.fixture
def working_incident(team, incident, notice_version) -> Incident:
    """An incident in the middle of its work: a closed notice, a paused one, a draft."""
    incident.aware_at = timezone.now() - timedelta(hours=30, minutes=20)
    incident.illegal_access, incident.reported_count = True, 5000
    incident.save()
    now = timezone.now()
    sent = {"approved_by": team["approver"], "approved_at": now, "planned_at": now}
    draft_notice(notice_version, team["editor"])
    closed = {"planned": 3000, "accepted": 2950, "bounced": 40, "suppressed": 10}
    draft_notice(notice_version, team["editor"], state="closed", closed_at=now, **sent, **closed)
    paused = {"planned": 9, "in_doubt": 2, "paused_for": "bounces"}
    draft_notice(notice_version, team["editor"], state="paused", **sent, **paused)
    for hours, value in ((20, 0), (10, 900), (2, 2950)):
        FigurePoint.objects.create(
            incident=incident,
            figure="accepted",
            at=now - timedelta(hours=hours),
            value=value,
        )
    return incident


@contextmanager
def opened(chromium: Browser, live_server, user: User, language: str, width: int) -> Iterator[Page]:
    client = Client()
    sign_in_to_desk(client, user)
    context = chromium.new_context(viewport={"width": width, "height": 844})
    cookies = {
        settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value,
        settings.LANGUAGE_COOKIE_NAME: language,
    }
    for name, value in cookies.items():
        context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
    yield context.new_page()
    context.close()


@pytest.fixture
def of_live_server(monkeypatch):
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)


def keep_screenshot(page: Page, name: str) -> None:
    """Stores a screenshot in the folder that the variable SCREENSHOTS names."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def foreign_words(page: Page, selector: str, language: str) -> list[str]:
    text = AS_WRITTEN.sub("", page.locator(selector).inner_text())
    return (LATIN if language == "ko" else HANGUL).findall(text)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_each_role_reads_the_page_in_its_language(
    live_server, of_live_server, team, working_incident, language
):
    url = live_server.url + desk_url("incidents_incident_page", working_incident.pk)
    with browser.chromium() as chromium:
        for role, user in team.items():
            with opened(chromium, live_server, user, language, max(WIDTHS)) as page:
                page.goto(url)
                assert foreign_words(page, ".incident-boards", language) == [], role
                for width in WIDTHS:
                    page.set_viewport_size({"width": width, "height": 844})
                    keep_screenshot(page, f"page-{role}-{width}-{language}")
                    assert browser.loaded_width(page) <= width
                    found = Axe().run(page, context=".incident-boards").response["violations"]
                    assert [each["id"] for each in found] == [], role


@pytest.mark.parametrize("language", ["ko", "en"])
def test_an_importer_answers_the_guides_questions_on_a_telephone(
    live_server, of_live_server, team, language
):
    with (
        browser.chromium() as chromium,
        opened(chromium, live_server, team["importer"], language, 390) as page,
    ):
        page.goto(live_server.url + desk_url("incidents_incident_guide_start"))
        for number, name in enumerate(NAMES):
            page.wait_for_url("**" + desk_url("incidents_incident_guide", name))
            keep_screenshot(page, f"guide-{number}-{name}-{language}")
            assert browser.loaded_width(page) <= 390, name
            found = Axe().run(page, context="#content-main").response["violations"]
            assert [each["id"] for each in found] == [], name
            fill(page, name)
            page.locator("input[name=next]").click()
        keep_screenshot(page, f"guide-answers-{language}")
        browser.follow(page.locator("input[name=record]"))
        assert desk_url("incidents_incident_page", Incident.objects.get().pk) in page.url


def fill(page: Page, name: str) -> None:
    """Gives the answers that are not suggested."""
    if name in ("template", "laws"):
        page.locator("#content-main form input[type=radio], input[type=checkbox]").first.check()
    for field in {"company": ("company",), "contact": ("department",)}.get(name, ()):
        page.locator(f"#id_{field}_ko").fill("한빛")
        page.locator(f"#id_{field}_en").fill("Hanbit")
    if name == "aware":
        page.locator("#id_aware_at").fill("2026-01-05T09:00")


def test_the_approver_reaches_the_paused_notice_by_the_button(
    live_server, of_live_server, team, working_incident
):
    index = live_server.url + desk_url("index")
    paused = Notice.objects.get(state="paused")
    with browser.chromium() as chromium:
        with opened(chromium, live_server, team["approver"], "en", 390) as page:
            page.goto(index)
            keep_screenshot(page, "index-approver-390-en")
            page.locator(".desk-next .button").click()
            page.wait_for_url("**" + desk_url("notices_notice_change", paused.pk))
        with opened(chromium, live_server, team["support"], "en", 1280) as page:
            page.goto(index)
            keep_screenshot(page, "index-support-1280-en")
            assert page.locator(".desk-next .button").count() == 0
            assert "approver" in page.locator(".desk-next").inner_text()
