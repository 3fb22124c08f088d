"""What "my data" said to a user before a scope version was withdrawn.

Without it, a person who read "leaked" would read "not found" one day, and not why. A withdrawal
keeps the blind indexes of the contacts (WithdrawnContact), so that a proven contact finds what it
found before. No value is shown: only which kinds of data the page named, when it stopped, and why.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from foundations.replica import read_connection
from incidents import phrasing
from incidents.models import DataClass, ExposureBatch, FurtherContact, Incident, PersonMark
from incidents.own_rows import LookedUpContact, looked_up, strangers_among
from incidents.visibility import shown_since

# The people of each contact in each withdrawn version, two at most because more change nothing:
# whether another person has the contact now, whether support closed the row, and what the version
# held of them.
_FIND = """
SELECT c.place, w.person_id, EXISTS (
    SELECT FROM incidents_affectedperson p WHERE p.email_index = c.contact_index
    AND p.id <> w.person_id
) OR EXISTS (
    SELECT FROM incidents_affectedperson p WHERE p.phone_index = c.contact_index
    AND p.id <> w.person_id
) OR EXISTS (
    SELECT FROM incidents_furthercontact f WHERE f.contact_index = c.contact_index
    AND f.person_id <> w.person_id
), EXISTS (
    SELECT FROM incidents_personmark m
    WHERE m.person_id = w.person_id AND m.lifted_at IS NULL AND m.kind = ANY(%s)
), ARRAY(
    SELECT DISTINCT class_id FROM incidents_exposure e
    JOIN incidents_exposurefile f ON f.id = e.file_id AND f.batch_id = w.batch_id
    CROSS JOIN LATERAL unnest(e.data_classes) AS class_id
    WHERE e.person_id = w.person_id
)
FROM unnest(%s::uuid[], %s::bigint[]) WITH ORDINALITY AS c (contact_index, batch_id, place)
CROSS JOIN LATERAL (
    SELECT batch_id, person_id FROM incidents_withdrawncontact
    WHERE contact_index = c.contact_index AND batch_id = c.batch_id LIMIT 2
) AS w
"""


class EarlierAnswer(NamedTuple):
    """What the page said to a user because of a scope version that is withdrawn now."""

    batch: ExposureBatch
    # The data classes that it named as leaked. Empty if several people share the contact, so that
    # the page named none as the user's.
    data_classes: Sequence[DataClass]

    @property
    def named(self) -> str:
        """Returns the data classes as a list in the active language."""
        return phrasing.joined([phrasing.counted_noun(each, 0) for each in self.data_classes])


class _Person(NamedTuple):
    pk: UUID
    is_one_of_several: bool  # whether another person has the contact now
    is_closed: bool  # by support: the page showed nothing of the row
    data_classes: set[int]


def earlier_answers(
    emails: Iterable[str], phones: Iterable[str], incidents: Iterable[Incident]
) -> dict[int, list[EarlierAnswer]]:
    """Returns what the user's verified contacts found in withdrawn versions, by incident id.

    `emails` are normalised, `phones` are in E.164. Makes no query if the batches of `incidents` are
    read and none was withdrawn. Raises EncryptionError if the keysets of an incident with a
    withdrawn version cannot be decrypted.
    """
    emails, phones = list(emails), list(phones)
    wanted = [
        (contact, batch)
        for incident in incidents
        if (withdrawn := _withdrawn_while_public(incident))
        for contact in _contacts(incident, emails, phones)
        for batch in withdrawn
    ]
    if not wanted:
        return {}
    found_people = _people(wanted)
    sharing: defaultdict[LookedUpContact, set[UUID]] = defaultdict(set)
    for (contact, _batch), people in zip(wanted, found_people, strict=True):
        sharing[contact] |= {person.pk for person in people}
    held: defaultdict[ExposureBatch, set[int]] = defaultdict(set)
    for (contact, batch), people in zip(wanted, found_people, strict=True):
        if not all(person.is_closed for person in people):
            is_shared = len(sharing[contact]) > 1 or people[0].is_one_of_several
            held[batch] |= set() if is_shared else people[0].data_classes
    catalogue = DataClass.objects.in_bulk() if held else {}
    found: defaultdict[int, list[EarlierAnswer]] = defaultdict(list)
    for batch, class_ids in sorted(held.items(), key=lambda item: item[0].number):
        classes = [entry for pk, entry in catalogue.items() if pk in class_ids]
        found[batch.incident_id].append(EarlierAnswer(batch, classes))
    return found


def _withdrawn_while_public(incident: Incident) -> list[ExposureBatch]:
    """Returns the versions that were withdrawn after the page could show them."""
    return [
        batch
        for batch in incident.batches.all()
        if batch.withdrawn_at and shown_since(incident, batch.opened_at) < batch.withdrawn_at
    ]


def _contacts(
    incident: Incident, emails: Sequence[str], phones: Sequence[str]
) -> list[LookedUpContact]:
    """Returns the user's contacts without those that support marked as a stranger's."""
    contacts = [
        *looked_up(incident, FurtherContact.Kind.EMAIL, emails),
        *looked_up(incident, FurtherContact.Kind.PHONE, phones),
    ]
    strangers = strangers_among(contacts)
    return [contact for contact in contacts if contact not in strangers]


def _people(wanted: Sequence[tuple[LookedUpContact, ExposureBatch]]) -> list[list[_Person]]:
    """Returns for each contact and version the people whose data it held, two at most."""
    people: list[list[_Person]] = [[] for _ in wanted]
    parameters: list[list[str] | list[UUID] | list[int]] = [
        [kind.value for kind in PersonMark.CLOSING],
        [contact.contact_index for contact, _batch in wanted],
        [batch.pk for _contact, batch in wanted],
    ]
    with read_connection().cursor() as cursor:
        cursor.execute(_FIND, parameters)
        for place, pk, is_one_of_several, is_closed, class_ids in cursor.fetchall():
            person = _Person(pk, is_one_of_several, is_closed, set(class_ids))
            people[place - 1].append(person)
    return people
