"""What the page "my data" is made of, and its parts for rows that do not open."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.utils.translation import gettext as _

from incidents import second_fact
from incidents.leaks import leaked_classes_of
from incidents.models import AffectedPerson, DataClass, Incident, PersonMark
from incidents.own_rows import OwnRows

Kind = Literal[
    "leaked",
    "several_people",
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
    """One data class of one part, as incidents/data_class.html shows it."""

    data_class: DataClass
    state: Literal["leaked", "possibly", "not_involved"]
    state_text: str
    count_text: str = ""
    basis_text: str = ""
    values: Sequence[Value] = ()
    more_values: Sequence[Value] = ()


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
    actions: Sequence[str] = ()
    more_actions: Sequence[str] = ()
    items: Sequence[ClassItem] = field(default_factory=list)
    note: str = ""  # of a correction
    is_withheld: bool = False  # the row's values are not shown; see incidents.leaks.Leak
    addresses: Sequence[str] = ()  # that the part is about
    people: Sequence[Sequence[str]] = ()  # the names of data classes, for each locked row
    refused_until: datetime | None = None
    is_refused: bool = False
    unread_text: str = ""  # how much could not be read, for the kind "unread"

    @property
    def template(self) -> str:
        """Returns the name of the part's template."""
        return f"incidents/{self.kind}.html"


class UnopenedParts:
    """Makes the parts for rows that do not open. It reads what all incidents need in few queries.

    It makes no query if nothing is locked.
    """

    def __init__(self, found: Iterable[OwnRows], catalogue: Mapping[int, DataClass]) -> None:
        people = [row.person.pk for own in found for row in own.locked]
        self._classes = leaked_classes_of(people) if people else {}
        self._answers = second_fact.wrong_answers(people) if people else {}
        self._catalogue = catalogue

    def of(self, incident: Incident, own: OwnRows, twins: Sequence[str]) -> list[MyDataPart]:
        """Returns the parts of one incident."""
        parts = [self._several_people(incident, own)] if own.locked else []
        if own.shared:
            heading = _("Your address is recorded for many people")
            parts.append(MyDataPart(incident, "shared", heading, addresses=own.shared))
        if own.strangers:
            heading = _("This address does not prove whose data it is")
            parts.append(MyDataPart(incident, "stranger", heading, addresses=own.strangers))
        if PersonMark.Kind.DECEASED in own.closed_by:
            parts.append(MyDataPart(incident, "deceased", _("Data of a person who has died")))
        if PersonMark.Kind.RESTRICTED in own.closed_by:
            parts.append(MyDataPart(incident, "restricted", _("This data is restricted")))
        if twins:
            heading = _("Your mailbox is recorded under another spelling")
            parts.append(MyDataPart(incident, "twin", heading, addresses=twins))
        return parts

    def _several_people(self, incident: Incident, own: OwnRows) -> MyDataPart:
        keys = [row.person.pk for row in own.locked]
        refused_until = second_fact.refused_until(self._answers.get(key, []) for key in keys)
        return MyDataPart(
            incident,
            "several_people",
            _("Several people share your address or number"),
            people=[self._class_names(key) for key in keys],
            refused_until=None if refused_until == second_fact.NEVER else refused_until,
            is_refused=refused_until is not None,
        )

    def _class_names(self, person: UUID) -> list[str]:
        return [str(self._catalogue[key].name) for key in self._classes.get(person, [])]
