"""No page waits long for what an import, or whoever else, keeps locked.

A web server has few threads: if each of them waited for one table, the pages that do not need it
would stand still as well. So the database ends the wait (settings.WEB_LOCK_SECONDS), the visitor
reads that nothing is lost, and for some seconds nobody else of this process tries the same page.
"""

import logging
import time
from collections.abc import Callable

from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from psycopg.errors import LockNotAvailable

RETRY_SECONDS = 120  # told to the visitor
REST_SECONDS = 5.0  # in which a page that waited in vain is not tried again

logger = logging.getLogger(__name__)


class LockTimeoutMiddleware:
    """503 for a page whose tables or rows are locked."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._resting: dict[str, float] = {}  # until when, by view

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Nothing of its own; see the hooks."""
        return self._get_response(request)

    def process_view(self, request: HttpRequest, *_view: object) -> HttpResponse | None:
        """Refuses at once what somebody else has just waited for in vain."""
        if self._resting.get(_view_of(request), 0.0) > time.monotonic():
            return _busy()
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Called for whatever a view raises."""
        cause = error.__cause__
        if not isinstance(error, OperationalError) or not isinstance(cause, LockNotAvailable):
            return None
        view = _view_of(request)
        logger.warning("%s: user %s waited for a lock in vain", view, _user_of(request))
        # With a context it is a row, which may be one visitor's own: others need not rest.
        if not cause.diag.context:
            self._resting[view] = time.monotonic() + REST_SECONDS
        return _busy()


def _user_of(request: HttpRequest) -> int | None:
    """The primary key; None for a stranger, and where users or sessions are what is locked."""
    try:
        return request.user.pk
    except OperationalError:
        return None


def _view_of(request: HttpRequest) -> str:
    return request.resolver_match.view_name if request.resolver_match else ""


def _busy() -> HttpResponse:
    """Rendered without a look into the database."""
    headers = {"Retry-After": str(RETRY_SECONDS)}
    return HttpResponse(loader.render_to_string("503.html"), status=503, headers=headers)
