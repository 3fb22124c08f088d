"""One connection to a mail server: the commands, the replies, and the result of each message."""

import socket
import ssl
import time
from collections import deque
from collections.abc import Collection
from contextlib import suppress
from enum import StrEnum
from selectors import EVENT_READ

from django.conf import settings

from foundations.dkim import signed
from notices.engine.transport import (
    CLOSING,
    REPLY_CHARACTERS,
    Outcome,
    Reply,
    Result,
    classify_reply,
    clean_reply,
    redact_address,
)
from notices.ledger_messages import LedgerMessages
from notices.message_filling import DOT_LINE, OutgoingMessage, as_seven_bit
from notices.models import DoubtCause
from notices.returned_mail.delivery_reports import redact_addresses
from notices.returned_mail.reply_reading import Cause, after_content, cause_of
from notices.returned_mail.returned_message import decoded_octets

OK, WILL_FORWARD, CANNOT_VERIFY, GO_AHEAD = 250, 251, 252, 354
TOO_MANY = 452  # also the reply of a server that takes no more messages on the connection
LONGEST_REPLY = 65_536  # octets; RFC 5321 allows 512 a line
QUIT_SECONDS = 2.0
_END = b".\r\n"


class _SmtpStep(StrEnum):
    """The command that awaits a reply. `classify_reply` in transport.py takes these values."""

    SENDER = "sender"
    RECIPIENT = "recipient"
    DATA = "data"
    MESSAGE = "message"
    EMPTY = "nothing"  # a dot alone, if a server asks for the content without a recipient
    RESET = "reset"
    QUIT = "quit"


_POSITIVE_CODES: dict[_SmtpStep, tuple[int, ...]] = {
    _SmtpStep.SENDER: (OK,),
    _SmtpStep.RECIPIENT: (OK, WILL_FORWARD, CANNOT_VERIFY),
    _SmtpStep.DATA: (GO_AHEAD,),
}


def _text_of(octets: bytes) -> str:
    return decoded_octets(octets).rstrip()


class LostError(Exception):
    """The connection cannot be used any more.

    `doubt_cause` applies to a message that was sent without a reply, if there is one.
    """

    def __init__(self, text: str, doubt_cause: DoubtCause = DoubtCause.CONNECTION_LOST) -> None:
        super().__init__(text)
        self.doubt_cause = doubt_cause


class Connection:
    """One connection to a mail server, after its greeting and sign-in."""

    def __init__(self, sock: socket.socket, features: Collection[str]) -> None:
        self.sock = sock
        self.features = features
        self.has_pipelining = "pipelining" in features
        self._has_8bit, self._has_size = "8bitmime" in features, "size" in features
        # Read once, because each look at a setting takes time.
        self._signers = settings.DKIM_SIGNERS
        self._usual_seconds: float = settings.EMAIL_TIMEOUT
        self._seconds: dict[_SmtpStep, float] = {
            _SmtpStep.MESSAGE: settings.NOTICE_REPLY_SECONDS,
            _SmtpStep.QUIT: QUIT_SECONDS,
        }
        self.outcomes: list[Outcome] = []
        # The message with content on the way or an outstanding reply.
        self.on_wire: OutgoingMessage | None = None
        # The message after it: its envelope is sent, or is being sent.
        self.next: OutgoingMessage | None = None
        self.is_ready = False  # the server waits for the content of `next`
        self.is_closing = False  # it is closed as soon as nothing is on the wire
        self.begun = 0  # messages with an accepted MAIL, `next` included
        self.completed = 0  # messages with a reply to the final dot
        self.deadline = 0.0
        self._refusal: Reply | None = None
        self._expected: deque[_SmtpStep] = deque()
        # Commands that are sent one by one, because the server does not offer PIPELINING.
        self._unsent_commands: deque[tuple[_SmtpStep, bytes]] = deque()
        self._out = b""
        self._before_dot = 0  # octets of `_out` up to and including the final dot's line
        self._in = b""
        self.watched_for = EVENT_READ
        self._lines: list[bytes] = []
        sock.setblocking(False)
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def is_idle(self) -> bool:
        """Returns whether the connection is free for a message."""
        return not (self.on_wire or self.next or self._expected or self.is_closing)

    @property
    def is_quitting(self) -> bool:
        """Returns whether the reply to QUIT is outstanding."""
        return bool(self._expected) and self._expected[-1] is _SmtpStep.QUIT

    @property
    def wants_to_write(self) -> bool:
        """Returns whether octets wait because the system's buffer was full."""
        return bool(self._out)

    # ------------------------------------------------------------ commands

    def send_envelope(self, message: OutgoingMessage) -> None:
        """Sends the envelope of `message`. Raises LostError."""
        if envelope := self._envelope(message):
            self._send(envelope)

    def send_content(self, following: OutgoingMessage | None) -> None:
        """Sends the content that the server waits for, and the envelope of the message `following`
        it.

        Raises LostError.
        """
        if self.next is None:
            return
        self.on_wire, self.next, self.is_ready = self.next, None, False
        content = self._content(self.on_wire)
        self._expect(_SmtpStep.MESSAGE)
        self._before_dot = len(content) + len(_END)
        envelope = self._envelope(following) if following else b""
        self._send(b"".join((content, _END, envelope)))

    def withdraw(self) -> None:
        """Removes the message with the sent envelope. The connection must then be closed, because
        SMTP cannot take a DATA command back.
        """
        self.next, self.is_ready, self.is_closing = None, False, True

    def quit(self) -> None:
        """Ends the idle connection with QUIT. Raises LostError."""
        self.is_closing = True
        self._expect(_SmtpStep.QUIT)
        self._send(b"QUIT\r\n")

    def _content(self, message: OutgoingMessage) -> bytes:
        data = message.data if self._has_8bit else as_seven_bit(message.data)
        if self._signers:
            # the last change, because the server gets what was signed
            data = signed(data, self._signers)
        if message.has_dot_line or data is not message.data:
            data = data.replace(DOT_LINE, b"\r\n..")
        return data

    def _envelope(self, message: OutgoingMessage) -> bytes:
        """Returns the commands to send now; b"" if this server cannot send to the message's
        address.
        """
        needs_utf8 = not message.to.isascii()
        if needs_utf8 and "smtputf8" not in self.features:
            text = LedgerMessages.NOT_IN_SUCH_LETTERS.stored()
            self.outcomes.append(Outcome(message, Reply(Result.UNREACHABLE, text)))
            return b""
        options = f" SIZE={len(message.data)}" if self._has_size else ""
        options += " BODY=8BITMIME" if self._has_8bit else ""
        options += " SMTPUTF8" if needs_utf8 else ""
        self.next, self._refusal = message, None
        sender = f"MAIL FROM:<{message.sender}>{options}\r\n".encode()
        recipient = f"RCPT TO:<{message.to}>\r\n".encode()
        if self.has_pipelining:
            self._expect(_SmtpStep.SENDER, _SmtpStep.RECIPIENT, _SmtpStep.DATA)
            return sender + recipient + b"DATA\r\n"
        self._unsent_commands.append((_SmtpStep.RECIPIENT, recipient))
        self._unsent_commands.append((_SmtpStep.DATA, b"DATA\r\n"))
        self._expect(_SmtpStep.SENDER)
        return sender

    def _expect(self, *steps: _SmtpStep) -> None:
        if not self._expected:
            self._set_deadline(steps[0])
        self._expected.extend(steps)

    def _set_deadline(self, step: _SmtpStep) -> None:
        self.deadline = time.monotonic() + self._seconds.get(step, self._usual_seconds)

    def _send(self, octets: bytes) -> None:
        self._out = self._out + octets if self._out else octets
        self.flush()

    def flush(self) -> None:
        """Writes as much as the system accepts now. Raises LostError."""
        if not self._out:
            return
        try:
            sent = self.sock.send(self._out)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return
        except OSError as error:
            raise LostError(clean_reply(str(error))) from None
        self._before_dot = max(self._before_dot - sent, 0)
        self._out = self._out[sent:]

    # ------------------------------------------------------------ replies

    def read(self) -> None:
        """Reads the octets that have arrived and acts on the replies. Raises LostError."""
        while True:
            try:
                octets = self.sock.recv(LONGEST_REPLY)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return
            except OSError as error:
                raise LostError(clean_reply(str(error))) from None
            if not octets:
                raise LostError(LedgerMessages.HUNG_UP.stored())
            self._parse(octets)
            if not isinstance(self.sock, ssl.SSLSocket):
                return  # the selector reports more octets; it cannot for TLS, which buffers them

    def _parse(self, octets: bytes) -> None:
        *lines, self._in = (self._in + octets).split(b"\n")
        if len(self._in) > LONGEST_REPLY or len(self._lines) > LONGEST_REPLY // 512:
            raise LostError(LedgerMessages.ENDLESS.stored(), DoubtCause.UNCLEAR_ANSWER)
        for line in lines:
            if line[3:4] == b"-":
                self._lines.append(line)
                continue
            if not line[:3].isdigit():
                raise LostError(LedgerMessages.NO_SMTP.stored(), DoubtCause.UNCLEAR_ANSWER)
            reply_text = line[4:]
            if self._lines:
                reply_text = b" ".join(part[4:].rstrip() for part in [*self._lines, line])
                self._lines = []
            self._handle_reply(int(line[:3]), reply_text)
        if lines and self._expected:
            self._set_deadline(self._expected[0])

    def _handle_reply(self, code: int, octets: bytes) -> None:
        if not self._expected:
            raise self._lost_error(code, _text_of(octets))
        step = self._expected.popleft()
        if self.next is not None and code in _POSITIVE_CODES.get(step, ()):
            self.begun += step is _SmtpStep.SENDER
            self._go_on(self.next, step, is_positive=True)  # its words say nothing
            return
        text = _text_of(octets)
        if step is _SmtpStep.MESSAGE and self.on_wire is not None:
            message, self.on_wire = self.on_wire, None
            self.completed += 1
            self._handle_message_reply(message, code, text)
        elif code == CLOSING:
            raise self._lost_error(code, text)
        elif step is _SmtpStep.RESET:
            if code != OK:
                raise self._lost_error(code, text)
        elif self.next is not None:
            self._note_refusal(self.next, step, code, text)
            self._go_on(self.next, step, is_positive=False)

    def _lost_error(self, code: int, text: str) -> LostError:
        """Returns a LostError with the server's reply. All staff of the desk can read it, so it
        contains no address.
        """
        reply_text = f"{code} {text}"
        for message in filter(None, (self.on_wire, self.next)):
            reply_text = redact_address(reply_text, message.to)
        return LostError(redact_addresses(reply_text))

    def _handle_message_reply(self, message: OutgoingMessage, code: int, text: str) -> None:
        """Handles the reply to a whole message. Only by this reply does the server accept the
        message.
        """
        reply_text = redact_address(f"{code} {text}", message.to)
        if 200 <= code < 300:
            self.outcomes.append(Outcome(message, Reply(Result.ACCEPTED, reply_text)))
            return
        if not 400 <= code < 600:
            doubt = Reply(Result.IN_DOUBT, reply_text, DoubtCause.UNCLEAR_ANSWER)
            self.outcomes.append(Outcome(message, doubt))
            raise LostError(reply_text)
        result = classify_reply(code, f"{code} {text}", step="message")
        stored = after_content(reply_text, most=REPLY_CHARACTERS)
        self.outcomes.append(Outcome(message, Reply(result, stored)))
        if code == CLOSING:
            raise LostError(reply_text)

    def _note_refusal(
        self, message: OutgoingMessage, step: _SmtpStep, code: int, text: str
    ) -> None:
        """Keeps the first refusal of a message's commands, which is its result. Raises LostError if
        the reply ends the connection.
        """
        if self._refusal is not None:
            return
        if self._ends_connection(step, code, text):
            raise self._lost_error(code, text)
        result = classify_reply(code, f"{code} {text}", step=step.value)
        reply_text = redact_address(f"{code} {text}", message.to)
        is_of_server = result is Result.NOT_SENT and not self.begun
        self._refusal = Reply(result, reply_text, is_of_server=is_of_server)

    def _go_on(self, message: OutgoingMessage, step: _SmtpStep, *, is_positive: bool) -> None:
        """Does what follows the reply to a command of the message's envelope."""
        if self._unsent_commands and self._refusal is None:
            following, command = self._unsent_commands.popleft()
            self._expect(following)
            self._send(command)
        elif step is _SmtpStep.DATA and is_positive and self._refusal is None:
            self.is_ready = True
        elif step is _SmtpStep.DATA and is_positive:
            self._expect(_SmtpStep.EMPTY)
            self._send(b".\r\n")
        elif not self._expected and self._refusal is not None:
            self._end_refused(message, self._refusal)

    def _ends_connection(self, step: _SmtpStep, code: int, text: str) -> bool:
        """Returns whether the reply means that the server takes no more messages on this
        connection, on which it took some before. A full mailbox is the recipient's own matter.
        """
        if not self.completed or code // 100 != 4:
            return False
        is_too_many = step is _SmtpStep.RECIPIENT and code == TOO_MANY
        return step is _SmtpStep.SENDER or (is_too_many and cause_of(text) is not Cause.MAILBOX)

    def _end_refused(self, message: OutgoingMessage, refusal: Reply) -> None:
        self._unsent_commands.clear()
        self.next = None
        self.outcomes.append(Outcome(message, refusal))
        if refusal.result is Result.NOT_SENT:
            raise LostError(refusal.server_reply)  # the server asks us to retry later
        self._expect(_SmtpStep.RESET)
        self._send(b"RSET\r\n")

    # ------------------------------------------------------------ the end

    def take_back(self) -> OutgoingMessage | None:
        """Closes a connection that its server ended between two messages. Returns the message with
        a sent envelope, of which no content was sent, so that another connection can send it.
        """
        with suppress(OSError):
            self.sock.send(b"QUIT\r\n")  # a server that answered 4xx has not closed yet
        self.sock.close()
        message, self.next, self.is_ready = self.next, None, False
        return message

    def drop(self, text: str, doubt_cause: DoubtCause) -> OutgoingMessage | None:
        """Closes the connection without QUIT, and adds the outcome of its message.

        The outcome of a message on the wire is "in doubt" for `doubt_cause` if the final dot may
        have left, else "not sent". The message after it is returned, so that another connection can
        send it. Without a message on the wire, the message with a sent envelope ends as "not sent".
        """
        self.sock.close()
        message, following = self.on_wire, self.next
        self.on_wire = self.next = None
        if message is not None:
            reply_text = redact_address(text, message.to)
            doubt = Reply(Result.IN_DOUBT, reply_text, doubt_cause)
            reply = Reply(Result.NOT_SENT, reply_text) if self._before_dot else doubt
            self.outcomes.append(Outcome(message, reply))
            return following
        if following is not None:
            reply_text = redact_address(text, following.to)
            reply = Reply(Result.NOT_SENT, reply_text, is_of_server=not self.begun)
            self.outcomes.append(Outcome(following, reply))
        return None
