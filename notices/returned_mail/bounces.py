"""Records bounces and complaints about messages that a server had accepted.

They come from the listener or a mailbox (both by `manage.py receive_bounces`), or from a provider's
webhooks. Each names its delivery by the envelope sender (VERP), which only the portal can make.
"""

import logging
import re
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts.contacts import normalise_email, normalise_phone
from incidents.encryption import EncryptionError
from notices.destinations import destination_of
from notices.engine import guards
from notices.engine.guards import ResultCounts
from notices.ledger_messages import LedgerMessages
from notices.message_codes import delivery_of_code, is_bounce_mac
from notices.models import (
    AlertNumber,
    AlertSubscription,
    Delivery,
    LateReport,
    Notice,
    ReturnedMail,
    Suppression,
)
from notices.returned_mail import delivery_reports, suppression_list
from notices.returned_mail.delivery_reports import DeliveryReport, ReportKind, is_same_mailbox
from notices.returned_mail.reply_reading import Cause

logger = logging.getLogger(__name__)
State = Delivery.State
Outcome = ReturnedMail.Outcome


_ENVELOPE = re.compile(
    r"(?:prvs=[0-9a-f]{10}=|btv1==[0-9a-f]{11,12}==)?bounce\+([0-9a-z]{12})(?:-([0-9a-f]{20}))?"
)


class _NoticeIsClosedError(Exception):
    """Raised inside a transaction if the notice is closed: its ledger must not change any more."""


def delivery_of_sender(address: str) -> int | None:
    """Returns the id of the delivery that has this envelope sender; None if the portal made none.

    A reader of a message knows its code and could claim that it bounced. The MAC after the code
    prevents that. A relay may put a tag before the address (BATV), and pass it on with the report.
    """
    local, _at, domain = address.strip("<> ").lower().rpartition("@")
    found = _ENVELOPE.fullmatch(local)
    if not found or domain != settings.MAIL_DOMAIN.lower():
        return None
    delivery_id = delivery_of_code(found[1])
    if delivery_id is not None and not is_bounce_mac(delivery_id, found[2] or ""):
        logger.warning("delivery %s: a bounce address of it was forged", delivery_id)
        return None
    return delivery_id


def is_complaints_address(address: str) -> bool:
    """Returns whether `address` is where mailbox providers send complaints.

    A complaint names the envelope sender of the message.
    """
    wanted = f"{settings.COMPLAINTS_LOCAL_PART}@{settings.MAIL_DOMAIN}"
    return address.strip("<> ").lower() == wanted.lower()


def receive(address: str, data: bytes) -> Outcome:
    """Records the report in a mail that came to `address`. Returns its outcome, and counts it."""
    report = delivery_reports.read_report(data)
    delivery_id = delivery_of_sender(address)
    if delivery_id is None and is_complaints_address(address):
        named = (delivery_of_sender(sender) for sender in report.senders)
        delivery_id = next((found for found in named if found is not None), None)
    outcome = Outcome.UNKNOWN if delivery_id is None else record_report(delivery_id, report)
    count_returned_mail(outcome)
    return outcome


def record_report(delivery_id: int, report: DeliveryReport) -> Outcome:
    """Records a report about a delivery. A repeated report changes nothing. Returns the outcome.

    A report that comes before the acceptance is written has the outcome EARLY and records nothing:
    the caller has to bring it again.
    """
    if report.kind in (ReportKind.NOT_FINAL, ReportKind.UNREADABLE):
        return Outcome.NOT_FINAL if report.kind == ReportKind.NOT_FINAL else Outcome.UNREADABLE
    related = Delivery.objects.select_related("notice__incident", "person", "subscription__user")
    delivery = related.filter(pk=delivery_id).first()
    if delivery is None:
        return Outcome.UNKNOWN
    if report.kind == ReportKind.COMPLAINT:
        return _complained(delivery, report)
    return _bounced(delivery, report)


# The message may still be on the wire, or its acceptance not be written yet.
_EARLY = (State.PENDING, State.DEFERRED)
_SETTLED = {State.ACCEPTED: "accepted", State.IN_DOUBT: "in_doubt"}  # the counter of each state


def _bounced(delivery: Delivery, report: DeliveryReport) -> Outcome:
    if delivery.state in _EARLY and delivery.notice.closed_at is None:
        return Outcome.EARLY
    if delivery.state not in _SETTLED:
        return Outcome.KNOWN
    if report.of_recipients:
        report = report.about(_address_of(delivery))
    words = report.words
    if report.cause is Cause.EXPIRED:
        words = LedgerMessages.EXPIRED.stored(reply=words)[:500]
    outcome = _settle(delivery, report, words)
    if outcome is Outcome.KNOWN:
        return outcome  # one message bounces once, however often its report comes
    if _is_of_this_address(delivery, report):
        address = _address_of(delivery)
        names_other = not all(is_same_mailbox(address, one) for one in report.named)
        _suppress(delivery, Suppression.Source.BOUNCE, report.words, names_other=names_other)
    elif report.cause in (Cause.ADDRESS, Cause.UNCLEAR):
        _record_late(delivery, LateReport.Kind.UNCLEAR, report.words)
    logger.info("delivery %s bounced after it was accepted: %s", delivery.pk, outcome)
    return outcome


def _settle(delivery: Delivery, report: DeliveryReport, words: str) -> Outcome:
    """Changes the delivery to bounced, or records the bounce beside a closed ledger."""
    try:
        is_changed = _change_to_bounced(delivery, words)
    except _NoticeIsClosedError:
        is_new = _record_late(delivery, LateReport.Kind.BOUNCE, words)
        return Outcome.LATE if is_new else Outcome.KNOWN
    if not is_changed:
        return Outcome.KNOWN
    _count_for_pause(delivery, _counts_of(delivery, report))
    return Outcome.BOUNCED


def _counts_of(delivery: Delivery, report: DeliveryReport) -> ResultCounts:
    """Returns the counts of a bounce for the automatic pause: a bounce, or a refusal of us."""
    is_refusal = report.cause in (Cause.SENDER, Cause.CONTENT)
    return ResultCounts(
        accepted=-1 if delivery.state == State.ACCEPTED else 0,
        bounced=int(not is_refusal),
        refused=int(is_refusal),
        reply=report.words,
    )


def _count_for_pause(delivery: Delivery, counts: ResultCounts) -> None:
    is_text = delivery.notice.channel == Notice.Channel.SMS
    address = _number_of(delivery) if is_text else _address_of(delivery)
    guards.count_returned(delivery.notice, destination_of(address), counts)


def _is_of_this_address(delivery: Delivery, report: DeliveryReport) -> bool:
    """Returns whether the report says that this address is bad, and not one it forwards to."""
    if report.cause is not Cause.ADDRESS or report.is_forwarded:
        return False
    address = _address_of(delivery)
    named = [recipient for recipient in report.recipients if "@" in recipient]
    return not (address and named) or any(is_same_mailbox(address, one) for one in named)


def _address_of(delivery: Delivery) -> str:
    """Returns the e-mail address of the delivery; "" of a text message, and if it is not known any
    more.
    """
    if delivery.notice.channel == Notice.Channel.SMS:
        return ""
    if delivery.subscription is not None:
        return delivery.subscription.user.email or ""
    return _contact_of(delivery).get("e", "")


def _number_of(delivery: Delivery) -> str:
    """Returns the number of a text message in E.164; "" if it is not known any more."""
    if delivery.subscription is not None:
        chosen = AlertNumber.objects.live().filter(user=delivery.subscription.user_id)
        return chosen.values_list("phone__number", flat=True).first() or ""
    return normalise_phone(_contact_of(delivery).get("p", "")) or ""


def _contact_of(delivery: Delivery) -> dict[str, str]:
    try:
        return delivery.person.decrypt_contact() if delivery.person else {}
    except EncryptionError:
        return {}


def _change_to_bounced(delivery: Delivery, reply: str) -> bool:
    """Changes an accepted or doubtful delivery to bounced. Returns False if it changed meanwhile.

    Writes the row and the counters in one transaction, and locks them in the ledger's order:
    delivery, then notice. Raises _NoticeIsClosedError.
    """
    state = State(delivery.state)
    counter = _SETTLED[state]
    with transaction.atomic():
        rows = Delivery.objects.filter(pk=delivery.pk, state=state)
        if not rows.update(state=State.BOUNCED, reply=reply, ended_at=timezone.now()):
            return False
        open_notice = Notice.objects.filter(pk=delivery.notice_id, closed_at__isnull=True)
        if not open_notice.update(bounced=F("bounced") + 1, **{counter: F(counter) - 1}):
            raise _NoticeIsClosedError
    return True


def _complained(delivery: Delivery, report: DeliveryReport) -> Outcome:
    """Records a complaint. The delivery stays accepted, because the message arrived.

    The address is suppressed, and an alert subscription ends.
    """
    is_new = _record_late(delivery, LateReport.Kind.COMPLAINT, report.words)
    _suppress(delivery, Suppression.Source.COMPLAINT, report.words)
    if is_new and delivery.notice.closed_at is None:
        _count_for_pause(delivery, ResultCounts(complaints=1, reply=report.words))
    if delivery.subscription is not None:
        AlertSubscription.objects.live().filter(pk=delivery.subscription.pk).update(
            unsubscribed_at=timezone.now()
        )
    return Outcome.COMPLAINT if is_new else Outcome.KNOWN


def _record_late(delivery: Delivery, kind: LateReport.Kind, reply: str) -> bool:
    values = {"server_reply": reply, "notice": delivery.notice}
    _report, is_new = LateReport.objects.get_or_create(
        delivery=delivery, kind=kind, defaults=values
    )
    return is_new


def _suppress(
    delivery: Delivery, source: Suppression.Source, reply: str, *, names_other: bool = False
) -> None:
    if (index := _index_of(delivery)) is None:
        return
    incident, now = delivery.notice.incident_id, timezone.now()
    if source is Suppression.Source.BOUNCE:
        entry = suppression_list.bounce_entry(index, incident, reply, now, names_other=names_other)
    else:
        entry = suppression_list.AutomaticEntry(index, incident, reply, now)
    suppression_list.add_automatic([entry], channel=delivery.notice.channel, source=source)


def _index_of(delivery: Delivery) -> UUID | None:
    """Returns the blind index of the delivery's address; None if the incident's data is gone."""
    if delivery.person is not None:
        found: UUID | None = getattr(
            delivery.person, suppression_list.INDEX_FIELD[delivery.notice.channel]
        )
        return found
    subscription, incident = delivery.subscription, delivery.notice.incident
    if subscription is None or incident.shredded_at or not subscription.user.email:
        return None
    return incident.cipher().email_index(normalise_email(subscription.user.email))


def count_returned_mail(outcome: Outcome) -> None:
    """Adds 1 to today's count of an outcome. One statement, because several listeners may run."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO notices_returnedmail (day, outcome, number) VALUES (%s, %s, 1) "
            "ON CONFLICT (day, outcome) DO UPDATE SET number = notices_returnedmail.number + 1",
            [timezone.localdate(), outcome.value],
        )
