"""A visitor of the portal over HTTP: cookies, forms, one kept connection, all in asyncio.

Many visitors run in one process, beside the server on the same cores. So the client does only what
a browser must do.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from urllib.parse import urlencode

_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="(\w+)"')
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_COOKIE = re.compile(rb"(?i)\r\nset-cookie: *([^=;\r]+)=([^;\r]*)")
_LOCATION = re.compile(rb"(?i)\r\nlocation: *([^\r]+)")
SECONDS = 60.0  # to wait for an answer


class Answer(NamedTuple):
    """An HTTP response, and the milliseconds from the request to its last byte."""

    status: int
    location: str
    body: bytes
    ms: float


class UnexpectedAnswerError(Exception):
    """The server answered with another status than the journey expects; the message names it."""


class Visitor:
    """One visitor with an address of their own, which a trusted proxy would report."""

    def __init__(self, port: int, address: str) -> None:
        self._port, self._address = port, address
        self._cookies: dict[str, str] = {}
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._token = ""

    async def get(self, path: str) -> Answer:
        """Returns the answer to a GET request. Remembers the form's token on the page."""
        answer = await self._request("GET", path, b"")
        if found := _TOKEN.search(answer.body):
            self._token = found[1].decode()
        return answer

    async def post(self, path: str, **fields: str) -> Answer:
        """Returns the answer to a form that is posted with the token of the last page."""
        form = urlencode({"csrfmiddlewaretoken": self._token, **fields}).encode()
        return await self._request("POST", path, form)

    def close(self) -> None:
        """Closes the connection."""
        if self._streams:
            self._streams[1].close()
        self._streams = None

    async def _request(self, method: str, path: str, body: bytes) -> Answer:
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self._port}",
            f"X-Forwarded-For: {self._address}",
            "Cookie: " + "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
        ]
        if body:
            lines += ["Content-Type: application/x-www-form-urlencoded"]
            lines += [f"Content-Length: {len(body)}"]
        began = time.perf_counter()
        answer = await asyncio.wait_for(
            self._exchange("\r\n".join(lines).encode() + b"\r\n\r\n" + body), SECONDS
        )
        return answer._replace(ms=(time.perf_counter() - began) * 1000)

    async def _exchange(self, request: bytes) -> Answer:
        is_kept = self._streams is not None
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            self.close()
            if not is_kept:
                raise
            return await self._exchange(request)  # the server had closed the idle connection
        body = await _body(reader, head)
        for name, value in _COOKIE.findall(head):
            self._cookies[name.decode()] = value.decode()
        if b"connection: close" in head.lower():
            self.close()
        found = _LOCATION.search(head)
        return Answer(int(head[9:12]), found[1].decode() if found else "", body, 0.0)


async def _body(reader: asyncio.StreamReader, head: bytes) -> bytes:
    if found := _LENGTH.search(head):
        return await reader.readexactly(int(found[1]))
    if b"transfer-encoding: chunked" not in head.lower():
        return b""
    pieces = []
    while size := int(await reader.readline(), 16):
        pieces.append((await reader.readexactly(size + 2))[:-2])
    await reader.readline()
    return b"".join(pieces)


def expect(answer: Answer, status: int, step: str) -> Answer:
    """Returns the answer. Raises UnexpectedAnswerError if it has another status."""
    if answer.status != status:
        raise UnexpectedAnswerError(f"{step}: {answer.status}")
    return answer


async def for_seconds(
    seconds: float, visitors: int, task: Callable[[int], Awaitable[None]]
) -> float:
    """Runs `task` again and again, by `visitors` at a time; each call gets the next number.

    Returns the calls that ended per second.
    """
    began, done, numbers = time.perf_counter(), 0, iter(range(1 << 40))

    async def loop() -> None:
        nonlocal done
        while time.perf_counter() - began < seconds:
            await task(next(numbers))
            done += 1

    await asyncio.gather(*(loop() for _number in range(visitors)))
    return done / (time.perf_counter() - began)
