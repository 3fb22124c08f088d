"""The id of a request. It joins the log lines of the proxy, a web process and the workers.

The proxy sends it in the header HEADER; a web process makes one otherwise. It has 128 bits in hex,
so that no visitor can write a word, an address or a number into the log through it.
"""

import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase

HEADER = "Requestid"  # letters only: WSGI reads X_Request_ID as X-Request-ID
# What nginx's $request_id, and a UUID with or without hyphens, look like.
_VALID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.ASCII)

_current: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """Returns the id of the request for which this thread works; "" if there is none."""
    return _current.get()


def work_for(request_id: str) -> str:
    """Lets the lines of this thread carry `request_id` from now on. Returns the id before it."""
    before = _current.get()
    _current.set(request_id)
    return before


def name_requests(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware that takes the id of the request from the proxy, or makes one.

    The thread keeps it until its next request, because the lines of a response that is streamed
    come after the middleware has ended.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        sent = request.headers.get(HEADER, "")
        work_for(sent if _VALID.fullmatch(sent) else uuid.uuid4().hex)
        return get_response(request)

    return middleware
