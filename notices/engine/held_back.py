"""People of one notice who get no message of their own: shared contacts, and marks of the desk.

A contact of more people than the incident's bound gets one message that names no data. It goes with
the delivery of the first of these people; the deliveries of the others end as suppressed. So does
the delivery of a person whom the desk marked as deceased or restricted.
"""

from uuid import UUID

from django.db.models import Count, Exists, OuterRef, QuerySet

from incidents.models import AffectedPerson, PersonMark, SharedContact
from notices.ledger_messages import LedgerMessages
from notices.models import Chunk, Delivery, Notice
from notices.returned_mail.suppression_list import INDEX_FIELD, not_suppressed

REACH_FIELD = {"email": "email_reach", "sms": "phone_reach"}
KIND = {"email": SharedContact.Kind.EMAIL, "sms": SharedContact.Kind.PHONE}


def has_shared_contacts(notice: Notice) -> bool:
    """Returns whether the notice goes to people some of whom share a contact of its channel."""
    return _concerns_people(notice) and shared_contacts(notice).exists()


def shared_contacts(notice: Notice) -> QuerySet[SharedContact]:
    """Returns the shared contacts of the notice's incident and channel."""
    return SharedContact.objects.filter(incident=notice.incident_id, kind=KIND[notice.channel])


def _concerns_people(notice: Notice) -> bool:
    return notice.is_mandatory and not notice.is_test


def count_held_back(notice: Notice, people: QuerySet[AffectedPerson]) -> tuple[int, int]:
    """Counts those of `people` who can be reached, but are marked or share a contact.

    Returns (marked people, people who share a contact and get no message). The first person of each
    shared contact is not counted. People who are suppressed are not counted either.
    """
    column, reach = INDEX_FIELD[notice.channel], REACH_FIELD[notice.channel]
    usable = not_suppressed(notice, people.filter(**{reach: AffectedPerson.Reach.USABLE}))
    marked = Exists(PersonMark.objects.closing().filter(person=OuterRef("pk")))
    sharers = usable.filter(
        ~marked, Exists(shared_contacts(notice).filter(contact_index=OuterRef(column)))
    )
    found = sharers.aggregate(people=Count("pk"), contacts=Count(column, distinct=True))
    return usable.filter(marked).count(), found["people"] - found["contacts"]


class HeldBackLookup:
    """The people of one notice who are held back, loaded chunk by chunk.

    A worker creates it once per run. A mark that is set during the run applies from the next run
    on.
    """

    def __init__(self, notice: Notice) -> None:
        self._notice = notice
        marks = PersonMark.objects.closing().filter(incident=notice.incident_id)
        self._shared = shared_contacts(notice) if has_shared_contacts(notice) else None
        self._marks = marks if _concerns_people(notice) and marks.exists() else None
        self._index = f"person__{INDEX_FIELD[notice.channel]}"
        self._first: dict[UUID, UUID] = {}  # the first recipient, by contact index
        self._sharers: dict[UUID, UUID] = {}  # the contact index, by recipient
        self._marked: dict[UUID, str] = {}

    def look_at(self, chunk: Chunk) -> None:
        """Loads the people of a chunk who are held back."""
        rows = Delivery.objects.of_chunk(chunk)
        if self._marks is not None:
            mine = self._marks.filter(person__in=rows.values("person"))
            self._marked |= dict(mine.values_list("person_id", "kind"))
        if self._shared is not None:
            sharers = rows.filter(Exists(self._shared.filter(contact_index=OuterRef(self._index))))
            self._sharers |= dict(sharers.values_list("recipient", self._index))
            self._load_first(set(self._sharers.values()) - self._first.keys())

    def _load_first(self, indexes: set[UUID]) -> None:
        """Loads the first recipient of each contact in the ledger.

        The ledger is planned in the order of recipients. So a recipient is the first one as soon as
        a later one is planned, and stays it.
        """
        rows = Delivery.objects.filter(notice=self._notice, **{f"{self._index}__in": indexes})
        if self._marks is not None:
            rows = rows.exclude(Exists(self._marks.filter(person=OuterRef("person"))))
        first = rows.order_by(self._index, "recipient").distinct(self._index)
        self._first |= dict(first.values_list(self._index, "recipient"))

    def is_first(self, recipient: UUID) -> bool:
        """Returns whether the one message to a shared contact goes with this delivery."""
        if not self._sharers:
            return False  # the hash of a key, which a look-up needs, takes time for each person
        index = self._sharers.get(recipient)
        return index is not None and self._first.get(index) == recipient

    def reason(self, recipient: UUID) -> str:
        """Returns the stored message for a person who is held back; "" for any other."""
        if not (self._marked or self._sharers):
            return ""
        if kind := self._marked.get(recipient):
            return LedgerMessages.MARKED.stored(mark_words=kind)
        if recipient in self._sharers and not self.is_first(recipient):
            return LedgerMessages.SHARED_CONTACT.stored()
        return ""
