"""Finds the rows that name the same person as another row, such as of a second account."""

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from django.db.models import Q

from incidents.encryption import EncryptionError
from incidents.models import AffectedPerson
from incidents.person_names import is_full_name, normal_name

CONTACTS = ("email_index", "phone_index")


def further_rows(rows: Sequence[AffectedPerson]) -> dict[UUID, set[UUID]]:
    """Returns the keys of the rows that name the person of each of `rows`, by its key.

    They have the same full name and the same address or number. A contact of more people than
    Incident.shared_contact_bound shows nothing. Makes one query, and none without a full name.
    """
    named = {row.pk: (row, name) for row in rows if (name := _full_name(row))}
    found = _sharing_a_contact([row for row, _name in named.values()])
    return {
        key: {other.pk for other in _of_few(row, found) if _full_name(other) == name}
        for key, (row, name) in named.items()
    }


def _full_name(row: AffectedPerson) -> str:
    """Returns the name of a row in normal form, or "" if it is missing or no full name."""
    try:
        name = row.decrypt_contact().get("n", "")
    except EncryptionError:
        return ""
    return normal_name(name) if is_full_name(name) else ""


def _sharing_a_contact(rows: Iterable[AffectedPerson]) -> list[AffectedPerson]:
    """Returns the rows with a contact of one of `rows`, at most one more of each than the bound."""
    incidents = {row.incident_id: row.incident for row in rows}
    searches = [
        AffectedPerson.objects.filter(
            Q((contact, getattr(row, contact))), incident=row.incident_id
        )[: row.incident.shared_contact_bound + 1]
        for row in rows
        for contact in CONTACTS
        if getattr(row, contact)
    ]
    found = list(AffectedPerson.objects.none().union(*searches))
    for each in found:
        each.incident = incidents[each.incident_id]
    return found


def _of_few(row: AffectedPerson, found: Sequence[AffectedPerson]) -> Iterator[AffectedPerson]:
    """Yields those of `found` that share a contact of few people with the row."""
    for contact in CONTACTS:
        index = getattr(row, contact)
        same = [each for each in found if index and getattr(each, contact) == index]
        if len(same) <= row.incident.shared_contact_bound:
            yield from same
