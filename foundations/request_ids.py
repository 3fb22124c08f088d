"""The id of a request. It joins the log lines of the proxy, a web process and the workers.

The proxy sends it in the header HEADER; a web process makes one otherwise. It has 128 bits in hex,
so that no visitor can write a word, an address or a number into the log through it.
"""

import random
import re
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase

HEADER = "Requestid"  # letters only: WSGI reads X_Request_ID as X-Request-ID
_VARIABLE = f"HTTP_{HEADER.upper()}"  # its name in WSGI; `request.headers` reads all headers first
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
        sent = request.META.get(_VARIABLE, "")
        work_for(sent if _VALID.fullmatch(sent) else _new_id())
        return get_response(request)

    return middleware


def _new_id() -> str:
    # No secret, and random bytes of the system take a tenth of the time of a page from memory. A
    # process that is forked begins another sequence.
    return f"{random.getrandbits(128):032x}"
