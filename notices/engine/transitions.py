"""What a server's reply makes of a delivery: its next state, why, and how long it waits.

A pure function: it reads and writes no database, so that nothing can fail between the moment in
which a worker learns a result and the journal that keeps it (see `delivering`).
"""

from dataclasses import replace

from notices.engine import ledger
from notices.engine.composer import DueRow
from notices.engine.ledger import Lease, Transition
from notices.engine.transport import Reply, Result
from notices.models import Delivery

State = Delivery.State


def transition_of(reply: Reply, row: DueRow, lease: Lease) -> Transition:
    """The verdict on `row`, a delivery of the lease's chunk, after one more attempt.

    A refusal waits like a temporary one. The journal counts it, and holds the row back instead if
    that pauses the notice.
    """
    attempts, is_again = row.attempts + 1, row.is_possible_duplicate
    match reply.result:
        case Result.ACCEPTED:
            return Transition(State.ACCEPTED, reply.words, data_classes=row.data_classes)
        case Result.DEFERRED | Result.REFUSED:
            later = ledger.deferred(
                lease, attempts=attempts, is_possible_duplicate=is_again, reply=reply.words
            )
            return replace(later, is_refusal=reply.result is Result.REFUSED)
        case Result.BOUNCED:
            return Transition(State.BOUNCED, reply.words)
        case Result.UNREACHABLE:
            return Transition(State.UNREACHABLE, reply.words)
        case Result.IN_DOUBT:
            return ledger.in_doubt(
                lease.notice,
                attempts=attempts,
                is_possible_duplicate=is_again,
                reply=reply.words,
                cause=reply.doubt_cause,
            )
        case Result.NOT_SENT:
            return ledger.put_back(attempts=attempts, reply=reply.words)
