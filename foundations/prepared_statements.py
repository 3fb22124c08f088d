"""Statements that PostgreSQL parses and plans once in PLAN_SECONDS for each connection.

Django writes the values into the text of a statement, so the server plans each one as a new
statement. For a long statement that takes several times as long as to run it. Here the values are
sent beside the text, and a connection of a web process prepares a text that it runs again
(`environment.add_pool`). That needs a session of one's own; a pooler that shares sessions is
refused at the start (`breachportal.database_checks`).

A plan depends on the size of the tables. One that was made for an empty table would read all rows
of the table that an import has filled since. Therefore the text changes every PLAN_SECONDS, and the
server plans it again. The planner also counts rows of an import that has not ended yet.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

PLAN_SECONDS = 5


class _Cursor(psycopg.Cursor[Any]):
    """Knows the text of a prepared statement, which Django's log of queries shows."""

    def _convert_query(self, query: Any, params: Any = None) -> Any:
        self._query = super()._convert_query(query, params)
        return self._query


@contextmanager
def run_prepared(
    database: BaseDatabaseWrapper, statement: str, values: Sequence[Any] | Mapping[str, Any]
) -> Iterator[CursorWrapper]:
    """Context manager: runs a statement with values, and gives Django's cursor with its result.

    The types of the values must follow from the text or from casts, as in `%s::bigint[]`. Raises
    DatabaseError.
    """
    connection: Any = database
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursor = _Cursor(connection.connection)
    with connection._prepare_cursor(cursor) as wrapped:
        wrapped.execute(f"{statement} -- {time.monotonic() // PLAN_SECONDS:.0f}", values)
        yield wrapped
