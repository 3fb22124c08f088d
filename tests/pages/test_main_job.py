"""The main task in a real browser, from the export to the customer who unsubscribes.

All parts are real: PostgreSQL, Redis, a Celery worker in its own process, SMTP and Chromium.
"""

import os
import re
import subprocess
import sys
import time
from email.message import EmailMessage
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt
from django.core.cache import cache
from django.core.management import call_command
from django.db import connections
from playwright.sync_api import Browser, Page, expect

from accounts.models import User
from breachportal.demo import sample
from breachportal.demo.app_codes import code_at
from harness.exposure_factory import write_off_unread
from incidents.models import ExposureBatch
from notices.models import AlertSubscription, Notice
from statements.models import Statement, StatementVersion
from statements.sample import SLUG
from statements.sample import load_sample_incident as load_sample
from tests import browser
from tests.database import database_url
from tests.notice_factory import wait_until_closed
from tests.smtp_server import SmtpServer

ROOT = Path(__file__).parents[2]
CUSTOMER = sample.ENGLISH_CUSTOMER
SCAM = "A text message asks you to confirm a refund. It is not from us."
SCAM_IN_KOREAN = "환불을 확인하라는 문자가 옵니다. 저희가 보낸 것이 아닙니다."
# Values of this customer in the export, as the page may show them and as it may not.
MASKED = {"phone": "010-****-8353", "e-mail": "u***@n***.example"}
UNMASKED = {"8478", "82104788353", "010-8478-8353"}
OF_A_STRANGER = {"정영숙", "4644", "4310"}
PATIENCE_SECONDS = 120


@pytest.fixture
def mails():
    with SmtpServer() as server:
        yield server


@pytest.fixture
def portal(transactional_db, live_server, settings, mails, monkeypatch):
    """The address of the portal; a worker process uses the same database."""
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    settings.PORTAL_URL = live_server.url
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mails.port
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "breachportal", "worker", "--beat"]
        + ["--schedule", str(settings.VAR / "celerybeat-test"), "--concurrency", "2"]
        + ["--queues", "send,import,default", "--loglevel", "WARNING"],
        cwd=ROOT,
        env=os.environ
        | {
            "DATABASE_URL": database_url(),
            "REDIS_URL": settings.REDIS_URL,
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(mails.port),
            "PORTAL_URL": live_server.url,
        },
    )
    yield live_server.url
    worker.terminate()
    worker.wait(timeout=30)


@pytest.fixture
def chrome():
    """A running Chromium."""
    # Playwright's event loop runs in this thread, so Django sees an asynchronous caller.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with browser.chromium() as chromium:
        yield chromium
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def person(chrome: Browser, language: str = "en-GB") -> Page:
    """Returns a new browser window on a phone, without JavaScript."""
    context = chrome.new_context(
        java_script_enabled=False, locale=language, viewport={"width": 390, "height": 844}
    )
    return context.new_page()


def mail_to(mails: SmtpServer, address: str, *, containing: str = "", after: int = 0):
    """Waits for a mail to an address and returns the newest."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        for message in reversed(mails.to(address)[after:]):
            if containing in str(message["Subject"]) + text_of(message):
                return message
        time.sleep(0.2)
    raise AssertionError(f"no mail to {address} with {containing!r}")


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    return str(part.get_content()) if part else ""


def sign_in(page: Page, mails: SmtpServer, address: str) -> None:
    """Signs in on the sign-in page with the code from the mail."""
    before = len(mails.to(address))
    page.get_by_label("e\u2011mail address").fill(address)
    page.get_by_role("button", name="Send me a code").click()
    code = re.search(r"\b\d{8}\b", text_of(mail_to(mails, address, after=before)))
    assert code
    page.get_by_label("eight digits").fill(code[0])
    page.get_by_role("button", name="Sign in").click()


def sign_in_staff(page: Page, portal: str, mails: SmtpServer, address: str) -> None:
    """Signs in to the desk, with the second factor after the code."""
    page.goto(f"{portal}/admin/")
    sign_in(page, mails, address)
    secret = decrypt(
        Authenticator.objects.get(user__email=address, type=Authenticator.Type.TOTP).data["secret"]
    )
    cache.clear()  # a code is valid once, and the test signs in twice within 30 seconds
    page.get_by_label("Code").fill(code_at(secret, time.time()))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Response desk")).to_be_visible()


def import_the_export(rejects: Path) -> None:
    """Imports the export with the operator's commands."""
    folder = sample.EXPORT / "export-2025-11"
    for name, mapping in sample.FILES.items():
        call_command(
            "import_exposures",
            str(folder / name),
            *("--incident", SLUG),
            *("--mapping", str(sample.EXPORT / mapping)),
            *("--rejects", str(rejects)),
        )
    write_off_unread(ExposureBatch.objects.get(incident__slug=SLUG))
    call_command("close_batch", SLUG)


def send_in_the_desk(editor: Page, approver: Page, portal: str, query: str) -> Notice:
    """Writes a notice as one person and approves it as another; returns it when it is closed."""
    editor.goto(f"{portal}/admin/notices/notice/add/?{query}")
    editor.get_by_role("button", name="Save", exact=True).click()
    expect(editor.locator(".messagelist")).to_contain_text("Saved")
    notice = Notice.objects.latest("pk")
    editor.goto(f"{portal}/admin/notices/notice/{notice.pk}/approve/")
    expect(editor.get_by_role("button", name="Approve and send")).to_have_count(0)
    approver.goto(f"{portal}/admin/notices/notice/{notice.pk}/change/")
    approver.get_by_role("link", name="Approve and send").click()
    people = approver.get_by_role("row", name="People", exact=False).first.inner_text()
    approver.locator("input[name=people]").fill(re.sub(r"\D", "", people))
    browser.follow(approver.get_by_role("button", name="Approve and send"))
    expect(approver.locator("body")).not_to_contain_text("Please correct")
    return wait_until_closed(notice, seconds=PATIENCE_SECONDS)


def publish_next_version(editor: Page, approver: Page, portal: str, statement: Statement) -> str:
    """Drafts and publishes the next version; returns the query that drafts its alert."""
    editor.goto(f"{portal}/admin/statements/statement/{statement.pk}/change/")
    editor.get_by_role("button", name="Draft next version").click()
    for language, text in (("ko", "새로운 사기 문자를 덧붙였습니다."), ("en", "New scam added.")):
        editor.locator(f"textarea[name=change_reason_{language}]").fill(text)
    editor.locator("textarea[name=sections-0-body_ko]").fill(SCAM_IN_KOREAN)
    editor.locator("textarea[name=sections-0-body_en]").fill(SCAM)
    editor.get_by_role("button", name="Save", exact=True).click()
    expect(editor.locator(".messagelist")).to_be_visible()
    draft = statement.versions.get(state="draft")
    approver.goto(f"{portal}/admin/statements/statementversion/{draft.pk}/publish/")
    approver.get_by_role("button", name="Publish for good").click()
    expect(approver.locator(".messagelist")).to_contain_text("ublished")
    link = approver.locator(".messagelist a").first.get_attribute("href")
    assert link
    return link.partition("?")[2]


@pytest.mark.django_db(transaction=True)
def test_the_main_job_from_the_export_to_the_unsubscribing_customer(
    portal, chrome, mails, tmp_path
):
    incident = load_sample()
    for address in (sample.EDITOR, sample.APPROVER):
        sample.give_second_factor(User.objects.get(email=address))

    import_the_export(tmp_path)

    editor, approver = person(chrome), person(chrome)
    sign_in_staff(editor, portal, mails, sample.EDITOR)
    sign_in_staff(approver, portal, mails, sample.APPROVER)
    version = StatementVersion.objects.get(statement__kind="notice", state="published")
    notice = send_in_the_desk(editor, approver, portal, f"version={version.pk}&kind=mandatory")
    assert (notice.planned, notice.accepted, notice.unreachable) == (4548, 2940, 1608)
    assert len(mails.taken) >= 2940

    # The mail has the customer's own name and data classes, and the address of the portal.
    mail = mail_to(mails, CUSTOMER)
    assert "Dear Seán O'Connor," in text_of(mail)
    assert "Entrance code" in text_of(mail)
    assert portal in text_of(mail)
    assert mail["List-Unsubscribe"] is None
    assert mail["Auto-Submitted"] == "auto-generated"

    # The customer signs in with the code from the mail, and sees only their own masked values.
    customer = person(chrome)
    customer.goto(f"{portal}/en/")
    sign_in(customer, mails, CUSTOMER)
    expect(customer.get_by_role("heading", level=1)).to_contain_text("leaked")
    page = customer.locator("main").inner_text()
    contact = {part: values for part, values in MASKED.items() if values not in page}
    assert not contact, page
    for secret in UNMASKED | OF_A_STRANGER:
        assert secret not in customer.content()

    # The customer subscribes to scam warnings.
    customer.goto(f"{portal}/en/alerts/")
    customer.get_by_label("New scam warnings").check()
    customer.get_by_role("button", name="Save my choice").click()
    expect(customer.locator("main")).to_contain_text("You will get")

    # A new version of the advisory reaches the inbox as an alert.
    advisory = Statement.objects.get(incident=incident, kind="advisory")
    query = publish_next_version(editor, approver, portal, advisory)
    alert = send_in_the_desk(editor, approver, portal, query)
    assert (alert.kind, alert.planned, alert.accepted) == ("alert", 1, 1)
    mail = mail_to(mails, CUSTOMER, containing=SCAM)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    # The customer unsubscribes: the link shows a button, and the button ends the subscription.
    link = str(mail["List-Unsubscribe"]).strip("<>")
    stranger = person(chrome)
    stranger.goto(link)
    subscription = AlertSubscription.objects.get(user__email=CUSTOMER)
    assert subscription.unsubscribed_at is None
    stranger.get_by_role("button", name="End this alert").click()
    expect(stranger.locator("main")).to_contain_text("no more of these alerts")
    subscription.refresh_from_db()
    assert subscription.unsubscribed_at is not None
