"""What the page "my data" is made of, and its parts for rows that do not open."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.company_sign_on.offers import CUSTOMERS
from accounts.company_sign_on.providers import provider_for
from accounts.contacts import is_phone, readable_contact
from incidents.additions import Addition
from incidents.earlier_answers import EarlierAnswer
from incidents.leaks import leaked_classes_of
from incidents.models import AffectedPerson, DataClass, FurtherContact, Incident, PersonMark
from incidents.own_rows import LockedRow, OwnRows
from incidents.second_fact import NEVER, Refusals, rows_to_ask_about
from incidents.steps import Step, StepPlan, WordsToSend

FEW_LINES = 20  # of a row; more have a search
Kind = Literal[
    "leaked",
    "several_people",
    "recorded",
    "shared",
    "stranger",
    "deceased",
    "restricted",
    "twin",
    "not_found",
    "unread",
    "unknown",
    "unavailable",
    "shredded",
]


@dataclass(frozen=True)
class Value:
    """One line of a data class: the value, and a phrase about its date and how often it occurs."""

    text: str
    date: str


@dataclass(frozen=True)
class ClassItem:
    """One data class that leaked: its name, and the values that are on no place's card."""

    name: str
    values: Sequence[Value] = ()
    more_values: Sequence[Value] = ()


@dataclass(frozen=True)
class PlaceCard:
    """One postal address, and the values of other classes that leaked together with it."""

    address: Value
    others: Sequence[tuple[str, Value]]  # the name of the data class, and the value


@dataclass(frozen=True)
class StateLine:
    """The data classes that did not leak of the person, or perhaps did, for the same reason."""

    state: Literal["possibly", "not_involved"]
    state_text: str
    basis_text: str
    names: str


@dataclass(frozen=True)
class LeakedItems:
    """What leaked of one row, in the groups of the page."""

    count: int = 0  # of data classes
    details: Sequence[ClassItem] = ()
    places: Sequence[PlaceCard] = ()
    more_places: Sequence[PlaceCard] = ()
    places_title: str = ""  # such as "2 addresses and 1 entrance code"
    orders: Sequence[ClassItem] = ()
    is_withheld: bool = False  # the values are not shown; see incidents.leaks.Leak

    @property
    def is_long(self) -> bool:
        """Returns whether a reader needs a search: the page lists many values and cards."""
        items = [*self.details, *self.orders]
        values = sum(len(item.values) + len(item.more_values) for item in items)
        return values + len(self.places) + len(self.more_places) > FEW_LINES


@dataclass(frozen=True)
class MyDataPart:
    """One part of the page: the answer for one incident, or for one row of the user in it.

    The page includes the template incidents/<kind>.html for it.
    """

    incident: Incident
    kind: Kind
    heading: str
    person: AffectedPerson | None = None
    relation: str = ""
    found_by: str = ""  # the user's contacts that found the row, if several rows opened
    finders: Sequence[str] = ()  # the user's contacts that found the row, for the copy
    steps: Sequence[Step] = ()
    is_reminded: bool = False  # a mail will remind of the steps
    words: WordsToSend | None = None  # for people in the user's address book
    leaked: LeakedItems = LeakedItems()
    stays_masked: bool = False  # only a number found the row; see OwnRows.by_number_only
    takes_answer: bool = False  # a second fact would show the masked values in full
    # The answer is the name of a recipient, as the sender of the parcel wrote it.
    asks_for_senders_name: bool = False
    others: Sequence[StateLine] = ()  # the classes that did not leak of the person
    note: str = ""  # of a correction
    reveals: Sequence[datetime] = ()  # when the user saw the values in full, the newest first
    addresses: Sequence[str] = ()  # that the part is about
    is_about_number: bool = False  # `addresses` are numbers
    people: Sequence[Sequence[str]] = ()  # the names of data classes, for each locked row
    is_number_known: bool = False  # a number found each locked row, and is no second fact
    no_answer_until: datetime | None = None  # NEVER, or until when no answer is taken; None: now
    # For the kind "unread": how much could not be read, or has no contact; and the provider at
    # which a sign-in states the user's member number.
    unread_text: str = ""
    member_number_from: str = ""
    earlier: Sequence[EarlierAnswer] = ()  # what the page said before a withdrawal
    additions: Sequence[Addition] = ()  # what each day added to the row, the newest first

    @property
    def template(self) -> str:
        """Returns the name of the part's template."""
        return f"incidents/{self.kind}.html"

    @property
    def is_refused(self) -> bool:
        """Returns whether no answer of the user is taken now."""
        return self.no_answer_until is not None

    @property
    def refused_until(self) -> datetime | None:
        """Returns when an answer is taken again; None if one is taken now, or never again."""
        return None if self.no_answer_until == NEVER else self.no_answer_until

    @property
    def has_answer_form(self) -> bool:
        """Returns whether the part has a form that takes an answer of the user."""
        return (
            self.takes_answer or self.kind in ("several_people", "recorded")
        ) and not self.is_refused

    @property
    def history(self) -> Sequence[Addition]:
        """Returns `additions` if a later day added data, or a version was withdrawn."""
        return self.additions if len(self.additions) > 1 or self.earlier else ()

    @property
    def plan(self) -> StepPlan:
        """Returns the steps, as the page shows them."""
        return StepPlan(tuple(self.steps), self.incident.slug, self.is_reminded, self.words)


class UnlinkedEntries:
    """The entries without a contact of which one may be the user's, by incident."""

    def __init__(self, incidents: Iterable[Incident], *, has_number: bool) -> None:
        """`has_number` tells whether the provider confirmed a member number of the user."""
        self._counts = {one.pk: one.unlinked() for one in incidents}
        by_number = any(one.has_member_numbers and self._counts[one.pk].people for one in incidents)
        provider = provider_for(CUSTOMERS) if by_number else None
        self._provider = provider.name if provider and provider.member_claim else ""
        self._has_number = has_number

    def of(self, incident: Incident) -> tuple[int, str]:
        """Returns the number of entries, and the provider that would state the member number.

        People with a reference do not count for a user with a member number, which would find them.
        Recipients have none.
        """
        counts = self._counts[incident.pk]
        if not (incident.has_member_numbers and self._provider and counts.people):
            return counts.entries, ""
        return (counts.recipients, "") if self._has_number else (counts.entries, self._provider)


class UnopenedParts:
    """Makes the parts for rows that do not open. It reads what all incidents need in few queries.

    It makes no query if nothing is locked.
    """

    def __init__(
        self, found: Iterable[OwnRows], catalogue: Mapping[int, DataClass], refusals: Refusals
    ) -> None:
        people = [row.person.pk for own in found for row in own.locked]
        self._classes = leaked_classes_of(people) if people else {}
        self._refusals = refusals
        self._catalogue = catalogue

    def of(self, incident: Incident, own: OwnRows, twins: Sequence[str]) -> list[MyDataPart]:
        """Returns the parts of one incident."""
        parts = self._locked(incident, own)
        of_many = _("Your address is recorded for many people")
        of_many_number = _("Your number is recorded for many people")
        parts += _contact_parts(incident, "shared", own.shared, of_many, of_many_number)
        no_proof = _("This address does not prove whose data it is")
        no_proof_number = _("This number does not prove whose data it is")
        parts += _contact_parts(incident, "stranger", own.strangers, no_proof, no_proof_number)
        if PersonMark.Kind.DECEASED in own.closed_by:
            parts.append(MyDataPart(incident, "deceased", _("Data of a person who has died")))
        if PersonMark.Kind.RESTRICTED in own.closed_by:
            parts.append(MyDataPart(incident, "restricted", _("This data is restricted")))
        if twins:
            heading = _("Your mailbox is recorded under another spelling")
            parts.append(MyDataPart(incident, "twin", heading, addresses=twins))
        return parts

    def _locked(self, incident: Incident, own: OwnRows) -> list[MyDataPart]:
        """Returns the parts that ask for a second fact: a shared contact, and a recorded one."""
        shared = [row for row in own.locked if not row.is_recorded]
        recorded = [row for row in own.locked if row.is_recorded]
        kinds: list[tuple[Kind, str, list[LockedRow]]] = [
            ("several_people", _("Several people share your address or number"), shared),
            ("recorded", _("Show that this data is yours"), recorded),
        ]
        return [
            MyDataPart(
                incident,
                kind,
                heading,
                people=[self._class_names(row.person.pk) for row in rows],
                is_number_known=all(FurtherContact.Kind.PHONE in row.found_by for row in rows),
                no_answer_until=self._refusals.until(rows_to_ask_about(own)),
            )
            for kind, heading, rows in kinds
            if rows
        ]

    def _class_names(self, person: UUID) -> list[str]:
        return [str(self._catalogue[key].name) for key in self._classes.get(person, ())]


def _contact_parts(
    incident: Incident, kind: Kind, contacts: Sequence[str], of_addresses: str, of_numbers: str
) -> list[MyDataPart]:
    """Returns a part for the addresses among `contacts`, and one for the numbers."""
    numbers = [contact for contact in contacts if is_phone(contact)]
    addresses = [contact for contact in contacts if not is_phone(contact)]
    return [
        MyDataPart(
            incident,
            kind,
            heading,
            addresses=[readable_contact(contact) for contact in found],
            is_about_number=found is numbers,
        )
        for found, heading in ((addresses, of_addresses), (numbers, of_numbers))
        if found
    ]
