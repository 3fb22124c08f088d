"""Withdrawals of scope versions take two people: one proposes with a reason, another one confirms.

The confirmation withdraws the version, or asks a worker to do it if the count takes long.
"""

from django.db import IntegrityError, transaction

from accounts.models import User
from incidents import scope_versions
from incidents.importing.refusals import RefusalMessages
from incidents.models import BatchChange, BatchWithdrawal, ExposureBatch
from incidents.scope_versions import ScopeRefusedError


def propose(
    batch: ExposureBatch,
    *,
    by: User,
    reason: str,
    public_reason: str = ExposureBatch.PublicReason.OTHER,
) -> BatchWithdrawal:
    """Records a proposal to withdraw the version, for a second person to confirm, and returns it.

    `reason` is for the desk, `public_reason` for the people whose data the version held. Raises
    ScopeRefusedError if the version is withdrawn, or a proposal waits already.
    """
    scope_versions.refuse_wrong_state(batch, BatchChange.Kind.WITHDRAW)
    try:
        with transaction.atomic():
            return BatchWithdrawal.objects.create(
                batch=batch,
                reason=reason,
                public_reason=public_reason,
                proposed_by=by,
                rows=scope_versions.rows_taken(batch),
            )
    except IntegrityError:
        why = RefusalMessages.WITHDRAWAL_WAITS.stored(batch=batch.code)
        raise ScopeRefusedError(why) from None


def confirm(proposal: BatchWithdrawal, *, by: User) -> bool:
    """Records `by` as the second person, and withdraws the version or asks a worker to do it.

    Returns False, and changes nothing, if the proposal no longer waits or `by` made it. Raises
    ScopeRefusedError, and records nothing, if the withdrawal is refused.
    """
    batch = proposal.batch
    if scope_versions.takes_long(batch.incident):
        with transaction.atomic():
            is_confirmed = proposal.confirm(by)
            if is_confirmed:
                scope_versions.decided_withdrawal(batch)
                scope_versions.request_change(batch, BatchChange.Kind.WITHDRAW, by=by)
        return is_confirmed
    with scope_versions.incident_lock(batch.incident), transaction.atomic():
        is_confirmed = proposal.confirm(by)
        if is_confirmed:
            scope_versions.withdraw(batch)
    return is_confirmed
