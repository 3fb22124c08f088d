"""The engine's SMTP with servers that lack extensions, refuse at any step or disconnect."""

import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest

from notices.engine.smtp import SmtpTransport
from notices.engine.smtp.limits import connection_limits
from notices.engine.transport import Result, SenderRefusedError, ServerUnavailableError
from notices.message_filling import OutgoingMessage

EXTENSIONS = ("PIPELINING", "8BITMIME", "SIZE 10000000", "SMTPUTF8", "AUTH PLAIN LOGIN")
DROP, SILENCE = "drop", "silence"
PATIENCE_SECONDS = 20


class Server:
    """A server that sends the `replies` of a step in turn, and the usual reply otherwise."""

    def __init__(
        self,
        *extensions: str,
        byte_by_byte: bool = False,
        most: int = 1000,
        most_mails: int = 1_000_000,
        end: str = "",
        charset: str = "utf-8",
    ) -> None:
        self.extensions, self.byte_by_byte, self.most = extensions, byte_by_byte, most
        self.charset = charset
        self.most_mails, self.end = most_mails, end  # a connection, and the reply after them
        self.ended = 0  # connections that got `end`
        self.replies: dict[str, list[str]] = {}
        self.taken: list[tuple[str, bytes]] = []
        self.commands: Counter[str] = Counter()
        self.open = self.most_open = 0
        self.hurried = False  # a command came before the reply to the one before
        self._lock = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._socket.getsockname()[1]

    def __enter__(self) -> "Server":
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._socket.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                connection, _address = self._socket.accept()
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with self._lock:
            self.open += 1
            is_too_many = self.open > self.most
            self.most_open = max(self.most_open, self.open - is_too_many)
        with suppress(OSError, EOFError), connection:
            if is_too_many:
                self._say(connection, "421 too many connections")
            else:
                self._talk(connection, connection.makefile("rb"))
        with self._lock:
            self.open -= 1

    def _talk(self, connection: socket.socket, lines) -> None:
        self._say(connection, self._next("GREETING", "220 raw ESMTP"))
        to, mails = "", 0
        while line := lines.readline():
            verb = line[:4].decode().strip().upper()
            mails += verb == "MAIL"
            self.commands[verb] += 1
            usual = {"DATA": "354 go on", "QUIT": "221 bye", "AUTH": "235 welcome"}
            reply = self._next(verb, usual.get(verb, "250 ok"))
            if verb == "EHLO" and reply == "250 ok":
                reply = "\r\n".join([f"250-{word}" for word in ("raw", *self.extensions)])
                reply += "\r\n250 HELP"
            if mails > self.most_mails and verb == self.end[:4]:
                self.ended += 1
                reply = self.end[5:]
            if verb == "RCPT":
                to = line.decode().partition("<")[2].partition(">")[0]
            time.sleep(0.001)  # so that a command sent too early has arrived
            if "PIPELINING" not in self.extensions:
                connection.setblocking(False)
                with suppress(BlockingIOError):
                    self.hurried |= bool(connection.recv(1, socket.MSG_PEEK))
                connection.setblocking(True)
            self._say(connection, reply)
            if verb == "DATA" and reply[0] == "3":
                self._take(connection, lines, to)
            if verb == "QUIT" or reply.startswith("421"):
                return

    def _take(self, connection: socket.socket, lines, to: str) -> None:
        data = b""
        if self.replies.get("INSIDE"):
            lines.readline()
            self._say(connection, self._next("INSIDE", ""))
        while (line := lines.readline()) != b".\r\n":
            if not line:
                raise EOFError
            data += line
        if data:
            self.taken.append((to, data))
        self._say(connection, self._next("DOT", "250 2.0.0 taken"))

    def _next(self, step: str, usual: str) -> str:
        return self.replies[step].pop(0) if self.replies.get(step) else usual

    def _say(self, connection: socket.socket, reply: str) -> None:
        if reply == DROP:
            connection.shutdown(socket.SHUT_RDWR)
            raise EOFError
        if reply == SILENCE:
            time.sleep(PATIENCE_SECONDS)
            raise EOFError
        data = f"{reply}\r\n".encode(self.charset)
        for start in range(len(data)) if self.byte_by_byte else [0]:
            connection.sendall(data[start : start + 1] if self.byte_by_byte else data)


@pytest.fixture
def serve(settings):
    """A function that starts a server and sets it in the settings."""
    running: list[Server] = []
    settings.EMAIL_TIMEOUT = settings.NOTICE_REPLY_SECONDS = 5
    settings.EMAIL_HOST, settings.EMAIL_SECURITY = "127.0.0.1", "none"

    def start(*extensions: str, **options: Any) -> Server:
        server = Server(*(extensions or EXTENSIONS), **options)
        running.append(server.__enter__())
        settings.EMAIL_PORT = server.port
        return server

    yield start
    for server in running:
        server.__exit__()


def mail(number: int, to: str = "", text: str = "안녕하십니까") -> OutgoingMessage:
    data = f"To: <…>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n".encode()
    to = to or f"customer{number}@example.com"
    return OutgoingMessage(sender="bounce+x@portal.example", to=to, data=data, delivery_id=number)


def deliver(*mails: OutgoingMessage) -> dict[int, Result]:
    """Submits all mails and waits for every outcome; returns {delivery: result}."""
    left = list(mails)
    results: dict[int, Result] = {}
    deadline = time.monotonic() + PATIENCE_SECONDS
    with SmtpTransport() as transport:
        while len(results) < len(mails):
            assert time.monotonic() < deadline, results
            for _ in range(min(transport.capacity(), len(left))):
                transport.submit(left.pop(0))
            try:
                transport.wait(0.2)
            finally:
                results |= {
                    one.message.delivery_id: one.reply.result for one in transport.outcomes()
                }
            transport.start(transport.ready())
    return results


@pytest.mark.parametrize(
    "extensions",
    [EXTENSIONS, ("8BITMIME",), ("PIPELINING", "8BITMIME"), ("8BITMIME", "SIZE")],
)
def test_a_server_with_any_extensions_gets_its_mail(serve, extensions):
    server = serve(*extensions)
    mails = [mail(number) for number in range(20)]
    assert set(deliver(*mails).values()) == {Result.ACCEPTED}
    assert sorted(to for to, _data in server.taken) == sorted(one.to for one in mails)
    assert not server.hurried
    assert server.commands["QUIT"] >= 1


def test_replies_that_come_a_byte_at_a_time_are_understood(serve):
    server = serve(byte_by_byte=True)
    assert set(deliver(*map(mail, range(5))).values()) == {Result.ACCEPTED}
    assert len(server.taken) == 5


def test_a_dot_at_the_start_of_a_line_does_not_end_the_message(serve):
    server = serve()
    text = ".\r\n..two\r\nMAIL FROM:<x>\r\n."
    assert deliver(mail(1, text=text)) == {1: Result.ACCEPTED}
    stuffed = server.taken[0][1]
    assert b"\r\n..\r\n...two\r\nMAIL FROM:<x>\r\n..\r\n" in stuffed


def test_no_content_is_sent_without_a_recipient(serve):
    """Some servers ask for the content after they refused the only recipient."""
    server = serve()
    server.replies["RCPT"] = ["550 5.1.1 no such user"]
    assert deliver(mail(1), mail(2)) == {1: Result.BOUNCED, 2: Result.ACCEPTED}
    assert [to for to, _data in server.taken] == ["customer2@example.com"]


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(
    ("step", "reply", "result"),
    [
        ("RCPT", "550 5.1.1 no such user", Result.BOUNCED),
        ("RCPT", "451 4.3.0 later", Result.DEFERRED),
        ("MAIL", "550 5.7.1 not you", Result.REFUSED),
        ("DATA", "452 4.3.1 full", Result.DEFERRED),
        ("DOT", "554 5.7.1 spam", Result.REFUSED),
        ("DOT", "452 4.2.2 full", Result.DEFERRED),
        ("DOT", DROP, Result.IN_DOUBT),
        ("DOT", SILENCE, Result.IN_DOUBT),
    ],
)
def test_each_refusal_is_read_the_same_pipelined_or_not(
    serve, settings, pipelining, step, reply, result
):
    settings.NOTICE_REPLY_SECONDS = 1
    server = serve(*EXTENSIONS) if pipelining else serve("8BITMIME")
    server.replies[step] = [reply]
    results = deliver(mail(1), mail(2), mail(3))
    assert sorted(results.values(), key=str) == sorted([result] + [Result.ACCEPTED] * 2, key=str)


@pytest.mark.parametrize(
    ("step", "reply"),
    [
        ("GREETING", "421 4.3.2 not now"),
        ("GREETING", "554 5.3.2 busy, please try again later"),
        ("GREETING", DROP),
        ("EHLO", "421 4.3.2 not now"),
        ("EHLO", DROP),
        ("MAIL", "421 4.3.2 not now"),
        ("MAIL", "451 4.3.0 not now"),
        ("MAIL", "554 5.3.2 busy, please try again later"),
        ("RCPT", "421 4.3.2 not now"),
        ("DATA", "421 4.3.2 not now"),
        ("DATA", DROP),
    ],
)
def test_a_server_that_is_busy_before_the_content_gets_the_message_later(serve, step, reply):
    server = serve()
    server.replies[step] = [reply] * 20
    with pytest.raises(ServerUnavailableError):
        deliver(mail(1))
    server.replies.clear()
    assert deliver(mail(1)) == {1: Result.ACCEPTED}
    assert len(server.taken) == 1


def test_a_server_that_closes_after_the_content_is_tried_again(serve):
    server = serve()
    server.replies["DOT"] = ["421 4.3.2 closing"]
    with suppress(ServerUnavailableError):
        assert deliver(mail(1)) == {1: Result.NOT_SENT}
    assert deliver(mail(1)) == {1: Result.ACCEPTED}


@pytest.mark.parametrize(
    ("step", "reply", "result"),
    [
        ("RCPT", "250-first\r\n550 5.1.1 no such user", Result.BOUNCED),
        ("RCPT", "550-5.1.1 no such user\r\n450 4.2.0 later", Result.DEFERRED),
        ("RCPT", "550-5.1.1 no such user\r\n250 ok", Result.ACCEPTED),
        (
            "RCPT",
            "550-5.1.1 user unknown" + "\r\n550-see our help" * 120 + "\r\n550 ",
            Result.BOUNCED,
        ),
        ("RCPT", "550 5.1.1 user unknown " + "x" * 2_000, Result.BOUNCED),
        ("RCPT", "550 " + "x" * 2_000 + " sender rejected", Result.REFUSED),
        ("RCPT", "550 4.2.1 mailbox not ready", Result.DEFERRED),
        ("RCPT", "450 5.1.1 user unknown", Result.DEFERRED),
        ("DOT", "550-5.2.0 see\r\n250 2.0.0 taken", Result.ACCEPTED),
        ("DOT", "299 odd", Result.ACCEPTED),
        ("DOT", "354 go on", Result.IN_DOUBT),
    ],
)
def test_the_last_line_of_a_reply_has_its_code(serve, step, reply, result):
    server = serve()
    server.replies[step] = [reply]
    assert deliver(mail(1)) == {1: result}


@pytest.mark.parametrize(
    ("charset", "words", "result"),
    [
        ("utf-8", "존재하지 않는 사용자입니다", Result.BOUNCED),
        ("cp949", "존재하지 않는 사용자입니다", Result.BOUNCED),
        ("cp949", "발신 서버가 차단되었습니다", Result.REFUSED),
        ("cp949", "담당자 메일 주소가 존재하지 않습니다", Result.UNCLEAR),
        ("cp932", "宛先のメールアドレスが存在しません", Result.BOUNCED),
        ("iso2022_jp", "宛先のメールアドレスが存在しません", Result.BOUNCED),
        ("gb18030", "收件人邮箱不存在", Result.BOUNCED),
        ("gb18030", "您的服务器被拒绝", Result.REFUSED),
        ("big5", "該使用者不存在", Result.BOUNCED),
        ("cp1252", "Boîte fermée à jamais", Result.UNCLEAR),
    ],
)
def test_replies_in_other_charsets_are_read(serve, charset, words, result):
    server = serve(charset=charset)
    server.replies["RCPT"] = [f"550 {words}"]
    assert deliver(mail(1)) == {1: result}


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA", "INSIDE"])
def test_a_connection_lost_before_the_dot_sent_nothing(serve, step):
    server = serve()
    server.replies[step] = [DROP]
    results: dict[int, Result] = {}
    with SmtpTransport() as transport:
        # More than the socket buffers hold, so that the dot cannot be sent yet.
        transport.submit(mail(1, text="가나다라마바사\r\n" * 400_000))
        while not results:
            transport.start(transport.ready())
            with suppress(ServerUnavailableError):
                transport.wait(0.2)
            results |= {one.message.delivery_id: one.reply.result for one in transport.outcomes()}
    assert results == {1: Result.NOT_SENT}
    assert server.taken == []


def test_a_server_that_takes_few_connections_gets_few(serve):
    server = serve(most=3)
    mails = [mail(number) for number in range(300)]
    assert set(deliver(*mails).values()) == {Result.ACCEPTED}
    assert len(server.taken) == 300
    assert server.most_open <= 3


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(
    "end",
    [
        "MAIL 421 4.7.0 too many messages on this connection",
        "MAIL 452 4.5.3 enough on this connection",
        "MAIL 451 4.7.1 try again",
        "RCPT 452 4.5.3 too many recipients",
        "RCPT 421 4.4.5 session limit exceeded",
        f"MAIL {DROP}",
    ],
)
def test_the_messages_a_server_takes_on_a_connection_are_learned(serve, settings, pipelining, end):
    settings.NOTICE_CONNECTIONS = 4
    extensions = EXTENSIONS if pipelining else ("8BITMIME",)
    server = serve(*extensions, most_mails=5, end=end)
    assert set(deliver(*map(mail, range(200))).values()) == {Result.ACCEPTED}
    assert len(server.taken) == 200
    assert connection_limits()[f"127.0.0.1:{server.port}"] == 5
    assert server.ended <= 2 * 4  # later connections end with QUIT before the limit
    assert server.commands["QUIT"] >= 200 // 5 - 2 * 4


def test_another_worker_knows_the_learned_number(serve):
    server = serve(most_mails=3, end="MAIL 421 4.7.0 enough")
    deliver(*map(mail, range(30)))
    ended = server.ended
    deliver(*map(mail, range(100, 130)))
    assert server.ended == ended


def test_a_full_mailbox_is_no_limit_of_the_connection(serve):
    server = serve(most_mails=1, end="RCPT 452 4.2.2 mailbox full")
    results = deliver(*map(mail, range(5)))
    assert Counter(results.values())[Result.DEFERRED] >= 1
    assert f"127.0.0.1:{server.port}" not in connection_limits()


def test_a_message_at_which_each_connection_ends_does_not_go_round_for_ever(serve, settings):
    settings.NOTICE_CONNECTIONS = 1
    server = serve()
    usual = server._next
    server._next = lambda step, reply: (
        "421 4.3.2 not this one" if step == "MAIL" and server.taken else usual(step, reply)
    )
    with pytest.raises(ServerUnavailableError, match="not this one"):
        deliver(mail(1), mail(2))


def test_more_connections_are_opened_while_the_server_is_slow(serve, monkeypatch):
    server = serve(byte_by_byte=False)
    server.replies["DOT"] = []
    slow = server._next

    def slowly(step: str, usual: str) -> str:
        time.sleep(0.05 if step == "DOT" else 0)
        return slow(step, usual)

    monkeypatch.setattr(server, "_next", slowly)
    began = time.monotonic()
    assert set(deliver(*map(mail, range(200))).values()) == {Result.ACCEPTED}
    assert time.monotonic() - began < 200 * 0.05 / 2
    assert server.most_open > 4


def test_a_sign_in_that_is_refused_stops_the_send(serve, settings):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "portal", "wrong"
    server = serve()
    server.replies["AUTH"] = ["535 5.7.8 wrong", "535 5.7.8 wrong"]
    with pytest.raises(SenderRefusedError):
        deliver(mail(1))
    settings.EMAIL_HOST_PASSWORD = "right"
    assert deliver(mail(2)) == {2: Result.ACCEPTED}
    assert server.commands["AUTH"] >= 2


def test_nothing_is_sent_without_the_required_tls(serve, settings):
    settings.EMAIL_SECURITY = "starttls"
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "portal", "secret"
    server = serve()  # without STARTTLS, as if an attacker removed it from the reply
    with pytest.raises(SenderRefusedError):
        deliver(mail(1))
    offering = serve(*EXTENSIONS, "STARTTLS")
    offering.replies["STAR"] = ["454 not now"]
    with pytest.raises(ServerUnavailableError):
        deliver(mail(1))
    for each in (server, offering):
        assert not {"AUTH", "MAIL", "RCPT", "DATA"} & set(each.commands)


@pytest.mark.parametrize("step", ["MAIL", "RCPT", "DATA"])
def test_the_error_of_a_server_that_closes_contains_no_address(serve, step):
    server = serve()
    server.replies[step] = ["421 4.7.0 <customer1@example.com> (customer1) later"] * 9
    with pytest.raises(ServerUnavailableError) as away:
        deliver(mail(1), mail(2))
    assert "421 4.7.0" in str(away.value)
    assert "customer" not in str(away.value)


def test_an_address_in_other_letters_needs_a_server_that_takes_them(serve):
    utf8 = mail(1, to="민지@xn--3e0b707e.example")
    server = serve(*EXTENSIONS)
    assert deliver(utf8, mail(2)) == {1: Result.ACCEPTED, 2: Result.ACCEPTED}
    assert "민지@xn--3e0b707e.example" in [to for to, _data in server.taken]
    without = serve("PIPELINING", "8BITMIME")
    assert deliver(utf8, mail(2)) == {1: Result.UNREACHABLE, 2: Result.ACCEPTED}
    assert [to for to, _data in without.taken] == ["customer2@example.com"]


def test_no_content_leaves_before_it_may_begin(serve):
    server = serve()
    with SmtpTransport() as transport:
        transport.submit(mail(1))
        deadline = time.monotonic() + 5
        while not transport.ready() and time.monotonic() < deadline:
            transport.wait(0.1)
        transport.wait(0.1)
        assert transport.ready()
        assert server.taken == []
        transport.withdraw({1})
        transport.wait(0.1)
        assert transport.outcomes() == []
    assert server.taken == []


def test_an_unreachable_server_is_reported(settings):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        settings.EMAIL_HOST, settings.EMAIL_PORT = closed.getsockname()
        with pytest.raises(ServerUnavailableError):
            deliver(mail(1))
