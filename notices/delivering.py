"""A worker's run: leases chunks of a notice and brings each of their people to the mail server."""

import logging
import time
from collections.abc import Iterator

from incidents.models import Incident
from incidents.sealing import CONTACT, TEST_ADDRESS, SealingError
from incidents.summaries import leaked_classes_of
from notices import ledger
from notices.ledger import Lease, LeaseLostError, NotToBeSentError, Verdict
from notices.messages import (
    Mail,
    Mailing,
    Recipient,
    UnusableAddressError,
    sample_classes,
    sample_name,
)
from notices.models import Delivery, Notice, TestAddress
from notices.transport import Result, ServerAwayError, ServerRefusesUsError, SmtpTransport

logger = logging.getLogger(__name__)
State = Delivery.State


def send_due(notice_id: int, *, seconds: float) -> bool:
    """Works on the notice's due chunks until none is left, or for about `seconds`.

    True if it stopped for the time alone, and should go on at once.
    """
    end = time.monotonic() + seconds
    with SmtpTransport() as transport:
        while time.monotonic() < end:
            notice = Notice.objects.select_related("incident").filter(pk=notice_id).first()
            if notice is None or notice.state not in (Notice.State.SENDING, Notice.State.CANCELLED):
                return False
            lease = ledger.take(notice)
            if lease is None or not _work(lease, transport):
                return False
    return True


def _work(lease: Lease, transport: SmtpTransport) -> bool:
    """Works on one chunk; False if the run should end because nothing can be sent now."""
    try:
        if lease.notice.state == Notice.State.CANCELLED:
            ledger.cancel_rest(lease)
        else:
            _send_chunk(lease, transport)
    except LeaseLostError:
        logger.warning("chunk %s: lease %s was taken over", lease.chunk.pk, lease.fence)
    except ServerAwayError as error:
        ledger.report(lease.notice, str(error))
        ledger.release_for_later(lease)
        return False
    except (ServerRefusesUsError, SealingError) as error:
        ledger.stop(lease.notice, str(error))
        ledger.release(lease)
        return False
    except NotToBeSentError:
        ledger.release(lease)
    else:
        ledger.release(lease)
    return True


def _send_chunk(lease: Lease, transport: SmtpTransport) -> None:
    for delivery, mail in _mails(lease):
        if isinstance(mail, Verdict):
            ledger.settle(lease, delivery, mail)
            continue
        transport.open()
        if ledger.start(lease, delivery):
            _send(lease, delivery, mail, transport)


def _send(lease: Lease, delivery: Delivery, mail: Mail, transport: SmtpTransport) -> None:
    """One message, from the wire to the ledger."""
    reply = transport.send(mail)
    match reply.result:
        case Result.ACCEPTED:
            ledger.record(lease, delivery, Verdict(State.ACCEPTED, reply.words))
        case Result.DEFERRED:
            ledger.record(lease, delivery, ledger.deferred(lease.notice, delivery, reply.words))
        case Result.BOUNCED:
            ledger.record(lease, delivery, Verdict(State.BOUNCED, reply.words))
        case Result.IN_DOUBT:
            ledger.record(lease, delivery, ledger.in_doubt(lease.notice, delivery, reply.words))
        case Result.REFUSED:
            ledger.pause(lease, delivery, reply.words)
        case Result.NOT_SENT:
            ledger.record(lease, delivery, Verdict(State.PENDING, reply.words))
            raise ServerAwayError(reply.words)


def _mails(lease: Lease) -> Iterator[tuple[Delivery, Mail | Verdict]]:
    """Every due row of the chunk with its mail, or with the verdict that there is none."""
    due = Delivery.objects.of_chunk(lease.chunk).due()
    deliveries = list(due.select_related("person", "subscription__user"))
    mailings = {message.language: Mailing(message) for message in lease.notice.messages.all()}
    compose = _mandatory if lease.notice.is_mandatory else _alert
    if lease.notice.is_test:
        compose = _test
    for delivery, recipient in compose(lease.notice.incident, deliveries):
        if isinstance(recipient, Verdict):
            yield delivery, recipient
            continue
        try:
            yield delivery, mailings[delivery.language].mail(recipient)
        except UnusableAddressError as error:
            yield delivery, Verdict(State.UNREACHABLE, str(error))


def _mandatory(
    incident: Incident, deliveries: list[Delivery]
) -> Iterator[tuple[Delivery, Recipient | Verdict]]:
    """Affected people, by the contact data that leaked, each with their own classes."""
    seal = incident.seal()
    classes = leaked_classes_of([row.person_id for row in deliveries if row.person_id])
    for delivery in deliveries:
        person = delivery.person
        leaked = classes.get(delivery.recipient)
        if person is None or not leaked:
            yield delivery, Verdict(State.CANCELLED, "withdrawn from the incident's scope")
            continue
        try:
            contact = seal.open(person.contact, person=person.pk, purpose=CONTACT)
        except SealingError as error:
            logger.error("%s", error)
            yield delivery, Verdict(State.UNREACHABLE, "the contact data does not open")
            continue
        yield (
            delivery,
            Recipient(
                delivery_id=delivery.pk,
                recipient=delivery.recipient,
                email=contact.get("e", ""),
                name=contact.get("n", ""),
                data_classes=tuple(leaked),
            ),
        )


def _alert(
    _incident: Incident, deliveries: list[Delivery]
) -> Iterator[tuple[Delivery, Recipient | Verdict]]:
    """Subscribers who still are."""
    for delivery in deliveries:
        subscription = delivery.subscription
        if subscription is None or subscription.unsubscribed_at or not subscription.user.is_active:
            yield delivery, Verdict(State.SUPPRESSED, "unsubscribed before the send")
            continue
        yield (
            delivery,
            Recipient(
                delivery_id=delivery.pk,
                recipient=delivery.recipient,
                email=subscription.user.email,
            ),
        )


def _test(
    incident: Incident, deliveries: list[Delivery]
) -> Iterator[tuple[Delivery, Recipient | Verdict]]:
    """The addresses typed in, with what a person made up would read."""
    seal, classes = incident.seal(), tuple(sample_classes(incident))
    addresses = TestAddress.objects.in_bulk([delivery.recipient for delivery in deliveries])
    for delivery in deliveries:
        contact = addresses[delivery.recipient].contact
        opened = seal.open(contact, person=delivery.recipient, purpose=TEST_ADDRESS)
        yield (
            delivery,
            Recipient(
                delivery_id=delivery.pk,
                recipient=delivery.recipient,
                email=opened["e"],
                name=sample_name(delivery.language),
                data_classes=classes,
            ),
        )
