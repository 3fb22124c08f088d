"""Bodies that arrive slowly: they hold few threads of the web server, and each for a limited time.

Granian calls the application as soon as it has the headers, and a read of the body blocks the
thread of the request until the body is there. A visitor who sends a byte a minute would hold a
thread for days. Therefore few threads may read at the same time, and a thread of this module shuts
down the connection of a body that is late. A proxy that buffers bodies, such as the nginx site in
`deploy/`, keeps slow bodies away from here.
"""

import os
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from foundations.rate_limits import network_of

BODY_SECONDS = 10.0  # and the time for its size
BYTES_PER_SECOND = 50_000
SLOT_SECONDS = 0.05  # to wait for a slot; a body that came with its headers holds one for less
# In a surge the threads wait for the processor while they hold slots, so none is free for longer.
# As long as few of the held bodies are slow, each of them soon gives its slot back.
BUSY_SECONDS, SLOW_SECONDS = 2.0, 0.5
RETRY_SECONDS = 30
# Of a refusal, which other middleware may not see: accounts.early_answers leaves it out.
_SAFE_HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}
_LOOK_SECONDS = 1.0
# struct tcp_info of Linux: eight bytes, nine numbers, then the milliseconds since data was sent.
_LAST_DATA_SENT = struct.Struct("8x36xI")


class BodySlots:
    """The right to read a body: for three quarters of the threads, and half of that a network."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: Counter[str] = Counter()
        self._since: dict[int, float] = {}  # by thread
        self._waiting = 0  # threads that wait for longer than SLOT_SECONDS

    @contextmanager
    def slot(self, network: str) -> Iterator[bool]:
        """Context manager: gives whether a slot was free, and holds it during the block."""
        me, until = threading.get_ident(), time.monotonic() + BUSY_SECONDS
        with self._changed:
            is_free = self._changed.wait_for(lambda: self._is_free(network), SLOT_SECONDS)
            if not is_free and self._waiting < self._most_waiting:
                self._waiting += 1
                while not is_free and self._turn_over(network) and time.monotonic() < until:
                    is_free = self._changed.wait_for(lambda: self._is_free(network), SLOT_SECONDS)
                self._waiting -= 1
            self._held[network] += is_free
            if is_free:
                self._since[me] = time.monotonic()
        try:
            yield is_free
        finally:
            with self._changed:
                self._since.pop(me, None)
                self._held[network] -= is_free
                if not self._held[network]:
                    del self._held[network]
                self._changed.notify_all()

    def _is_free(self, network: str) -> bool:
        return self._held.total() < self._most and self._has_share(network)

    def _has_share(self, network: str) -> bool:
        return self._held[network] < max(1, self._most // 2)

    def _turn_over(self, network: str) -> bool:
        """Returns whether only the number of bodies is in the way, and few of them are slow."""
        now = time.monotonic()
        slow = sum(now - since > SLOW_SECONDS for since in self._since.values())
        return self._has_share(network) and slow < max(1, self._most // 2)

    @property
    def _most(self) -> int:
        return max(1, settings.WEB_THREADS * 3 // 4)

    @property
    def _most_waiting(self) -> int:
        """Few: those who wait are of the threads that are kept for pages."""
        return (settings.WEB_THREADS - self._most) // 2


class LateBodies:
    """The bodies that are being read, and a thread that ends those that are late.

    The application does not know which connection a request came over. Therefore the thread shuts
    down all connections of the same peer over which nothing was sent for as long as the body took.
    It ends when no body is being read, and the next body starts it again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read_since: dict[int, tuple[str, float, float]] = {}  # peer, start, deadline
        self._has_thread = False

    @contextmanager
    def watched(self, peer: str, *, seconds: float) -> Iterator[None]:
        """Context manager: the body that is read in the block must be complete in `seconds`."""
        key, now = threading.get_ident(), time.monotonic()
        with self._lock:
            self._read_since[key] = (peer, now, now + seconds)
            if not self._has_thread:
                self._has_thread = True
                threading.Thread(target=self._watch, name="late-bodies", daemon=True).start()
        try:
            yield
        finally:
            with self._lock:
                del self._read_since[key]

    def _watch(self) -> None:
        while True:
            time.sleep(_LOOK_SECONDS)
            now = time.monotonic()
            with self._lock:
                self._has_thread = bool(self._read_since)
                if not self._has_thread:
                    return
                late = [one for one in self._read_since.values() if one[2] < now]
            for peer, since, _deadline in late:
                _shut_down(peer, silent_seconds=now - since)


# Of the process: `accounts.early_answers` reads bodies as well, of the same threads.
_slots, _late = BodySlots(), LateBodies()


def read_bodies(
    get_response: Callable[[WSGIRequest], HttpResponseBase],
) -> Callable[[WSGIRequest], HttpResponseBase]:
    """Middleware that reads the body before a view does.

    Answers 503, without a read, if too many bodies are being read. Shuts the connection down at the
    body's deadline. It must come after the middleware that refuses bodies for their size.
    """

    def middleware(request: WSGIRequest) -> HttpResponseBase:
        length = _length(request)
        if not length or isinstance(request._stream, BytesIO):  # none, or read already
            return get_response(request)
        peer, body = str(request.META.get("REMOTE_ADDR", "")), b""
        with _slots.slot(network_of(request)) as may_read:
            if not may_read:
                return _refusal(503, "503 Service Unavailable")
            seconds = BODY_SECONDS + length / BYTES_PER_SECOND
            with _late.watched(peer, seconds=seconds), suppress(OSError):
                body = request.environ["wsgi.input"].read(length)
        if len(body) < length:
            return _refusal(408, "408 Request Timeout")
        request._stream = BytesIO(body)
        return get_response(request)

    return middleware


def leave_unread(request: HttpRequest) -> None:
    """Lets the request go on as one without a body, so that no part of the portal reads it."""
    request.META["CONTENT_LENGTH"] = "0"
    request._stream = BytesIO()


def _length(request: WSGIRequest) -> int:
    try:
        return max(0, int(request.META.get("CONTENT_LENGTH") or 0))
    except ValueError:
        return 0  # Django reads no body then


def _refusal(status: int, text: str) -> HttpResponse:
    headers = {"Connection": "close", "Retry-After": str(RETRY_SECONDS), **_SAFE_HEADERS}
    return HttpResponse(text, status=status, content_type="text/plain", headers=headers)


def _shut_down(peer: str, *, silent_seconds: float) -> None:
    """Shuts down this process's connections with `peer` that sent nothing for that time."""
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError, ValueError):
            connection = socket.socket(fileno=os.dup(int(descriptor.name)))
            with connection:
                if _is_silent(connection, peer, silent_seconds):
                    connection.shutdown(socket.SHUT_RDWR)


def _is_silent(connection: socket.socket, peer: str, seconds: float) -> bool:
    if connection.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_DATA_SENT.size)
    (milliseconds,) = _LAST_DATA_SENT.unpack(info)
    is_silent = milliseconds / 1000 >= seconds - _LOOK_SECONDS
    return is_silent and str(connection.getpeername()[0]) == peer
