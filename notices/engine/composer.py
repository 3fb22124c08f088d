"""Reads the due rows of a leased chunk and makes each row's message, or the reason for none."""

import logging
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from django.db.models import OuterRef, Subquery

from accounts.contacts import is_phone
from accounts.typed_contacts import takes_texts
from incidents.bulk_encryption import BulkDecryptor
from incidents.encryption import CONTACT, TEST_ADDRESS, EncryptionError
from incidents.leaks import leaked_classes_of
from notices.engine.held_back import HeldBackLookup
from notices.engine.ledger import Lease, Transition
from notices.ledger_messages import LedgerMessages
from notices.message_filling import MessageFiller, OutgoingMessage, Recipient, UnusableAddressError
from notices.message_samples import sample_classes, sample_name
from notices.models import AlertNumber, Delivery, Notice, TestAddress
from notices.returned_mail.suppression_list import SuppressionLookup

logger = logging.getLogger(__name__)
State = Delivery.State
COLUMNS = ("pk", "recipient", "language", "attempts", "is_possible_duplicate", "was_refused")


class DueRow(NamedTuple):
    """A due delivery of a leased chunk, with the data for its message."""

    chunk: int
    delivery_id: int
    recipient: UUID
    language: str
    attempts: int  # so far
    is_possible_duplicate: bool
    was_refused: bool
    contact: bytes | None  # ciphertext; of an affected person or a test address
    data_classes: tuple[int, ...]
    address: str  # of a subscriber: an e-mail address or a number; "": unsubscribed or no alert
    is_shared: bool  # the message is the one to a contact of many people


class Composer:
    """The composer of one notice's messages."""

    def __init__(self, notice: Notice) -> None:
        self._notice = notice
        # By language, and by whether the message is the one to a shared contact.
        self._fillers = {
            (each.language, each.is_for_shared_contact): MessageFiller(each)
            for each in notice.messages.all()
        }
        self._suppressions = SuppressionLookup(notice)
        self._held_back = HeldBackLookup(notice)

    def rows(self, lease: Lease) -> list[DueRow]:
        """Returns the due rows of the lease's chunk."""
        if self._notice.is_test:
            return list(self._test_rows(lease))
        rows = list(_affected_rows(lease) if self._notice.is_mandatory else self._subscribed(lease))
        self._suppressions.look_at(lease.chunk, {row.recipient: row.address for row in rows})
        self._held_back.look_at(lease.chunk)
        return [self._without_classes_if_shared(row) for row in rows]

    def _without_classes_if_shared(self, row: DueRow) -> DueRow:
        """Returns the row without data classes if its message goes to a shared contact.

        That message names no data. A row that left the scope has no classes, and gets no message.
        """
        is_shared = bool(row.data_classes) and self._held_back.is_first(row.recipient)
        return row._replace(is_shared=True, data_classes=()) if is_shared else row

    def _subscribed(self, lease: Lease) -> Iterator[DueRow]:
        is_sms = self._notice.channel == Notice.Channel.SMS
        return _number_rows(lease) if is_sms else _subscriber_rows(lease)

    def _test_rows(self, lease: Lease) -> Iterator[DueRow]:
        """Yields the rows of a test, with the data classes of a sample person."""
        classes = tuple(sample_classes(self._notice.incident))
        rows = list(Delivery.objects.of_chunk(lease.chunk).due().values_list(*COLUMNS))
        addresses = TestAddress.objects.in_bulk([row[1] for row in rows])
        for row in rows:
            contact = bytes(addresses[row[1]].contact)
            yield DueRow._make((lease.chunk.pk, *row, contact, classes, "", False))

    def message(self, row: DueRow) -> OutgoingMessage | Transition:
        """Returns the row's message, or the transition of a recipient who gets none.

        Raises EncryptionError if the incident's keysets cannot be unwrapped or were shredded.
        """
        has_encrypted_contact = self._notice.is_mandatory or self._notice.is_test
        recipient = (
            self._person_recipient(row) if has_encrypted_contact else _subscriber_recipient(row)
        )
        if isinstance(recipient, Transition):
            return recipient
        is_sms = self._notice.channel == Notice.Channel.SMS
        address = recipient.phone if is_sms else recipient.email
        if reason := self._suppressions.reason(row.recipient, address):
            return Transition(State.SUPPRESSED, reason)
        filler = self._fillers.get((row.language, row.is_shared))
        reason = self._held_back.reason(row.recipient)
        if reason or filler is None:  # contacts may be shared only since the approval
            return Transition(State.SUPPRESSED, reason or LedgerMessages.SHARED_CONTACT.stored())
        try:
            return filler.mail(recipient)
        except UnusableAddressError as error:
            return Transition(State.UNREACHABLE, str(error))

    @cached_property
    def _decryptor(self) -> BulkDecryptor:
        incident = self._notice.incident
        incident.cipher()  # raises if the incident is shredded
        return BulkDecryptor(*incident.keysets())

    def _person_recipient(self, row: DueRow) -> Recipient | Transition:
        """Returns the affected person with their decrypted contact and own data classes, or the
        transition if the person left the scope or the contact cannot be decrypted.
        """
        is_in_scope = row.data_classes or row.is_shared or self._notice.is_test
        if not row.contact or not is_in_scope:
            return Transition(State.CANCELLED, LedgerMessages.OUT_OF_SCOPE.stored())
        decryptor, purpose = self._decryptor, TEST_ADDRESS if self._notice.is_test else CONTACT
        try:
            contact = decryptor.decrypt(row.contact, person=row.recipient, purpose=purpose)
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


def _affected_rows(lease: Lease) -> Iterator[DueRow]:
    due = Delivery.objects.of_chunk(lease.chunk).due()
    rows = list(due.values_list(*COLUMNS, "person__contact"))
    classes = leaked_classes_of(due.order_by().values("recipient"))
    for row in rows:
        yield DueRow._make((lease.chunk.pk, *row, classes.get(row[1], ()), "", False))


def _subscriber_rows(lease: Lease) -> Iterator[DueRow]:
    """Yields the rows of an alert. A row has an address if its user is active and still subscribed
    to the topic.
    """
    due = Delivery.objects.of_chunk(lease.chunk).due()
    user = ("subscription__user__email", "subscription__user__is_active")
    rows = due.values_list(*COLUMNS, *user, "subscription__unsubscribed_at")
    for *row, email, is_active, unsubscribed_at in rows:
        is_subscribed = is_active and unsubscribed_at is None
        address = email if is_subscribed else ""
        yield DueRow._make((lease.chunk.pk, *row, None, (), address, False))


def _number_rows(lease: Lease) -> Iterator[DueRow]:
    """Yields the rows of an alert by text message. A row has a number if its user is active, still
    subscribed, and still wants text messages to a number that they have proven.
    """
    numbers = AlertNumber.objects.live().filter(user=OuterRef("subscription__user"))
    due = Delivery.objects.of_chunk(lease.chunk).due()
    with_number = due.annotate(number=Subquery(numbers.values("phone__number")))
    columns = ("number", "subscription__user__is_active", "subscription__unsubscribed_at")
    for *row, number, is_active, unsubscribed_at in with_number.values_list(*COLUMNS, *columns):
        address = number if is_active and unsubscribed_at is None else None
        yield DueRow._make((lease.chunk.pk, *row, None, (), address or "", False))


def _subscriber_recipient(row: DueRow) -> Recipient | Transition:
    if not row.address:
        return Transition(State.SUPPRESSED, LedgerMessages.UNSUBSCRIBED.stored())
    is_sms = is_phone(row.address)
    if is_sms and not takes_texts(row.address):
        return Transition(State.UNREACHABLE, LedgerMessages.NO_NUMBER.stored())
    return Recipient(
        delivery_id=row.delivery_id,
        recipient=row.recipient,
        email="" if is_sms else row.address,
        phone=row.address if is_sms else "",
    )
