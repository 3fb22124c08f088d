"""An SMTP server that counts and discards all messages: Postfix's smtp-sink, or our own.

`python -m benchmarks.sink PORT [LIMIT]` runs our own, which writes the count to standard output. It
answers 421 after LIMIT messages on a connection.
"""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import cast

from harness.product import free_port

START_SECONDS = 10.0
END = b"\r\n.\r\n"
EXTENSIONS = b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n"


class Sink:
    """A context manager that runs the server on 127.0.0.1:port in a new process.

    With `limit`, our own server takes that many messages on a connection; 0: any number.
    """

    def __init__(self, counter: Path, *, limit: int | None = None) -> None:
        postfix = _smtp_sink() if limit is None else None
        self.port = free_port()
        self._counter = counter
        if postfix:
            self.name = "smtp-sink (Postfix)"
            account = ["-u", "nobody"] if os.geteuid() == 0 else []
            self._command = [postfix, "-c", *account, "-m", "1000"]
            self._command += [f"127.0.0.1:{self.port}", "1000"]
        else:
            self.name = "benchmarks.sink (Python asyncio)"
            self._command = [
                sys.executable,
                "-m",
                "benchmarks.sink",
                str(self.port),
                str(limit or 0),
            ]

    def __enter__(self) -> "Sink":
        with self._counter.open("w") as counter:
            self._process = subprocess.Popen(
                self._command, stdout=counter, stderr=subprocess.DEVNULL, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while not _answers(self.port):
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(f"{self.name} did not start: {self._command}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.terminate()
        self._process.wait(START_SECONDS)

    def taken(self) -> int:
        """Returns the number of accepted messages, as the server counts them."""
        tail = self._counter.read_bytes()[-200:].decode(errors="replace")
        counts = [part.partition("mesg=")[2] for part in tail.split("\r") if "mesg=" in part]
        return int(counts[-1].split()[0]) if counts else 0


def _smtp_sink() -> str | None:
    return shutil.which("smtp-sink") or shutil.which("/usr/sbin/smtp-sink")


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as probe:
        return probe.recv(3) == b"220"
    return False


class _Session(asyncio.Protocol):
    """A minimal SMTP session: fast, for correct clients only, with or without pipelining."""

    taken = 0
    limit = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._buffer, self._is_data, self._begun = b"", False, 0
        self._transport.write(b"220 sink ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        replies: list[bytes] = []
        while self._step(replies):
            pass
        self._transport.write(b"".join(replies))
        if replies and replies[-1].startswith((b"221", b"421")):
            self._transport.close()

    def _step(self, replies: list[bytes]) -> bool:
        end = END if self._is_data else b"\r\n"
        head, found, rest = self._buffer.partition(end)
        if not found:
            return False
        self._buffer = rest
        if self._is_data:
            self._is_data = False
            _Session.taken += 1
            sys.stdout.write(f"mesg={_Session.taken}\r")
            replies.append(b"250 2.0.0 Ok\r\n")
            return True
        replies.append(self._reply(head[:4].upper()))
        return not replies[-1].startswith(b"421")

    def _reply(self, verb: bytes) -> bytes:
        if verb == b"DATA":
            self._is_data = True
            return b"354 End data with <CR><LF>.<CR><LF>\r\n"
        if verb == b"MAIL":
            self._begun += 1
            if self.limit and self._begun > self.limit:
                return b"421 4.7.0 Too many messages on this connection\r\n"
        known = {b"EHLO": EXTENSIONS, b"QUIT": b"221 2.0.0 Bye\r\n"}
        return known.get(verb, b"250 2.0.0 Ok\r\n")


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Session, "127.0.0.1", port)

    async def flush() -> None:
        while True:
            await asyncio.sleep(0.2)
            sys.stdout.flush()

    async with server:
        await asyncio.gather(server.serve_forever(), flush())


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        _Session.limit = int((*sys.argv, "0")[2])
        asyncio.run(_serve(int(sys.argv[1])))
