"""The staging tables of one import, and the set-wise merge into people and exposures.

They are made in the import's transaction and gone with it, and nothing in them is unsealed. The
rows carry their lines; everything that depends on other rows is decided here, and always for the
first row in file order.

The exposures of a large file become a partition of their own: they are loaded into a plain table,
indexed and checked once they are all there, and attached. See docs/decisions/0012.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper

from incidents.encryption import CONTACT, EXPOSURE, IncidentCipher
from incidents.importing import copy_format
from incidents.importing.refusals import RejectMessages
from incidents.importing.row_preparation import FIRST, SECOND, Prepared
from incidents.importing.store import Store
from incidents.models import CONTACT_CLASSES, AffectedPerson, DataClass
from incidents.scope_versions import LOCK_SPACE

Reach = AffectedPerson.Reach
FETCH = 5_000
# 0 is the id of no incident.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(%s, 0)"
# One COPY for so many bytes.
_COPY_BYTES = 1 << 22

# Unlogged, not temporary: only so may PostgreSQL's parallel workers read them.
_TABLES = """
SET LOCAL work_mem = '64MB';
SET LOCAL maintenance_work_mem = '256MB';
SET LOCAL client_min_messages = warning;
SET LOCAL default_statistics_target = 20;
SET LOCAL client_connection_check_interval = '1s';
DROP TABLE IF EXISTS {people}, {exposures}, {second}, {mentions}, {rejects}, {changes},
    {contacts}, {again};
CREATE UNLOGGED TABLE {people} (
    line int NOT NULL, slot smallint NOT NULL, digest bigint NOT NULL, person uuid NOT NULL,
    relation smallint NOT NULL, language varchar(2) NOT NULL, email_reach smallint NOT NULL,
    phone_reach smallint NOT NULL, email_index uuid, phone_index uuid, contact bytea NOT NULL
);
CREATE TABLE {exposures} (LIKE incidents_exposure INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
CREATE UNLOGGED TABLE {second} (LIKE incidents_exposure);
CREATE UNLOGGED TABLE {mentions} (line int NOT NULL, person uuid NOT NULL);
CREATE UNLOGGED TABLE {rejects} (line int NOT NULL, reason text NOT NULL);
CREATE UNLOGGED TABLE {changes} (
    line int NOT NULL, person uuid NOT NULL, data_classes smallint[] NOT NULL, ciphertext bytea
);
CREATE UNLOGGED TABLE {contacts} (
    person uuid NOT NULL, contact bytea NOT NULL, email_reach smallint NOT NULL,
    phone_reach smallint NOT NULL, email_index uuid, phone_index uuid
);
CREATE UNLOGGED TABLE {again} (person uuid NOT NULL, is_same boolean NOT NULL);
"""
_DROP = """
DROP TABLE IF EXISTS {people}, {exposures}, {second}, {mentions}, {rejects}, {changes},
    {contacts}, {again}
"""
_TYPES = {
    "rejects": ["int4", "text"],
    "changes": ["int4", "uuid", "int2[]", "bytea"],
    "contacts": ["uuid", "bytea", "int2", "int2", "uuid", "uuid"],
}
_REJECT_UNKNOWN = """
INSERT INTO {rejects} SELECT line, %s FROM ({said}) s
WHERE NOT EXISTS (SELECT FROM incidents_affectedperson WHERE id = s.person)
"""
# Whom the rows of a file without contacts are about.
_SAID_WITHOUT_CONTACT = """
SELECT line, person_id AS person FROM {exposures} UNION ALL SELECT line, person FROM {mentions}
"""
_SAID_WITH_CONTACT = f"SELECT line, person FROM {{people}} WHERE slot = {FIRST}"  # noqa: S608
# Whoever is met a second time: in this file, or in the store. Rows of one person with one digest
# say the same contact, and need not be opened.
_MET_IN_FILE = """
INSERT INTO {again} SELECT person, min(digest) = max(digest) FROM {people}
WHERE slot = %s GROUP BY person HAVING count(*) > 1
"""
_MET_IN_STORE = """
INSERT INTO {again} SELECT DISTINCT person, false FROM {people}
WHERE slot = %s AND EXISTS (SELECT FROM incidents_affectedperson WHERE id = person)
"""
_MET_IN_BOTH = """
DELETE FROM {again} a USING {again} b WHERE a.person = b.person AND a.is_same AND NOT b.is_same
"""
_DROP_REPEATS = """
DELETE FROM {exposures} e USING (
    SELECT f.ctid AS place, row_number() OVER (
        PARTITION BY f.person_id, f.data_classes ORDER BY f.line
    ) AS nth
    FROM {exposures} f JOIN {again} a ON a.person = f.person_id
    WHERE a.is_same AND f.ciphertext IS NULL
) repeated
WHERE repeated.nth > 1 AND e.ctid = repeated.place
"""
_TO_OPEN = """
WITH differing AS (SELECT DISTINCT person FROM {again} WHERE NOT is_same)
SELECT s.line, s.person, s.contact, coalesce(e.data_classes, '{{}}'), e.ciphertext,
    s.email_reach, s.phone_reach, s.email_index, s.phone_index,
    p.contact, p.email_reach, p.phone_reach, p.email_index, p.phone_index
FROM differing a
JOIN {people} s ON s.person = a.person AND s.slot = %s
LEFT JOIN {exposures} e ON e.person_id = s.person AND e.line = s.line
LEFT JOIN incidents_affectedperson p ON p.id = s.person
ORDER BY s.person, s.line
"""
_CHANGE_EXPOSURES = """
UPDATE {exposures} e SET data_classes = c.data_classes, ciphertext = c.ciphertext
FROM {changes} c WHERE e.person_id = c.person AND e.line = c.line AND c.data_classes <> '{{}}'
"""
_DROP_EXPOSURES = """
DELETE FROM {exposures} e USING {changes} c
WHERE e.person_id = c.person AND e.line = c.line AND c.data_classes = '{{}}'
"""
_PEOPLE = """
SELECT DISTINCT ON (person) person AS id, relation, language, email_reach, phone_reach,
    email_index, phone_index, contact, {incident}::int AS incident_id
FROM {people}{not_stored} ORDER BY person, line
"""
_NOT_STORED = " s WHERE NOT EXISTS (SELECT FROM incidents_affectedperson WHERE id = s.person)"
_COMPLETE_CONTACTS = """
UPDATE {store} p SET contact = c.contact, email_reach = c.email_reach,
    phone_reach = c.phone_reach, email_index = c.email_index, phone_index = c.phone_index
FROM {contacts} c WHERE p.id = c.person
"""
_NEW_PEOPLE = """
SELECT count(DISTINCT person) FROM {people}
WHERE NOT EXISTS (SELECT FROM incidents_affectedperson WHERE id = person)
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

    def __init__(self, *, incident_id: int, cipher: IncidentCipher, identity: str) -> None:
        self._incident_id, self._cipher, self._identity = incident_id, cipher, identity
        self._store: Store | None = None
        self._names_id = DataClass.objects.get(slug=CONTACT_CLASSES["name"]).pk
        kinds = ("people", "exposures", "second", "mentions", "rejects", "changes", "contacts")
        self._names = {kind: f"import_{incident_id}_{kind}" for kind in (*kinds, "again")}
        self._waiting = {kind: bytearray() for kind in kinds[:5]}
        self._people_rows = self._exposure_rows = 0
        self._met = 0  # people who stand in the store already
        with connection.cursor() as cursor:
            cursor.execute(
                "SET CONSTRAINTS ALL IMMEDIATE"
            )  # nothing may be pending when tables change
            cursor.execute(_TABLES.format(**self._names))

    def add(self, prepared: Prepared) -> None:
        """Takes a block in."""
        self._people_rows += prepared.people_rows
        self._exposure_rows += prepared.exposure_rows
        for kind, rows in (
            ("people", prepared.people),
            ("exposures", prepared.exposures),
            ("second", prepared.second_exposures),
            ("mentions", prepared.mentions),
            ("rejects", prepared.rejects),
        ):
            self._waiting[kind] += rows
            if len(self._waiting[kind]) >= _COPY_BYTES:
                self._copy_waiting(kind)

    def settle(self, *, only_known: bool, has_contact: bool) -> None:
        """Decides what depends on other rows and on earlier files.

        From here to the commit, one import at a time: two that have read the people and then want
        to change their table would wait for each other.
        """
        self._run(_ONE_AT_A_TIME, [LOCK_SPACE])
        for kind in self._waiting:
            self._copy_waiting(kind)
        self._run("ANALYZE {people}, {exposures}, {second}, {mentions}")
        if only_known:
            said = _SAID_WITH_CONTACT if has_contact else _SAID_WITHOUT_CONTACT
            why = RejectMessages.UNKNOWN.stored(column=self._identity)
            self._run(_REJECT_UNKNOWN.replace("{said}", said), [why])
            self._drop_rejected()
        if self._people_rows:
            self._meet_again(FIRST, "exposures")
            self._drop_rejected()
            # After the conflicts: a rejected row must not speak for the other person it names.
            self._meet_again(SECOND, "second")
        self._run("INSERT INTO {exposures} SELECT * FROM {second}")

    def merge(self, *, file_id: int) -> tuple[int, int]:
        """Adds people and exposures to the store; returns how many of each. `finish` comes last."""
        self._store = store = Store(
            self._names["exposures"], rows=self._exposure_rows, file_id=file_id
        )
        store.index_exposures()
        people = self._merge_people(store) if self._people_rows else 0
        return people, store.add_exposures()

    def _merge_people(self, store: Store) -> int:
        not_stored = _NOT_STORED if self._met else ""
        query = self._sql(_PEOPLE, incident=str(self._incident_id), not_stored=not_stored)
        people = store.add_people(query, at_most=self._people_rows)
        self._run(_COMPLETE_CONTACTS, store=store.people)
        store.finish_people()
        return people

    def finish(self) -> None:
        """What others may have to wait for until the commit. The staging tables go, too, for a
        second import in the same transaction.
        """
        self._run(_DROP)
        if self._store:
            self._store.put_in_place()
        self._run("SET CONSTRAINTS ALL DEFERRED")

    def rejected(self) -> int:
        """Rows rejected, counted where they stand."""
        return self._value("SELECT count(*) FROM {rejects}")

    def expected(self) -> tuple[int, int]:
        """What `merge` would return."""
        return self._value(_NEW_PEOPLE), self._value("SELECT count(*) FROM {exposures}")

    def rejects(self) -> Iterator[tuple[int, str]]:
        """Lines and reasons in file order."""
        for fetched in self._stream("SELECT line, reason FROM {rejects} ORDER BY line"):
            yield from fetched

    def _drop_rejected(self) -> None:
        for kind in ("people", "exposures", "second"):
            self._run(f"DELETE FROM {{{kind}}} t USING {{rejects}} r WHERE t.line = r.line")  # noqa: S608

    def _meet_again(self, slot: int, exposures: str) -> None:
        """Compares each further row of a person with what is known; the first one wins.

        Only the sealed contacts can tell who differs in what, so those rows are opened: some
        microseconds each, nothing for whoever stands in one row of one file or says the same.
        """
        self._run(
            "TRUNCATE {again}, {changes}, {contacts}"
            if slot == FIRST
            else "TRUNCATE {again}, {changes}"
        )
        again = self._run(_MET_IN_FILE, [slot])
        met = self._run(_MET_IN_STORE, [slot])
        self._met += met
        if not again + met:
            return
        self._run("ANALYZE {again}")
        self._run(_MET_IN_BOTH)
        self._run(_DROP_REPEATS, exposures=exposures)
        meeting = _Meeting(self._cipher, self._identity, self._names_id)
        for fetched in self._stream(_TO_OPEN, [slot], exposures=exposures):
            for row in fetched:
                meeting.take(*row)
            self._flush(meeting)
        meeting.end_person()
        self._flush(meeting)
        self._run(_CHANGE_EXPOSURES, exposures=exposures)
        self._run(_DROP_EXPOSURES, exposures=exposures)

    def _flush(self, meeting: "_Meeting") -> None:
        self._copy_rows("rejects", meeting.rejects)
        self._copy_rows("changes", meeting.changes)
        self._copy_rows("contacts", meeting.contacts)
        for rows in (meeting.rejects, meeting.changes, meeting.contacts):
            rows.clear()

    # PostgreSQL

    def _sql(self, statement: str, **names: str) -> str:
        return statement.format(
            **self._names | {k: self._names.get(v, v) for k, v in names.items()}
        )

    def _copy_waiting(self, kind: str) -> None:
        rows = self._waiting[kind]
        if not rows:
            return
        statement = self._sql(f"COPY {{{kind}}} FROM STDIN (FORMAT BINARY)")
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(copy_format.SIGNATURE)
            copy.write(rows)
            copy.write(copy_format.END)
        rows.clear()

    def _copy_rows(self, kind: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if not rows:
            return
        statement = self._sql(f"COPY {{{kind}}} FROM STDIN (FORMAT BINARY)")
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.set_types(_TYPES[kind])
            for row in rows:
                copy.write_row(row)

    def _run(self, statement: str, parameters: Sequence[Any] | None = None, **names: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute(self._sql(statement, **names), parameters)
            return int(cursor.rowcount)

    def _value(self, statement: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute(self._sql(statement))
            row = cursor.fetchone()
            return int(row[0]) if row else 0

    def _stream(self, statement: str, parameters: Any = None, **names: str) -> Iterator[list[Any]]:
        """Fetched piece by piece, so that the connection is free for COPY in between."""
        cursor: CursorWrapper
        with connection.chunked_cursor() as cursor:
            cursor.execute(self._sql(statement, **names), parameters)
            while fetched := cursor.fetchmany(FETCH):
                yield fetched


class _Meeting:
    """Goes through rows ordered by person and line; collects what comes of them."""

    def __init__(self, cipher: IncidentCipher, identity: str, names_id: int) -> None:
        self._cipher, self._identity, self._names_id = cipher, identity, names_id
        self.rejects: list[tuple[int, str]] = []
        self.changes: list[tuple[int, UUID, list[int], bytes | None]] = []
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
        ciphertext: bytes | None,
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
            self.rejects.append((line, conflict.stored(column=self._identity)))
            return
        self._known = self._known.completed(said)
        self._compare_exposure(line, said, data_classes, ciphertext)

    def end_person(self) -> None:
        """Keeps what further rows added to the person's contact."""
        if self._person and self._known and self._known != self._stored:
            parts, *fields = self._known
            ciphertext = self._cipher.encrypt(parts, person=self._person, purpose=CONTACT)
            self.contacts.append((self._person, ciphertext, *fields))
        self._person = None

    def _begin_person(self, person: UUID, contact: bytes | None, *reaches: Any) -> None:
        self._person, self._seen = person, set()
        self._known = self._stored = self._open(person, contact, *reaches) if contact else None

    def _open(self, person: UUID, contact: bytes, *reaches: Any) -> _Contact:
        return _Contact(self._cipher.decrypt(contact, person=person, purpose=CONTACT), *reaches)

    def _compare_exposure(
        self, line: int, said: _Contact, data_classes: list[int], ciphertext: bytes | None
    ) -> None:
        """A name that differs is stored as a value; a row that only repeats adds nothing."""
        if self._person is None or self._known is None:
            return
        name = said.parts.get("n", "")
        if name != self._known.parts.get("n", name) and self._names_id in data_classes:
            values = self._opened_values(ciphertext) + [[self._names_id, name]]
            again = self._cipher.encrypt(values, person=self._person, purpose=EXPOSURE)
            self.changes.append((line, self._person, data_classes, again))
        elif ciphertext is None:
            if tuple(data_classes) in self._seen:
                self.changes.append((line, self._person, [], None))
            self._seen.add(tuple(data_classes))

    def _opened_values(self, ciphertext: bytes | None) -> list[list[Any]]:
        if ciphertext is None or self._person is None:
            return []
        values: list[list[Any]] = self._cipher.decrypt(
            ciphertext, person=self._person, purpose=EXPOSURE
        )
        return values


def _conflict(known: dict[str, str], said: dict[str, str]) -> RejectMessages | None:
    for part, conflict in (("e", RejectMessages.OTHER_EMAIL), ("p", RejectMessages.OTHER_PHONE)):
        if part in known and part in said and known[part] != said[part]:
            return conflict
    return None
