"""The answer to a page that waits too long for a database lock, for example of an import: 503.

A web server has few threads. If each of them waited for one locked table, pages that do not need
the table would stall as well. Therefore the database ends the wait (settings.WEB_LOCK_SECONDS), and
the page answers that nothing is lost. For the next REST_SECONDS this process answers 503 for the
same view at once.
"""

import logging
import time
from collections.abc import Callable

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from psycopg.errors import LockNotAvailable

from foundations.database_away import DatabaseAwayResponse

RETRY_SECONDS = 120  # in the header Retry-After
REST_SECONDS = 5.0  # after a lock timeout, in which the same view is not tried again

logger = logging.getLogger(__name__)


class LockTimeoutMiddleware:
    """Middleware that answers 503 for a view that needs locked tables or rows."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._resting: dict[str, float] = {}  # until when, by view

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Passes the request on; the work is in the hooks below."""
        return self._get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponse | None:
        """Returns 503 at once if a request for this view timed out in the last REST_SECONDS."""
        if self._resting.get(_view_of(request), 0.0) > time.monotonic():
            return _busy()
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Returns 503 for an exception of a view that is a lock timeout, else None."""
        cause = error.__cause__
        if not isinstance(error, OperationalError) or not isinstance(cause, LockNotAvailable):
            return None
        view = _view_of(request)
        logger.warning("%s: user %s waited for a lock in vain", view, _user_of(request))
        # The error has a context if a row is locked. The row may belong to one visitor, so requests
        # of other visitors are still tried.
        if not cause.diag.context:
            self._resting[view] = time.monotonic() + REST_SECONDS
        return _busy()


def _user_of(request: HttpRequest) -> int | None:
    """Returns the user's primary key.

    Returns None for a visitor who is not signed in, and if the tables of users or sessions are
    locked themselves.
    """
    try:
        return request.user.pk
    except OperationalError:
        return None


def _view_of(request: HttpRequest) -> str:
    return request.resolver_match.view_name if request.resolver_match else ""


def _busy() -> HttpResponse:
    """Returns the 503 page. Its template needs no database."""
    headers = {"Retry-After": str(RETRY_SECONDS)}
    return DatabaseAwayResponse(loader.render_to_string("503.html"), headers=headers)
