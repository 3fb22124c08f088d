"""Bringing very many rows into the store's tables at the price of sorting them.

An index that is kept up row by row, at random places, is read and logged page by page; for a
nation's rows that takes long. So for many rows the table of people is made anew beside the one in
use (`rebuilding`), and the exposures of a large file become a partition. All of it in the import's
transaction: whoever looks meanwhile sees the store as it was. See docs/decisions/0012.
"""

import logging
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db import connection

from incidents.importing.people_rebuild import COLUMNS, PEOPLE, RebuiltPeople, to_new
from incidents.table_locks import retry_lock

# From so many rows on, a file's exposures become a partition of their own.
OWN_PARTITION_ROWS = 200_000
# From so many new people on, and one for so many who are there, the table is made anew.
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
    """The way into the store for one import, whose exposures stand in a table of their own."""

    def __init__(self, staged_exposures: str, *, rows: int, file_id: int) -> None:
        """`rows` is about how many exposures there are."""
        self._exposures, self._file_id = staged_exposures, file_id
        self._is_partition = rows >= OWN_PARTITION_ROWS and self._is_owner()
        self._rebuilt: RebuiltPeople | None = None

    @property
    def people(self) -> str:
        """The table that people are added to."""
        return self._rebuilt.table if self._rebuilt else PEOPLE

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

    def add_people(self, query: str, *, at_most: int) -> int:
        """Adds the people a query gives under the names of their columns; returns how many."""
        if self._is_worth_rebuilding(at_most):
            self._rebuilt = RebuiltPeople()
            return self._rebuilt.fill(query)
        add = f"INSERT INTO {PEOPLE} ({COLUMNS}) SELECT {COLUMNS} FROM ({query}) AS p"  # noqa: S608
        return self._run(add)

    def finish_people(self) -> None:
        """Nothing of them is changed any more."""
        if self._rebuilt:
            self._rebuilt.complete()

    def add_exposures(self) -> int:
        """Brings the file's exposures in, or all but in; returns how many."""
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
        """The last of all: shuts out whoever reads exposures, people or files, to the commit.

        A table that brings its foreign keys along, and a check of its file, is attached without
        a look at its rows; what is read is the partition of the small files.
        """
        steps = self._rebuilt.exchange() if self._rebuilt else []
        if self._is_partition:
            attach = f"ATTACH PARTITION {self._exposures} FOR VALUES IN ({self._file_id})"
            forget = f"ALTER TABLE {self._exposures} DROP CONSTRAINT {_PROOF}"
            steps += [f"ALTER TABLE {EXPOSURES} {attach}", forget]
        if steps:
            retry_lock(partial(self._run_all, steps))

    def _is_owner(self) -> bool:
        """Whether this account may change the tables, not only their rows."""
        return bool(self._rows(_IS_OWNER, [EXPOSURES])[0][0])

    def _is_worth_rebuilding(self, people: int) -> bool:
        """Counted, not estimated: PostgreSQL may not have looked at the table yet."""
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
