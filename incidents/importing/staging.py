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
from incidents.importing import staging_sql as sql
from incidents.importing.person_rows import FIRST, SECOND
from incidents.importing.placeholders import MOST_ZEROS
from incidents.importing.repeats import RepeatMerger
from incidents.importing.row_messages import RejectMessages
from incidents.importing.row_preparation import Prepared
from incidents.importing.store import Store
from incidents.kinds import CONTACT_CLASSES
from incidents.models import DataClass
from incidents.scope_versions import LOCK_SPACE

FETCH = 5_000
# Rows are collected up to this many bytes for one COPY.
_COPY_BYTES = 1 << 22

# References are compared with other spellings in the first blocks only.
_MOST_SPELLINGS = 10_000

_TYPES = {
    "rejects": ["int4", "text"],
    "changes": ["int4", "uuid", "int2[]", "bytea"],
    "contacts": ["uuid", "bytea", "int2", "int2", "uuid", "uuid"],
    "further": ["int4", "uuid", "int2", "uuid"],
    "given": ["uuid", "bytea", "int2", "int2", "uuid", "uuid"],
}


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
            cursor.execute(sql.TABLES.format(**self._names))

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
        self._run(sql.ONE_AT_A_TIME, [LOCK_SPACE])
        for kind in self._waiting:
            self._copy_waiting(kind)
        self._run("ANALYZE {people}, {exposures}, {second}, {mentions}")
        if self._zeros:
            self._reject_zeros()
        if only_known:
            rows = sql.ROWS_WITH_CONTACT if has_contact else sql.ROWS_WITHOUT_CONTACT
            why = RejectMessages.UNKNOWN.stored(column=self._identity)
            self._run(sql.REJECT_UNKNOWN.replace("{rows}", rows), [why])
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
        not_stored, file = (sql.NOT_STORED if self._already_stored else ""), str(file_id)
        query = self._sql(
            sql.PEOPLE, incident=str(self._incident_id), not_stored=not_stored, file=file
        )
        people = store.add_people(query, at_most=self._people_rows)
        if self._already_stored:
            people += self._run(sql.RESTORE_PEOPLE, store=store.people, file=file)
            self._run(sql.KEEP_FIRST_CONTACTS, store=store.people)
            self._run(sql.KEEP_EARLIER_CONTACTS, store=store.people)
            self._run(sql.KEEP_GIVEN_CONTACTS, file=file)
        self._run(sql.COMPLETE_CONTACTS, store=store.people)
        self._run(sql.ADD_FURTHER, store=store.people)
        store.finish_people()
        return people

    def finish(self) -> None:
        """Drops the staging tables and takes the steps that lock readers out until the commit.

        The tables are dropped here so that a second import in the same transaction can create them.
        """
        self._run(sql.DROP)
        if self._store:
            self._store.put_in_place()
        self._run("SET CONSTRAINTS ALL DEFERRED")

    def record_rejects(self, file_id: int) -> None:
        """Records each rejected row, its contacts and those of cells that are not certain.

        See RejectedRow and UnreadContact.
        """
        self._run(sql.RECORD_REJECTS, [file_id])
        self._run(sql.RECORD_UNREAD, [file_id])

    def record_uncertain(self, file_id: int) -> None:
        """Records the contacts of cells that are not certain, of the rows that are taken."""
        self._run(sql.RECORD_UNCERTAIN, [file_id])

    def rejected(self) -> int:
        """Returns the number of rejected rows."""
        return self._value("SELECT count(*) FROM {rejects}")

    def are_spelled_otherwise(self) -> bool:
        """Returns whether most of the unknown people are known by another spelling of their id."""
        people, others = [list(ids) for ids in zip(*self._spellings, strict=True)] or ([], [])
        return bool(self._value(sql.SPELLED_OTHERWISE, [people, others]))

    def expected(self) -> tuple[int, int]:
        """Returns what `merge` would return: new people and exposures."""
        return self._value(sql.NEW_PEOPLE), self._value("SELECT count(*) FROM {exposures}")

    def people_joined(self) -> int:
        """Returns how many people of other files this one gives a further contact of, or none.

        Who has the contact reads what all files hold of the person.
        """
        return self._joined + int(self._value(sql.COUNT_JOINED))

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
        self._run(sql.REJECT_ZEROS, [people, people, why])
        self._drop_rejected()

    def _drop_rejected(self, *, is_known: str = "false") -> None:
        # Otherwise PostgreSQL makes a hash table of all rows, and not of the few rejected ones.
        self._run("ANALYZE {rejects}")
        self._run(sql.DROP_REJECTED_PEOPLE, is_known=is_known)
        self._run(sql.DROP_REJECTED_FURTHER)
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
        repeated = self._run(sql.REPEATED_IN_FILE, [slot])
        stored = self._run(sql.ALREADY_STORED, [slot])
        self._already_stored += stored
        if not repeated + stored:
            return
        self._run("ANALYZE {again}")
        self._run(sql.DROP_SAME_OF_STORED)
        self._run(sql.DROP_REPEATS, exposures=exposures)
        merger = RepeatMerger(self._cipher, self._identity, self._names_id)
        for fetched in self._stream(sql.TO_DECRYPT, [slot], exposures=exposures):
            for row in fetched:
                merger.take(*row)
            self._flush(merger)
        merger.end_person()
        self._flush(merger)
        self._joined += merger.joined
        self._run(sql.CHANGE_EXPOSURES, exposures=exposures)
        self._run(sql.DROP_EXPOSURES, exposures=exposures)

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
