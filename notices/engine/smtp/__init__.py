"""The engine's own SMTP: many connections kept open in one loop, without blocking.

Where the server offers PIPELINING, the next message's envelope follows a message's final dot in
the same write, so that a connection costs one round trip a message. That is only the envelope: the
next content waits for `begin`, and so for the ledger.
"""

import time
from collections import deque
from collections.abc import Callable, Collection
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from typing import Self

from django.conf import settings

from notices.engine.smtp.connections import Connection, LostError
from notices.engine.smtp.opener import Opener
from notices.engine.transport import Outcome, Result, ServerUnavailableError
from notices.ledger_messages import LedgerMessages
from notices.message_filling import OutgoingMessage
from notices.models import DoubtCause

# Connections are added while a turn of the ledger has fewer messages than this to write at once:
# each turn costs a flush of the database's log, and that is what many connections share.
GOOD_TURN = 24
GROW_SECONDS = 0.1
LOSSES_IN_A_ROW = 3
QUIT_SECONDS = 2.0


class SmtpTransport:
    """Connections to the server that settings name; their number follows what is worth while."""

    def __init__(self) -> None:
        self._selector = DefaultSelector()
        self._connections: set[Connection] = set()
        self._backlog: deque[OutgoingMessage] = deque()
        self._outcomes: list[Outcome] = []
        self._opener = Opener()
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

    def hand_over(self, message: OutgoingMessage) -> None:
        """Sent by whichever connection is free first."""
        self._backlog.append(message)

    def outcomes(self) -> list[Outcome]:
        """Those since the last call."""
        ended, self._outcomes = self._outcomes, []
        return ended

    def ready(self) -> list[OutgoingMessage]:
        """One for each connection whose server waits for the content."""
        return [one.next for one in self._connections if one.is_ready and one.next]

    def begin(self, messages: Collection[OutgoingMessage]) -> None:
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
        raise ServerUnavailableError(loss)

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
            self._lose(one, str(error), error.doubt_cause)
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

    def _lose(self, one: Connection, words: str, doubt_cause: DoubtCause) -> None:
        was_idle = one.is_idle or one.is_closing
        self._forget(one)
        if following := one.lose(words, doubt_cause):
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
                self._lose(one, LedgerMessages.SILENT.stored(), DoubtCause.SERVER_SILENT)

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
