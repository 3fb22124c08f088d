"""Reads answers of HTTP servers, which may go on without end."""

import time

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
