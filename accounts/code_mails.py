"""Sends code mails outside the request, over kept-open connections of their own.

The code exists only in the memory of this process until the mail server has it. If the process
ends before that, the visitor requests another code. No thread here uses the database.

A thread opens one connection and keeps it for IDLE_SECONDS after its last mail. Threads are added
while mails wait, up to settings.CODE_MAIL_CONNECTIONS. With 0 the mail is sent within the request.
"""

import atexit
import heapq
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from smtplib import (
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
)
from typing import Any

from django.conf import settings
from django.utils.translation import override

from accounts import emails
from accounts.code_limits import CodeLane
from foundations import request_ids

MOST_WAITING = 5_000
IDLE_SECONDS = 20.0  # shorter than mail servers wait for a command
LATE_SECONDS = 5.0  # a longer wait for a connection is logged
FINISH_SECONDS = 10.0  # for waiting mails when the process ends
ERRORS = (OSError, SMTPException)
MOST_OF_A_REPLY = 300  # characters

logger = logging.getLogger(__name__)


class QueueFullError(Exception):
    """Too many code mails wait in this process."""


@dataclass(frozen=True)
class CodeMail:
    """A code to one address, in the language of the page. `on_failure` is called without it."""

    email: str
    code: str = field(repr=False)
    language: str
    lane: CodeLane
    on_failure: Callable[[], None]
    created_at: float = field(default_factory=time.monotonic)
    request_id: str = field(default_factory=request_ids.current)


class CodeMailQueue:
    """The code mails that wait in this process, and the threads that send them."""

    def __init__(self) -> None:
        self._waiting: list[tuple[CodeLane, int, CodeMail]] = []
        self._numbers = count()
        self._changed = threading.Condition()
        self._threads = self._idle = 0

    def add(self, mail: CodeMail) -> None:
        """Adds a mail behind those of its lane. Raises QueueFullError."""
        with self._changed:
            if len(self._waiting) >= MOST_WAITING:
                raise QueueFullError
            heapq.heappush(self._waiting, (mail.lane, next(self._numbers), mail))
            may_grow = self._threads < settings.CODE_MAIL_CONNECTIONS
            if len(self._waiting) > self._idle and may_grow:
                self._threads += 1
                threading.Thread(target=self._work, name="code-mails", daemon=True).start()
            self._changed.notify()

    def waiting(self) -> int:
        """Returns the number of mails that no thread has taken yet."""
        return len(self._waiting)

    def finish(self) -> None:
        """Waits until all mails are sent, FINISH_SECONDS at most."""
        deadline = time.monotonic() + FINISH_SECONDS
        while time.monotonic() < deadline and (self._waiting or self._threads > self._idle):
            time.sleep(0.05)

    def _work(self) -> None:
        connection = emails.connect()
        try:
            while mail := self._next():
                _deliver(mail, connection)
        finally:
            _close(connection)

    def _next(self) -> CodeMail | None:
        """Returns the next mail, or None after IDLE_SECONDS without one; the thread ends then."""
        with self._changed:
            self._idle += 1
            has_one = self._changed.wait_for(lambda: self._waiting, IDLE_SECONDS)
            self._idle -= 1
            if has_one:
                return heapq.heappop(self._waiting)[2]
            self._threads -= 1
            return None


_queue = CodeMailQueue()
atexit.register(_queue.finish)


def send(mail: CodeMail) -> None:
    """Sends a code mail soon, or now if settings.CODE_MAIL_CONNECTIONS is 0.

    Raises QueueFullError; if it sends now, OSError or SMTPException.
    """
    if settings.CODE_MAIL_CONNECTIONS:
        _queue.add(mail)
    else:
        with override(mail.language):
            emails.send_sign_in_code(mail.email, mail.code)


def waiting() -> int:
    """Returns the number of code mails that wait in this process."""
    return _queue.waiting()


def _deliver(mail: CodeMail, connection: Any) -> None:
    request_ids.work_for(mail.request_id)
    waited = time.monotonic() - mail.created_at
    if waited > LATE_SECONDS:
        logger.warning("a code mail waited %.1f s for a connection", waited)
    try:
        with override(mail.language):
            _send_once_or_twice(mail, connection)
    except ERRORS as error:
        _close(connection)
        logger.error("a code mail was not sent: %s", reason_of(error))
        mail.on_failure()


def reason_of(error: OSError | SMTPException) -> str:
    """Returns the error in one line for the log: its kind, and the server's reply if there is one.

    The log line loses the addresses in it (foundations.logs).
    """
    replies = [error] if isinstance(error, SMTPResponseException) else []
    said = [f"{one.smtp_code} {_text(one.smtp_error)}" for one in replies]
    if isinstance(error, SMTPRecipientsRefused):
        said = [f"{code} {_text(text)}" for code, text in error.recipients.values()]
    elif not replies:
        said = [str(error.strerror or error) if isinstance(error, OSError) else str(error)]
    return f"{type(error).__name__}: {' '.join(' '.join(said).split())[:MOST_OF_A_REPLY]}"


def _text(reply: bytes | str) -> str:
    return reply.decode(errors="replace") if isinstance(reply, bytes) else reply


def _send_once_or_twice(mail: CodeMail, connection: Any) -> None:
    """Sends the mail over the kept connection, or over a new one if the server closed it."""
    is_new = connection.open()
    try:
        emails.send_sign_in_code(mail.email, mail.code, connection=connection)
    except (SMTPServerDisconnected, ConnectionError):
        if is_new:
            raise
        _close(connection)
        connection.open()
        emails.send_sign_in_code(mail.email, mail.code, connection=connection)


def _close(connection: Any) -> None:
    try:
        connection.close()
    except ERRORS:
        connection.connection = None
