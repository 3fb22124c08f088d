"""A mail server in its own process. Its log survives the end of any process.

The server writes a message to the log and syncs the log to disk (fsync) before it answers 250.
The log therefore holds what the mailboxes of customers would hold. A control connection orders
the server to misbehave.

`python -m tests.drills.mail_server PORT LOG` runs the server; `MailServer` starts and controls it.
"""

import asyncio
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from harness.product import ROOT, free_port

START_SECONDS = 60  # a Python process starts slowly on a busy machine
DROP = "drop"  # disconnect instead of a reply
DROP_TAKEN = "drop taken"  # disconnect instead of a reply, but the message is in the mailbox
DROP_INSIDE = "drop inside"  # disconnect while the message is being sent
DROP_DOT = "drop dot"  # disconnect just before the final dot is read
HANG_TAKEN = "hang taken"  # the message is in the mailbox, and no reply follows
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([^>]*)>", re.IGNORECASE | re.MULTILINE)


# ---------------------------------------------------------------- for the drill


@dataclass(frozen=True)
class Taken:
    """One message in a mailbox."""

    at: float
    connection: int
    message_id: str
    to: str


class MailServer:
    """A context manager that runs the server on 127.0.0.1:port and can start it again."""

    def __init__(self, log: Path) -> None:
        self.port, self._log = free_port(), log
        log.unlink(missing_ok=True)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "MailServer":
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Starts the server; the log of a former process stays. Raises RuntimeError on failure."""
        command = [sys.executable, "-m", "tests.drills.mail_server", str(self.port)]
        self._process = subprocess.Popen([*command, str(self._log)], cwd=ROOT)
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError):
                self.order()
                return
            if time.monotonic() > deadline:
                raise RuntimeError("the drill's mail server did not start")
            time.sleep(0.02)

    def stop(self) -> None:
        """Kills the server, which closes its port and every connection."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def order(self, **orders: Any) -> dict[str, int]:
        """Replaces the named fields of `_Orders`; returns the server's counts."""
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(_control(self._log)))
            control.sendall(json.dumps(orders).encode() + b"\n")
            answer: dict[str, int] = json.loads(control.makefile().readline())
            return answer

    def taken(self) -> list[Taken]:
        """Returns the messages in the mailboxes, oldest first."""
        found = []
        for line in self._log.read_text().splitlines():
            at, connection, message_id, to = line.split(" ")
            found.append(Taken(float(at), int(connection), message_id, to))
        return found

    def taken_count(self) -> int:
        """Returns the current number of messages in the mailboxes."""
        return self.order()["taken"]


def _control(log: Path) -> Path:
    return log.with_suffix(".sock")


# ---------------------------------------------------------------- the server


@dataclass
class _Orders:
    """The misbehaviour that a drill ordered."""

    # This many of the next connections get `refusal` as greeting; if it is "", they are closed.
    refuse: int = 0
    refusal: str = "421 4.3.2 too many connections"
    limit: int = 1_000_000  # open connections; further ones get `refusal` too
    most_mails: int = 1_000_000  # on a connection; then 421
    # {step: reply or DROP…} for every address: "mail", "rcpt", "data", "final"
    always: dict[str, str] = field(default_factory=dict)
    always_from: int = 0  # messages in the mailboxes; `always` has no effect before
    # {address: [[step, reply or DROP…] for the first attempt, for the second, …]}
    once: dict[str, list[list[str]]] = field(default_factory=dict)
    byte_by_byte: bool = False
    hang: float = 0.0  # seconds before each reply to a final dot
    eight_bit: bool = True


@dataclass
class _Log:
    """Writes the lines of many connections to disk together, then calls each connection back."""

    file: IO[str]
    count: int = 0
    waiting: list[tuple[str, Callable[[], None]]] = field(default_factory=list)
    is_wanted: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, line: str, then: Callable[[], None]) -> None:
        self.waiting.append((line, then))
        self.is_wanted.set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self.is_wanted.wait()
            self.is_wanted.clear()
            batch, self.waiting = self.waiting, []
            self.file.writelines(line for line, _then in batch)
            self.file.flush()
            await loop.run_in_executor(None, os.fsync, self.file.fileno())
            self.count += len(batch)
            for _line, then in batch:
                then()


@dataclass
class _Server:
    log: _Log
    orders: _Orders = field(default_factory=_Orders)
    counts: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def ordered(self, step: str, address: str) -> str:
        """Returns the ordered reply at this step, or "" for the usual one.

        Removes the order of this attempt from the address's list.
        """
        attempts = self.orders.once.get(address)
        if attempts and attempts[0][0] == step:
            return attempts.pop(0)[1]
        is_time = self.log.count >= self.orders.always_from
        return self.orders.always.get(step, "") if is_time else ""


class _Session(asyncio.Protocol):
    """One connection. Commands wait in `_buffer` while an earlier command has no reply yet."""

    def __init__(self, server: _Server) -> None:
        self._server = server
        self._buffer, self._message, self._to = b"", b"", ""
        self._is_data = self._is_busy = self._is_over = self._drops_inside = False
        self._drops_dot = False
        self._mails = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        counts, orders = self._server.counts, self._server.orders
        counts["connections"] += 1
        counts["open"] += 1
        counts["most_open"] = max(counts["most_open"], counts["open"])
        self._number = counts["connections"]
        if orders.refuse > 0 or counts["open"] > orders.limit:
            orders.refuse -= orders.refuse > 0
            counts["refused"] += 1
            if orders.refusal:
                self._transport.write(orders.refusal.encode() + b"\r\n")
            self._hang_up()
        else:
            self._reply("220 drill.test ESMTP")

    def connection_lost(self, _error: Exception | None) -> None:
        self._server.counts["open"] -= 1
        if not self._is_over:
            self._server.counts["ended_without_quit"] += 1
        self._is_over = True

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while not self._is_busy and not self._is_over and self._step():
            pass

    def _step(self) -> bool:
        if self._is_data:
            return self._read_message()
        line, found, rest = self._buffer.partition(b"\r\n")
        if not found:
            return False
        self._buffer = rest
        self._command(line.decode("latin-1"))
        return True

    def _command(self, line: str) -> None:
        verb = line[:4].upper()
        if verb == "EHLO":
            eight = ["8BITMIME"] if self._server.orders.eight_bit else []
            self._reply("drill.test", "PIPELINING", *eight, "ENHANCEDSTATUSCODES", code=250)
        elif verb == "MAIL":
            self._begin_mail()
        elif verb == "RCPT":
            address = line.partition("<")[2].partition(">")[0]
            if self._answer(self._server.ordered("rcpt", address), "250 2.1.5 Ok"):
                self._to = address
        elif verb == "DATA":
            self._begin_data()
        elif verb == "QUIT":
            self._server.counts["quit"] += 1
            self._is_over = True
            self._reply("221 2.0.0 Bye")
            self._transport.close()
        else:
            self._reply("250 2.0.0 Ok")

    def _begin_mail(self) -> None:
        self._to = ""
        self._mails += 1
        ordered = self._server.ordered("mail", "")
        if self._mails > self._server.orders.most_mails:
            self._server.counts["too_many_mails"] += 1
            ordered = "421 4.7.0 too many messages on this connection"
        self._answer(ordered, "250 2.1.0 Ok")

    def _begin_data(self) -> None:
        if not self._to:
            self._reply("503 5.5.1 no valid recipient")
        elif self._answer(self._server.ordered("data", self._to), "354 go on"):
            self._is_data, self._message = True, b""
            self._drops_inside = self._server.ordered("inside", self._to) == DROP_INSIDE
            self._drops_dot = self._server.ordered("dot", self._to) == DROP_DOT

    def _read_message(self) -> bool:
        if self._drops_inside and self._buffer:
            self._hang_up()
            return False
        if self._buffer.startswith(b".\r\n"):
            end, rest = b"", self._buffer[3:]
        else:
            end, found, rest = self._buffer.partition(b"\r\n.\r\n")
            if not found:
                return False
        if self._drops_dot:
            self._hang_up()
            return False
        self._buffer, self._message, self._is_data = rest, end, False
        self._end_message()
        return True

    def _end_message(self) -> None:
        ordered = self._server.ordered("final", self._to)
        if ordered in ("", DROP_TAKEN, HANG_TAKEN) or ordered.startswith("2"):
            self._is_busy = True
            found = _MESSAGE_ID.search(self._message)
            message_id = found[1].decode() if found else "none"
            line = f"{time.time():.6f} {self._number} {message_id} {self._to}\n"
            self._server.log.add(line, lambda: self._logged(ordered))
        else:
            self._answer(ordered, "")

    def _logged(self, ordered: str) -> None:
        if ordered == DROP_TAKEN:
            self._hang_up()
        elif ordered != HANG_TAKEN:
            wait = self._server.orders.hang
            asyncio.get_running_loop().call_later(wait, self._accept) if wait else self._accept()

    def _accept(self) -> None:
        self._is_busy = False
        if not self._transport.is_closing():
            self._reply("250 2.0.0 Ok: taken")
            self.data_received(b"")

    def _answer(self, ordered: str, usual: str) -> bool:
        """Sends the ordered reply, or the usual one; returns True if the mail can continue."""
        if ordered == DROP:
            self._hang_up()
            return False
        self._reply(ordered or usual)
        if ordered.startswith("421"):
            self._is_over = True
            self._transport.close()
        return not ordered or ordered[0] in "23"

    def _reply(self, *lines: str, code: int = 0) -> None:
        if code:
            marks = ["-"] * (len(lines) - 1) + [" "]
            lines = tuple(f"{code}{m}{line}" for m, line in zip(marks, lines, strict=True))
        data = "".join(f"{line}\r\n" for line in lines).encode()
        if not self._server.orders.byte_by_byte:
            self._transport.write(data)
            return
        for place in range(len(data)):  # asyncio sets TCP_NODELAY, so each byte is a packet
            self._transport.write(data[place : place + 1])

    def _hang_up(self) -> None:
        self._is_over = True
        self._transport.abort() if self._is_data else self._transport.close()


async def _control_connection(
    server: _Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    for name, value in json.loads(await reader.readline()).items():
        setattr(server.orders, name, value)
    counts: Mapping[str, int] = {**server.counts, "taken": server.log.count}
    writer.write(json.dumps(counts).encode() + b"\n")
    await writer.drain()
    writer.close()


async def _main(arguments: Sequence[str]) -> None:
    port, path = int(arguments[0]), Path(arguments[1])
    with path.open("a") as file:
        former = len(path.read_text().splitlines())
        server = _Server(_Log(file, count=former))
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(
            lambda: _Session(server), "127.0.0.1", port, backlog=1024
        )
        _control(path).unlink(missing_ok=True)
        await asyncio.start_unix_server(
            lambda reader, writer: _control_connection(server, reader, writer),
            str(_control(path)),
            limit=2**28,
        )
        async with listening:
            await asyncio.gather(listening.serve_forever(), server.log.run())


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main(sys.argv[1:]))
