"""The send loop of one worker: it leases chunks of a notice and sends their messages."""

import logging
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from django.conf import settings

from incidents.encryption import EncryptionError
from notices import push_subscriptions
from notices.destinations import destination_of
from notices.engine import gateways, guards, journal, ledger, web_push
from notices.engine.composer import DueRow
from notices.engine.journal import JournalAnswer, JournalEntry
from notices.engine.learned_rates import names_a_rate
from notices.engine.ledger import Lease, LeaseLostError, Transition
from notices.engine.pacing import PlanGate, plan_gate
from notices.engine.provider_replies import ProviderReply, with_advice
from notices.engine.push_composer import composer_of
from notices.engine.smtp import SmtpTransport
from notices.engine.smtp.limits import server_name
from notices.engine.stall import retry_until_written
from notices.engine.throttling import ASK_SECONDS, DestinationLimiter, Governor
from notices.engine.transitions import transition_of
from notices.engine.transport import (
    ConnectionDeniedError,
    Outcome,
    Reply,
    Result,
    SenderRefusedError,
    ServerUnavailableError,
    Transport,
)
from notices.ledger_messages import LedgerMessages
from notices.message_filling import OutgoingMessage
from notices.models import Delivery, Notice
from notices.models.destination import is_of_texts
from notices.returned_mail import suppression_list

logger = logging.getLogger(__name__)
State = Delivery.State
_LATER = (Result.DEFERRED, Result.POSTPONED)
TURN_SECONDS = 0.25  # the longest time until a pause, a cancellation or a lost lease is noticed
LEASES_AT_ONCE = 2  # the next chunk is leased before the last messages of one are answered
PLANNING_SECONDS = 0.1  # between two queries for a chunk while the ledger is being planned


def send_due(notice_id: int, *, seconds: float) -> bool:
    """Sends the notice's due chunks until none is left, or for about `seconds`.

    Returns True if it stopped only because the time was over, so that the caller should call it
    again.
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
            has_due = ledger.has_due_chunk(notice)  # a run begins with a dozen queries
            if has_due and _Run(notice, transport, governor, end=end).work():
                continue
            if notice.state != Notice.State.PLANNING:
                return False
            # After a run without a due chunk the planning may be over; a server that rests leaves
            # chunks due.
            if not has_due or ledger.has_due_chunk(notice):
                time.sleep(PLANNING_SECONDS)
    return True


def transport_of(notice: Notice) -> Transport:
    """Returns the transport of the notice's channel: an SMS gateway, browsers' push services, a
    provider's API, or SMTP.
    """
    if notice.channel == Notice.Channel.SMS:
        is_notice = notice.is_mandatory
        found = gateways.gateway_classes() if is_notice else gateways.free_text_gateways()
        return gateways.sms_transport(found)
    if notice.channel == Notice.Channel.PUSH:
        return web_push.web_push_transport()
    if settings.NOTICE_PROVIDER:
        # Imported only here, because anymail's client of HTTP takes a tenth of a process's start.
        from notices.engine import providers

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


@dataclass
class _Leased:
    """A lease, and how many of its deliveries have no journaled result yet."""

    lease: Lease
    left: int = 0
    lost: list[int] = field(default_factory=list)  # its bounced or unreachable deliveries
    is_held_up: bool = False  # some of its rows go to a stopped destination
    rest: float = 0.0  # seconds until a destination of some of its rows takes messages again
    # The deliveries that the plan holds back, by how long.
    held: defaultdict[timedelta, list[int]] = field(default_factory=lambda: defaultdict(list))


class _Run:
    """One worker's run for one notice, over one transport, with a few leases."""

    def __init__(
        self, notice: Notice, transport: Transport, governor: Governor, *, end: float
    ) -> None:
        self._notice = notice
        self._transport = transport
        self._governor = governor
        self._limiter = DestinationLimiter()
        # The rate of the mail server itself is learned under this name.
        self._server = server_name() if isinstance(transport, SmtpTransport) else ""
        self._end = end
        self._composer = composer_of(notice)
        self._guard = guards.Guard(notice)
        self._plan = plan_gate(notice)
        self._stopped = guards.stopped_destinations(notice)
        self._has_accepted = Notice.objects.live_counts(notice.pk)["accepted"] > 0
        self._leases: dict[int, _Leased] = {}
        self._waiting: deque[DueRow] = deque()
        # Composed messages that wait for the rate limit of their destination, by destination.
        self._parked: defaultdict[str, deque[tuple[DueRow, OutgoingMessage]]] = defaultdict(deque)
        self._submitted: dict[int, DueRow] = {}  # in the transport, and not on the wire
        self._on_wire: dict[int, DueRow] = {}
        self._entries: list[JournalEntry] = []
        self._journaled_at = 0.0
        self._may_send = True
        self._has_chunks = True

    def work(self) -> bool:
        """Sends what is due. Returns whether more may be due now.

        An unavailable server, a refused sender and a missing key end the run. The problem is stored
        with the notice.
        """
        if self._limiter.learned.rest_seconds(self._server):
            return False
        try:
            while self._turn():
                pass
        except (ServerUnavailableError, SenderRefusedError, EncryptionError) as error:
            self._stop_for_error(error)
            return False
        finally:
            retry_until_written(self._guard.finish)
            if self._plan:
                retry_until_written(self._plan.finish)
        return self._may_send and self._has_chunks

    def _turn(self) -> bool:
        """Runs one round of the loop. Returns False when no lease is left."""
        started_at = time.monotonic()
        if started_at > self._end:
            self._drop_unsubmitted()
        self._lease_more()
        self._submit()
        try:
            if self._submitted or self._on_wire:
                self._transport.wait(TURN_SECONDS)
            elif any(self._parked.values()) or self._waiting:
                time.sleep(ASK_SECONDS)
        finally:  # known results are journaled even if the server is unavailable
            self._journal_turn()
        self._release_finished()
        self._governor.rest(time.monotonic() - started_at)
        return bool(self._leases)

    # ------------------------------------------------------------ leases

    def _lease_more(self) -> None:
        """Leases chunks while there is time, so that the transport always has a message to send."""
        while (
            self._has_chunks
            and self._may_send
            and len(self._leases) < LEASES_AT_ONCE
            and len(self._waiting) <= self._transport.capacity()
            and time.monotonic() < self._end
        ):
            lease = retry_until_written(
                lambda: ledger.lease_chunk(self._notice, held=self._leases.keys())
            )
            if lease is None:
                self._has_chunks = False
                return
            leased = self._leases[lease.chunk.pk] = _Leased(lease)
            rows = retry_until_written(partial(self._composer.rows, lease))
            leased.left = len(rows)
            self._waiting.extend(rows)
            self._journaled_at = min(self._journaled_at or time.monotonic(), time.monotonic())

    def _release_finished(self) -> None:
        for key, leased in list(self._leases.items()):
            if not leased.left:
                retry_until_written(partial(self._take_lost, leased))
                release = partial(
                    ledger.release,
                    leased.lease,
                    is_held_up=leased.is_held_up,
                    rest=leased.rest,
                    held=leased.held,
                )
                retry_until_written(release)
                del self._leases[key]

    def _take_lost(self, leased: _Leased) -> None:
        """Records which e-mail addresses or browsers no notice can reach any more.

        No telephone number: gateways refuse our account and a subscriber in the same words.
        """
        if not leased.lost:
            return
        if self._notice.channel == Notice.Channel.PUSH:
            push_subscriptions.end_gone(leased.lease.chunk)
        elif self._notice.channel == Notice.Channel.EMAIL:
            suppression_list.take_bounces(leased.lost, self._notice)

    def _drop_lost_chunks(self, chunks: frozenset[int]) -> None:
        """Drops the rows of `chunks`, because another worker leased them. This run starts, writes
        and releases none of them any more.
        """
        for key in chunks:
            lease = self._leases.pop(key).lease
            logger.warning("chunk %s: lease %s was taken over", key, lease.fencing_token)
        self._waiting = deque(row for row in self._waiting if row.chunk not in chunks)
        for destination, parked in self._parked.items():
            self._parked[destination] = deque(
                pair for pair in parked if pair[0].chunk not in chunks
            )
        self._withdraw(row for row in self._submitted.values() if row.chunk in chunks)
        self._on_wire = {k: row for k, row in self._on_wire.items() if row.chunk not in chunks}

    def _withdraw(self, rows: Iterator[DueRow]) -> None:
        keys = {row.delivery_id for row in rows}
        self._transport.withdraw(keys)
        for key in keys:
            del self._submitted[key]

    # ------------------------------------------------------------ messages

    def _submit(self) -> None:
        if rest := self._limiter.learned.rest_seconds(self._server):
            self._stop_for_rest(rest)
        capacity = self._transport.capacity() if self._may_send else 0
        while capacity > 0 and self._limiter.take_server_token(self._server):
            found = self._next_message()
            if found is None:
                self._limiter.give_back(self._server)
                return
            row, message = found
            self._submitted[row.delivery_id] = row
            self._transport.submit(message)
            capacity -= 1

    def _next_message(self) -> tuple[DueRow, OutgoingMessage] | None:
        """Returns the next row and its message, if the rate limit of the destination admits it;
        None if no such row is left. Rows over the limit are parked.
        """
        for destination, parked in self._parked.items():
            while parked and self._is_put_off(parked[0][0], destination):
                parked.popleft()
            if parked and self._limiter.take_token(destination):
                return self._admit(*parked.popleft(), destination)
        while self._waiting:
            row = self._waiting.popleft()
            message = self._composer.message(row)
            if isinstance(message, Transition):
                self._end_row(row, message, tries=0)
                continue
            destination = destination_of(message.to)
            if self._is_put_off(row, destination):
                continue
            if self._limiter.take_token(destination):
                return self._admit(row, message, destination)
            self._parked[destination].append((row, message))
        return None

    def _admit(
        self, row: DueRow, message: OutgoingMessage, destination: str
    ) -> tuple[DueRow, OutgoingMessage]:
        if self._plan:
            self._plan.count(destination, is_first=not row.attempts)
        return row, message

    def _is_put_off(self, row: DueRow, destination: str) -> bool:
        """Returns whether the destination takes no message now, and then leaves the row for a later
        lease of its chunk.
        """
        if destination in self._stopped:
            self._hold_up(row)
            return True
        if rest := self._limiter.learned.rest_seconds(destination):
            leased = self._leases[row.chunk]
            leased.left -= 1
            leased.rest = max(leased.rest, rest)
            return True
        return self._plan is not None and self._is_held_back(row, destination, self._plan)

    def _is_held_back(self, row: DueRow, destination: str, plan: PlanGate) -> bool:
        """Returns whether the plan has no room for the row now, and then leaves it until its turn
        comes.
        """
        if retry_until_written(partial(plan.has_room, destination)):
            return False
        leased = self._leases[row.chunk]
        leased.left -= 1
        wait = plan.wait(leased.lease.chunk, destination)
        leased.held[timedelta(seconds=round(wait.total_seconds(), 1))].append(row.delivery_id)
        return True

    def _hold_up(self, row: DueRow) -> None:
        """Leaves a row to a stopped destination as it is, until a person lets the destination go
        on. After the notice's deadline it ends as unreachable.
        """
        if self._leases[row.chunk].lease.is_past_deadline:
            reply = LedgerMessages.STOPPED.stored()
            self._end_row(row, Transition(State.UNREACHABLE, reply), tries=0)
            return
        self._leases[row.chunk].left -= 1
        self._leases[row.chunk].is_held_up = True

    def _journal_turn(self) -> None:
        """Journals the results and the messages to start, and starts these messages after the
        commit.

        Results leave the transport here, and this process alone knows them until they are
        journaled. So no step between the two may fail: `transition_of` reads no database, and the
        journal is repeated until the database accepts it.
        """
        for outcome in self._transport.outcomes():
            self._record_outcome(outcome)
        ready = self._transport.ready() if self._may_send else []
        is_journal_due = time.monotonic() > self._journaled_at + TURN_SECONDS
        if self._leases and (self._entries or ready or is_journal_due):
            self._start(ready)

    def _start(self, ready: list[OutgoingMessage]) -> None:
        for message in ready:
            self._on_wire[message.delivery_id] = self._submitted.pop(message.delivery_id)
        started_at = time.monotonic()
        answer = self._journal()
        may_send = answer.may_send and not self._is_paused_by_guard()
        # If the process was stopped during the journal, another worker may have its lease now.
        is_fresh = time.monotonic() - started_at < settings.NOTICE_LEASE_SECONDS / 2
        if may_send and not answer.lost and is_fresh:
            self._transport.start(ready)
            return
        for message in ready:
            self._submitted[message.delivery_id] = self._on_wire.pop(message.delivery_id)
        self._drop_lost_chunks(answer.lost)
        if not may_send:
            self._stop_starting()

    def _is_paused_by_guard(self) -> bool:
        return self._guard.is_due() and retry_until_written(self._guard.judge)

    def _journal(self) -> JournalAnswer:
        on_wire: dict[int, list[int]] = {}
        for row in self._on_wire.values():
            on_wire.setdefault(row.chunk, []).append(row.delivery_id)
        leases = [leased.lease for leased in self._leases.values()]
        answer = retry_until_written(
            lambda: journal.record_turn(
                self._notice, leases, entries=self._entries, on_wire=on_wire
            )
        )
        for entry in self._entries:
            if entry.lease.chunk.pk in self._leases:
                self._leases[entry.lease.chunk.pk].left -= 1
        self._entries = []
        self._stopped = answer.stopped
        self._journaled_at = time.monotonic()
        return answer

    def _record_outcome(self, outcome: Outcome) -> None:
        key = outcome.message.delivery_id
        row = self._on_wire.pop(key, None) or self._submitted.pop(key, None)
        if row is None or row.chunk not in self._leases:
            return  # another worker leased its chunk
        lease, destination = self._leases[row.chunk].lease, destination_of(outcome.message.to)
        reply, advice = with_advice(outcome.reply, destination)
        self._learn(destination, reply, advice)
        transition = transition_of(reply, row, lease, has_accepted=self._has_accepted)
        self._guard.count(destination, transition)
        self._end_row(row, transition, tries=1)

    def _learn(self, destination: str, reply: Reply, advice: ProviderReply | None) -> None:
        """Learns from a reply what the server and the destination take."""
        if reply.result is Result.ACCEPTED:
            self._has_accepted = True
            self._limiter.learned.count_acceptance(destination)
            self._limiter.learned.count_acceptance(self._server)
        elif reply.is_of_server:
            self._learn_of_server(reply.server_reply)
        elif is_of_texts(destination):  # a gateway's 429 has its own wait
            return
        elif advice is not None:
            if advice.action == "slow":
                rest, share = 60.0 * advice.wait_minutes, advice.pace
                self._slow_down(destination, rest=rest, share=share)
        elif reply.result in _LATER and names_a_rate(reply.server_reply):
            self._slow_down(destination)

    def _learn_of_server(self, words: str) -> None:
        """Learns the rate of the mail server, if it refuses whatever comes and names a rate."""
        if self._server and names_a_rate(words):
            self._limiter.learned.record_refusal(self._server)

    def _slow_down(self, destination: str, **how: float) -> None:
        if self._limiter.learned.record_refusal(destination, **how) and self._plan:
            retry_until_written(partial(self._plan.record_refusal, destination))

    def _end_row(self, row: DueRow, transition: Transition, *, tries: int) -> None:
        lease = self._leases[row.chunk].lease
        if transition.state in (State.BOUNCED, State.UNREACHABLE):
            self._leases[row.chunk].lost.append(row.delivery_id)
        self._entries.append(JournalEntry(lease, row.delivery_id, transition, row.attempts, tries))

    # ------------------------------------------------------------ stopping

    def _drop_unsubmitted(self) -> None:
        """Drops the rows that were not submitted to the transport. The next worker that leases
        their chunk sends them.
        """
        parked = [row for each in self._parked.values() for row, _message in each]
        for row in (*self._waiting, *parked):
            self._leases[row.chunk].left -= 1
        self._waiting.clear()
        self._parked.clear()

    def _stop_starting(self) -> None:
        """Starts no further message. The loop still waits for the results of messages on the wire
        and journals them.
        """
        self._may_send = False
        self._drop_unsubmitted()
        for row in self._submitted.values():
            self._leases[row.chunk].left -= 1
        self._withdraw(iter(list(self._submitted.values())))

    def _stop_for_rest(self, seconds: float) -> None:
        """Starts no further message, and leaves the rows for `seconds`, because the mail server
        takes nothing before.
        """
        for leased in self._leases.values():
            leased.rest = max(leased.rest, seconds)
        if self._may_send:
            self._stop_starting()

    def _stop_for_error(self, error: Exception) -> None:
        """Stores the reason why nothing can be sent now, and releases the leases.

        An unavailable server gives the chunks a backoff, or ends their deliveries after the
        notice's deadline. Every other error pauses the notice.
        """
        if isinstance(error, ServerUnavailableError):
            if isinstance(error, ConnectionDeniedError):
                self._learn_of_server(str(error))
            ledger.record_problem(self._notice, str(error))
        else:
            ledger.pause_for_problem(self._notice, str(error))
        for leased in self._leases.values():
            retry_until_written(partial(self._take_lost, leased))
            is_unavailable = isinstance(error, ServerUnavailableError)
            if is_unavailable and not leased.lease.is_past_deadline:
                ledger.release_with_backoff(leased.lease)
                continue
            if is_unavailable:
                with suppress(LeaseLostError):
                    ledger.expire_rest(leased.lease, str(error))
            ledger.release(leased.lease)
