"""A TCP proxy that delays replies, so that the sink seems to be on another continent.

`python -m benchmarks.distant PORT TO_PORT DELAY_MS CLOCK_FILE` runs the proxy.
"""

import contextlib
import mmap
import selectors
import socket
import struct
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from harness.product import ROOT, free_port

START_SECONDS = 10.0
PIECE = 1 << 18
MESSAGE_OCTETS = 1024  # data of this size or more is part of a message and not a command
_CLOCK = struct.Struct("d")


class Distant:
    """A context manager that runs the proxy from 127.0.0.1:port to the sink.

    The proxy delays each reply by `delay_ms`.
    """

    def __init__(self, to_port: int, *, delay_ms: float, clock: Path) -> None:
        self.port, self._clock = free_port(), clock
        clock.write_bytes(_CLOCK.pack(0.0))
        arguments = [str(self.port), str(to_port), str(delay_ms), str(clock)]
        self._command = [sys.executable, "-m", "benchmarks.distant", *arguments]

    def __enter__(self) -> "Distant":
        self._process = subprocess.Popen(self._command, cwd=ROOT)
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            if time.monotonic() > deadline:
                raise RuntimeError("the proxy did not start")
            time.sleep(0.05)

    def __exit__(self, *_error: object) -> None:
        self._process.terminate()
        self._process.wait()

    def last_message_at(self) -> float:
        """Returns when the last data of a message passed, in seconds since the epoch."""
        return float(_CLOCK.unpack(self._clock.read_bytes())[0])


@dataclass
class _End:
    """One of the two sockets of a proxied connection."""

    socket: socket.socket
    is_client: bool
    other: "_End | None" = None


class _Proxy:
    """The proxy. It uses one thread, because it shares the cores with the code under test."""

    def __init__(self, port: int, to_port: int, delay: float, clock: mmap.mmap) -> None:
        self._to, self._delay, self._clock = ("127.0.0.1", to_port), delay, clock
        self._selector = selectors.DefaultSelector()
        self._listening = socket.create_server(("127.0.0.1", port), backlog=1024)
        self._selector.register(self._listening, selectors.EVENT_READ)
        self._late: deque[tuple[float, _End, bytes]] = deque()

    def run(self) -> None:
        """Forwards data until the process ends."""
        while True:
            wait = max(0.0, self._late[0][0] - time.monotonic()) if self._late else None
            for key, _events in self._selector.select(wait):
                if key.data is None:
                    self._accept()
                else:
                    self._pass_on(key.data)
            now = time.monotonic()
            while self._late and self._late[0][0] <= now:
                _due, end, data = self._late.popleft()
                self._write(end, data)

    def _accept(self) -> None:
        accepted, _address = self._listening.accept()
        client = _End(accepted, is_client=True)
        server = _End(socket.create_connection(self._to), is_client=False, other=client)
        client.other = server
        for end in (client, server):
            end.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(end.socket, selectors.EVENT_READ, end)

    def _pass_on(self, end: _End) -> None:
        other = end.other
        if other is None or end.socket.fileno() < 0:
            return
        try:
            data = end.socket.recv(PIECE)
        except OSError:
            data = b""
        if not data:
            self._selector.unregister(end.socket)
        if not end.is_client:
            self._late.append((time.monotonic() + self._delay, other, data))
            return
        if len(data) >= MESSAGE_OCTETS:
            _CLOCK.pack_into(self._clock, 0, time.time())
        self._write(other, data)

    def _write(self, end: _End, data: bytes) -> None:
        """Sends the data, and blocks all connections while the sink does not read."""
        with contextlib.suppress(OSError):
            if data:
                end.socket.sendall(data)
            else:
                end.socket.shutdown(socket.SHUT_WR)


def main(arguments: list[str]) -> None:
    """Runs the proxy in this process."""
    port, to_port, delay_ms, clock = arguments
    with Path(clock).open("r+b") as file:
        memory = mmap.mmap(file.fileno(), _CLOCK.size)
        _Proxy(int(port), int(to_port), float(delay_ms) / 1000, memory).run()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main(sys.argv[1:])
