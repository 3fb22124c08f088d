"""A server of mail or HTTP that talks without end holds neither a thread nor its memory."""

import dataclasses
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from email.message import EmailMessage as MimeMessage
from smtplib import SMTPServerDisconnected

import pytest
from django.core.mail import EmailMessage, get_connection

from breachportal import settings as portal_settings
from foundations import bounded_smtp, http_answers, traces, webhooks
from notices.engine import providers
from notices.engine.gateways import GatewayClient
from notices.engine.smtp import SmtpTransport
from notices.engine.transport import Result, ServerUnavailableError
from notices.message_filling import OutgoingMessage
from notices.models import DoubtCause

LINES = itertools.repeat(b"220-" + b"x" * 500 + b"\r\n")
SLOWLY = itertools.repeat(b"2")  # one octet after another, without the end of a line
AFTER_EHLO = [b"220 mx ESMTP\r\n", *([b"250-EXTENSION-" + b"x" * 400 + b"\r\n"] * 1_000)]
ENOUGH_SECONDS = 20.0
Serve = Callable[..., None]


@pytest.fixture
def serve(settings) -> Iterator[Serve]:
    """A function that starts a mail server, which sends these octets to each client."""
    listening = socket.create_server(("127.0.0.1", 0))
    settings.EMAIL_HOST, settings.EMAIL_PORT = listening.getsockname()
    settings.EMAIL_SECURITY, settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = "none", False, False

    def talk(octets: Iterable[bytes], pause: float) -> None:
        with suppress(OSError):
            while True:
                client, _address = listening.accept()
                with client, suppress(OSError):
                    for each in octets:
                        client.sendall(each)
                        time.sleep(pause)
                    time.sleep(ENOUGH_SECONDS)

    def start(octets: Iterable[bytes], pause: float = 0.0) -> None:
        threading.Thread(target=talk, args=(octets, pause), daemon=True).start()

    yield start
    listening.close()


NOTICE = OutgoingMessage(
    delivery_id=1,
    to="minji@example.com",
    data=b"Subject: x\r\n\r\nx\r\n",
    sender="b@example.com",
)


def send_notice() -> None:
    with SmtpTransport() as transport:
        transport.submit(NOTICE)
        deadline = time.monotonic() + ENOUGH_SECONDS
        while time.monotonic() < deadline:
            transport.wait(0.1)


def send_account_mail() -> None:
    backend = get_connection(portal_settings.EMAIL_BACKEND)  # the tests' own keeps mails
    EmailMessage("x", "x", "b@example.com", ["minji@example.com"], connection=backend).send()


@pytest.mark.parametrize("send", [send_notice, send_account_mail])
@pytest.mark.parametrize(
    ("octets", "pause"),
    [(LINES, 0.0), (AFTER_EHLO, 0.0), (SLOWLY, 0.02)],
    ids=["lines", "extensions", "slowly"],
)
def test_a_reply_without_end_ends_the_connection(serve, monkeypatch, send, octets, pause):
    monkeypatch.setattr(bounded_smtp, "MOST_SECONDS", 1.0 if pause else ENOUGH_SECONDS)
    serve(octets, pause)
    began = time.monotonic()
    with pytest.raises((ServerUnavailableError, SMTPServerDisconnected), match="without end"):
        send()
    assert time.monotonic() - began < ENOUGH_SECONDS


def ask_gateway(url: str) -> None:
    assert GatewayClient().post(url, body=b"{}", headers={})[0] == 200


def post_to_webhook(url: str) -> None:
    webhooks.post_fields(url, {"text": "x"}, secret="x")


def send_spans(url: str) -> None:
    traces._Sender()._post([])


@pytest.mark.parametrize("ask", [ask_gateway, post_to_webhook, send_spans])
@pytest.mark.parametrize("pause", [0.0, 0.02], ids=["fast", "slowly"])
def test_an_answer_over_http_without_end_is_not_read_to_its_end(
    serve, settings, monkeypatch, ask, pause
):
    monkeypatch.setattr(http_answers, "MOST_SECONDS", 1.0)
    began = time.monotonic()
    length = 1 if pause else 10_000
    piece = f"{length:x}\r\n{'x' * length}\r\n".encode()
    until = began + 2 * ENOUGH_SECONDS
    pieces = itertools.takewhile(lambda _: time.monotonic() < until, itertools.repeat(piece))
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    serve(itertools.chain([head], pieces), pause)
    settings.TRACES_URL = url = f"http://127.0.0.1:{settings.EMAIL_PORT}/"
    ask(url)
    assert time.monotonic() - began < ENOUGH_SECONDS


def mail_of(sender: str) -> bytes:
    mail = MimeMessage()
    mail["Subject"], mail["From"] = "x", sender
    mail.set_content("x")
    mail.add_alternative("<p>x</p>", subtype="html")
    return mail.as_bytes()


@pytest.mark.parametrize("head", ["200 OK", "500 No"])
@pytest.mark.parametrize("pause", [0.0, 0.02], ids=["at once", "slowly"])
def test_an_answer_of_a_providers_api_without_end_leaves_the_mail_in_doubt(
    serve, settings, monkeypatch, head, pause
):
    """anymail's client of HTTP would read all of it; its time-out counts from octet to octet."""
    monkeypatch.setattr(http_answers, "MOST_SECONDS", 1.0)
    monkeypatch.setattr(providers, "_per_thread", threading.local())
    settings.NOTICE_PROVIDER = "anymail.backends.postmark.EmailBackend"
    api = f"http://127.0.0.1:{settings.EMAIL_PORT}/"
    settings.ANYMAIL = {
        "POSTMARK_SERVER_TOKEN": "token",
        "POSTMARK_API_URL": api,
        "IGNORE_UNSUPPORTED_FEATURES": True,
    }
    piece = b"1\r\nx\r\n" if pause else b"2710\r\n" + b"x" * 10_000 + b"\r\n"
    began = time.monotonic()
    until = began + 2 * ENOUGH_SECONDS
    pieces = itertools.takewhile(lambda _: time.monotonic() < until, itertools.repeat(piece))
    start = f"HTTP/1.1 {head}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    serve(itertools.chain([start], pieces), pause)
    reply = providers._send(dataclasses.replace(NOTICE, data=mail_of("b@example.com")))
    assert time.monotonic() - began < ENOUGH_SECONDS
    assert (reply.result, reply.doubt_cause) == (Result.IN_DOUBT, DoubtCause.UNCLEAR_ANSWER)
    assert len(reply.server_reply) <= 2_000
