"""The engine's own SMTP: many connections kept open in one loop, without blocking.

Where the server offers PIPELINING, the next message's envelope follows a message's final dot in
the same write, so that a connection costs one round trip a message. That is only the envelope: the
next content waits for `begin`, and so for the ledger.
"""

import smtplib
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from contextlib import suppress
from enum import StrEnum
from functools import partial
from queue import Empty, SimpleQueue
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from typing import Self

from django.conf import settings

from notices.delivery_reports import without_any_address
from notices.messages import Mail, as_seven_bit
from notices.transport import (
    CLOSING,
    Outcome,
    Reply,
    Result,
    ServerAwayError,
    ServerRefusesUsError,
    clean,
    judged,
    without_address,
)

OK, WILL_FORWARD, CANNOT_VERIFY, GO_AHEAD = 250, 251, 252, 354
LONGEST_REPLY = 65_536  # octets; RFC 5321 allows 512 a line
# Connections are added while a turn of the ledger has fewer messages than this to write at once:
# each turn costs a flush of the database's log, and that is what many connections share.
GOOD_TURN = 24
GROW_SECONDS = 0.1
LOSSES_IN_A_ROW = 3
QUIT_SECONDS = 2.0


class _Step(StrEnum):
    """What a reply is awaited to; the words are those of notices.transport.judged."""

    SENDER = "sender"
    RECIPIENT = "recipient"
    DATA = "data"
    MESSAGE = "message"
    EMPTY = "nothing"  # a dot alone, after a server asked for the content for nobody
    RESET = "reset"


_YES = {
    _Step.SENDER: (OK,),
    _Step.RECIPIENT: (OK, WILL_FORWARD, CANNOT_VERIFY),
    _Step.DATA: (GO_AHEAD,),
    _Step.EMPTY: (),
}


class LostError(Exception):
    """The connection is of no use any more."""


class Connection:
    """One connection past its greeting and sign-in."""

    def __init__(self, sock: socket.socket, features: Collection[str]) -> None:
        self.sock = sock
        self.features = features
        self.has_pipelining = "pipelining" in features
        self.outcomes: list[Outcome] = []
        self.on_wire: Mail | None = None  # its content is being sent, or its reply awaited
        self.next: Mail | None = None  # its envelope is being sent, or was
        self.is_ready = False  # the server waits for the content of `next`
        self.is_closing = False  # to be ended as soon as nothing is on the wire
        self.deadline = 0.0
        self._refusal: Reply | None = None
        self._expected: deque[_Step] = deque()
        self._held_back: deque[tuple[_Step, bytes]] = deque()  # without PIPELINING: one by one
        self._out = b""
        self._before_dot = 0  # octets of `_out` up to the dot that hands the message over
        self._in = b""
        self.watched_for = EVENT_READ
        self._lines: list[bytes] = []
        sock.setblocking(False)
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def is_idle(self) -> bool:
        """Free for a message."""
        return not (self.on_wire or self.next or self._expected or self.is_closing)

    @property
    def wants_to_write(self) -> bool:
        """Whether the system's buffer was full."""
        return bool(self._out)

    # ------------------------------------------------------------ what we say

    def offer(self, mail: Mail) -> None:
        """Sends the envelope. Raises LostError."""
        if envelope := self._envelope(mail):
            self._send(envelope)

    def send(self, following: Mail | None) -> None:
        """Sends the content the server waits for, and the envelope of the message after it.

        Raises LostError.
        """
        if self.next is None:
            return
        self.on_wire, self.next, self.is_ready = self.next, None, False
        content = self._content(self.on_wire)
        self._expect(_Step.MESSAGE)
        self._before_dot = len(content)
        self._send(content + (self._envelope(following) if following else b""))

    def withdraw(self) -> None:
        """Forgets the message whose envelope is under way. There is no way back but to hang up."""
        self.next, self.is_ready, self.is_closing = None, False, True

    def _content(self, mail: Mail) -> bytes:
        data = mail.data if "8bitmime" in self.features else as_seven_bit(mail.data)
        if b"\r\n." in data:
            data = data.replace(b"\r\n.", b"\r\n..")
        return data + b".\r\n"

    def _envelope(self, mail: Mail) -> bytes:
        """The commands to be sent now; b"" for somebody this server cannot write to."""
        needs_utf8 = not mail.to.isascii()
        if needs_utf8 and "smtputf8" not in self.features:
            words = "the mail server does not take addresses in such letters"
            self.outcomes.append(Outcome(mail, Reply(Result.UNREACHABLE, words)))
            return b""
        options = f" SIZE={len(mail.data)}" if "size" in self.features else ""
        options += " BODY=8BITMIME" if "8bitmime" in self.features else ""
        options += " SMTPUTF8" if needs_utf8 else ""
        self.next, self._refusal = mail, None
        sender = f"MAIL FROM:<{mail.sender}>{options}\r\n".encode()
        recipient = f"RCPT TO:<{mail.to}>\r\n".encode()
        if self.has_pipelining:
            self._expect(_Step.SENDER, _Step.RECIPIENT, _Step.DATA)
            return sender + recipient + b"DATA\r\n"
        self._held_back.extend([(_Step.RECIPIENT, recipient), (_Step.DATA, b"DATA\r\n")])
        self._expect(_Step.SENDER)
        return sender

    def _expect(self, *steps: _Step) -> None:
        if not self._expected:
            self._set_deadline(steps[0])
        self._expected.extend(steps)

    def _set_deadline(self, step: _Step) -> None:
        is_message = step is _Step.MESSAGE
        seconds = settings.NOTICE_REPLY_SECONDS if is_message else settings.EMAIL_TIMEOUT
        self.deadline = time.monotonic() + seconds

    def _send(self, octets: bytes) -> None:
        self._out = self._out + octets if self._out else octets
        self.flush()

    def flush(self) -> None:
        """Writes what the system takes now. Raises LostError."""
        if not self._out:
            return
        try:
            sent = self.sock.send(self._out)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as error:
            raise LostError(clean(str(error))) from None
        self._before_dot = max(self._before_dot - sent, 0)
        self._out = self._out[sent:]

    # ------------------------------------------------------------ what the server says

    def read(self) -> None:
        """Reads what has come and acts on it. Raises LostError."""
        while True:
            try:
                octets = self.sock.recv(LONGEST_REPLY)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except OSError as error:
                raise LostError(clean(str(error))) from None
            if not octets:
                raise LostError("the mail server hung up")
            self._hear(octets)
            if not isinstance(self.sock, ssl.SSLSocket):
                return  # the selector tells if there is more; of TLS it does not know

    def _hear(self, octets: bytes) -> None:
        *lines, self._in = (self._in + octets).split(b"\n")
        if len(self._in) > LONGEST_REPLY or len(self._lines) > LONGEST_REPLY // 512:
            raise LostError("the mail server talks without end")
        for line in lines:
            if line[3:4] == b"-":
                self._lines.append(line)
                continue
            if not line[:3].isdigit():
                raise LostError("the mail server does not speak SMTP")
            said = line[4:]
            if self._lines:
                said = b" ".join(part[4:].rstrip() for part in [*self._lines, line])
                self._lines = []
            self._hear_reply(int(line[:3]), said.decode("utf-8", "replace").rstrip())
        if lines and self._expected:
            self._set_deadline(self._expected[0])

    def _hear_reply(self, code: int, words: str) -> None:
        if not self._expected:
            raise self._lost(code, words)
        step = self._expected.popleft()
        if step is _Step.MESSAGE and self.on_wire is not None:
            mail, self.on_wire = self.on_wire, None
            self._hear_verdict(mail, code, words)
        elif code == CLOSING:
            raise self._lost(code, words)
        elif step is _Step.RESET:
            if code != OK:
                raise self._lost(code, words)
        elif self.next is not None:
            self._hear_of_envelope(self.next, step, code, words)

    def _lost(self, code: int, words: str) -> LostError:
        """With the server's words, which the whole desk may read: they name nobody."""
        said = f"{code} {words}"
        for mail in filter(None, (self.on_wire, self.next)):
            said = without_address(said, mail.to)
        return LostError(without_any_address(said))

    def _hear_verdict(self, mail: Mail, code: int, words: str) -> None:
        """The reply to a whole message: the only moment in which the server takes it over."""
        said = without_address(f"{code} {words}", mail.to)
        if 200 <= code < 300:
            self.outcomes.append(Outcome(mail, Reply(Result.ACCEPTED, said)))
            return
        if not 400 <= code < 600:
            self.outcomes.append(Outcome(mail, Reply(Result.IN_DOUBT, said)))
            raise LostError(said)
        result = judged(code, words, step="message")
        self.outcomes.append(Outcome(mail, Reply(result, said)))
        if code == CLOSING:
            raise LostError(said)

    def _hear_of_envelope(self, mail: Mail, step: _Step, code: int, words: str) -> None:
        is_yes = code in _YES[step]
        if not is_yes and self._refusal is None:
            result = judged(code, words, step=step.value)
            self._refusal = Reply(result, without_address(f"{code} {words}", mail.to))
        if self._held_back and self._refusal is None:
            following, command = self._held_back.popleft()
            self._expect(following)
            self._send(command)
        elif step is _Step.DATA and is_yes and self._refusal is None:
            self.is_ready = True
        elif step is _Step.DATA and is_yes:
            self._expect(_Step.EMPTY)
            self._send(b".\r\n")
        elif not self._expected and self._refusal is not None:
            self._end_refused(mail, self._refusal)

    def _end_refused(self, mail: Mail, refusal: Reply) -> None:
        self._held_back.clear()
        self.next = None
        self.outcomes.append(Outcome(mail, refusal))
        if refusal.result is Result.NOT_SENT:
            raise LostError(refusal.words)  # "come back later"
        self._expect(_Step.RESET)
        self._send(b"RSET\r\n")

    # ------------------------------------------------------------ the end

    def lose(self, words: str) -> Mail | None:
        """Ends it without a word. What had begun gets its result; returns the message that had not,
        if it may be given to another connection.
        """
        self.sock.close()
        mail, following = self.on_wire, self.next
        self.on_wire = self.next = None
        if mail is not None:
            result = Result.NOT_SENT if self._before_dot else Result.IN_DOUBT
            self.outcomes.append(Outcome(mail, Reply(result, without_address(words, mail.to))))
            return following
        if following is not None:
            said = without_address(words, following.to)
            self.outcomes.append(Outcome(following, Reply(Result.NOT_SENT, said)))
        return None


class SmtpTransport:
    """Connections to the server that settings name; their number follows what is worth while."""

    def __init__(self) -> None:
        self._selector = DefaultSelector()
        self._connections: set[Connection] = set()
        self._backlog: deque[Mail] = deque()
        self._outcomes: list[Outcome] = []
        self._opener = _Opener()
        self._most = max(settings.NOTICE_CONNECTIONS, 1)
        self._losses = 0
        self._loss: str = ""
        self._turns = self._begun = 0
        self._grow_at = 0.0
        self._selector.register(self._opener.bell, EVENT_READ)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._opener.close()
        self._selector.close()
        _quit([one for one in self._connections if one.is_idle])
        for connection in self._connections:
            connection.sock.close()
        self._connections.clear()

    def room(self) -> int:
        """One message in hand for each connection."""
        return max(len(self._connections), 1) - len(self._backlog)

    def hand_over(self, message: Mail) -> None:
        """Sent by whichever connection is free first."""
        self._backlog.append(message)

    def outcomes(self) -> list[Outcome]:
        """Those since the last call."""
        ended, self._outcomes = self._outcomes, []
        return ended

    def ready(self) -> list[Mail]:
        """One for each connection whose server waits for the content."""
        return [one.next for one in self._connections if one.is_ready and one.next]

    def begin(self, messages: Collection[Mail]) -> None:
        """With each content goes the next envelope, where the server offers PIPELINING."""
        self._turns += 1
        self._begun += len(messages)
        wanted = {message.delivery_id for message in messages}
        for one in [one for one in self._connections if one.is_ready]:
            if one.next and one.next.delivery_id in wanted:
                can_follow = one.has_pipelining and self._backlog and not one.is_closing
                following = self._backlog.popleft() if can_follow else None
                self._do(one, partial(one.send, following))

    def withdraw(self, delivery_ids: Collection[int]) -> None:
        """A connection whose server waits for the content of one of them has to be ended."""
        self._backlog = deque(one for one in self._backlog if one.delivery_id not in delivery_ids)
        for one in list(self._connections):
            if one.next and one.next.delivery_id in delivery_ids:
                one.withdraw()
                self._settle(one)

    def wait(self, seconds: float) -> None:
        """Reads and writes what there is; opens connections and ends the silent ones."""
        self._assign()
        self._open_more()
        for key, mask in self._selector.select(seconds if not self._outcomes else 0):
            if key.data is None:
                self._welcome()
                continue
            if mask & EVENT_WRITE:
                self._do(key.data, key.data.flush)
            if mask & EVENT_READ and key.data in self._connections:
                self._do(key.data, key.data.read)
        self._give_up_on_the_silent()
        self._assign()
        if not self._connections and not self._opener.is_busy and self._loss:
            self._raise_loss()

    def _raise_loss(self) -> None:
        loss, self._loss, self._losses = self._loss, "", 0
        raise ServerAwayError(loss)

    # ------------------------------------------------------------ the connections

    def _assign(self) -> None:
        for one in [one for one in self._connections if one.is_idle]:
            while self._backlog and one.is_idle:
                mail = self._backlog.popleft()
                self._do(one, partial(one.offer, mail))

    def _do(self, one: Connection, act: Callable[[], None]) -> None:
        try:
            act()
        except LostError as error:
            self._lose(one, str(error))
        else:
            self._settle(one)

    def _settle(self, one: Connection) -> None:
        """What follows for the pool from what a connection did."""
        if one.outcomes:
            if one.outcomes[-1].reply.result is Result.ACCEPTED:
                self._losses, self._loss = 0, ""
            self._outcomes += one.outcomes
            one.outcomes = []
        if one.is_closing and one.on_wire is None:
            self._forget(one)
            one.sock.close()
            return
        events = EVENT_READ | EVENT_WRITE if one.wants_to_write else EVENT_READ
        if one.watched_for != events:
            one.watched_for = events
            self._selector.modify(one.sock, events, one)

    def _lose(self, one: Connection, words: str) -> None:
        was_idle = one.is_idle or one.is_closing
        self._forget(one)
        if following := one.lose(words):
            self._backlog.appendleft(following)
        ended, one.outcomes = one.outcomes, []
        self._outcomes += ended
        if was_idle and not ended:
            return  # hung up while nothing was under way
        self._losses += 1
        is_in_doubt = bool(ended) and ended[-1].reply.result is Result.IN_DOUBT
        if not is_in_doubt or self._losses >= LOSSES_IN_A_ROW:
            self._loss = words
            self._most = max(len(self._connections), 1)  # it may be that we are too many

    def _forget(self, one: Connection) -> None:
        self._connections.discard(one)
        self._selector.unregister(one.sock)

    def _give_up_on_the_silent(self) -> None:
        now = time.monotonic()
        for one in [one for one in self._connections if not one.is_idle and not one.is_ready]:
            if one.deadline < now:
                self._lose(one, "the mail server does not answer")

    def _open_more(self) -> None:
        """One at first; then twice as many each time, as long as that is worth while."""
        if not self._backlog or self._opener.is_busy:
            return
        have, now = len(self._connections), time.monotonic()
        if not have:
            self._opener.open(1)
        elif have < self._most and now >= self._grow_at:
            if self._begun < GOOD_TURN * self._turns:
                self._opener.open(min(have, self._most - have))
            self._grow_at = now + GROW_SECONDS
            self._turns = self._begun = 0

    def _welcome(self) -> None:
        for opened in self._opener.opened():
            self._grow_at = time.monotonic() + GROW_SECONDS
            self._turns = self._begun = 0
            if isinstance(opened, Connection):
                self._connections.add(opened)
                self._selector.register(opened.sock, EVENT_READ, opened)
            elif self._connections:
                self._most = len(self._connections)  # the server takes no more of us
            elif not self._opener.is_busy:
                raise opened


def _quit(connections: Collection[Connection]) -> None:
    """Takes leave as RFC 5321 asks, and waits a moment for the servers to do so."""
    deadline = time.monotonic() + QUIT_SECONDS
    for one in connections:
        with suppress(OSError):
            one.sock.settimeout(0.2)
            one.sock.sendall(b"QUIT\r\n")
    for one in connections:
        with suppress(OSError):
            one.sock.settimeout(max(deadline - time.monotonic(), 0.01))
            one.sock.recv(512)


# ---------------------------------------------------------------- opening


class _Opener:
    """Opens connections in threads of their own: names, greetings and certificates take time."""

    def __init__(self) -> None:
        self._results: SimpleQueue[Connection | Exception] = SimpleQueue()
        self.bell, self._rope = socket.socketpair()
        self._under_way = 0
        self._is_closed = False

    @property
    def is_busy(self) -> bool:
        return self._under_way > 0

    def open(self, number: int) -> None:
        """Begins to open that many."""
        for _ in range(number):
            self._under_way += 1
            threading.Thread(target=self._open, daemon=True).start()

    def opened(self) -> list[Connection | Exception]:
        """Those that are open now, and why others are not."""
        self.bell.recv(4096)
        found: list[Connection | Exception] = []
        with suppress(Empty):
            while True:
                found.append(self._results.get_nowait())
                self._under_way -= 1
        return found

    def close(self) -> None:
        """Lets go of what is still under way."""
        self._is_closed = True
        self.bell.close()
        with suppress(Empty):
            while True:
                result = self._results.get_nowait()
                if isinstance(result, Connection):
                    result.sock.close()

    def _open(self) -> None:
        result: Connection | Exception
        try:
            result = _connected()
        except Exception as error:  # noqa: BLE001 (the thread's only way to tell)
            result = error
        if self._is_closed and isinstance(result, Connection):
            result.sock.close()
            return
        self._results.put(result)
        with suppress(OSError):
            self._rope.send(b"1")


def _connected() -> Connection:
    try:
        smtp = _greeted()
        if settings.EMAIL_HOST_USER:
            smtp.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        words = clean(f"{error.smtp_code} {text}")
        if error.smtp_code >= 500:
            raise ServerRefusesUsError(words) from None
        raise ServerAwayError(words) from None
    except (smtplib.SMTPNotSupportedError, ssl.SSLCertVerificationError) as error:
        raise ServerRefusesUsError(clean(str(error))) from None
    except (smtplib.SMTPException, OSError) as error:
        raise ServerAwayError(clean(str(error))) from None
    return _taken_from(smtp)


def _taken_from(smtp: smtplib.SMTP) -> Connection:
    """The socket under an smtplib connection, which knows greetings, TLS and sign-ins."""
    sock, file = smtp.sock, smtp.file
    smtp.sock = smtp.file = None
    if file is not None:
        file.close()
    if sock is None:
        raise ServerAwayError("the mail server hung up")
    return Connection(sock, {name.lower() for name in smtp.esmtp_features})


def _greeted() -> smtplib.SMTP:
    """A connection past EHLO; the certificate is checked against the host's name."""
    address = (settings.EMAIL_HOST, settings.EMAIL_PORT, settings.MAIL_DOMAIN)
    if settings.EMAIL_SECURITY == "tls":
        context = ssl.create_default_context()
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            *address, timeout=settings.EMAIL_TIMEOUT, context=context
        )
    else:
        smtp = smtplib.SMTP(*address, timeout=settings.EMAIL_TIMEOUT)
    if settings.EMAIL_SECURITY == "starttls":
        smtp.starttls(context=ssl.create_default_context())
    smtp.ehlo_or_helo_if_needed()
    return smtp
