"""Adds very many rows to the tables of people and exposures, for little more than a sort of them.

An index that is updated row by row, at random places, is read and logged page by page, which takes
long for a nation's rows. For many rows, a new table of people is therefore built beside the one in
use (`people_rebuild`), and the exposures of a large file become a partition. This happens in the
transaction of the import, so other processes see the old state until the commit. See
docs/decisions/0012.
"""

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import connection

from incidents.importing.people_rebuild import COLUMNS, PEOPLE, RebuiltPeople, to_new
from incidents.table_locks import retry_lock

# A file with this many rows or more gets a partition of its own for its exposures.
OWN_PARTITION_ROWS = 200_000
# The table of people is rebuilt for REBUILD_PEOPLE new people or more, if it holds at most
# STORED_FOR_EACH stored people for each new one.
REBUILD_PEOPLE, STORED_FOR_EACH = 200_000, 4
EXPOSURES = "incidents_exposure"
_PROOF = "import_is_of_one_file"

log = logging.getLogger(__name__)

_IS_OWNER = "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = %s::regclass"
_FOREIGN_KEYS = """
SELECT format('ALTER TABLE %%s ADD %%s', %s::text, pg_get_constraintdef(oid))
FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f' AND conparentid = 0
"""


class Store:
    """The merge of one import into the store. Its exposures are in a staging table of their own."""

    def __init__(self, staged_exposures: str, *, rows: int, file_id: int) -> None:
        """Takes the name of the staging table, and the approximate number of its rows."""
        self._exposures, self._file_id = staged_exposures, file_id
        self._is_partition = rows >= OWN_PARTITION_ROWS and self._is_owner()
        self._rebuilt: RebuiltPeople | None = None

    @property
    def people(self) -> str:
        """The name of the table that people are added to."""
        return self._rebuilt.table if self._rebuilt else PEOPLE

    def index_exposures(self) -> None:
        """Gives the exposures of a large file the keys and checks of a partition.

        Does nothing if the file gets no partition.
        """
        if not self._is_partition:
            return
        partition = f"{EXPOSURES}_{self._file_id}"
        self._run(f"DROP TABLE IF EXISTS {partition}")
        self._run(f"ALTER TABLE {self._exposures} RENAME TO {partition}")
        self._exposures = partition
        key = f"{partition}_pkey PRIMARY KEY (person_id, file_id, line)"
        # Without this check, attaching would read every row while all other processes are locked
        # out.
        proof = f"{_PROOF} CHECK (file_id = {self._file_id})"
        self._run(f"ALTER TABLE {partition} ADD CONSTRAINT {key}, ADD CONSTRAINT {proof}")

    def add_people(self, query: str, *, at_most: int) -> int:
        """Adds the people of an SQL query with the columns in COLUMNS; returns how many.

        `at_most` is an upper limit of their number.
        """
        if self._is_worth_rebuilding(at_most):
            self._rebuilt = RebuiltPeople()
            return self._rebuilt.fill(query)
        add = f"INSERT INTO {PEOPLE} ({COLUMNS}) SELECT {COLUMNS} FROM ({query}) AS p"  # noqa: S608
        return self._run(add)

    def finish_people(self) -> None:
        """Completes the new table, if there is one. No person may be changed after this call."""
        if self._rebuilt:
            self._rebuilt.complete()

    def add_exposures(self) -> int:
        """Adds the exposures of the file; returns how many.

        A partition is only prepared here; `put_in_place` attaches it.
        """
        if not self._is_partition:
            return self._run(
                f"INSERT INTO {EXPOSURES} SELECT * FROM {self._exposures} "  # noqa: S608
                "ORDER BY person_id, line"
            )
        for (add,) in self._rows(_FOREIGN_KEYS, [self._exposures, EXPOSURES]):
            self._run(to_new(add) if self._rebuilt else add)
        self._run(f"ANALYZE {self._exposures}")
        return self._count(self._exposures)

    def put_in_place(self) -> None:
        """Replaces the table of people and attaches the partition, if there are any.

        This is the last step: from here to the commit, readers of exposures, people and files are
        locked out. A table with its own foreign keys and a check on its file is attached without
        reading its rows. PostgreSQL reads the default partition, which holds the small files.
        """
        steps = self._rebuilt.exchange() if self._rebuilt else []
        if self._is_partition:
            attach = f"ATTACH PARTITION {self._exposures} FOR VALUES IN ({self._file_id})"
            drop_check = f"ALTER TABLE {self._exposures} DROP CONSTRAINT {_PROOF}"
            steps += [f"ALTER TABLE {EXPOSURES} {attach}", drop_check]
        if steps:
            retry_lock(partial(self._run_all, steps))

    def _is_owner(self) -> bool:
        """Returns whether this database account owns the tables, so that it may change them."""
        return bool(self._rows(_IS_OWNER, [EXPOSURES])[0][0])

    def _is_worth_rebuilding(self, people: int) -> bool:
        """Returns whether a rebuild is possible, and faster than inserting this number of people.

        Stored people are counted, because PostgreSQL may not have an estimate of the table yet.
        """
        if people < REBUILD_PEOPLE or not RebuiltPeople.is_possible():
            return False
        most = people * STORED_FOR_EACH
        return self._count(f"(SELECT FROM {PEOPLE} LIMIT {most + 1}) AS stored") <= most

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
