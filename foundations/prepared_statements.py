"""Statements that PostgreSQL parses and plans once in PLAN_SECONDS for each connection.

Django writes the values into the text of a statement, so the server plans each one as a new
statement. For a long statement that takes several times as long as to run it. Here the values are
sent apart from the text, and a connection of a web process prepares a text that it runs again
(`server_connections.add_pool`). That needs a session of one's own; a pooler that shares sessions is
refused at the start (`breachportal.database_checks`).

A plan depends on the size of the tables. One that was made for an empty table would read all rows
of the table that an import has filled since. Therefore a connection drops its plans every
PLAN_SECONDS, and the server plans the statements again. The planner also counts rows of an import
that has not ended yet.

A migration that changes the type of a selected column makes the server refuse the old plan. The
statement is then planned again and repeated. In a transaction it could not be repeated, because the
refusal ends the transaction. Therefore it is not prepared there.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper
from psycopg.errors import FeatureNotSupported
from psycopg.pq import TransactionStatus

from foundations.pooled_connection import PooledConnection

PLAN_SECONDS = 5


class _Cursor(psycopg.Cursor[Any]):
    """Prepares statements on a connection of a pool, outside of transactions.

    It knows the text of a prepared statement, which Django's log of queries shows.
    """

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        """Runs a statement, as psycopg does."""
        session = self.connection
        if not (isinstance(session, PooledConnection) and _is_alone(session)):
            return super().execute(query, params, **options | {"prepare": False})
        session.drop_plans(older_than=PLAN_SECONDS)
        try:
            return super().execute(query, params, **options)
        except FeatureNotSupported:  # "cached plan must not change result type"
            session.drop_plans()
            return super().execute(query, params, **options)

    def _convert_query(self, query: Any, params: Any = None) -> Any:
        self._query = super()._convert_query(query, params)
        return self._query


def _is_alone(session: PooledConnection) -> bool:
    """Returns whether the next statement is a transaction of its own."""
    return session.autocommit and session.pgconn.transaction_status == TransactionStatus.IDLE


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
        wrapped.execute(statement, values)
        yield wrapped
