"""Code mails leave outside the request, over connections of their own that stay open."""

import threading
import time
from collections.abc import Iterator
from smtplib import (
    SMTPAuthenticationError,
    SMTPRecipientsRefused,
    SMTPServerDisconnected,
)

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import code_mails, code_queue
from accounts.code_mails import reason_of
from accounts.code_queue import CodeLane, CodeMessage
from harness.sign_in import ask_for_code, enter_code
from tests.smtp_server import DROP, SmtpServer

pytestmark = pytest.mark.django_db
DELAY_SECONDS, PATIENCE_SECONDS = 0.2, 20


@pytest.fixture(autouse=True)
def _a_queue_of_this_test(settings, monkeypatch):
    settings.EMAIL_BACKEND = "foundations.bounded_smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = "127.0.0.1", False, False
    settings.CODE_MAIL_CONNECTIONS = 2
    monkeypatch.setattr(code_mails, "_queue", code_mails.new_queue())
    monkeypatch.setattr(code_queue, "IDLE_SECONDS", 1.0)
    yield
    code_mails._queue.finish()


@pytest.fixture
def server(settings) -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        settings.EMAIL_PORT = running.port
        yield running


@pytest.fixture
def slow_server(settings) -> Iterator[SmtpServer]:
    with SmtpServer(reply_seconds=DELAY_SECONDS) as running:
        settings.EMAIL_PORT = running.port
        yield running


def wait_for(server: SmtpServer, mails: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(server.taken) < mails:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def code_in(server: SmtpServer) -> str:
    body = server.taken[-1].message.get_body(("plain",))
    assert body
    return next(line.strip() for line in body.get_content().splitlines() if line.strip().isdigit())


def mail_to(name: str, lane: CodeLane = CodeLane.USUAL, **more) -> CodeMessage:
    return CodeMessage(
        to=f"{name}@example.com",
        code="12345678",
        language="en",
        lane=lane,
        on_failure=more.get("on_failure", lambda: None),
    )


def test_a_customer_signs_in_with_the_mail(server, client):
    ask_for_code(client, "minji@example.com")
    wait_for(server, 1)
    enter_code(client, code_in(server))
    assert "_auth_user_id" in client.session


def test_the_headers_show_no_host_name_and_read_back_the_same(server, client, settings):
    settings.PORTAL_NAME = {
        "ko": "한빛 상점",
        "en": "한빛 상점 Hanbit Store, 고객 보호 센터",
    }
    settings.DEFAULT_FROM_EMAIL = "한빛 상점 <notice@shop.example>"
    settings.MAIL_DOMAIN, settings.MAIL_REPLY_TO = "shop.example", "help@shop.example"
    client.post("/en/account/sign-in/", {"email": "minji@example.com"})
    wait_for(server, 1)
    message = server.taken[0].message
    portal = f"{settings.PORTAL_NAME['en']}: your code for {settings.PORTAL_HOST}"
    assert message["Subject"] == portal
    assert str(message["From"]) == settings.DEFAULT_FROM_EMAIL
    assert message["Reply-To"] == "help@shop.example"
    assert message["Message-ID"].endswith("@shop.example>")
    assert message["Auto-Submitted"] == "auto-generated"
    assert "NDR" not in message["X-Auto-Response-Suppress"]
    assert message["Feedback-ID"] == "sign-in:account:code:shop.example"
    assert message.keys() == list(dict.fromkeys(message.keys()))
    head = server.taken[0].data.partition(b"\r\n\r\n")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 78


def test_the_mail_is_in_the_language_of_the_page(server, client):
    client.post("/en/account/sign-in/", {"email": "minji@example.com"})
    wait_for(server, 1)
    assert "Here is your code" in server.taken[0].message.get_body(("plain",)).get_content()


def test_the_request_does_not_wait_for_the_mail_server(slow_server, client):
    client.get(reverse("account_login"))
    began = time.monotonic()
    ask_for_code(client, "minji@example.com")
    assert time.monotonic() - began < DELAY_SECONDS
    wait_for(slow_server, 1)


def test_known_and_unknown_addresses_take_the_same_work(server, minji):
    queries = []
    for email in (minji.email, "nobody@example.com"):
        with CaptureQueriesContext(connection) as captured:
            ask_for_code(Client(), email)
        queries.append(len(captured))
    assert queries[0] == queries[1]


def test_connections_stay_open_and_their_number_is_limited(server):
    for number in range(40):
        code_mails.send(mail_to(f"customer{number}"))
    wait_for(server, 40)
    assert server.connections <= 2


def test_a_connection_that_the_server_closed_is_opened_again(server, settings):
    settings.CODE_MAIL_CONNECTIONS = 1  # else another thread may send the second mail
    code_mails.send(mail_to("first"))
    wait_for(server, 1)
    server.reply_next("sender", "", DROP)
    code_mails.send(mail_to("second"))
    wait_for(server, 2)
    assert server.connections == 2


def test_idle_threads_end_and_say_goodbye(server):
    code_mails.send(mail_to("minji"))
    wait_for(server, 1)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(thread.name == "code-mails" for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    code_mails.send(mail_to("seojun"))
    wait_for(server, 2)


def test_known_devices_are_first_and_suspicious_networks_last(slow_server, settings):
    settings.CODE_MAIL_CONNECTIONS = 1
    code_mails.send(mail_to("busy"))
    time.sleep(DELAY_SECONDS)  # its thread has taken it
    for lane in (CodeLane.SUSPICIOUS, CodeLane.USUAL, CodeLane.KNOWN_DEVICE):
        code_mails.send(mail_to(lane.name.lower(), lane))
    wait_for(slow_server, 4)
    order = [taken.to.partition("@")[0] for taken in slow_server.taken]
    assert order == ["busy", "known_device", "usual", "suspicious"]


@pytest.mark.parametrize("step", ["sender", "recipient", "message"])
def test_a_refused_mail_is_shown_on_the_page_of_the_code(server, client, step, caplog):
    server.reply_next(step, "", "550 5.7.1 no")
    ask_for_code(client, "minji@example.com")
    code_mails._queue.finish()
    page = client.get(reverse("sign_in_code"))
    assert page.status_code == 503
    assert page["Retry-After"]
    assert "a code mail was not sent" in caplog.text
    assert "minji" not in caplog.text
    assert ask_for_code(client, "minji@example.com").status_code == 302
    wait_for(server, 1)


def test_a_mail_after_a_refused_one_is_sent(server):
    server.reply_next("recipient", "refused@example.com", "550 5.1.1 unknown")
    for name in ("refused", "minji"):
        code_mails.send(mail_to(name))
    wait_for(server, 1)
    assert server.taken[0].to == "minji@example.com"


def test_an_unreachable_server_is_shown_on_the_page_of_the_code(settings, client):
    settings.EMAIL_PORT = 1
    assert ask_for_code(client, "minji@example.com").status_code == 302
    code_mails._queue.finish()
    assert client.get(reverse("sign_in_code")).status_code == 503


def test_a_full_queue_is_refused(client, monkeypatch, settings):
    monkeypatch.setattr(code_queue, "MOST_WAITING", 0)
    refused = ask_for_code(client, "minji@example.com")
    assert (refused.status_code, refused["Retry-After"]) == (503, "60")
    assert 'value="minji@example.com"' in refused.content.decode()


def test_the_code_is_not_in_a_representation():
    assert "12345678" not in repr(mail_to("minji"))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            SMTPAuthenticationError(535, b"5.7.8 Bad credentials"),
            "SMTPAuthenticationError: 535 5.7.8 Bad credentials",
        ),
        (
            SMTPRecipientsRefused({"a@b.example": (550, b"5.1.1 unknown")}),
            "SMTPRecipientsRefused: 550 5.1.1 unknown",
        ),
        (ConnectionRefusedError(111, "Connection refused"), "ConnectionRefusedError: Connection"),
        (SMTPServerDisconnected("closed\nby peer"), "SMTPServerDisconnected: closed by peer"),
        (TimeoutError("timed out"), "TimeoutError: timed out"),
    ],
)
def test_the_log_says_why_a_mail_was_not_sent(error, reason):
    assert reason_of(error).startswith(reason)
    assert len(reason_of(SMTPServerDisconnected("x" * 9_000))) < 400


def test_codes_may_have_a_server_and_addresses_of_their_own(server, settings):
    with SmtpServer() as codes_server:
        settings.CODE_MAIL_SERVER = {"host": "127.0.0.1", "port": codes_server.port}
        settings.CODE_MAIL_FROM = "Example Store <code@codes.example>"
        settings.CODE_MAIL_RETURN_PATH = "return@codes.example"
        code_mails.send(mail_to("minji"))
        wait_for(codes_server, 1)
        [taken] = codes_server.taken
    assert server.taken == []
    assert taken.sender == "return@codes.example"
    assert taken.message["From"] == "Example Store <code@codes.example>"
    assert taken.message["Message-ID"].endswith("@codes.example>")
