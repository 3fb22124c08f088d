"""Finds the rejected rows that hold a contact, because their people may share it with stored ones.

Without them, a contact of two people of whom one was rejected would open the row of the other.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from incidents.encryption import EncryptionError
from incidents.models import AffectedPerson
from incidents.person_names import normal_name

# The rows of a contact `c` as JSON, for a query with `c.incident`, `c.kind` and `c.contact_index`.
# Rows count until they are loaded, corrected, or their failed file is; see incidents_unread_files.
# Of a contact on very many rejected rows, 200 are read.
UNREAD_OF_CONTACT = """
(
    SELECT json_agg(
        json_build_array(file_id, line, person_key, email_index, phone_index, name_index)
    )
    FROM (
        SELECT u.* FROM (
            SELECT * FROM incidents_unreadcontact
            WHERE c.kind = 1 AND email_index = c.contact_index
            UNION ALL
            SELECT * FROM incidents_unreadcontact
            WHERE c.kind = 2 AND phone_index = c.contact_index
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
                    AND f.sheet IN ('', later.sheet)
                    AND (later.name = f.name OR later.sha256 = f.sha256
                        OR later.content_sha256 = f.content_sha256 AND f.content_sha256 <> '')
            )
        )
        LIMIT 200
    ) AS found
)
"""


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
