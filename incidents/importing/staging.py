"""The staging tables of one import, and the set-wise merge into people and exposures.

They are temporary: they go with the transaction, and nothing in them is unsealed. The rows come in
file order with their lines; everything that depends on other rows is decided here, and always for
the first row in file order.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper

from incidents.importing.preparing import FIRST, SECOND, Staged
from incidents.mapping import CONTACT_CLASSES
from incidents.models import AffectedPerson, DataClass
from incidents.sealing import CONTACT, EXPOSURE, IncidentSeal

Reach = AffectedPerson.Reach
FETCH = 5_000

_TABLES = """
DROP TABLE IF EXISTS staged, staged_reject, staged_change, staged_contact;
CREATE TEMPORARY TABLE staged (
    line bigint NOT NULL, slot smallint NOT NULL, person uuid NOT NULL, relation smallint NOT NULL,
    language varchar(2) NOT NULL, email_reach smallint NOT NULL, phone_reach smallint NOT NULL,
    email_index uuid, phone_index uuid, contact bytea, data_classes smallint[] NOT NULL,
    sealed bytea
) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_reject (line bigint NOT NULL, reason text NOT NULL) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_change (
    line bigint NOT NULL, slot smallint NOT NULL, data_classes smallint[] NOT NULL, sealed bytea
) ON COMMIT DROP;
CREATE TEMPORARY TABLE staged_contact (
    person uuid NOT NULL, contact bytea NOT NULL, email_reach smallint NOT NULL,
    phone_reach smallint NOT NULL, email_index uuid, phone_index uuid
) ON COMMIT DROP;
"""
_TYPES = {
    "staged": ["int8", "int2", "uuid", "int2", "varchar", "int2", "int2", "uuid", "uuid"]
    + ["bytea", "int2[]", "bytea"],
    "staged_reject": ["int8", "text"],
    "staged_change": ["int8", "int2", "int2[]", "bytea"],
    "staged_contact": ["uuid", "bytea", "int2", "int2", "uuid", "uuid"],
}
_REJECT_UNKNOWN = """
INSERT INTO staged_reject
SELECT line, %s FROM staged
WHERE slot = %s AND NOT EXISTS (SELECT FROM incidents_affectedperson WHERE id = staged.person)
"""
_DROP_REJECTED = "DELETE FROM staged USING staged_reject r WHERE staged.line = r.line"
# Whoever is met a second time: in this file, or in the store.
_MET_AGAIN = """
SELECT s.line, s.person, s.contact, s.data_classes, s.sealed,
    s.email_reach, s.phone_reach, s.email_index, s.phone_index,
    p.contact, p.email_reach, p.phone_reach, p.email_index, p.phone_index
FROM staged s LEFT JOIN incidents_affectedperson p ON p.id = s.person
WHERE s.slot = %(slot)s AND s.contact IS NOT NULL AND (
    p.id IS NOT NULL OR s.person IN (
        SELECT person FROM staged WHERE slot = %(slot)s GROUP BY person HAVING count(*) > 1
    )
)
ORDER BY s.person, s.line
"""
_APPLY_CHANGES = """
UPDATE staged s SET data_classes = c.data_classes, sealed = c.sealed
FROM staged_change c WHERE s.line = c.line AND s.slot = c.slot
"""
_ADD_PEOPLE = """
INSERT INTO incidents_affectedperson (id, incident_id, relation, language, email_reach,
    phone_reach, email_index, phone_index, contact)
SELECT DISTINCT ON (person) person, %s, relation, language, email_reach,
    phone_reach, email_index, phone_index, contact
FROM staged WHERE contact IS NOT NULL ORDER BY person, line
ON CONFLICT (id) DO NOTHING
"""
_COMPLETE_CONTACTS = """
UPDATE incidents_affectedperson p SET contact = c.contact, email_reach = c.email_reach,
    phone_reach = c.phone_reach, email_index = c.email_index, phone_index = c.phone_index
FROM staged_contact c WHERE p.id = c.person
"""
_ADD_EXPOSURES = """
INSERT INTO incidents_exposure (person_id, file_id, line, data_classes, sealed)
SELECT person, %s, line, data_classes, sealed FROM staged
WHERE data_classes <> '{}' ORDER BY person, line
"""
_NEW_PEOPLE = """
SELECT count(DISTINCT person) FROM staged
WHERE NOT EXISTS (SELECT FROM incidents_affectedperson WHERE id = staged.person)
"""


class _Contact(NamedTuple):
    """How to reach somebody, opened; the fields after `parts` as their row holds them."""

    parts: dict[str, str]
    email_reach: int
    phone_reach: int
    email_index: UUID | None
    phone_index: UUID | None

    def completed(self, other: "_Contact") -> "_Contact":
        """With what the other has and this one lacks."""
        email = other if "e" not in self.parts else self
        phone = other if "p" not in self.parts else self
        return _Contact(
            {**other.parts, **self.parts},
            email.email_reach,
            phone.phone_reach,
            email.email_index,
            phone.phone_index,
        )


class Staging:
    """One import's rows between the file and the store. To be used inside a transaction."""

    def __init__(self, *, incident_id: int, seal: IncidentSeal, identity: str) -> None:
        self._incident_id, self._seal, self._identity = incident_id, seal, identity
        self._names_id = DataClass.objects.get(slug=CONTACT_CLASSES["name"]).pk
        with connection.cursor() as cursor:
            cursor.execute(_TABLES)

    def add(self, rows: Sequence[Staged], rejects: Sequence[tuple[int, str]]) -> None:
        """Takes rows in, and lines with the reason for which they are rejected."""
        self._copy("staged", rows)
        self._copy("staged_reject", rejects)

    def settle(self, *, only_known: bool) -> None:
        """Decides what depends on other rows and on earlier files."""
        self._run("ANALYZE staged")
        if only_known:
            self._run(_REJECT_UNKNOWN, [f"unknown {self._identity}", FIRST])
            self._run(_DROP_REJECTED)
        self._meet_again(FIRST)
        self._run(_DROP_REJECTED)
        # After the conflicts: a rejected row must not speak for the other person it names.
        self._meet_again(SECOND)
        self._run(_APPLY_CHANGES)

    def merge(self, *, file_id: int) -> tuple[int, int]:
        """Adds people and exposures to the store; returns how many of each."""
        people = self._run(_ADD_PEOPLE, [self._incident_id])
        self._run(_COMPLETE_CONTACTS)
        return people, self._run(_ADD_EXPOSURES, [file_id])

    def counts(self) -> tuple[int, int]:
        """Rows (taken, rejected), each counted for itself."""
        return (
            self._value(f"SELECT count(*) FROM staged WHERE slot = {FIRST}"),  # noqa: S608
            self._value("SELECT count(*) FROM staged_reject"),
        )

    def expected(self) -> tuple[int, int]:
        """What `merge` would return."""
        return (
            self._value(_NEW_PEOPLE),
            self._value("SELECT count(*) FROM staged WHERE data_classes <> '{}'"),
        )

    def rejects(self) -> Iterator[tuple[int, str]]:
        """Lines and reasons in file order."""
        return self._stream("SELECT line, reason FROM staged_reject ORDER BY line")

    def _meet_again(self, slot: int) -> None:
        """Compares each further row of a person with what is known; the first one wins.

        Only the sealed contacts can tell, so the rows are opened: some microseconds for each
        further row, nothing for a person who stands in one row of one file.
        """
        meeting = _Meeting(self._seal, self._identity, self._names_id, slot)
        for fetched in self._stream_many(_MET_AGAIN, {"slot": slot}):
            for row in fetched:
                meeting.take(*row)
            self._flush(meeting)
        meeting.end_person()
        self._flush(meeting)

    def _flush(self, meeting: "_Meeting") -> None:
        self._copy("staged_reject", meeting.rejects)
        self._copy("staged_change", meeting.changes)
        self._copy("staged_contact", meeting.contacts)
        for rows in (meeting.rejects, meeting.changes, meeting.contacts):
            rows.clear()

    # PostgreSQL

    def _copy(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if not rows:
            return
        with (
            connection.cursor() as cursor,
            cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.set_types(_TYPES[table])
            for row in rows:
                copy.write_row(row)

    def _run(self, statement: str, parameters: Sequence[Any] | None = None) -> int:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return int(cursor.rowcount)

    def _value(self, statement: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            row = cursor.fetchone()
            return int(row[0]) if row else 0

    def _stream_many(self, statement: str, parameters: Any = None) -> Iterator[list[Any]]:
        """Fetched piece by piece, so that the connection is free for COPY in between."""
        cursor: CursorWrapper
        with connection.chunked_cursor() as cursor:
            cursor.execute(statement, parameters)
            while fetched := cursor.fetchmany(FETCH):
                yield fetched

    def _stream(self, statement: str) -> Iterator[Any]:
        for fetched in self._stream_many(statement):
            yield from fetched


class _Meeting:
    """Goes through rows ordered by person and line; collects what comes of them."""

    def __init__(self, seal: IncidentSeal, identity: str, names_id: int, slot: int) -> None:
        self._seal, self._identity, self._names_id, self._slot = seal, identity, names_id, slot
        self.rejects: list[tuple[int, str]] = []
        self.changes: list[tuple[int, int, list[int], bytes | None]] = []
        self.contacts: list[tuple[Any, ...]] = []
        self._person: UUID | None = None
        self._known: _Contact | None = None
        self._stored: _Contact | None = None
        self._seen: set[tuple[int, ...]] = set()

    def take(
        self,
        line: int,
        person: UUID,
        contact: bytes,
        data_classes: list[int],
        sealed: bytes | None,
        *reaches: Any,
    ) -> None:
        """The next row, joined with the person's row in the store."""
        if person != self._person:
            self.end_person()
            self._begin_person(person, *reaches[4:])
        said = self._open(person, contact, *reaches[:4])
        if self._known is None:
            self._known = self._stored = said
        conflict = _conflict(self._known.parts, said.parts)
        if conflict:
            reason = f"conflict: {self._identity} already read with another {conflict}"
            self.rejects.append((line, reason))
            return
        self._known = self._known.completed(said)
        self._compare_exposure(line, said, data_classes, sealed)

    def end_person(self) -> None:
        """Keeps what further rows added to the person's contact."""
        if self._person and self._known and self._known != self._stored:
            parts, *fields = self._known
            sealed = self._seal.seal(parts, person=self._person, purpose=CONTACT)
            self.contacts.append((self._person, sealed, *fields))
        self._person = None

    def _begin_person(self, person: UUID, contact: bytes | None, *reaches: Any) -> None:
        self._person, self._seen = person, set()
        self._known = self._stored = self._open(person, contact, *reaches) if contact else None

    def _open(self, person: UUID, contact: bytes, *reaches: Any) -> _Contact:
        return _Contact(self._seal.open(contact, person=person, purpose=CONTACT), *reaches)

    def _compare_exposure(
        self, line: int, said: _Contact, data_classes: list[int], sealed: bytes | None
    ) -> None:
        """A name that differs is stored as a value; a row that only repeats adds nothing."""
        if self._person is None or self._known is None:
            return
        name = said.parts.get("n", "")
        if name != self._known.parts.get("n", name) and self._names_id in data_classes:
            values = self._opened_values(sealed) + [[self._names_id, name]]
            again = self._seal.seal(values, person=self._person, purpose=EXPOSURE)
            self.changes.append((line, self._slot, data_classes, again))
        elif sealed is None:
            if tuple(data_classes) in self._seen:
                self.changes.append((line, self._slot, [], None))
            self._seen.add(tuple(data_classes))

    def _opened_values(self, sealed: bytes | None) -> list[list[Any]]:
        if sealed is None or self._person is None:
            return []
        values: list[list[Any]] = self._seal.open(sealed, person=self._person, purpose=EXPOSURE)
        return values


def _conflict(known: dict[str, str], said: dict[str, str]) -> str:
    for part, word in (("e", "e-mail"), ("p", "phone")):
        if part in known and part in said and known[part] != said[part]:
            return word
    return ""
