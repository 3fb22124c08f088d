"""A connection to PostgreSQL whose pool asks the server at most once a second whether it answers.

The pool checks a connection before each request, with an empty statement. That is a round trip as
long as a short statement takes. A server that ends a connection sends its end at once, so a
connection that answered a moment ago is only looked at.
"""

import select
import time
from typing import Any

from psycopg import Connection, Cursor

ASKED_AGAIN_SECONDS = 1.0
_CHECK = ""  # the statement of psycopg_pool's check_connection


class PooledConnection(Connection[Any]):
    """A connection of psycopg for a pool that checks its connections."""

    _answered_at = float("-inf")
    _planned_at = float("-inf")

    def execute(self, query: Any, *arguments: Any, **options: Any) -> Cursor[Any]:
        """Runs a statement, as psycopg does.

        Does not send the pool's check if the server answered the last one in the last
        ASKED_AGAIN_SECONDS, and has sent nothing since, such as the end of the connection.
        """
        if query != _CHECK:
            return super().execute(query, *arguments, **options)
        if self._is_silent() and time.monotonic() - self._answered_at < ASKED_AGAIN_SECONDS:
            return self.cursor()
        cursor = super().execute(query, *arguments, **options)
        self._answered_at = time.monotonic()
        return cursor

    def drop_plans(self, *, older_than: float = 0.0) -> None:
        """Makes the server forget all prepared statements, if the last time is so many seconds ago.

        The first call always does so: behind a pooler that resets no session, a new connection can
        find statements of an earlier client under the names that psycopg chooses. psycopg forgets
        its own names after this statement only if its text is new to the connection.
        """
        now = time.monotonic()
        if now - self._planned_at >= older_than:
            self.execute(f"DEALLOCATE ALL -- {now}")
            self._planned_at = now

    def _is_silent(self) -> bool:
        """Returns whether the connection is open and nothing waits to be read from it."""
        if self.closed:
            return False
        look = select.poll()
        look.register(self.pgconn.socket, select.POLLIN)
        return not look.poll(0)
