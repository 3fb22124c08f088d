"""The answer to a request while the database does not answer or takes no writes: 503, Retry-After.

The page cache replaces it with the page that it kept, if there is one. After the first request
that got no connection, the others wait for AWAY_WAIT_SECONDS only, so that the
threads stay free for pages that need no database.
"""

import logging
import sys
import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.template import loader
from psycopg.errors import ReadOnlySqlTransaction
from psycopg_pool import PoolTimeout

RETRY_SECONDS = 30  # in the header Retry-After
AWAY_WAIT_SECONDS = 0.1  # for a connection of the pool
LOG_SECONDS = 1.0  # between two lines in the log
ERRORS = (OperationalError, InterfaceError)

logger = logging.getLogger(__name__)


class DatabaseAwayResponse(HttpResponse):
    """A 503 response whose only cause is that the database did not answer in time."""

    status_code = 503


class DatabaseAwayMiddleware:
    """Middleware that answers 503 for an exception of a view that the database caused."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._log_at = 0.0

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Passes the request on. Ends the short waits once the pool has connections again."""
        response = self._get_response(request)
        if _usual_wait is not None:
            _end_short_waits()
        return response

    def process_exception(self, _request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Returns the 503 page for an error of the connection, a lock or a time-out, else None."""
        if not _is_away(error):
            return None
        now = time.monotonic()
        if now >= self._log_at:
            self._log_at = now + LOG_SECONDS
            logger.error("the database does not answer: %s", str(error).strip())
        return database_away_page(error)


def database_away_page(error: BaseException | None) -> DatabaseAwayResponse:
    """Returns the 503 page in the active language. Its template needs no database."""
    if error and isinstance(error.__cause__, PoolTimeout):
        _begin_short_waits()
    page = loader.render_to_string("database_away.html")
    return DatabaseAwayResponse(page, headers={"Retry-After": str(RETRY_SECONDS)})


def current_error() -> BaseException | None:
    """Returns the exception that is being handled if it is an error of the database, else None."""
    error = sys.exc_info()[1]
    return error if error and _is_away(error) else None


def _is_away(error: BaseException) -> bool:
    """Returns whether the database caused the error: also a standby, which takes no writes."""
    return isinstance(error, ERRORS) or isinstance(error.__cause__, ReadOnlySqlTransaction)


_usual_wait: float | None = None  # the pool's own wait, while it is replaced by the short one


def _begin_short_waits() -> None:
    global _usual_wait
    pool = getattr(connection, "pool", None)  # only web processes have one
    if pool and _usual_wait is None:
        _usual_wait, pool.timeout = pool.timeout, AWAY_WAIT_SECONDS


def _end_short_waits() -> None:
    global _usual_wait
    pool = getattr(connection, "pool", None)  # only web processes have one
    if pool and _usual_wait is not None and pool.get_stats().get("pool_available"):
        pool.timeout, _usual_wait = _usual_wait, None
