"""A worker's run: leases chunks of a notice and brings each of their people to the mail server."""

import logging
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from django.conf import settings
from django.db import connection

from incidents.encryption import EncryptionError
from notices.engine import gateways, ledger, providers, ramp, stall
from notices.engine.composer import Composer, DueRow
from notices.engine.ledger import JournalAnswer, JournalEntry, Lease, LeaseLostError, Transition
from notices.engine.smtp import SmtpTransport
from notices.engine.throttling import ASK_SECONDS, DestinationLimiter, Governor
from notices.engine.transitions import transition_of
from notices.engine.transport import (
    Outcome,
    SenderRefusedError,
    ServerUnavailableError,
    Transport,
)
from notices.message_filling import OutgoingMessage
from notices.models import Delivery, Notice
from notices.returned_mail import suppression_list

logger = logging.getLogger(__name__)
State = Delivery.State
TURN_SECONDS = 0.25  # a pause, a cancellation and a lost lease are noticed at least as often
LEASES_AT_ONCE = 2  # the next chunk is at hand before the last messages of one are answered
DATABASE_SECONDS = (0.1, 1.0)  # between two tries of a database that is away or full: first, last
PLANNING_SECONDS = 0.1  # between two looks for a chunk that is still being planned


def send_due(notice_id: int, *, seconds: float) -> bool:
    """Works on the notice's due chunks until none is left, or for about `seconds`.

    True if it stopped for the time alone, and should go on at once.
    """
    end = time.monotonic() + seconds
    notice = Notice.objects.filter(pk=notice_id).first()
    if notice is None:
        return False
    governor = Governor()
    with transport_of(notice) as transport:
        while time.monotonic() < end:
            notice = Notice.objects.select_related("incident").get(pk=notice_id)
            if notice.state == Notice.State.CANCELLED:
                return _cancel_due(notice, end=end)
            if notice.state not in ledger.MOVING:
                return False
            is_going_on = _Run(notice, transport, governor, end=end).work()
            if not is_going_on and notice.state != Notice.State.PLANNING:
                return False
            if not is_going_on:
                time.sleep(PLANNING_SECONDS)
    return True


def transport_of(notice: Notice) -> Transport:
    """What carries the messages of a notice's channel."""
    if notice.channel == Notice.Channel.SMS:
        return gateways.sms_transport()
    if settings.NOTICE_PROVIDER:
        return providers.provider_transport()
    return SmtpTransport()


def _cancel_due(notice: Notice, *, end: float) -> bool:
    while time.monotonic() < end:
        lease = ledger.lease_chunk(notice)
        if lease is None:
            return False
        try:
            ledger.cancel_rest(lease)
        except LeaseLostError:
            logger.warning("chunk %s: lease %s was taken over", lease.chunk.pk, lease.fencing_token)
        ledger.release(lease)
    return True


_T = TypeVar("_T")


def _retry_until_written(act: Callable[[], _T]) -> _T:
    """Calls `act` until the database accepts it, and returns its result.

    A database that is away or full halts the send: what servers accepted meanwhile is known to
    this process alone, so it never gives up. `act` is one transaction that may be repeated. Raises
    the database's error only inside a transaction, where a repetition cannot succeed.
    """
    wait, most = DATABASE_SECONDS
    is_again = False
    while True:
        try:
            done = act()
        except stall.ERRORS as error:
            if connection.in_atomic_block:
                raise
            logger.error("the database does not take it, the send waits: %s", str(error).strip())
            connection.close()
            stall.report_database_error(error)
            is_again = True
        else:
            if is_again:
                stall.clear_database_error()
            return done
        time.sleep(wait)
        wait = min(wait * 2, most)


@dataclass
class _Leased:
    """A lease, and how many of its rows have no ending yet."""

    lease: Lease
    left: int = 0
    has_bounces: bool = False


class _Run:
    """One worker, one notice, one transport, a few leases."""

    def __init__(
        self, notice: Notice, transport: Transport, governor: Governor, *, end: float
    ) -> None:
        self._notice = notice
        self._transport = transport
        self._governor = governor
        self._limits = DestinationLimiter()
        self._end = end
        self._composer = Composer(notice)
        self._leases: dict[int, _Leased] = {}
        self._waiting: deque[DueRow] = deque()
        # Composed, but their destination has had enough for now.
        self._parked: defaultdict[str, deque[tuple[DueRow, OutgoingMessage]]] = defaultdict(deque)
        self._in_hand: dict[int, DueRow] = {}  # handed over, and not on the wire
        self._on_wire: dict[int, DueRow] = {}
        self._endings: list[JournalEntry] = []
        self._journaled_at = 0.0
        self._may_send = True
        self._has_chunks = True

    def work(self) -> bool:
        """Sends what is due; True if there may be more of it now."""
        try:
            while self._turn():
                pass
        except (ServerUnavailableError, SenderRefusedError, EncryptionError) as error:
            self._stop_for(error)
            return False
        return self._may_send and self._has_chunks

    def _turn(self) -> bool:
        """One round of the loop; False once nothing is left to do."""
        began = time.monotonic()
        if began > self._end:
            self._put_back()
        self._lease_more()
        self._hand_over()
        try:
            if self._in_hand or self._on_wire:
                self._transport.wait(TURN_SECONDS)
            elif any(self._parked.values()):
                time.sleep(ASK_SECONDS)
        finally:  # what is known is written even if the server is gone
            self._write_down()
        self._release_finished()
        self._governor.rest(time.monotonic() - began)
        return bool(self._leases)

    # ------------------------------------------------------------ leases

    def _lease_more(self) -> None:
        """Keeps messages at hand while there is time."""
        while (
            self._has_chunks
            and self._may_send
            and len(self._leases) < LEASES_AT_ONCE
            and len(self._waiting) <= self._transport.room()
            and time.monotonic() < self._end
        ):
            lease = _retry_until_written(lambda: ledger.lease_chunk(self._notice))
            if lease is None:
                self._has_chunks = False
                return
            leased = self._leases[lease.chunk.pk] = _Leased(lease)
            rows = _retry_until_written(partial(self._composer.rows, lease))
            leased.left = len(rows)
            self._waiting.extend(rows)
            self._journaled_at = min(self._journaled_at or time.monotonic(), time.monotonic())

    def _release_finished(self) -> None:
        for key, leased in list(self._leases.items()):
            if not leased.left:
                if leased.has_bounces:
                    _retry_until_written(
                        partial(suppression_list.take_bounces, leased.lease.chunk, self._notice)
                    )
                _retry_until_written(partial(ledger.release, leased.lease))
                del self._leases[key]
                if leased.has_bounces:
                    _retry_until_written(partial(ramp.pause_if_bouncing, self._notice))

    def _lose(self, chunks: frozenset[int]) -> None:
        """Another worker has them: nothing of them is begun, written or given back any more."""
        for key in chunks:
            lease = self._leases.pop(key).lease
            logger.warning("chunk %s: lease %s was taken over", key, lease.fencing_token)
        self._waiting = deque(row for row in self._waiting if row.chunk not in chunks)
        for domain, parked in self._parked.items():
            self._parked[domain] = deque(one for one in parked if one[0].chunk not in chunks)
        self._withdraw(row for row in self._in_hand.values() if row.chunk in chunks)
        self._on_wire = {k: row for k, row in self._on_wire.items() if row.chunk not in chunks}

    def _withdraw(self, rows: Iterator[DueRow]) -> None:
        keys = {row.delivery_id for row in rows}
        self._transport.withdraw(keys)
        for key in keys:
            del self._in_hand[key]

    # ------------------------------------------------------------ messages

    def _hand_over(self) -> None:
        room = self._transport.room() if self._may_send else 0
        while room > 0 and (following := self._next()):
            row, mail = following
            self._in_hand[row.delivery_id] = row
            self._transport.hand_over(mail)
            room -= 1

    def _next(self) -> tuple[DueRow, OutgoingMessage] | None:
        """The next row whose destination may be sent something now, and its mail."""
        for domain, parked in self._parked.items():
            if parked and self._limits.admits(domain):
                return parked.popleft()
        while self._waiting:
            row = self._waiting.popleft()
            mail = self._composer.mail(row)
            if isinstance(mail, Transition):
                self._end_row(row, mail, tries=0)
                continue
            domain = mail.to.rpartition("@")[2]
            if self._limits.admits(domain):
                return row, mail
            self._parked[domain].append((row, mail))
        return None

    def _write_down(self) -> None:
        """Journals what ended and what is to begin; begins it after the journal is committed.

        Outcomes leave the transport here and are known to this process alone until then. So
        nothing between the two may fail: judging them touches no database, and the journal is
        repeated until the database takes it.
        """
        for outcome in self._transport.outcomes():
            self._judge(outcome)
        ready = self._transport.ready() if self._may_send else []
        is_due = time.monotonic() > self._journaled_at + TURN_SECONDS
        if self._leases and (self._endings or ready or is_due):
            self._begin(ready)

    def _begin(self, ready: list[OutgoingMessage]) -> None:
        for mail in ready:
            self._on_wire[mail.delivery_id] = self._in_hand.pop(mail.delivery_id)
        began = time.monotonic()
        turn = self._journal()
        # A process that was stopped meanwhile may have lost its lease since.
        is_fresh = time.monotonic() - began < settings.NOTICE_LEASE_SECONDS / 2
        if turn.may_send and not turn.lost and is_fresh:
            self._transport.begin(ready)
            return
        for mail in ready:
            self._in_hand[mail.delivery_id] = self._on_wire.pop(mail.delivery_id)
        self._lose(turn.lost)
        if not turn.may_send:
            self._hold()

    def _journal(self) -> JournalAnswer:
        on_wire: dict[int, list[int]] = {}
        for row in self._on_wire.values():
            on_wire.setdefault(row.chunk, []).append(row.delivery_id)
        leases = [leased.lease for leased in self._leases.values()]
        turn = _retry_until_written(
            lambda: ledger.journal(self._notice, leases, endings=self._endings, on_wire=on_wire)
        )
        for ending in self._endings:
            if ending.lease.chunk.pk in self._leases:
                self._leases[ending.lease.chunk.pk].left -= 1
        self._endings = []
        self._journaled_at = time.monotonic()
        return turn

    def _judge(self, outcome: Outcome) -> None:
        key = outcome.message.delivery_id
        row = self._on_wire.pop(key, None) or self._in_hand.pop(key, None)
        if row is None or row.chunk not in self._leases:
            return  # of a chunk that another worker has now
        self._end_row(
            row, transition_of(outcome.reply, row, self._leases[row.chunk].lease), tries=1
        )

    def _end_row(self, row: DueRow, transition: Transition, *, tries: int) -> None:
        lease = self._leases[row.chunk].lease
        self._leases[row.chunk].has_bounces |= transition.state == State.BOUNCED
        self._endings.append(JournalEntry(lease, row.delivery_id, transition, row.attempts, tries))

    # ------------------------------------------------------------ stopping

    def _put_back(self) -> None:
        """Leaves the rows that were not handed over to whoever leases their chunk next."""
        parked = [row for each in self._parked.values() for row, _mail in each]
        for row in (*self._waiting, *parked):
            self._leases[row.chunk].left -= 1
        self._waiting.clear()
        self._parked.clear()

    def _hold(self) -> None:
        """Begins nothing any more; what is on the wire is waited for and written down."""
        self._may_send = False
        self._put_back()
        for row in self._in_hand.values():
            self._leases[row.chunk].left -= 1
        self._withdraw(iter(list(self._in_hand.values())))

    def _stop_for(self, error: Exception) -> None:
        """Nothing can be sent now: says why, and gives the chunks back."""
        if isinstance(error, ServerUnavailableError):
            ledger.record_problem(self._notice, str(error))
        else:
            ledger.stop(self._notice, str(error))
        for leased in self._leases.values():
            is_away = isinstance(error, ServerUnavailableError)
            if is_away and not leased.lease.is_past_deadline:
                ledger.release_with_backoff(leased.lease)
                continue
            if is_away:
                with suppress(LeaseLostError):
                    ledger.expire_rest(leased.lease, str(error))
            ledger.release(leased.lease)
