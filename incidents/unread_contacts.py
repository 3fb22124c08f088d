"""Finds the rows that hold, or may hold, a contact by which they are not found.

These are rejected rows, and rows with a cell that is not certain (incidents.uncertain_contacts).
Their people may share the contact with stored ones: without them, a contact of two people of whom
one was rejected would open the row of the other. A person who may be one of them does not read
that they are not among the leaked data.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from foundations.replica import read_connection
from incidents.encryption import EncryptionError
from incidents.models import AffectedPerson, FurtherContact, Incident
from incidents.person_names import normal_name
from incidents.uncertain_contacts import meant_by

Kind = FurtherContact.Kind

# The rows of a contact `c`, for a query with `c.incident`, `c.kind` and `c.contact_index`.
# Rows count until they are loaded, corrected, or their failed file is; see incidents_unread_files.
_ROWS = """
SELECT u.* FROM (
    SELECT * FROM incidents_unreadcontact WHERE c.kind = 1 AND email_index = c.contact_index
    UNION ALL
    SELECT * FROM incidents_unreadcontact WHERE c.kind = 2 AND phone_index = c.contact_index
) u
JOIN incidents_exposurefile f ON f.id = u.file_id AND f.incident_id = c.incident
LEFT JOIN incidents_rejectedrow r ON r.file_id = u.file_id AND r.line = u.line
LEFT JOIN incidents_exposurefile s ON s.id = r.settled_by_id AND s.state = 'loaded'
WHERE s.id IS NULL AND (
    f.state = 'loaded'
    OR f.state = 'failed' AND NOT EXISTS (
        SELECT FROM incidents_exposurefile later
        WHERE later.incident_id = f.incident_id AND later.state = 'loaded'
            AND later.id > f.id
            AND (NOT f.has_other_sheets OR f.sheet = later.sheet)
            AND (later.name = f.name OR later.sha256 = f.sha256
                OR later.content_sha256 = f.content_sha256 AND f.content_sha256 <> '')
    )
)
"""
# The rows of a contact as JSON. Of a contact on very many of them, 200 are read.
UNREAD_OF_CONTACT = f"""
(
    SELECT json_agg(
        json_build_array(file_id, line, person_key, email_index, phone_index, name_index)
    )
    FROM ({_ROWS} LIMIT 200) AS found
)
"""  # noqa: S608
_WITH_UNREAD = """
SELECT DISTINCT incident_id FROM incidents_exposurefile f
WHERE EXISTS (SELECT FROM incidents_unreadcontact u WHERE u.file_id = f.id)
"""
_MAY_HOLD = f"""
SELECT DISTINCT c.incident
FROM unnest(%s::int[], %s::smallint[], %s::uuid[]) AS c (incident, kind, contact_index)
WHERE EXISTS ({_ROWS})
"""  # noqa: S608


class UnreadRow(NamedTuple):
    """A rejected row that holds a contact; see UnreadContact."""

    file_id: int
    line: int
    person_key: UUID | None
    email_index: UUID | None
    phone_index: UUID | None
    name_index: UUID | None

    @property
    def place(self) -> tuple[int, int]:
        """Returns the file and the line."""
        return self.file_id, self.line

    @property
    def identity(self) -> tuple[UUID | None, ...]:
        """Returns what rows of one person have in common."""
        return self[2:]


def unread_rows(rows: Sequence[Sequence[Any]] | None) -> list[UnreadRow]:
    """Returns the rows of UNREAD_OF_CONTACT, which is null for none."""
    return [
        UnreadRow(file_id, line, *(UUID(key) if key else None for key in keys))
        for file_id, line, *keys in rows or ()
    ]


def incidents_with_unread() -> frozenset[int]:
    """Returns the ids of the incidents for which `incidents_that_may_hold` can find anything.

    The result changes only when a batch is closed, or a correction is loaded into a closed one.
    """
    with read_connection().cursor() as cursor:
        cursor.execute(_WITH_UNREAD)
        return frozenset(pk for (pk,) in cursor.fetchall())


def incidents_that_may_hold(
    emails: Iterable[str], phones: Iterable[str], incidents: Sequence[Incident]
) -> set[int]:
    """Returns the ids of the incidents with an unread row or an uncertain cell of the contacts.

    `emails` are normalised, `phones` are in E.164. One query; none without contacts or incidents.
    """
    texts = [
        (kind, text)
        for kind, contacts in ((Kind.EMAIL, emails), (Kind.PHONE, phones))
        for contact in contacts
        for text in meant_by(contact)
    ]
    found = [
        (incident.pk, kind.value, incident.cipher().blind_index(kind.name.lower(), text))
        for incident in incidents
        for kind, text in texts
    ]
    if not found:
        return set()
    with read_connection().cursor() as cursor:
        cursor.execute(_MAY_HOLD, [list(column) for column in zip(*found, strict=True)])
        return {pk for (pk,) in cursor.fetchall()}


def may_be_of(row: UnreadRow, person: AffectedPerson) -> bool:
    """Returns whether an unread row is that person's: by its reference, or by contacts and name.

    The rule is that of own_rows for two stored rows, except that names only count if equal.
    """
    if row.person_key == person.pk:
        return True
    pairs = ((row.email_index, person.email_index), (row.phone_index, person.phone_index))
    if any(one and other and one != other for one, other in pairs):
        return False
    try:
        name = normal_name(person.decrypt_contact().get("n", ""))
    except EncryptionError:
        return False
    if name and row.name_index:
        return row.name_index == person.incident.cipher().blind_index("name", name)
    return all(one and one == other for one, other in pairs)
