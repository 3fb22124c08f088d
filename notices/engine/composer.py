"""A leased chunk's rows and what each is to be sent: the mail, or why there is none."""

import logging
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from incidents.bulk_encryption import BulkDecryptor
from incidents.encryption import CONTACT, TEST_ADDRESS, EncryptionError
from incidents.leaks import leaked_classes_of
from notices.engine.ledger import Lease, Transition
from notices.ledger_messages import LedgerMessages
from notices.message_filling import MessageFiller, OutgoingMessage, Recipient, UnusableAddressError
from notices.message_samples import sample_classes, sample_name
from notices.models import Delivery, Notice, TestAddress
from notices.returned_mail.suppression_list import SuppressionLookup

logger = logging.getLogger(__name__)
State = Delivery.State
COLUMNS = ("pk", "recipient", "language", "attempts", "is_possible_duplicate")


class DueRow(NamedTuple):
    """A due row of a leased chunk, with what its message is made from."""

    chunk: int
    delivery_id: int
    recipient: UUID
    language: str
    attempts: int  # so far
    is_possible_duplicate: bool
    contact: bytes | None  # sealed; of somebody affected
    data_classes: tuple[int, ...]
    email: str  # of a subscriber


class Composer:
    """Makes the messages of one notice."""

    def __init__(self, notice: Notice) -> None:
        self._notice = notice
        self._mailings = {one.language: MessageFiller(one) for one in notice.messages.all()}
        self._held_back = SuppressionLookup(notice)

    def rows(self, lease: Lease) -> list[DueRow]:
        """The chunk's rows that are due."""
        if self._notice.is_test:
            return list(self._test_addresses(lease))
        rows = list(_affected(lease) if self._notice.is_mandatory else _subscribers(lease))
        self._held_back.look_at(lease.chunk, {row.recipient: row.email for row in rows})
        return rows

    def _test_addresses(self, lease: Lease) -> Iterator[DueRow]:
        """The addresses typed in, with what a person made up would read."""
        classes = tuple(sample_classes(self._notice.incident))
        rows = list(Delivery.objects.of_chunk(lease.chunk).due().values_list(*COLUMNS))
        addresses = TestAddress.objects.in_bulk([row[1] for row in rows])
        for row in rows:
            contact = bytes(addresses[row[1]].contact)
            yield DueRow._make((lease.chunk.pk, *row, contact, classes, ""))

    def mail(self, row: DueRow) -> OutgoingMessage | Transition:
        """The row's mail, or the verdict that there is none.

        Raises SealingError if the incident's keys are away.
        """
        is_sealed = self._notice.is_mandatory or self._notice.is_test
        recipient = self._person(row) if is_sealed else _subscriber(row)
        if isinstance(recipient, Transition):
            return recipient
        is_text = self._notice.channel == Notice.Channel.SMS
        address = recipient.phone if is_text else recipient.email
        if reason := self._held_back.reason(row.recipient, address):
            return Transition(State.SUPPRESSED, reason)
        try:
            return self._mailings[row.language].mail(recipient)
        except UnusableAddressError as error:
            return Transition(State.UNREACHABLE, str(error))

    @cached_property
    def _opener(self) -> BulkDecryptor:
        incident = self._notice.incident
        incident.cipher()  # raises for one that is shredded
        return BulkDecryptor(*incident.keysets())

    def _person(self, row: DueRow) -> Recipient | Transition:
        """Somebody affected, by the contact data that leaked, with their own classes."""
        if row.contact is None or not (row.data_classes or self._notice.is_test):
            return Transition(State.CANCELLED, LedgerMessages.OUT_OF_SCOPE.stored())
        opener, purpose = self._opener, TEST_ADDRESS if self._notice.is_test else CONTACT
        try:
            contact = opener.decrypt(row.contact, person=row.recipient, purpose=purpose)
        except EncryptionError as error:
            logger.error("%s", error)
            return Transition(State.UNREACHABLE, LedgerMessages.DOES_NOT_OPEN.stored())
        return Recipient(
            delivery_id=row.delivery_id,
            recipient=row.recipient,
            email=contact.get("e", ""),
            phone=contact.get("p", ""),
            name=sample_name(row.language) if self._notice.is_test else contact.get("n", ""),
            data_classes=row.data_classes,
        )


def _affected(lease: Lease) -> Iterator[DueRow]:
    due = Delivery.objects.of_chunk(lease.chunk).due()
    rows = list(due.values_list(*COLUMNS, "person__contact"))
    classes = leaked_classes_of(due.order_by().values("recipient"))
    for row in rows:
        yield DueRow._make((lease.chunk.pk, *row, tuple(classes.get(row[1], ())), ""))


def _subscribers(lease: Lease) -> Iterator[DueRow]:
    """Those who still are have an address; the others have none."""
    due = Delivery.objects.of_chunk(lease.chunk).due()
    user = ("subscription__user__email", "subscription__user__is_active")
    rows = due.values_list(*COLUMNS, *user, "subscription__unsubscribed_at")
    for *row, email, is_active, unsubscribed_at in rows:
        wants_it = is_active and unsubscribed_at is None
        yield DueRow._make((lease.chunk.pk, *row, None, (), email if wants_it else ""))


def _subscriber(row: DueRow) -> Recipient | Transition:
    if not row.email:
        return Transition(State.SUPPRESSED, LedgerMessages.UNSUBSCRIBED.stored())
    return Recipient(delivery_id=row.delivery_id, recipient=row.recipient, email=row.email)
