"""Maps a server's reply to a delivery's transition: its next state, the reason, and its wait.

`transition_of` is a pure function. It neither reads nor writes the database. So nothing can fail
between the moment in which a worker learns a result and the journal that writes it (see
`send_loop`).
"""

from notices.engine import ledger
from notices.engine.composer import DueRow
from notices.engine.ledger import Lease, Transition
from notices.engine.transport import Reply, Result
from notices.models import Delivery

State = Delivery.State


def transition_of(
    reply: Reply, row: DueRow, lease: Lease, *, has_accepted: bool = True
) -> Transition:
    """Returns the transition of `row`, a delivery of the lease's chunk, after one more attempt.

    A refusal gets the transition of a temporary refusal. So does an unclear one as long as the
    server has accepted no message of this notice (`has_accepted`): it may refuse all of them. For
    that reason a postponed message counts as refused until then, too.
    """
    attempts, is_possible_duplicate = row.attempts + 1, row.is_possible_duplicate
    match reply.result:
        case Result.ACCEPTED:
            return Transition(State.ACCEPTED, reply.server_reply, data_classes=row.data_classes)
        case Result.UNCLEAR if has_accepted:
            return Transition(State.BOUNCED, reply.server_reply)
        case Result.DEFERRED | Result.POSTPONED | Result.REFUSED | Result.UNCLEAR:
            deferred = ledger.deferred(
                lease,
                attempts=attempts,
                is_possible_duplicate=is_possible_duplicate,
                reply=reply.server_reply,
                wait=reply.wait,
            )
            is_for_now = reply.result is Result.POSTPONED and has_accepted
            is_refusal = reply.result is not Result.DEFERRED and not is_for_now
            return deferred._replace(is_first_refusal=is_refusal and not row.was_refused)
        case Result.BOUNCED:
            return Transition(State.BOUNCED, reply.server_reply)
        case Result.UNREACHABLE:
            return Transition(State.UNREACHABLE, reply.server_reply)
        case Result.IN_DOUBT:
            return ledger.in_doubt(
                lease.notice,
                attempts=attempts,
                is_possible_duplicate=is_possible_duplicate,
                reply=reply.server_reply,
                cause=reply.doubt_cause,
            )
        case Result.NOT_SENT:
            return ledger.not_sent(attempts=attempts, reply=reply.server_reply)
