"""The accounts of the response team in a real Chromium: roles, invitations, sessions, their end."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core import mail
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from accounts.models import Invitation, User
from accounts.team import desk_sessions
from breachportal.demo.app_codes import code_at
from harness.sign_in import give_app, newest_code
from incidents.models import FactChange, Incident
from tests import browser
from tests.desk_pages import desk_url
from tests.incidents.test_incident_page_browser import (
    WIDTHS,
    foreign_words,
    keep_screenshot,
    of_live_server,  # noqa: F401
    opened,
)
from tests.notice_factory import draft_notice

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.usefixtures("of_live_server")
OWN_NAMES = {"English", "한국어", "Chrome", "API"}  # of languages and browsers, and a word of both


# The right edge of the widest field, which a box around it may cut off without a scroll bar.
RIGHTMOST = """Math.max(0,
    ...[...document.querySelectorAll("#content :is(input, select, textarea)")]
    .filter(each => !each.closest(".results, .inline-group .tabular"))
    .map(each => each.getBoundingClientRect().right))"""


def check(page: Page, name: str, language: str, selector: str = "#content-main") -> None:
    """Fails if a page scrolls sideways, is not accessible, has words of another language, or if a
    field is cut off.
    """
    check_words(page, name, language, selector)
    found = Axe().run(page, context=selector).response["violations"]
    assert [each["id"] for each in found] == [], name


def check_words(page: Page, name: str, language: str, selector: str = "#content-main") -> None:
    """Does what `check` does, without axe, which takes seconds for a table of a thousand cells."""
    width = page.viewport_size["width"] if page.viewport_size else 0
    keep_screenshot(page, f"{name}-{width}-{language}")
    assert browser.loaded_width(page) <= width, name
    assert page.evaluate(RIGHTMOST) <= width, name
    assert set(foreign_words(page, selector, language)) <= OWN_NAMES, name


@contextmanager
def new_browser(chromium: Browser, language: str, width: int) -> Iterator[Page]:
    locale = {"ko": "ko-KR", "en": "en-GB"}[language]
    context = chromium.new_context(viewport={"width": width, "height": 844}, locale=locale)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("language", ["ko", "en"])
def test_each_role_reads_who_may_do_what(live_server, team, editor, language):
    with browser.chromium() as chromium:
        for role, user in {**team, "": editor}.items():
            with opened(chromium, live_server, user, language, max(WIDTHS)) as page:
                page.goto(live_server.url + desk_url("index"))
                page.locator(f"#user-tools a[href='{desk_url('auth_group_matrix')}']").click()
                page.wait_for_url("**" + desk_url("auth_group_matrix"))
                own = page.locator("thead th.own-role").first.text_content() or ""
                assert (f"({role})" in own or role in own) if role else own, own
                # The table is the same for each role, but for the column that is marked as its own.
                checked = check if role in ("", min(team)) else check_words
                for width in WIDTHS:
                    page.set_viewport_size({"width": width, "height": 844})
                    checked(page, f"matrix-{role or 'superuser'}", language)


def sign_in_by_hand(page: Page, url: str, user: User, secret: str) -> None:
    """Signs in on the page at `url` that asks for it: address, code from the mail, app."""
    if url:
        page.goto(url)
    page.locator("input[name=email]").fill(user.contact)
    page.locator("main form button").first.click()
    page.locator("input[name=code]").wait_for()
    page.locator("input[name=code]").fill(newest_code())
    page.locator("main form button").first.click()
    page.wait_for_url("**/second-step/**")
    page.locator("input[name=code]").fill(code_at(secret, time.time()))
    browser.follow(page.locator("main form button").first)


@pytest.mark.parametrize(("language", "width"), [("ko", 390), ("en", 1280)])
def test_an_invitation_leads_from_two_superusers_to_the_desk(
    live_server, editor, approver, language, width
):
    with browser.chromium() as chromium:
        with opened(chromium, live_server, editor, language, width) as page:
            page.goto(live_server.url + desk_url("accounts_invitation_add"))
            page.locator("#id_email").fill("jiwoo@hanbit.example")
            page.locator("input[name=groups]").nth(2).check()
            page.locator("#id_language").select_option(language)
            check(page, "invitation-add", language)
            page.locator("input[name=_save]").click()
            expect(page.locator(".messagelist")).to_be_visible()
            check(page, "invitations", language)
        pk = Invitation.objects.get().pk
        assert mail.outbox == []
        with opened(chromium, live_server, approver, language, width) as page:
            page.goto(live_server.url + desk_url("accounts_invitation_change", pk))
            check(page, "invitation-confirm", language)
            page.locator("form[action$='/confirm/'] input[type=submit]").click()
            expect(page.locator(".messagelist .success")).to_have_count(1)
            check(page, "invitation-sent", language)
        link = re.search(r"https?://\S+", str(mail.outbox[-1].body).split("\n\n")[2])
        assert link
        with new_browser(chromium, language, width) as page:
            page.goto(live_server.url + urlsplit(link[0]).path)
            page.wait_for_url("**/account/invitation/")
            check(page, "invited-name", language, "main")
            page.locator("input[name=name]").fill("Jiwoo Han")
            page.locator("main form button").click()
            key = page.locator("dl.facts code").inner_text()
            keep_screenshot(page, f"invited-app-{width}-{language}")
            page.locator("input[name=code]").fill(code_at(key, time.time()))
            page.locator("main form button").click()
            expect(page.locator("code.whole")).to_have_count(10)
            keep_screenshot(page, f"invited-recovery-{width}-{language}")
            page.locator("main .actions a").first.click()
            page.wait_for_url("**" + desk_url("index"))
            assert "Jiwoo Han" in (page.locator("#user-tools").text_content() or "")
        with new_browser(chromium, language, width) as page:
            answer = page.goto(live_server.url + urlsplit(link[0]).path)
            assert answer
            assert answer.status == 410
            check(page, "invited-closed", language, "main")


def test_a_form_after_the_end_of_the_session_is_sent_after_the_next_sign_in(
    live_server, settings, team, incident
):
    secret = give_app(team["importer"])
    change = live_server.url + desk_url("incidents_incident_change", incident.pk)
    settings.DESK_IDLE_MINUTES = 1
    with (
        browser.chromium() as chromium,
        opened(chromium, live_server, team["importer"], "en", 390) as page,
    ):
        page.goto(change)
        page.locator("[name=contact_phone]").fill("1577-9999")
        if page.locator("[name=reason]").count():
            page.locator("[name=reason]").fill("First line\n<b>second</b> line")
        settings.DESK_IDLE_MINUTES = 1 / 60
        time.sleep(1.5)
        page.locator("input[name=_save]").click()
        page.wait_for_url("**/account/sign-in/**")
        expect(page.locator("main")).to_contain_text("What you typed is kept")
        settings.DESK_IDLE_MINUTES = 30
        sign_in_by_hand(page, "", team["importer"], secret)
        page.wait_for_url(change)
        expect(page.locator("#content-main")).to_contain_text("1577-9999")
        keep_screenshot(page, "kept-form-390-en")
        page.locator("input[type=submit].default").click()
        keep_screenshot(page, "kept-form-sent-390-en")
        expect(page.locator(".messagelist")).to_be_visible()
    changed = Incident.objects.get().contact_phone == "1577-9999"
    assert changed or FactChange.objects.filter(changes__icontains="1577-9999").exists()


def test_a_page_that_reloads_itself_does_not_keep_the_session(
    live_server, settings, team, notice_version, monkeypatch
):
    monkeypatch.setattr(desk_sessions, "_WRITE_SECONDS", 0)
    approved = {"approved_by": team["approver"], "approved_at": timezone.now()}
    notice = draft_notice(notice_version, team["editor"], state="planning", **approved)
    settings.DESK_IDLE_MINUTES = 8 / 60
    with (
        browser.chromium() as chromium,
        opened(chromium, live_server, team["approver"], "en", 1280) as page,
    ):
        page.goto(live_server.url + desk_url("notices_notice_change", notice.pk))
        page.wait_for_url("**/account/sign-in/**", timeout=30_000)


@pytest.mark.parametrize(("language", "width"), [("ko", 390), ("en", 1280)])
def test_a_superuser_signs_another_member_out(live_server, editor, approver, language, width):
    secret = give_app(approver)
    with browser.chromium() as chromium, new_browser(chromium, language, width) as theirs:
        sign_in_by_hand(theirs, f"{live_server.url}/{language}/account/sign-in/", approver, secret)
        theirs.goto(live_server.url + desk_url("index"))
        with opened(chromium, live_server, editor, language, width) as page:
            page.goto(live_server.url + desk_url("accounts_user_change", approver.pk))
            page.locator(f"a[href='{desk_url('accounts_user_sessions', approver.pk)}']").click()
            check(page, "sessions", language)
            page.locator("input[name=reason]").fill("24")
            page.locator("button[name=session]").first.click()
            expect(page.locator(".messagelist .success")).to_be_visible()
        theirs.reload()
        theirs.wait_for_url("**/account/sign-in/**")
