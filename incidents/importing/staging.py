"""The staging tables of one import, and their merge into people and exposures in SQL.

The tables are created and dropped in the transaction of the import. Everything personal in them is
encrypted. The rows have their line numbers: everything that depends on other rows is decided here,
and the first row in file order always wins.

The exposures of a large file become a partition of their own. They are loaded into a plain table,
which is indexed and checked when it is complete, and then attached. See docs/decisions/0012.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper

from incidents.encryption import IncidentCipher
from incidents.importing import copy_format, staging_schema
from incidents.importing.person_rows import FIRST, SECOND
from incidents.importing.placeholders import MOST_ZEROS
from incidents.importing.repeats import RepeatMerger
from incidents.importing.row_messages import RejectMessages
from incidents.importing.row_preparation import Prepared
from incidents.importing.store import Store
from incidents.models import CONTACT_CLASSES, DataClass
from incidents.scope_versions import LOCK_SPACE

FETCH = 5_000
# No incident has the id 0.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(%s, 0)"
# Rows are collected up to this many bytes for one COPY.
_COPY_BYTES = 1 << 22

# References are compared with other spellings in the first blocks only.
_MOST_SPELLINGS = 10_000

# `changes` and `contacts` hold what replaces exposures and contacts after the comparison of rows;
# `given` holds the contacts that this file gives of stored people; `again` holds the people who
# occur a second time, in this file or in the store. The tables are unlogged and not temporary,
# because PostgreSQL's parallel workers cannot read temporary tables.
_TABLES = """
SET LOCAL work_mem = '64MB';
SET LOCAL maintenance_work_mem = '256MB';
SET LOCAL client_min_messages = warning;
SET LOCAL default_statistics_target = 20;
SET LOCAL client_connection_check_interval = '1s';
DROP TABLE IF EXISTS {people}, {exposures}, {second}, {mentions}, {further}, {rejects},
    {unread}, {changes}, {contacts}, {given}, {again};
CREATE UNLOGGED TABLE {people} (
    line int NOT NULL, slot smallint NOT NULL, digest bigint NOT NULL, person uuid NOT NULL,
    relation smallint NOT NULL, language varchar(12) NOT NULL, email_reach smallint NOT NULL,
    phone_reach smallint NOT NULL, email_index uuid, phone_index uuid, contact bytea NOT NULL
);
CREATE TABLE {exposures} (LIKE incidents_exposure INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
CREATE UNLOGGED TABLE {second} (LIKE incidents_exposure);
CREATE UNLOGGED TABLE {mentions} (line int NOT NULL, person uuid NOT NULL);
CREATE UNLOGGED TABLE {further} (
    line int NOT NULL, person uuid NOT NULL, kind smallint NOT NULL, contact_index uuid NOT NULL
);
CREATE UNLOGGED TABLE {rejects} (line int NOT NULL, reason text NOT NULL);
CREATE UNLOGGED TABLE {unread} (
    line int NOT NULL, person uuid, email_index uuid, phone_index uuid, name_index uuid
);
CREATE UNLOGGED TABLE {changes} (
    line int NOT NULL, person uuid NOT NULL, data_classes smallint[] NOT NULL, ciphertext bytea
);
CREATE UNLOGGED TABLE {contacts} (
    person uuid NOT NULL, contact bytea NOT NULL, email_reach smallint NOT NULL,
    phone_reach smallint NOT NULL, email_index uuid, phone_index uuid
);
CREATE UNLOGGED TABLE {given} (LIKE {contacts});
ALTER TABLE {given} ALTER contact DROP NOT NULL;
CREATE UNLOGGED TABLE {again} (person uuid NOT NULL, is_same boolean NOT NULL);
"""
_DROP = """
DROP TABLE IF EXISTS {people}, {exposures}, {second}, {mentions}, {further}, {rejects},
    {unread}, {changes}, {contacts}, {given}, {again}
"""
_TYPES = {
    "rejects": ["int4", "text"],
    "changes": ["int4", "uuid", "int2[]", "bytea"],
    "contacts": ["uuid", "bytea", "int2", "int2", "uuid", "uuid"],
    "further": ["int4", "uuid", "int2", "uuid"],
    "given": ["uuid", "bytea", "int2", "int2", "uuid", "uuid"],
}
_RECORD_REJECTS = """
INSERT INTO incidents_rejectedrow (file_id, line, reason)
SELECT %s, line, reason FROM {rejects} ORDER BY line
"""
# Rows that other rows reject are staged, so their contacts are taken from there. A reference in
# conflict, or a placeholder, names no person; a recipient is known by the number itself.
_DROP_REJECTED_PEOPLE = """
WITH dropped AS (
    DELETE FROM {people} t USING {rejects} r WHERE t.line = r.line
    RETURNING t.line, t.person, t.relation, t.email_index, t.phone_index
)
INSERT INTO {unread}
SELECT line, CASE WHEN {is_known} OR relation = 3 THEN person END, email_index, phone_index, NULL
FROM dropped WHERE email_index IS NOT NULL OR phone_index IS NOT NULL
"""
_DROP_REJECTED_FURTHER = """
WITH dropped AS (
    DELETE FROM {further} t USING {rejects} r WHERE t.line = r.line
    RETURNING t.line, t.kind, t.contact_index
)
INSERT INTO {unread}
SELECT line, NULL, CASE kind WHEN 1 THEN contact_index END,
    CASE kind WHEN 2 THEN contact_index END, NULL
FROM dropped
"""
_RECORD_UNREAD = """
INSERT INTO incidents_unreadcontact (
    file_id, line, person_key, email_index, phone_index, name_index
)
SELECT DISTINCT %s, line, person, email_index, phone_index, name_index FROM {unread}
"""
_RECORD_UNCERTAIN = _RECORD_UNREAD + "WHERE line NOT IN (SELECT line FROM {rejects})"  # noqa: S608
_REJECT_UNKNOWN = """
INSERT INTO {rejects} SELECT line, %s FROM ({rows}) s
WHERE NOT EXISTS (
    SELECT FROM incidents_affectedperson WHERE id = s.person AND contact <> ''
)
"""
# A reference 0 may be the first of a series. If its rows differ, it stands for "no reference".
_REJECT_ZEROS = f"""
WITH zero AS MATERIALIZED (
    SELECT line, person, digest FROM {{people}} WHERE slot = {FIRST} AND person = ANY(%s)
), shared AS (
    SELECT person FROM zero GROUP BY person HAVING min(digest) <> max(digest)
    UNION SELECT id FROM incidents_affectedperson WHERE id = ANY(%s) AND contact <> ''
)
INSERT INTO {{rejects}} SELECT line, %s FROM zero JOIN shared USING (person)
"""  # noqa: S608
# The people of the rows in a file without contacts.
_ROWS_WITHOUT_CONTACT = """
SELECT line, person_id AS person FROM {exposures} UNION ALL SELECT line, person FROM {mentions}
"""
_ROWS_WITH_CONTACT = f"SELECT line, person FROM {{people}} WHERE slot = {FIRST}"  # noqa: S608
# Those of whom the file gives values and no contact, and those whose contact a withdrawal emptied,
# but of whom another file holds data.
_COUNT_JOINED = """
SELECT count(*) FROM (
    SELECT person_id AS person FROM {exposures} s
    WHERE NOT EXISTS (SELECT FROM {people} p WHERE p.person = s.person_id)
    UNION
    SELECT s.person FROM {people} s
    JOIN incidents_affectedperson p ON p.id = s.person AND p.contact = ''
    WHERE EXISTS (
        SELECT FROM incidents_exposure e
        JOIN incidents_exposurefile f ON f.id = e.file_id AND f.state <> 'withdrawn'
        WHERE e.person_id = s.person
    )
) joined
"""
# People who occur a second time, in this file or in the store. Rows of one person with the same
# digest have the same contact and need not be decrypted (`is_same`).
_REPEATED_IN_FILE = """
INSERT INTO {again} SELECT person, min(digest) = max(digest) FROM {people}
WHERE slot = %s GROUP BY person HAVING count(*) > 1
"""
_ALREADY_STORED = """
INSERT INTO {again} SELECT DISTINCT person, false FROM {people}
WHERE slot = %s AND EXISTS (SELECT FROM incidents_affectedperson WHERE id = person)
"""
# Rows of people who are in the store must be decrypted, so their `is_same` entries are removed.
_DROP_SAME_OF_STORED = """
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
_TO_DECRYPT = """
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
    email_index, phone_index, contact, {incident}::int AS incident_id, {file}::int AS file_id
FROM {people}{not_stored} ORDER BY person, line
"""
_NOT_STORED = " s WHERE NOT EXISTS (SELECT FROM incidents_affectedperson WHERE id = s.person)"
_COMPLETE_CONTACTS = """
UPDATE {store} p SET contact = c.contact, email_reach = c.email_reach,
    phone_reach = c.phone_reach, email_index = c.email_index, phone_index = c.phone_index
FROM {contacts} c WHERE p.id = c.person
"""
_ADD_FURTHER = """
INSERT INTO incidents_furthercontact (person_id, kind, contact_index)
SELECT DISTINCT f.person, f.kind, f.contact_index FROM {further} f
JOIN {store} p ON p.id = f.person
WHERE f.contact_index IS DISTINCT FROM p.email_index
    AND f.contact_index IS DISTINCT FROM p.phone_index
ORDER BY f.contact_index ON CONFLICT DO NOTHING
"""
# How many of the unknown people are in the store under another spelling of their reference.
_SPELLED_OTHERWISE = """
SELECT count(DISTINCT person) FILTER (WHERE found) * 2 > count(DISTINCT person) FROM (
    SELECT person, EXISTS (
        SELECT FROM incidents_affectedperson WHERE id = other AND contact <> ''
    ) AS found
    FROM unnest(%s::uuid[], %s::uuid[]) AS spelling (person, other)
    WHERE NOT EXISTS (
        SELECT FROM incidents_affectedperson WHERE id = person AND contact <> ''
    )
) compared
"""
# A person of whom every earlier file is withdrawn is as good as new: the contact is empty.
_RESTORE_PEOPLE = """
UPDATE {store} p SET relation = s.relation, language = s.language, contact = s.contact,
    email_reach = s.email_reach, phone_reach = s.phone_reach,
    email_index = s.email_index, phone_index = s.phone_index, file_id = {file}
FROM (SELECT DISTINCT ON (person) * FROM {people} ORDER BY person, line) s
WHERE p.id = s.person AND p.contact = ''
"""
# What each file says is kept where a person is in several files, see FileContact. If this file
# completes a contact, the earlier files get rows with the contact as it was.
_KEEP_FIRST_CONTACTS = """
INSERT INTO incidents_filecontact AS f (
    person_id, file_id, contact, email_reach, phone_reach, email_index, phone_index
)
SELECT p.id, p.file_id, p.contact, p.email_reach, p.phone_reach, p.email_index, p.phone_index
FROM {given} g JOIN {contacts} c ON c.person = g.person JOIN {store} p ON p.id = g.person
WHERE p.file_id IS NOT NULL
ON CONFLICT (person_id, file_id) DO UPDATE SET contact = excluded.contact WHERE f.contact IS NULL
"""
_KEEP_EARLIER_CONTACTS = """
UPDATE incidents_filecontact f SET contact = p.contact, email_reach = p.email_reach,
    phone_reach = p.phone_reach, email_index = p.email_index, phone_index = p.phone_index
FROM {given} g JOIN {contacts} c ON c.person = g.person JOIN {store} p ON p.id = g.person
WHERE f.person_id = g.person AND f.contact IS NULL
"""
_KEEP_GIVEN_CONTACTS = """
INSERT INTO incidents_filecontact (
    person_id, file_id, contact, email_reach, phone_reach, email_index, phone_index
)
SELECT person, {file}, contact, email_reach, phone_reach, email_index, phone_index
FROM {given} ORDER BY person
"""
_NEW_PEOPLE = """
SELECT count(DISTINCT person) FROM {people} WHERE NOT EXISTS (
    SELECT FROM incidents_affectedperson WHERE id = person AND contact <> ''
)
"""


class Staging:
    """The staging tables of one import. The caller is in a transaction."""

    def __init__(self, *, incident_id: int, cipher: IncidentCipher, identity: str) -> None:
        self._incident_id, self._cipher, self._identity = incident_id, cipher, identity
        self._store: Store | None = None
        self._names_id = DataClass.objects.get(slug=CONTACT_CLASSES["name"]).pk
        kinds = ("people", "exposures", "second", "mentions", "further", "rejects", "unread")
        others = ("changes", "contacts", "given", "again")
        start = f"{staging_schema.name()}.import_{incident_id}"
        self._names = {kind: f"{start}_{kind}" for kind in kinds + others}
        self._waiting = {kind: bytearray() for kind in kinds}
        self._spellings: list[tuple[UUID, UUID]] = []
        self._zeros = 0
        self._people_rows = self._exposure_rows = 0
        self._already_stored = 0  # how many people of the file the store has already
        self._joined = 0
        with connection.cursor() as cursor:
            # No deferred check may be pending when tables are altered.
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(_TABLES.format(**self._names))

    def add(self, prepared: Prepared) -> None:
        """Adds the rows of a prepared block."""
        self._people_rows += prepared.people_rows
        self._exposure_rows += prepared.exposure_rows
        self._zeros += prepared.zeros
        if len(self._spellings) < _MOST_SPELLINGS:
            pairs = ((UUID(bytes=one), UUID(bytes=other)) for one, other in prepared.spellings)
            self._spellings += pairs
        for kind, rows in (
            ("people", prepared.people),
            ("exposures", prepared.exposures),
            ("second", prepared.second_exposures),
            ("mentions", prepared.mentions),
            ("further", prepared.further),
            ("rejects", prepared.rejects),
            ("unread", prepared.unread),
        ):
            self._waiting[kind] += rows
            if len(self._waiting[kind]) >= _COPY_BYTES:
                self._copy_waiting(kind)

    def resolve(self, *, only_known: bool, has_contact: bool, has_second: bool) -> None:
        """Decides what depends on other rows and on earlier files: rejects, repeats, additions.

        `only_known` rejects rows of people who are not in the store. `has_second` tells whether
        rows name another person, too. Holds a lock from here to the
        commit, so that imports of all incidents run one at a time: two imports that have read the
        people and then change their table would wait for each other.
        """
        self._run(_ONE_AT_A_TIME, [LOCK_SPACE])
        for kind in self._waiting:
            self._copy_waiting(kind)
        self._run("ANALYZE {people}, {exposures}, {second}, {mentions}")
        if self._zeros:
            self._reject_zeros()
        if only_known:
            rows = _ROWS_WITH_CONTACT if has_contact else _ROWS_WITHOUT_CONTACT
            why = RejectMessages.UNKNOWN.stored(column=self._identity)
            self._run(_REJECT_UNKNOWN.replace("{rows}", rows), [why])
            self._drop_rejected(is_known="true")
        if self._people_rows:
            self._merge_repeats(FIRST, "exposures")
            self._drop_rejected()
            # After the conflicts, because the second person of a rejected row must not count.
            if has_second:
                self._merge_repeats(SECOND, "second")
        if has_second:
            self._run("INSERT INTO {exposures} SELECT * FROM {second}")

    def merge(self, *, file_id: int) -> tuple[int, int]:
        """Adds people and exposures to the store; returns how many of each.

        The caller calls `finish` afterwards, as the last step of the transaction.
        """
        self._store = store = Store(
            self._names["exposures"], rows=self._exposure_rows, file_id=file_id
        )
        store.index_exposures()
        people = self._merge_people(store, file_id) if self._people_rows else 0
        return people, store.add_exposures()

    def _merge_people(self, store: Store, file_id: int) -> int:
        not_stored, file = (_NOT_STORED if self._already_stored else ""), str(file_id)
        query = self._sql(
            _PEOPLE, incident=str(self._incident_id), not_stored=not_stored, file=file
        )
        people = store.add_people(query, at_most=self._people_rows)
        if self._already_stored:
            people += self._run(_RESTORE_PEOPLE, store=store.people, file=file)
            self._run(_KEEP_FIRST_CONTACTS, store=store.people)
            self._run(_KEEP_EARLIER_CONTACTS, store=store.people)
            self._run(_KEEP_GIVEN_CONTACTS, file=file)
        self._run(_COMPLETE_CONTACTS, store=store.people)
        self._run(_ADD_FURTHER, store=store.people)
        store.finish_people()
        return people

    def finish(self) -> None:
        """Drops the staging tables and takes the steps that lock readers out until the commit.

        The tables are dropped here so that a second import in the same transaction can create them.
        """
        self._run(_DROP)
        if self._store:
            self._store.put_in_place()
        self._run("SET CONSTRAINTS ALL DEFERRED")

    def record_rejects(self, file_id: int) -> None:
        """Records each rejected row, its contacts and those of cells that are not certain.

        See RejectedRow and UnreadContact.
        """
        self._run(_RECORD_REJECTS, [file_id])
        self._run(_RECORD_UNREAD, [file_id])

    def record_uncertain(self, file_id: int) -> None:
        """Records the contacts of cells that are not certain, of the rows that are taken."""
        self._run(_RECORD_UNCERTAIN, [file_id])

    def rejected(self) -> int:
        """Returns the number of rejected rows."""
        return self._value("SELECT count(*) FROM {rejects}")

    def are_spelled_otherwise(self) -> bool:
        """Returns whether most of the unknown people are known by another spelling of their id."""
        people, others = [list(ids) for ids in zip(*self._spellings, strict=True)] or ([], [])
        return bool(self._value(_SPELLED_OTHERWISE, [people, others]))

    def expected(self) -> tuple[int, int]:
        """Returns what `merge` would return: new people and exposures."""
        return self._value(_NEW_PEOPLE), self._value("SELECT count(*) FROM {exposures}")

    def people_joined(self) -> int:
        """Returns how many people of other files this one gives a further contact of, or none.

        Who has the contact reads what all files hold of the person.
        """
        return self._joined + int(self._value(_COUNT_JOINED))

    def rejects(self) -> Iterator[tuple[int, str]]:
        """Yields the line and the reason of each reject, in file order."""
        for fetched in self._stream("SELECT line, reason FROM {rejects} ORDER BY line"):
            yield from fetched

    def _reject_zeros(self) -> None:
        people = [
            self._cipher.person_id(relation, "0" * digits)
            for relation in ("member", "former_member")
            for digits in range(1, MOST_ZEROS + 1)
        ]
        why = RejectMessages.PLACEHOLDER.stored(column=self._identity)
        self._run(_REJECT_ZEROS, [people, people, why])
        self._drop_rejected()

    def _drop_rejected(self, *, is_known: str = "false") -> None:
        # Otherwise PostgreSQL makes a hash table of all rows, and not of the few rejected ones.
        self._run("ANALYZE {rejects}")
        self._run(_DROP_REJECTED_PEOPLE, is_known=is_known)
        self._run(_DROP_REJECTED_FURTHER)
        for kind in ("exposures", "second"):
            self._run(f"DELETE FROM {{{kind}}} t USING {{rejects}} r WHERE t.line = r.line")  # noqa: S608

    def _merge_repeats(self, slot: int, exposures: str) -> None:
        """Compares each further row of a person with the earlier ones; the first row wins.

        `exposures` is the table with the exposures of the people in this slot. Differences are only
        visible in the decrypted contacts, so these rows are decrypted, which takes some
        microseconds each. People who have one row in one file only, or the same contact in all
        rows, need no decryption.
        """
        self._run(
            "TRUNCATE {again}, {changes}, {contacts}, {given}"
            if slot == FIRST
            else "TRUNCATE {again}, {changes}"
        )
        repeated = self._run(_REPEATED_IN_FILE, [slot])
        stored = self._run(_ALREADY_STORED, [slot])
        self._already_stored += stored
        if not repeated + stored:
            return
        self._run("ANALYZE {again}")
        self._run(_DROP_SAME_OF_STORED)
        self._run(_DROP_REPEATS, exposures=exposures)
        merger = RepeatMerger(self._cipher, self._identity, self._names_id)
        for fetched in self._stream(_TO_DECRYPT, [slot], exposures=exposures):
            for row in fetched:
                merger.take(*row)
            self._flush(merger)
        merger.end_person()
        self._flush(merger)
        self._joined += merger.joined
        self._run(_CHANGE_EXPOSURES, exposures=exposures)
        self._run(_DROP_EXPOSURES, exposures=exposures)

    def _flush(self, merger: RepeatMerger) -> None:
        self._copy_rows("rejects", merger.rejects)
        self._copy_rows("changes", merger.changes)
        self._copy_rows("contacts", merger.contacts)
        self._copy_rows("further", merger.further)
        self._copy_rows("given", merger.given)
        merger.clear()

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

    def _value(self, statement: str, parameters: Sequence[Any] | None = None) -> int:
        with connection.cursor() as cursor:
            cursor.execute(self._sql(statement), parameters)
            row = cursor.fetchone()
            return int(row[0]) if row else 0

    def _stream(self, statement: str, parameters: Any = None, **names: str) -> Iterator[list[Any]]:
        """Yields lists of up to FETCH rows. In between, the connection is free for COPY."""
        cursor: CursorWrapper
        with connection.chunked_cursor() as cursor:
            cursor.execute(self._sql(statement, **names), parameters)
            while fetched := cursor.fetchmany(FETCH):
                yield fetched
