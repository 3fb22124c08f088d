"""The engine's SMTP transport: many open connections in one loop, without blocking.

If the server offers PIPELINING, the next message's envelope is sent in the same write as a
message's final dot. So a message costs one round trip. Only the envelope is sent early; the next
content waits for `start`, and so for the journal.

A server that takes a limited number of messages on a connection costs a new connection each time:
the transport opens it while the last message of the old one is on the wire (limits.py).
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from typing import Self

from django.conf import settings

from notices.engine.learned_rates import names_a_rate
from notices.engine.smtp.connections import QUIT_SECONDS, Connection, LostError
from notices.engine.smtp.limits import ConnectionLimit
from notices.engine.smtp.opener import Opener
from notices.engine.transport import (
    ConnectionDeniedError,
    Outcome,
    Result,
    ServerUnavailableError,
)
from notices.ledger_messages import LedgerMessages
from notices.message_filling import OutgoingMessage
from notices.models import DoubtCause

# Connections are added while a turn journals fewer messages than this. Each turn costs a flush of
# the database's log, and more messages in a turn share that cost.
MESSAGES_A_TURN = 24
GROW_SECONDS = 0.02
LOSSES_IN_A_ROW = 3
# A message whose connection the server ended before its content goes over this many others.
CONNECTIONS_FOR_ONE = 8


class SmtpTransport:
    """Connections to the server in the settings. Their number grows as long as that is useful."""

    def __init__(self) -> None:
        self._selector = DefaultSelector()
        self._connections: set[Connection] = set()
        self._backlog: deque[OutgoingMessage] = deque()
        self._outcomes: list[Outcome] = []
        self._opener = Opener()
        self._messages_limit = ConnectionLimit()
        self._ended_for: Counter[int] = Counter()  # connections that ended, by delivery
        self._replacements = 0  # connections to open for others that ended or are about to
        self._largest = 0
        self._limit = max(settings.NOTICE_CONNECTIONS, 1)
        self._losses = 0
        self._loss_reason: str = ""
        self._turns = self._started = 0
        self._grow_at = 0.0
        self._selector.register(self._opener.wake_up, EVENT_READ)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._opener.close()
        self._selector.close()
        _quit([each for each in self._connections if each.is_idle])
        for connection in self._connections:
            connection.sock.close()
        self._connections.clear()

    def capacity(self) -> int:
        """Returns how many messages the backlog lacks to hold one for each connection, at least
        one.
        """
        return max(len(self._connections), 1) - len(self._backlog)

    def submit(self, message: OutgoingMessage) -> None:
        """Adds the message to the backlog. The first free connection sends it."""
        self._backlog.append(message)

    def outcomes(self) -> list[Outcome]:
        """Returns the outcomes since the last call."""
        ended, self._outcomes = self._outcomes, []
        return ended

    def ready(self) -> list[OutgoingMessage]:
        """Returns one message for each connection on which the server waits for the content."""
        return [each.next for each in self._connections if each.is_ready and each.next]

    def start(self, messages: Collection[OutgoingMessage]) -> None:
        """Sends the content of `messages`. If the server offers PIPELINING, the next envelope
        follows it.
        """
        self._turns += 1
        self._started += len(messages)
        wanted = {message.delivery_id for message in messages}
        for connection in [each for each in self._connections if each.is_ready]:
            if connection.next and connection.next.delivery_id in wanted:
                is_last = self._is_used_up(connection)
                self._replacements += is_last
                can_follow = (
                    connection.has_pipelining
                    and self._backlog
                    and not (is_last or connection.is_closing)
                )
                following = self._backlog.popleft() if can_follow else None
                self._do(connection, partial(connection.send_content, following))

    def withdraw(self, delivery_ids: Collection[int]) -> None:
        """Removes messages that were not started. A connection on which the server has the envelope
        of one of them is closed.
        """
        self._backlog = deque(
            each for each in self._backlog if each.delivery_id not in delivery_ids
        )
        for connection in list(self._connections):
            if connection.next and connection.next.delivery_id in delivery_ids:
                connection.withdraw()
                self._update_pool(connection)

    def wait(self, seconds: float) -> None:
        """Reads and writes on all connections, for `seconds` at most. Opens connections and drops
        silent ones.

        Raises ServerUnavailableError and SenderRefusedError if no connection is left and none can
        be opened.
        """
        self._assign()
        self._open_more()
        for key, mask in self._selector.select(seconds if not self._outcomes else 0):
            if key.data is None:
                self._add_opened()
                continue
            if mask & EVENT_WRITE:
                self._do(key.data, key.data.flush)
            if mask & EVENT_READ and key.data in self._connections:
                self._do(key.data, key.data.read)
        self._drop_silent()
        self._assign()
        if not self._connections and not self._opener.is_busy and self._loss_reason:
            self._raise_loss()

    def _raise_loss(self) -> None:
        reason, self._loss_reason, self._losses = self._loss_reason, "", 0
        raise ServerUnavailableError(reason)

    # ------------------------------------------------------------ the connections

    def _assign(self) -> None:
        for connection in [each for each in self._connections if each.is_idle]:
            while self._backlog and connection.is_idle:
                message = self._backlog.popleft()
                self._do(connection, partial(connection.send_envelope, message))

    def _do(self, connection: Connection, act: Callable[[], None]) -> None:
        try:
            act()
        except LostError as error:
            self._drop(connection, str(error), error.doubt_cause)
        else:
            self._update_pool(connection)

    def _update_pool(self, connection: Connection) -> None:
        """Collects the connection's outcomes, and removes it or watches it for the events that it
        needs.
        """
        if connection.outcomes:
            if connection.outcomes[-1].reply.result is Result.ACCEPTED:
                self._losses, self._loss_reason = 0, ""
            self._outcomes += connection.outcomes
            connection.outcomes = []
        if connection.is_closing and connection.on_wire is None and not connection.is_quitting:
            self._remove(connection)
            connection.sock.close()
            return
        if connection.is_idle and self._is_used_up(connection):
            self._do(connection, connection.quit)
            return
        events = EVENT_READ | EVENT_WRITE if connection.wants_to_write else EVENT_READ
        if connection.watched_for != events:
            connection.watched_for = events
            self._selector.modify(connection.sock, events, connection)

    def _is_used_up(self, connection: Connection) -> bool:
        """Returns whether the server takes no message on the connection after the current one."""
        most = self._messages_limit.most
        return most is not None and connection.begun >= most

    def _is_end_of(self, connection: Connection, doubt_cause: DoubtCause) -> bool:
        """Returns whether the server ended the connection between two messages, so that the next
        one can go over another.
        """
        message = connection.next
        if message is None or connection.on_wire is not None or not connection.completed:
            return False
        is_told = doubt_cause is DoubtCause.CONNECTION_LOST  # and not silence or another protocol
        return is_told and self._ended_for[message.delivery_id] < CONNECTIONS_FOR_ONE

    def _end(self, connection: Connection) -> None:
        self._messages_limit.record_end(connection.completed)
        self._remove(connection)
        self._replacements += 1
        if message := connection.take_back():
            self._ended_for[message.delivery_id] += 1
            self._backlog.appendleft(message)
        self._outcomes += connection.outcomes

    def _drop(self, connection: Connection, reason: str, doubt_cause: DoubtCause) -> None:
        if self._is_end_of(connection, doubt_cause):
            self._end(connection)
            return
        was_idle = connection.is_idle or connection.is_closing
        self._remove(connection)
        if following := connection.drop(reason, doubt_cause):
            self._backlog.appendleft(following)
        ended, connection.outcomes = connection.outcomes, []
        self._outcomes += ended
        if was_idle and not ended:
            return  # the server closed an idle connection
        if ended and ended[-1].reply.is_of_server:
            self._messages_limit.forget()
        self._losses += 1
        is_in_doubt = bool(ended) and ended[-1].reply.result is Result.IN_DOUBT
        if not is_in_doubt or self._losses >= LOSSES_IN_A_ROW:
            self._loss_reason = reason
            self._limit = max(len(self._connections), 1)  # the server may limit our connections

    def _remove(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._selector.unregister(connection.sock)

    def _drop_silent(self) -> None:
        now = time.monotonic()
        for connection in [
            each for each in self._connections if not (each.is_idle or each.is_ready)
        ]:
            if connection.deadline < now:
                self._drop(connection, LedgerMessages.SILENT.stored(), DoubtCause.SERVER_SILENT)

    def _open_more(self) -> None:
        """Opens the first connection, and one for each that ended. Doubles the number of
        connections while the turns are small.
        """
        if not self._backlog:
            return
        active = sum(not each.is_closing for each in self._connections)
        number, now = active + self._opener.pending, time.monotonic()
        if not number:
            self._opener.open(1)
        elif self._replacements:
            self._opener.open(min(self._replacements, max(self._limit - number, 1)))
        elif self._opener.is_busy and self._messages_limit.most is None:
            return
        elif active and number < self._limit and now >= self._grow_at:
            if self._started < MESSAGES_A_TURN * self._turns:
                self._opener.open(min(active, self._limit - number))
            self._restart_growth(now)
        self._replacements = 0

    def _restart_growth(self, now: float) -> None:
        self._grow_at = now + GROW_SECONDS
        self._turns = self._started = 0

    def _add_opened(self) -> None:
        for opened in self._opener.opened():
            if isinstance(opened, Connection):
                self._connections.add(opened)
                self._selector.register(opened.sock, EVENT_READ, opened)
                continue
            if isinstance(opened, ConnectionDeniedError) and names_a_rate(str(opened)):
                self._messages_limit.forget()
            if self._connections:
                self._limit = len(self._connections)  # the server accepts no more connections
            elif not self._opener.is_busy:
                raise opened
        if len(self._connections) > self._largest:
            self._largest = len(self._connections)
            self._restart_growth(time.monotonic())


def _quit(connections: Collection[Connection]) -> None:
    """Sends QUIT on all connections, as RFC 5321 (4.1.1.10) requires, and waits at most
    QUIT_SECONDS for the replies.
    """
    deadline = time.monotonic() + QUIT_SECONDS
    for connection in connections:
        with suppress(OSError):
            connection.sock.settimeout(0.2)
            connection.sock.sendall(b"QUIT\r\n")
    for connection in connections:
        with suppress(OSError):
            connection.sock.settimeout(max(deadline - time.monotonic(), 0.01))
            connection.sock.recv(512)
