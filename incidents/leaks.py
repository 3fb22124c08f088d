"""What leaked of people: the data classes of many people, or one person's values.

Exposures of withdrawn batches are ignored, except by `batches_of`.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import combinations, groupby
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Coalesce

from incidents import encryption
from incidents.encryption import EncryptionError, EncryptionMessages
from incidents.kinds import CONTACT_CLASSES
from incidents.models import (
    AffectedPerson,
    DataClass,
    Exposure,
    ExposureBatch,
)
from incidents.person_names import may_name_one_person

# The first letter of the keys in AffectedPerson.contact that hold the values of a class, where the
# exposure omits them.
CONTACT_KEYS = {
    CONTACT_CLASSES["name"]: "n",
    CONTACT_CLASSES["email"]: "e",
    CONTACT_CLASSES["phone"]: "p",
}


def leaked_classes_of(
    person_ids: Sequence[UUID] | QuerySet[Any, Any],
) -> dict[UUID, tuple[int, ...]]:
    """Returns the ids of the data classes that leaked of each person, in DataClass's order.

    It makes two queries for any number of people, and decrypts nothing. The send calls it for
    one chunk at a time. A person without exposures has no entry.
    """
    leaked: defaultdict[UUID, set[int]] = defaultdict(set)
    rows = Exposure.objects.not_withdrawn().filter(person_id__in=person_ids)
    for person_id, class_ids in rows.values_list("person_id", "data_classes"):
        leaked[person_id].update(class_ids)
    place = {key: place for place, key in enumerate(DataClass.objects.values_list("pk", flat=True))}

    @cache  # very many people have few combinations of classes
    def in_order(ids: frozenset[int]) -> tuple[int, ...]:
        return tuple(sorted(ids, key=place.__getitem__))

    return {person_id: in_order(frozenset(ids)) for person_id, ids in leaked.items()}


class ExposedRow(NamedTuple):
    """The data that one row of an imported file holds of a person; see Exposure."""

    file_id: int  # of a corrected reject file: the file that it corrects
    data_classes: list[int]
    ciphertext: bytes | memoryview | None
    added_at: datetime  # when the file was loaded; a corrected reject file counts by itself


def exposed_rows_of(person_ids: Sequence[UUID]) -> dict[UUID, list[ExposedRow]]:
    """Returns the rows of each person in the order of file and line. One query."""
    rows: defaultdict[UUID, list[ExposedRow]] = defaultdict(list)
    exposures = (
        Exposure.objects.not_withdrawn()
        .filter(person_id__in=person_ids)
        .order_by("person_id", "file_id", "line")
        .values_list(
            "person_id",
            Coalesce("file__corrects_id", "file_id"),
            "data_classes",
            "ciphertext",
            Coalesce("file__finished_at", "file__started_at"),
        )
    )
    for person_id, *row in exposures:
        rows[person_id].append(ExposedRow(*row))
    return rows


@dataclass
class Leak:
    """One data class of one person: each different value, and how many rows hold it.

    The same text with another date is another value, because two orders of one product on two
    days are two orders.
    """

    data_class: DataClass
    values: Counter[tuple[str, str]] = field(default_factory=Counter)  # (text, ISO date or "")
    is_withheld: bool = False  # the values may be of several people; see readable_leaks

    @property
    def count(self) -> int:
        """Returns how many values leaked.

        A value without a date counts once, in however many rows it is. A value with a date counts
        each time, because two orders of one product on one day are two orders.
        """
        return sum(times if date else 1 for (_, date), times in self.values.items())


class DecryptedRow(NamedTuple):
    """The data of an ExposedRow: its entries are [class id, text] or [class id, text, ISO date]."""

    file_id: int
    data_classes: list[int]
    entries: list[list[Any]]
    added_at: datetime


def decrypted_rows(person: AffectedPerson, rows: Sequence[ExposedRow]) -> list[DecryptedRow]:
    """Returns the rows of `person` with their values. Drops blank values.

    Raises EncryptionError if a row cannot be decrypted.
    """
    return [
        DecryptedRow(row.file_id, row.data_classes, _entries(person, row), row.added_at)
        for row in rows
    ]


def decrypted_leaks(
    person: AffectedPerson, rows: Sequence[ExposedRow], catalogue: dict[int, DataClass]
) -> list[Leak]:
    """Returns what leaked of `person`, in the order of `catalogue` (data classes by id).

    Raises EncryptionError if a value cannot be decrypted, or names an unknown data class.
    """
    return leaks_in(person, decrypted_rows(person, rows), catalogue)


def leaks_in(
    person: AffectedPerson, rows: Sequence[DecryptedRow], catalogue: dict[int, DataClass]
) -> list[Leak]:
    """Returns what `decrypted_leaks` does, for a caller that has decrypted the rows."""
    held = values_held(rows)
    if any(class_id not in catalogue for class_id in held.values):
        raise EncryptionError(EncryptionMessages.NO_DATA_CLASS.stored(person=person.pk))
    leaks = {key: Leak(catalogue[key], values) for key, values in held.values.items()}
    _add_contact([leaks[class_id] for class_id in held.as_contact], person)
    return [leaks[class_id] for class_id in catalogue if class_id in leaks]


class HeldValues(NamedTuple):
    """What rows of one person hold, without what stands in the person's contact."""

    values: dict[int, Counter[tuple[str, str]]]  # as Leak.values, by the id of the data class
    as_contact: set[int]  # the data classes of which a row has the value in the contact


def values_held(rows: Sequence[DecryptedRow]) -> HeldValues:
    """Returns the values of each data class in the rows of one person."""
    values: defaultdict[int, Counter[tuple[str, str]]] = defaultdict(Counter)
    as_contact: set[int] = set()
    for _, file_rows in groupby(sorted(rows, key=file_of), key=file_of):
        held: defaultdict[int, Counter[tuple[str, str]]] = defaultdict(Counter)
        for row in file_rows:
            for class_id, text, *date in row.entries:
                held[class_id][str(text), date[0] if date else ""] += 1
            as_contact |= set(row.data_classes) - {class_id for class_id, *_ in row.entries}
        for class_id in as_contact | held.keys():
            # The larger count, not the sum: another file may hold the same rows again.
            values[class_id] |= held[class_id]
    return HeldValues(values, as_contact)


def file_of(row: DecryptedRow) -> int:
    """Returns the id of the row's file, to group rows by it."""
    return row.file_id


def readable_leaks(
    person: AffectedPerson, rows: Sequence[ExposedRow], catalogue: dict[int, DataClass]
) -> list[Leak]:
    """Returns what leaked of `person` for the person to read.

    An address book may have a wrong number for a name. If the rows of a recipient hold the full
    names of different people, no value is returned, because each may be of any of them. Raises
    EncryptionError as `decrypted_leaks` does.
    """
    return without_mixed_values(person, decrypted_leaks(person, rows, catalogue))


def without_mixed_values(person: AffectedPerson, leaks: list[Leak]) -> list[Leak]:
    """Returns `leaks`, without values if these may be of several people; see readable_leaks.

    Once the incident's values are deleted, no value is returned, also none of the contact.
    """
    if person.incident.values_deleted_at:
        return [Leak(leak.data_class, is_withheld=True) for leak in leaks]
    if person.relation != AffectedPerson.Relation.RECIPIENT:
        return leaks
    names = [text for leak in leaks if _is_name(leak) for text, _ in leak.values]
    if all(may_name_one_person(one, other) for one, other in combinations(names, 2)):
        return leaks
    return [Leak(leak.data_class, is_withheld=True) for leak in leaks]


def _is_name(leak: Leak) -> bool:
    return CONTACT_KEYS.get(leak.data_class.slug) == "n"


def _entries(person: AffectedPerson, row: ExposedRow) -> list[list[Any]]:
    if row.ciphertext is None:
        return []
    cipher = person.incident.cipher()
    entries = cipher.decrypt(row.ciphertext, person=person.pk, purpose=encryption.EXPOSURE)
    return [entry for entry in entries if str(entry[1]).strip()]


def _add_contact(leaks: Sequence[Leak], person: AffectedPerson) -> None:
    """Adds to each leak the value of its class in the person's contact, if there is one."""
    contact = person.decrypt_contact() if leaks else {}
    for leak in leaks:
        letter = CONTACT_KEYS.get(leak.data_class.slug)
        held = [text for key, text in contact.items() if letter and key.startswith(letter)]
        leak.values |= Counter({(text, ""): 1 for text in held if text.strip()})


def batches_of(person_ids: Sequence[UUID]) -> dict[UUID, list[ExposureBatch]]:
    """Returns the scope versions with rows of each person, ordered by number.

    Withdrawn scope versions are included.
    """
    pairs = (
        Exposure.objects.filter(person_id__in=person_ids)
        .values_list("person_id", "file__batch_id")
        .distinct()
    )
    batches = ExposureBatch.objects.in_bulk({batch_id for _, batch_id in pairs})
    found: defaultdict[UUID, list[ExposureBatch]] = defaultdict(list)
    for person_id, batch_id in sorted(pairs, key=lambda pair: batches[pair[1]].number):
        found[person_id].append(batches[batch_id])
    return found
