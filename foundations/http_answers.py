"""Reads answers of HTTP servers, which may go on without end."""

import time
from collections.abc import Iterator
from typing import Any

import httpx

MOST_OCTETS = 65_536
MOST_SECONDS = 20.0


def start_of(answer: httpx.Response) -> bytes:
    """Returns the first MOST_OCTETS of a streamed answer, or what came in MOST_SECONDS.

    Nothing is decompressed. The connection serves the next request if the answer ended before.
    Raises httpx.TransportError if the connection breaks.
    """
    found, until = b"", time.monotonic() + MOST_SECONDS
    for piece in answer.iter_raw():
        found += piece
        if len(found) >= MOST_OCTETS or time.monotonic() > until:
            break
    return found[:MOST_OCTETS]


class BoundedBody:
    """The body of an answer of urllib3 that ends after `most` octets, or after MOST_SECONDS.

    It ends as a body does that is complete, so who reads it finds a broken text or JSON. Then the
    connection is closed. Everything else is that of the answer.
    """

    def __init__(self, raw: Any, *, most: int) -> None:
        self._raw, self._most = raw, most

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def stream(self, _amt: int | None = None, decode_content: bool = True) -> Iterator[bytes]:
        """Yields what has come, piece by piece. urllib3's own waits until a piece is full."""
        left, until = self._most, time.monotonic() + MOST_SECONDS
        while piece := self._raw.read1(min(left, MOST_OCTETS), decode_content=decode_content):
            yield piece
            left -= len(piece)
            if left <= 0 or time.monotonic() > until:
                self._raw.close()
                return
