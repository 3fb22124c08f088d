"""Records delivery receipts: reports about text messages that a gateway had taken.

A gateway that takes a message has not delivered it. Receipts come by a webhook (notices.views) or
are fetched (`manage.py fetch_receipts`). Each names its delivery by a reference that only the
portal and the gateway know. A failure has the effect of a bounce, so the person counts as not
reached.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from notices.engine.request_transport import (
    AccountRefusedError,
    RequestUnavailableError,
    UnansweredError,
)
from notices.models import Delivery, DeliveryReceipt, Notice, ReturnedMail
from notices.returned_mail import bounces
from notices.returned_mail.delivery_reports import DeliveryReport, ReportKind
from notices.returned_mail.reply_reading import Cause

FETCH_DAYS = 3  # after which carriers report nothing any more
MOST_AT_A_TIME = 10_000  # receipts fetched in one run
Outcome = ReturnedMail.Outcome
State = DeliveryReceipt.State

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Receipt:
    """A gateway's final report about a message, without the number.

    `is_own_fault`: it failed for our number, our account or the text, and not for the recipient.
    """

    state: State
    words: str
    is_own_fault: bool = False


class ReceiptSource(Protocol):
    """A gateway that tells the receipt of a message."""

    def fetch_receipt(self, reply: str) -> Receipt | None:
        """Returns the receipt of the message whose send had this reply; None if none is known."""


def delivery_of_reference(reference: str) -> int | None:
    """Returns the id of the delivery with this reference; None if the portal made none."""
    return bounces.delivery_of_sender(f"bounce+{reference}@{settings.MAIL_DOMAIN}")


def record_receipt(delivery_id: int, receipt: Receipt) -> bool:
    """Records a receipt. A repeated one changes nothing, and a failure is final.

    Returns False if the acceptance is not recorded yet: the caller has to bring it again.
    """
    delivery = Delivery.objects.filter(pk=delivery_id, notice__channel=Notice.Channel.SMS).first()
    if delivery is None:
        return True
    if delivery.state in (Delivery.State.PENDING, Delivery.State.DEFERRED):
        return False
    if receipt.state == State.FAILED and not _record_failure(delivery, receipt):
        return False
    words = {"words": receipt.words[:500]}
    row, is_new = DeliveryReceipt.objects.get_or_create(
        delivery=delivery, defaults={"state": receipt.state, **words}
    )
    if not is_new and row.state != State.FAILED:
        DeliveryReceipt.objects.filter(pk=row.pk).update(state=receipt.state, **words)
    return True


def _record_failure(delivery: Delivery, receipt: Receipt) -> bool:
    """Records the failure as a bounce that suppresses nothing: carriers name causes too vaguely.

    A fault of ours counts as a refusal for the automatic pause.
    """
    cause = Cause.SENDER if receipt.is_own_fault else Cause.NETWORK
    report = DeliveryReport(ReportKind.BOUNCE, receipt.words[:500], cause=cause)
    outcome = bounces.record_report(delivery.pk, report)
    bounces.count_returned_mail(outcome)
    return outcome is not Outcome.EARLY


def fetch_receipts(sources: Iterable[ReceiptSource]) -> int:
    """Asks the gateways for the receipts that are missing. Returns how many were recorded.

    A gateway that does not answer is asked nothing more in this run.
    """
    recorded, asked = 0, list(sources)
    for delivery in _without_receipt():
        for source in list(asked):
            try:
                receipt = source.fetch_receipt(delivery.reply)
            except (RequestUnavailableError, AccountRefusedError, UnansweredError) as error:
                logger.warning("receipts are not fetched: %s", type(error).__name__)
                asked.remove(source)
                continue
            if receipt is not None:
                recorded += record_receipt(delivery.pk, receipt)
                break
    return recorded


def _without_receipt() -> QuerySet[Delivery]:
    """Returns the oldest accepted text messages of the last days without a receipt."""
    since = timezone.now() - timedelta(days=FETCH_DAYS)
    rows = Delivery.objects.filter(
        notice__channel=Notice.Channel.SMS,
        state=Delivery.State.ACCEPTED,
        ended_at__gte=since,
        receipt__isnull=True,
    )
    return rows.order_by("ended_at")[:MOST_AT_A_TIME]
