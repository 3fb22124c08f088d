"""The answer to a request while the database does not answer: 503 with Retry-After.

The page cache replaces it with the page that it kept, if there is one.
"""

import logging
import sys
import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.utils.translation import get_language

RETRY_SECONDS = 30  # in the header Retry-After
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
        """Passes the request on; the work is in the hook below."""
        return self._get_response(request)

    def process_exception(self, _request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Returns the 503 page for an error of the connection, a lock or a time-out, else None."""
        if not isinstance(error, ERRORS):
            return None
        now = time.monotonic()
        if now >= self._log_at:
            self._log_at = now + LOG_SECONDS
            logger.error("the database does not answer: %s", str(error).strip())
        return database_away_page()


def database_away_page() -> DatabaseAwayResponse:
    """Returns the 503 page in the active language. Its template needs no database."""
    page = loader.render_to_string("database_away.html", {"LANGUAGE_CODE": get_language()})
    return DatabaseAwayResponse(page, headers={"Retry-After": str(RETRY_SECONDS)})


def is_cause_of_failure() -> bool:
    """Returns whether the exception that is being handled is an error of the database."""
    return isinstance(sys.exc_info()[1], ERRORS)
