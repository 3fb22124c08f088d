"""The HTTP gateway for SMS: which failures are safe to retry, and what it must never do."""

import logging
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from notices.engine.gateways import IDLE_SECONDS, HttpGateway
from notices.engine.request_transport import (
    AccountRefusedError,
    RequestUnavailableError,
    UnansweredError,
)
from notices.engine.transport import Result
from notices.message_filling import OutgoingMessage
from notices.models import DoubtCause

pytest_plugins = ["tests.tls_fixtures"]

TEXT = OutgoingMessage(sender="reference", to="+821012345678", data=b"text")
TAKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntaken"


class RawServer:
    """A TCP server that counts connections and stores the bytes of each request."""

    def __init__(self, answer: Callable[[socket.socket], None]) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/send"

    def serve(self) -> None:
        while True:
            try:
                connection, _address = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=[connection], daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            self._answer(connection)

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@contextmanager
def raw_server(answer: Callable[[RawServer, socket.socket], None]) -> Iterator[RawServer]:
    server = RawServer(lambda connection: answer(server, connection))
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(10)


def request(connection: socket.socket) -> bytes:
    """Returns one whole request, or b"" if the client closed."""
    got = b""
    while b"\r\n\r\n" not in got or not got.endswith(b"}"):
        piece = connection.recv(65_536)
        if not piece:
            return b""
        got += piece
    return got


def answers(*replies: bytes) -> Callable[[RawServer, socket.socket], None]:
    """Returns a handler that sends these replies in turn, and then repeats the last one."""

    def answer(server: RawServer, connection: socket.socket) -> None:
        while asked := request(connection):
            server.requests.append(asked)
            place = min(len(server.requests), len(replies)) - 1
            connection.sendall(replies[place])

    return answer


def hang_up(_server: RawServer, connection: socket.socket) -> None:
    request(connection)


def stay_silent(_server: RawServer, connection: socket.socket) -> None:
    request(connection)
    time.sleep(1)


@pytest.fixture
def gateway(settings) -> Iterator[HttpGateway]:
    settings.SMS_CONNECTIONS, settings.SMS_SENDER = 2, "15881234"
    settings.SMS_GATEWAY_TOKEN = "secret"
    gateway = HttpGateway()
    yield gateway
    gateway.close()


def test_messages_share_a_connection(gateway, settings):
    with raw_server(answers(TAKEN)) as server:
        settings.SMS_GATEWAY_URL = server.url
        replies = [gateway.send(TEXT) for _turn in range(5)]
    assert {reply.result for reply in replies} == {Result.ACCEPTED}
    assert replies[0].server_reply == "200 taken"
    assert (server.connections, len(server.requests)) == (1, 5)


def test_a_connection_that_was_idle_is_not_used_again(gateway, settings):
    with raw_server(answers(TAKEN)) as server:
        settings.SMS_GATEWAY_URL = server.url
        gateway.send(TEXT)
        time.sleep(IDLE_SECONDS + 0.2)
        gateway.send(TEXT)
    assert server.connections == 2


def test_an_idle_connection_closed_by_the_server_leaves_no_doubt(gateway, settings):
    def answer(server: RawServer, connection: socket.socket) -> None:
        server.requests.append(request(connection))
        connection.sendall(TAKEN)

    with raw_server(answer) as server:
        settings.SMS_GATEWAY_URL = server.url
        for _turn in range(3):
            assert gateway.send(TEXT).result == Result.ACCEPTED
            time.sleep(0.1)
    assert server.connections == 3


def test_a_request_that_did_not_go_out_as_a_whole_was_never_sent(gateway, settings):
    def answer(_server: RawServer, connection: socket.socket) -> None:
        connection.recv(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with raw_server(answer) as server:
        settings.SMS_GATEWAY_URL = server.url
        with pytest.raises(RequestUnavailableError):
            gateway.send(OutgoingMessage(sender="reference", to=TEXT.to, data=b"x" * 30_000_000))


def test_a_disconnect_after_the_whole_request_is_in_doubt(gateway, settings):
    with raw_server(hang_up) as server:
        settings.SMS_GATEWAY_URL = server.url
        with pytest.raises(UnansweredError, match="RemoteProtocolError") as unanswered:
            gateway.send(TEXT)
    assert unanswered.value.doubt_cause == DoubtCause.CONNECTION_LOST


def test_no_answer_after_the_whole_request_is_in_doubt(settings, monkeypatch):
    monkeypatch.setattr("notices.engine.gateways.SECONDS", 0.3)
    gateway = HttpGateway()
    with raw_server(stay_silent) as server:
        settings.SMS_GATEWAY_URL = server.url
        with pytest.raises(UnansweredError) as unanswered:
            gateway.send(TEXT)
    assert unanswered.value.doubt_cause == DoubtCause.SERVER_SILENT
    gateway.close()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://no-such-host.invalid/"])
def test_without_a_connection_nothing_was_sent(gateway, settings, url):
    settings.SMS_GATEWAY_URL = url
    with pytest.raises(RequestUnavailableError):
        gateway.send(TEXT)


def test_a_certificate_that_signed_itself_is_refused(gateway, settings, certificate):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    def answer(_server: RawServer, connection: socket.socket) -> None:
        with pytest.raises(ssl.SSLError):
            context.wrap_socket(connection, server_side=True)

    with raw_server(answer) as server:
        settings.SMS_GATEWAY_URL = server.url.replace("http:", "https:")
        with pytest.raises(AccountRefusedError, match=r"^certificate: .*self.signed"):
            gateway.send(TEXT)


def test_a_redirect_is_not_followed(gateway, settings):
    moved = b"HTTP/1.1 307 Moved\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
    with raw_server(answers(moved, TAKEN)) as server:
        settings.SMS_GATEWAY_URL = server.url
        assert gateway.send(TEXT).result == Result.IN_DOUBT
    assert len(server.requests) == 1


def test_no_proxy_of_the_environment_is_used(settings, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    settings.SMS_CONNECTIONS = 1
    gateway = HttpGateway()
    with raw_server(answers(TAKEN)) as server:
        settings.SMS_GATEWAY_URL = server.url
        assert gateway.send(TEXT).result == Result.ACCEPTED
    gateway.close()


def test_no_cookie_is_stored_and_no_user_in_the_url_is_sent(gateway, settings):
    cookie = TAKEN.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b; Path=/\r\n\r\n")
    with raw_server(answers(cookie)) as server:
        settings.SMS_GATEWAY_URL = server.url.replace("//", "//user:password@")
        gateway.send(TEXT)
        gateway.send(TEXT)
    assert b"cookie" not in server.requests[1].lower()
    assert b"Authorization: Bearer secret\r\n" in server.requests[1]


def test_an_endless_answer_is_read_up_to_a_limit(gateway, settings):
    def answer(server: RawServer, connection: socket.socket) -> None:
        request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n")
        try:
            while True:
                connection.sendall(b"x" * 65_536)
        except OSError:
            server.requests.append(b"hung up on")

    with raw_server(answer) as server:
        settings.SMS_GATEWAY_URL = server.url
        reply = gateway.send(TEXT)
        time.sleep(0.2)
    assert reply.result == Result.ACCEPTED
    assert len(reply.server_reply) <= 66_000
    assert server.requests == [b"hung up on"]


def test_the_log_holds_no_address_of_the_gateway(gateway, settings, caplog):
    with raw_server(answers(TAKEN)) as server, caplog.at_level(logging.INFO):
        settings.SMS_GATEWAY_URL = f"{server.url}?key=secret"
        gateway.send(TEXT)
    assert "secret" not in caplog.text
    assert b"POST /send?key=secret HTTP/1.1" in server.requests[0]
