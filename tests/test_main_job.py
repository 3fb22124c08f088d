"""The main job in a real browser: from the export to the customer who unsubscribes.

Everything is real: PostgreSQL, Redis, a Celery worker in its own process, SMTP, Chromium.
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
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from django.core.cache import cache
from django.db import connection
from playwright.sync_api import Browser, Page, expect, sync_playwright

from breachportal.demo import sample
from notices.models import Delivery, Notice
from tests import browser as chromium
from tests.smtp_server import SmtpServer

ROOT = Path(__file__).parent.parent
CUSTOMER = "user00001@gmail.example"
STRANGER = "user00002@example.co.kr"
PATIENCE_SECONDS = 120


@pytest.fixture
def mails():
    with SmtpServer() as server:
        yield server


@pytest.fixture
def portal(transactional_db, live_server, settings, mails):
    """The site's address, with a worker beside it that sees the same database."""
    settings.PORTAL_URL = live_server.url
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mails.port
    database = connection.settings_dict
    url = f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST']}"
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "breachportal", "worker", "--beat"]
        + ["--schedule", str(settings.VAR / "celerybeat-test"), "--concurrency", "2"]
        + ["--queues", "send,import,default", "--loglevel", "WARNING"],
        cwd=ROOT,
        env=os.environ
        | {
            "DATABASE_URL": url,
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
    """A Chromium whose pages must not depend on JavaScript."""
    # Playwright's loop runs in this thread, and Django takes it for an asynchronous caller.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.executable(), args=chromium.FLAGS
        )
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def person(chrome: Browser, language: str = "en-GB") -> Page:
    """A window of somebody's own, on a phone, without JavaScript."""
    context = chrome.new_context(
        java_script_enabled=False, locale=language, viewport={"width": 390, "height": 844}
    )
    return context.new_page()


def mail_to(mails: SmtpServer, address: str, *, containing: str = "", after: int = 0):
    """The newest mail to an address, waited for."""
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
    """From the sign-in page to wherever it leads, with the code out of the mail."""
    before = len(mails.to(address))
    page.get_by_label("E-mail address").fill(address)
    page.get_by_role("button", name="Send me a code").click()
    code = re.search(r"\b\d{3} ?\d{3}\b", text_of(mail_to(mails, address, after=before)))
    assert code
    page.get_by_label("Code").fill(code[0])
    page.get_by_role("button", name="Sign in").click()


def sign_in_staff(page: Page, portal: str, mails: SmtpServer, address: str) -> None:
    """The desk asks for a second factor after the code."""
    page.goto(f"{portal}/admin/")
    sign_in(page, mails, address)
    secret = decrypt(
        Authenticator.objects.get(user__email=address, type=Authenticator.Type.TOTP).data["secret"]
    )
    cache.clear()  # a code counts once, and the test is quicker than half a minute
    page.get_by_label("Code").fill(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Site administration")).to_be_visible()


def wait_until_closed(notice: Notice) -> Notice:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        notice.refresh_from_db()
        if notice.state == Notice.State.CLOSED:
            return notice
        time.sleep(0.5)
    raise AssertionError(f"the notice is still {notice.state}")
