"""Bringing very many rows into the store's tables at the price of sorting them.

An index that is kept up row by row, at random places, is read and logged page by page; for a
nation's rows that takes long. So for many rows the look-up indexes are made anew when the rows
are in, where nobody looks for themselves yet, and the exposures of a large file become a partition.
All of it in the import's transaction: whoever looks meanwhile sees the store as it was. What shuts
readers out is in docs/decisions/0012.
"""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

# From so many rows on, a file's exposures become a partition of their own.
OWN_PARTITION_ROWS = 200_000
# From so many new people on, the look-up indexes are made anew where the store is nearly empty.
REBUILD_ROWS, NEARLY_EMPTY_PEOPLE = 200_000, 1_000
# Every reader waits behind the wish to shut readers out, so it is given up soon.
LOCK_TIMEOUT, LOCK_RETRY_SECONDS = "200ms", 2.0
PEOPLE, EXPOSURES = "incidents_affectedperson", "incidents_exposure"
_PROOF = "import_is_of_one_file"

log = logging.getLogger(__name__)

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

    def __init__(
        self, staged_exposures: str, *, rows: int, file_id: int, is_portal_closed: bool
    ) -> None:
        """`rows` is about how many exposures there are."""
        self._exposures, self._file_id = staged_exposures, file_id
        self._is_partition = rows >= OWN_PARTITION_ROWS
        self._is_portal_closed = is_portal_closed

    def index_exposures(self) -> None:
        """Makes a partition-to-be of a large file's exposures."""
        if not self._is_partition:
            return
        partition = f"{EXPOSURES}_{self._file_id}"
        self._run(f"DROP TABLE IF EXISTS {partition}")
        self._run(f"ALTER TABLE {self._exposures} RENAME TO {partition}")
        self._exposures = partition
        key = f"{partition}_pkey PRIMARY KEY (person_id, file_id, line)"
        # What attaching would else read every row for, with everybody shut out.
        proof = f"{_PROOF} CHECK (file_id = {self._file_id})"
        self._run(f"ALTER TABLE {partition} ADD CONSTRAINT {key}, ADD CONSTRAINT {proof}")

    @contextmanager
    def made_ready_for(self, people: int) -> Iterator[None]:
        """Up to so many people are added in the block. Shuts readers of people out, from now on to
        the end of the transaction, where there are none to speak of or the portal is closed.
        """
        if people < REBUILD_ROWS:
            yield
            return
        taken = self._to_be_made_anew()
        _patiently(partial(self._run_all, [drop for drop, _ in taken]))
        yield
        self._run_all([make for _, make in taken])
        self._run(f"ANALYZE {PEOPLE}")

    def _to_be_made_anew(self) -> list[Any]:
        """What costs more to keep up than to make, as far as readers can do without."""
        taken = []
        if self._is_portal_closed or self._is_nearly_empty():
            taken += self._rows(_INDEXES, [PEOPLE])
        if self._is_portal_closed:  # this shuts out whoever reads the incident: every page
            taken += self._rows(_FOREIGN_KEYS, [PEOPLE])
        return taken

    def add_exposures(self) -> int:
        """Brings the file's exposures in, or all but in; returns how many."""
        if not self._is_partition:
            return self._run(
                f"INSERT INTO {EXPOSURES} SELECT * FROM {self._exposures} "  # noqa: S608
                "ORDER BY person_id, line"
            )
        for (add,) in self._rows(_ADDED_FOREIGN_KEYS, [self._exposures, EXPOSURES]):
            self._run(add)
        self._run(f"ANALYZE {self._exposures}")
        return self._count(self._exposures)

    def attach(self) -> None:
        """The last of all: shuts out whoever reads exposures, people or files, to the commit.

        A table that brings its foreign keys along, and a check of its file, is attached without
        a look at its rows; what is read is the partition of the small files.
        """
        if self._is_partition:
            attach = f"ATTACH PARTITION {self._exposures} FOR VALUES IN ({self._file_id})"
            forget = f"ALTER TABLE {self._exposures} DROP CONSTRAINT {_PROOF}"
            _patiently(partial(self._run_all, [f"ALTER TABLE {EXPOSURES} {attach}", forget]))

    def _is_nearly_empty(self) -> bool:
        """Counted, not estimated: PostgreSQL may not have looked at the table yet."""
        first = f"(SELECT FROM {PEOPLE} LIMIT {NEARLY_EMPTY_PEOPLE}) AS first"
        return self._count(first) < NEARLY_EMPTY_PEOPLE

    def _count(self, table: str) -> int:
        return int(self._rows(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608

    def _rows(self, statement: str, parameters: Sequence[Any] | None = None) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

    def _run_all(self, statements: Sequence[str]) -> None:
        for statement in statements:
            self._run(statement)

    def _run(self, statement: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return int(cursor.rowcount)


def _patiently(work: Callable[[], Any]) -> None:
    """Does what shuts readers out, again and again while one of them is long at it."""
    waited_since = time.monotonic()
    while True:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
                work()
                cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
                return
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
        log.info("waiting for readers, for %.0f s now", time.monotonic() - waited_since)
        time.sleep(LOCK_RETRY_SECONDS)
