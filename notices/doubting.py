"""Messages of which nobody knows whether they arrived: a person decides, and says why.

Rows are locked in the ledger's order (chunk, delivery, notice), and counted in the same
transaction. Once the notice is closed its ledger stands, and nothing is decided any more.
"""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.models import User
from notices import tasks
from notices.ledger_messages import LedgerMessages
from notices.models import Chunk, Delivery, Notice
from notices.models.delivery import DeliveryQuerySet
from notices.models.notice import NoticeQuerySet

State = Delivery.State


def doubtful(notice: Notice) -> DeliveryQuerySet:
    """The notice's deliveries that wait for a decision."""
    return Delivery.objects.filter(notice=notice, state=State.IN_DOUBT)


def send_again(notice: Notice, delivery_ids: Sequence[int]) -> int:
    """Puts them back to be sent, flagged as possibly sent twice; how many really were in doubt."""
    rows = doubtful(notice).filter(pk__in=delivery_ids)
    with transaction.atomic():
        for key in rows.values_list("recipient", flat=True).order_by("recipient"):
            chunk = Chunk.objects.filter(notice=notice, first__lte=key, last__gte=key)
            chunk.filter(state=Chunk.State.DONE).update(state=Chunk.State.DUE, not_before=None)
        changed = rows.update(
            state=State.PENDING, is_possible_duplicate=True, not_before=None, ended_at=None
        )
        if not _open(notice).update(in_doubt=F("in_doubt") - changed):
            transaction.set_rollback(True)
            return 0
        tasks.send_chunks.delay_on_commit(notice.pk)
    return changed


def count_as_notified(notice: Notice, delivery_ids: Sequence[int], *, by: User, reason: str) -> int:
    """Ends them as accepted, on a person's word; how many really were in doubt."""
    words = LedgerMessages.DECIDED.said(user=by.pk, reason=reason)[:500]
    with transaction.atomic():
        changed = (
            doubtful(notice)
            .filter(pk__in=delivery_ids)
            .update(state=State.ACCEPTED, reply=words, ended_at=timezone.now())
        )
        counted = {"in_doubt": F("in_doubt") - changed, "accepted": F("accepted") + changed}
        if not _open(notice).update(**counted):
            transaction.set_rollback(True)
            return 0
        tasks.send_chunks.delay_on_commit(notice.pk)  # closes it, if this was the last
    return changed


def _open(notice: Notice) -> NoticeQuerySet:
    going = [Notice.State.SENDING, Notice.State.PAUSED]
    return Notice.objects.filter(pk=notice.pk, state__in=going, closed_at__isnull=True)
