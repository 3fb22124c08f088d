"""Decides whether rows of affected people can be one person's."""

from collections.abc import Sequence
from itertools import combinations

from incidents.encryption import EncryptionError
from incidents.models import AffectedPerson
from incidents.person_names import are_same_names, may_name_one_person, normal_name


def are_one_person(rows: Sequence[AffectedPerson]) -> bool:
    """Returns whether the rows agree in more than one contact, so that they can be one person's."""
    return all(_may_be_one(one, other) for one, other in combinations(rows, 2))


def _may_be_one(one: AffectedPerson, other: AffectedPerson) -> bool:
    """Returns whether no contact of two rows disagrees, and they agree in name or both contacts.

    Two accounts without names that share one address may be two people's. An address book may give
    a person any name, or none; see person_names.may_name_one_person.
    """
    pairs = ((one.email_index, other.email_index), (one.phone_index, other.phone_index))
    if any(first and second and first != second for first, second in pairs):
        return False
    try:
        names = [row.decrypt_contact().get("n", "") for row in (one, other)]
    except EncryptionError:
        return False
    if AffectedPerson.Relation.RECIPIENT in (one.relation, other.relation):
        return may_name_one_person(*names)
    has_same_contacts = all(first and first == second for first, second in pairs)
    return are_same_names(*names) and (all(map(normal_name, names)) or has_same_contacts)
