"""Bringing very many rows into the store's tables at the price of sorting them.

An index that is kept up row by row, at random places, is read and logged page by page; for a
nation's rows that takes hours. So for many rows the look-up indexes are made anew when the rows
are in, and the exposures of a large file become a partition. All of it in the import's
transaction: whoever looks meanwhile sees the store as it was, or waits for the last part.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection

# From so many rows on, a file's exposures become a partition of their own.
OWN_PARTITION_ROWS = 200_000
# From so many new people on, and from this share of those there are, their indexes are made anew.
REBUILD_ROWS, REBUILD_SHARE = 200_000, 0.1
PEOPLE, EXPOSURES = "incidents_affectedperson", "incidents_exposure"

# Each a statement that takes something away, and the one that brings it back.
_INDEXES = """
SELECT format('DROP INDEX %%I', c.relname), pg_get_indexdef(i.indexrelid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = %s::regclass
    AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
"""
_FOREIGN_KEYS = """
SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
    format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname,
        pg_get_constraintdef(oid))
FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f' AND conparentid = 0
"""
_ADDED_FOREIGN_KEYS = """
SELECT format('ALTER TABLE %%s ADD %%s', %s::text, pg_get_constraintdef(oid))
FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f' AND conparentid = 0
"""


class Store:
    """The way into the store for one import, whose exposures stand in a table of their own."""

    def __init__(self, staged_exposures: str, *, rows: int) -> None:
        """`rows` is about how many exposures there are."""
        self._exposures = staged_exposures
        self._is_partition = rows >= OWN_PARTITION_ROWS

    def index_exposures(self, file_id: int) -> None:
        """What can be done while nobody has to wait for it."""
        if not self._is_partition:
            return
        partition = f"{EXPOSURES}_{file_id}"
        self._run(f"DROP TABLE IF EXISTS {partition}")
        self._run(f"ALTER TABLE {self._exposures} RENAME TO {partition}")
        self._exposures = partition
        key = f"{partition}_pkey PRIMARY KEY (person_id, file_id, line)"
        self._run(f"ALTER TABLE {partition} ADD CONSTRAINT {key}")

    @contextmanager
    def made_ready_for(self, people: int) -> Iterator[None]:
        """Up to so many people are added in the block. May hold up readers of people from now on,
        to the end of the transaction.
        """
        if people < REBUILD_ROWS or people < self._people() * REBUILD_SHARE:
            yield
            return
        taken = self._rows(_INDEXES, [PEOPLE]) + self._rows(_FOREIGN_KEYS, [PEOPLE])
        for drop, _ in taken:
            self._run(drop)
        yield
        for _, make in taken:
            self._run(make)
        self._run(f"ANALYZE {PEOPLE}")

    def add_exposures(self, file_id: int) -> int:
        """Brings the file's exposures in; returns how many."""
        if not self._is_partition:
            return self._run(
                f"INSERT INTO {EXPOSURES} SELECT * FROM {self._exposures} "  # noqa: S608
                "ORDER BY person_id, line"
            )
        for (add,) in self._rows(_ADDED_FOREIGN_KEYS, [self._exposures, EXPOSURES]):
            self._run(add)
        attach = f"ATTACH PARTITION {self._exposures} FOR VALUES IN ({file_id})"
        self._run(f"ALTER TABLE {EXPOSURES} {attach}")
        self._run(f"ANALYZE {self._exposures}")
        return self._count(self._exposures)

    def _people(self) -> int:
        """About how many there are."""
        found = self._rows("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [PEOPLE])
        return int(found[0][0])

    def _count(self, table: str) -> int:
        return int(self._rows(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608

    def _rows(self, statement: str, parameters: Sequence[Any] | None = None) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

    def _run(self, statement: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return int(cursor.rowcount)
