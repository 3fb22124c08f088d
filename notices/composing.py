"""A leased chunk's rows and what each is to be sent: the mail, or why there is none."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from incidents.sealing import CONTACT, IncidentSeal, SealingError
from incidents.summaries import leaked_classes_of
from notices.ledger import Lease, Verdict
from notices.messages import Mail, Mailing, Recipient, UnusableAddressError
from notices.models import Delivery, Notice

logger = logging.getLogger(__name__)
State = Delivery.State


@dataclass(frozen=True, slots=True)
class Waiting:
    """A due row of a leased chunk, with what its message is made from."""

    chunk: int
    delivery_id: int
    recipient: UUID
    language: str
    attempts: int  # so far
    is_possible_duplicate: bool
    contact: bytes | None = None  # sealed; of somebody affected
    data_classes: tuple[int, ...] = ()
    email: str = ""  # of a subscriber


class Composer:
    """Makes the messages of one notice."""

    def __init__(self, notice: Notice) -> None:
        self._notice = notice
        self._mailings = {one.language: Mailing(one) for one in notice.messages.all()}

    def rows(self, lease: Lease) -> Iterator[Waiting]:
        """The chunk's rows that are due."""
        return _affected(lease) if self._notice.is_mandatory else _subscribers(lease)

    def mail(self, row: Waiting) -> Mail | Verdict:
        """The row's mail, or the verdict that there is none.

        Raises SealingError if the incident's keys are away.
        """
        recipient = self._person(row) if self._notice.is_mandatory else _subscriber(row)
        if isinstance(recipient, Verdict):
            return recipient
        try:
            return self._mailings[row.language].mail(recipient)
        except UnusableAddressError as error:
            return Verdict(State.UNREACHABLE, str(error))

    @cached_property
    def _seal(self) -> IncidentSeal:
        return self._notice.incident.seal()

    def _person(self, row: Waiting) -> Recipient | Verdict:
        """Somebody affected, by the contact data that leaked, with their own classes."""
        if row.contact is None or not row.data_classes:
            return Verdict(State.CANCELLED, "withdrawn from the incident's scope")
        seal = self._seal
        try:
            contact = seal.open(row.contact, person=row.recipient, purpose=CONTACT)
        except SealingError as error:
            logger.error("%s", error)
            return Verdict(State.UNREACHABLE, "the contact data does not open")
        return Recipient(
            delivery_id=row.delivery_id,
            recipient=row.recipient,
            email=contact.get("e", ""),
            name=contact.get("n", ""),
            data_classes=row.data_classes,
        )


def _affected(lease: Lease) -> Iterator[Waiting]:
    due = Delivery.objects.of_chunk(lease.chunk).due()
    columns = ("pk", "recipient", "language", "attempts", "is_possible_duplicate")
    rows = list(due.values_list(*columns, "person__contact"))
    classes = leaked_classes_of([row[1] for row in rows])
    for *row, contact in rows:
        leaked = tuple(classes.get(row[1], ()))
        yield Waiting(lease.chunk.pk, *row, contact=contact, data_classes=leaked)


def _subscribers(lease: Lease) -> Iterator[Waiting]:
    """Those who still are have an address; the others have none."""
    due = Delivery.objects.of_chunk(lease.chunk).due()
    columns = ("pk", "recipient", "language", "attempts", "is_possible_duplicate")
    user = ("subscription__user__email", "subscription__user__is_active")
    for *row, email, is_active, unsubscribed_at in due.values_list(
        *columns, *user, "subscription__unsubscribed_at"
    ):
        wants_it = is_active and unsubscribed_at is None
        yield Waiting(lease.chunk.pk, *row, email=email if wants_it else "")


def _subscriber(row: Waiting) -> Recipient | Verdict:
    if not row.email:
        return Verdict(State.SUPPRESSED, "unsubscribed before the send")
    return Recipient(delivery_id=row.delivery_id, recipient=row.recipient, email=row.email)
