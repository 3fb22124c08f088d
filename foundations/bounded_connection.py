"""A connection to PostgreSQL that does not wait for an answer longer than ANSWER_SECONDS.

A server that is suspended still has a kernel that acknowledges what it receives. TCP's own
time-outs do not end such a wait, and the server's statement_timeout does not either.
"""

from typing import TypeVar

from psycopg import OperationalError
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

from foundations.pooled_connection import PooledConnection

ANSWER_SECONDS = 3.0
_LOOK_SECONDS = 0.1  # between two looks at the clock

Result = TypeVar("Result")


class BoundedConnection(PooledConnection):
    """A connection of psycopg that is closed when one answer takes more than ANSWER_SECONDS."""

    def wait(
        self, gen: PQGen[Result], interval: float = _LOOK_SECONDS, timeout: float | None = None
    ) -> Result:
        """Runs one exchange with the server, for `timeout` or ANSWER_SECONDS.

        Raises OperationalError after that time. The connection is closed then, because its answer
        may still come.
        """
        try:
            return super().wait(gen, interval, timeout or ANSWER_SECONDS)
        except OperationalError:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
                raise OperationalError(f"no answer in {ANSWER_SECONDS:g} s") from None
            raise
