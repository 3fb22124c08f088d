"""One connection to a mail server: what we say, what it says, and what became of each message."""

import socket
import ssl
import time
from collections import deque
from collections.abc import Collection
from contextlib import suppress
from enum import StrEnum
from selectors import EVENT_READ

from django.conf import settings

from notices.engine.transport import (
    CLOSING,
    Outcome,
    Reply,
    Result,
    classify_reply,
    clean,
    redact_address,
)
from notices.ledger_messages import LedgerMessages
from notices.message_filling import OutgoingMessage, as_seven_bit
from notices.models import DoubtCause
from notices.returned_mail.delivery_reports import redact_addresses

OK, WILL_FORWARD, CANNOT_VERIFY, GO_AHEAD = 250, 251, 252, 354
LONGEST_REPLY = 65_536  # octets; RFC 5321 allows 512 a line


class _SmtpStep(StrEnum):
    """The command whose reply is awaited; classify_reply in transport.py takes these values."""

    SENDER = "sender"
    RECIPIENT = "recipient"
    DATA = "data"
    MESSAGE = "message"
    EMPTY = "nothing"  # a dot alone, after a server asked for the content for nobody
    RESET = "reset"


_YES = {
    _SmtpStep.SENDER: (OK,),
    _SmtpStep.RECIPIENT: (OK, WILL_FORWARD, CANNOT_VERIFY),
    _SmtpStep.DATA: (GO_AHEAD,),
    _SmtpStep.EMPTY: (),
}


class LostError(Exception):
    """The connection is of no use any more.

    `doubt_cause` is for the message that was handed over and not answered, if there is one.
    """

    def __init__(self, words: str, doubt_cause: DoubtCause = DoubtCause.CONNECTION_LOST) -> None:
        super().__init__(words)
        self.doubt_cause = doubt_cause


class Connection:
    """One connection past its greeting and sign-in."""

    def __init__(self, sock: socket.socket, features: Collection[str]) -> None:
        self.sock = sock
        self.features = features
        self.has_pipelining = "pipelining" in features
        self.outcomes: list[Outcome] = []
        self.on_wire: OutgoingMessage | None = (
            None  # its content is being sent, or its reply awaited
        )
        self.next: OutgoingMessage | None = None  # its envelope is being sent, or was
        self.is_ready = False  # the server waits for the content of `next`
        self.is_closing = False  # to be ended as soon as nothing is on the wire
        self.deadline = 0.0
        self._refusal: Reply | None = None
        self._expected: deque[_SmtpStep] = deque()
        self._held_back: deque[tuple[_SmtpStep, bytes]] = deque()  # without PIPELINING: one by one
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

    def offer(self, mail: OutgoingMessage) -> None:
        """Sends the envelope. Raises LostError."""
        if envelope := self._envelope(mail):
            self._send(envelope)

    def send(self, following: OutgoingMessage | None) -> None:
        """Sends the content the server waits for, and the envelope of the message after it.

        Raises LostError.
        """
        if self.next is None:
            return
        self.on_wire, self.next, self.is_ready = self.next, None, False
        content = self._content(self.on_wire)
        self._expect(_SmtpStep.MESSAGE)
        self._before_dot = len(content)
        self._send(content + (self._envelope(following) if following else b""))

    def withdraw(self) -> None:
        """Forgets the message whose envelope is under way. There is no way back but to hang up."""
        self.next, self.is_ready, self.is_closing = None, False, True

    def _content(self, mail: OutgoingMessage) -> bytes:
        data = mail.data if "8bitmime" in self.features else as_seven_bit(mail.data)
        if b"\r\n." in data:
            data = data.replace(b"\r\n.", b"\r\n..")
        return data + b".\r\n"

    def _envelope(self, mail: OutgoingMessage) -> bytes:
        """The commands to be sent now; b"" for somebody this server cannot write to."""
        needs_utf8 = not mail.to.isascii()
        if needs_utf8 and "smtputf8" not in self.features:
            words = LedgerMessages.NOT_IN_SUCH_LETTERS.stored()
            self.outcomes.append(Outcome(mail, Reply(Result.UNREACHABLE, words)))
            return b""
        options = f" SIZE={len(mail.data)}" if "size" in self.features else ""
        options += " BODY=8BITMIME" if "8bitmime" in self.features else ""
        options += " SMTPUTF8" if needs_utf8 else ""
        self.next, self._refusal = mail, None
        sender = f"MAIL FROM:<{mail.sender}>{options}\r\n".encode()
        recipient = f"RCPT TO:<{mail.to}>\r\n".encode()
        if self.has_pipelining:
            self._expect(_SmtpStep.SENDER, _SmtpStep.RECIPIENT, _SmtpStep.DATA)
            return sender + recipient + b"DATA\r\n"
        self._held_back.extend([(_SmtpStep.RECIPIENT, recipient), (_SmtpStep.DATA, b"DATA\r\n")])
        self._expect(_SmtpStep.SENDER)
        return sender

    def _expect(self, *steps: _SmtpStep) -> None:
        if not self._expected:
            self._set_deadline(steps[0])
        self._expected.extend(steps)

    def _set_deadline(self, step: _SmtpStep) -> None:
        is_message = step is _SmtpStep.MESSAGE
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
                raise LostError(LedgerMessages.HUNG_UP.stored())
            self._hear(octets)
            if not isinstance(self.sock, ssl.SSLSocket):
                return  # the selector tells if there is more; of TLS it does not know

    def _hear(self, octets: bytes) -> None:
        *lines, self._in = (self._in + octets).split(b"\n")
        if len(self._in) > LONGEST_REPLY or len(self._lines) > LONGEST_REPLY // 512:
            raise LostError(LedgerMessages.ENDLESS.stored(), DoubtCause.UNCLEAR_ANSWER)
        for line in lines:
            if line[3:4] == b"-":
                self._lines.append(line)
                continue
            if not line[:3].isdigit():
                raise LostError(LedgerMessages.NO_SMTP.stored(), DoubtCause.UNCLEAR_ANSWER)
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
        if step is _SmtpStep.MESSAGE and self.on_wire is not None:
            mail, self.on_wire = self.on_wire, None
            self._hear_verdict(mail, code, words)
        elif code == CLOSING:
            raise self._lost(code, words)
        elif step is _SmtpStep.RESET:
            if code != OK:
                raise self._lost(code, words)
        elif self.next is not None:
            self._hear_of_envelope(self.next, step, code, words)

    def _lost(self, code: int, words: str) -> LostError:
        """With the server's words, which the whole desk may read: they name nobody."""
        said = f"{code} {words}"
        for mail in filter(None, (self.on_wire, self.next)):
            said = redact_address(said, mail.to)
        return LostError(redact_addresses(said))

    def _hear_verdict(self, mail: OutgoingMessage, code: int, words: str) -> None:
        """The reply to a whole message: the only moment in which the server takes it over."""
        said = redact_address(f"{code} {words}", mail.to)
        if 200 <= code < 300:
            self.outcomes.append(Outcome(mail, Reply(Result.ACCEPTED, said)))
            return
        if not 400 <= code < 600:
            doubt = Reply(Result.IN_DOUBT, said, DoubtCause.UNCLEAR_ANSWER)
            self.outcomes.append(Outcome(mail, doubt))
            raise LostError(said)
        result = classify_reply(code, words, step="message")
        self.outcomes.append(Outcome(mail, Reply(result, said)))
        if code == CLOSING:
            raise LostError(said)

    def _hear_of_envelope(
        self, mail: OutgoingMessage, step: _SmtpStep, code: int, words: str
    ) -> None:
        is_yes = code in _YES[step]
        if not is_yes and self._refusal is None:
            result = classify_reply(code, words, step=step.value)
            self._refusal = Reply(result, redact_address(f"{code} {words}", mail.to))
        if self._held_back and self._refusal is None:
            following, command = self._held_back.popleft()
            self._expect(following)
            self._send(command)
        elif step is _SmtpStep.DATA and is_yes and self._refusal is None:
            self.is_ready = True
        elif step is _SmtpStep.DATA and is_yes:
            self._expect(_SmtpStep.EMPTY)
            self._send(b".\r\n")
        elif not self._expected and self._refusal is not None:
            self._end_refused(mail, self._refusal)

    def _end_refused(self, mail: OutgoingMessage, refusal: Reply) -> None:
        self._held_back.clear()
        self.next = None
        self.outcomes.append(Outcome(mail, refusal))
        if refusal.result is Result.NOT_SENT:
            raise LostError(refusal.words)  # "come back later"
        self._expect(_SmtpStep.RESET)
        self._send(b"RSET\r\n")

    # ------------------------------------------------------------ the end

    def lose(self, words: str, doubt_cause: DoubtCause) -> OutgoingMessage | None:
        """Ends the connection without QUIT. A message whose content had begun gets its result.

        That result is "in doubt", for `doubt_cause`, once the final dot may have left. Returns the
        message that had not begun, if it may be given to another connection.
        """
        self.sock.close()
        mail, following = self.on_wire, self.next
        self.on_wire = self.next = None
        if mail is not None:
            said = redact_address(words, mail.to)
            doubt = Reply(Result.IN_DOUBT, said, doubt_cause)
            reply = Reply(Result.NOT_SENT, said) if self._before_dot else doubt
            self.outcomes.append(Outcome(mail, reply))
            return following
        if following is not None:
            said = redact_address(words, following.to)
            self.outcomes.append(Outcome(following, Reply(Result.NOT_SENT, said)))
        return None
