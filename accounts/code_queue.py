"""The codes that wait in this process until a carrier sends them, outside the request.

A code exists only in the memory of this process until the mail server or the gateway has it. If the
process ends before that, the visitor requests another code. No thread here uses the database.

Mails and text messages have a queue each, so that neither waits for the other. A thread opens one
carrier and keeps it for IDLE_SECONDS after its last code. Threads are added while codes wait.
"""

import atexit
import heapq
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import count
from typing import Protocol

from django.utils.translation import override

from foundations import request_ids

MOST_WAITING = 5_000
IDLE_SECONDS = 20.0  # shorter than mail servers wait for a command
LATE_SECONDS = 5.0  # a longer wait for a connection is logged
FINISH_SECONDS = 10.0  # for waiting codes when the process ends

logger = logging.getLogger(__name__)


class CodeLane(IntEnum):
    """The order in which waiting codes are sent."""

    KNOWN_DEVICE = 0
    USUAL = 1
    SUSPICIOUS = 2


class QueueFullError(Exception):
    """Too many codes wait in this process."""


class CarrierError(Exception):
    """The mail server or the gateway did not accept a code. The text is the reason, for the log."""


class RecipientRefusedError(CarrierError):
    """The gateway refuses this number, or cannot send to it."""


@dataclass(frozen=True)
class CodeMessage:
    """A code to one address or number, in the language of the page.

    `on_failure` is called if it is not sent.
    """

    to: str
    code: str = field(repr=False)
    language: str
    lane: CodeLane
    on_failure: Callable[[], None]
    created_at: float = field(default_factory=time.monotonic)
    request_id: str = field(default_factory=request_ids.current)


class CodeCarrier(Protocol):
    """What sends codes, in the thread that made it."""

    def send(self, message: CodeMessage) -> None:
        """Sends one code in the active language. Raises CarrierError."""

    def close(self) -> None:
        """Closes the connections. Raises no error."""


class CodeQueue:
    """The codes of one kind that wait in this process, and the threads that send them."""

    def __init__(
        self, kind: str, *, carrier: Callable[[], CodeCarrier], most_threads: Callable[[], int]
    ) -> None:
        """Makes an empty queue. `kind` is "mail" or "text": a word for the log."""
        self._kind, self._carrier, self._most_threads = kind, carrier, most_threads
        self._waiting: list[tuple[CodeLane, int, CodeMessage]] = []
        self._numbers = count()
        self._changed = threading.Condition()
        self._threads = self._idle = 0
        atexit.register(self.finish)

    def send(self, message: CodeMessage) -> None:
        """Sends a code soon, or now if no thread is allowed.

        Raises QueueFullError; if it sends now, CarrierError.
        """
        if self._most_threads():
            self._add(message)
            return
        carrier = self._carrier()
        try:
            with override(message.language):
                carrier.send(message)
        finally:
            carrier.close()

    def waiting(self) -> int:
        """Returns the number of codes that no thread has taken yet."""
        return len(self._waiting)

    def finish(self) -> None:
        """Waits until all codes are sent, FINISH_SECONDS at most."""
        deadline = time.monotonic() + FINISH_SECONDS
        while time.monotonic() < deadline and (self._waiting or self._threads > self._idle):
            time.sleep(0.05)

    def _add(self, message: CodeMessage) -> None:
        """Adds a code behind those of its lane."""
        with self._changed:
            if len(self._waiting) >= MOST_WAITING:
                raise QueueFullError
            heapq.heappush(self._waiting, (message.lane, next(self._numbers), message))
            if len(self._waiting) > self._idle and self._threads < self._most_threads():
                self._threads += 1
                name = f"code-{self._kind}s"
                threading.Thread(target=self._work, name=name, daemon=True).start()
            self._changed.notify()

    def _work(self) -> None:
        carrier = self._carrier()
        try:
            while message := self._next():
                self._deliver(message, carrier)
        finally:
            carrier.close()

    def _next(self) -> CodeMessage | None:
        """Returns the next code, or None after IDLE_SECONDS without one; the thread ends then."""
        with self._changed:
            self._idle += 1
            has_one = self._changed.wait_for(lambda: self._waiting, IDLE_SECONDS)
            self._idle -= 1
            if has_one:
                return heapq.heappop(self._waiting)[2]
            self._threads -= 1
            return None

    def _deliver(self, message: CodeMessage, carrier: CodeCarrier) -> None:
        request_ids.work_for(message.request_id)
        waited = time.monotonic() - message.created_at
        if waited > LATE_SECONDS:
            logger.warning("a code %s waited %.1f s for a connection", self._kind, waited)
        try:
            with override(message.language):
                carrier.send(message)
        except CarrierError as error:
            logger.error("a code %s was not sent: %s", self._kind, error)
            message.on_failure()
