"""Makes a real SMTP server on a free port that stores messages and misbehaves on demand."""
# ruff: noqa: ARG002, N802 (aiosmtpd calls its handlers by these names and arguments)

import asyncio
import threading
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

DROP = "drop the connection"


@dataclass(frozen=True)
class Taken:
    """One received message."""

    sender: str
    to: str
    data: bytes

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.data, policy=policy.default)


class _Protocol(SMTP):
    """The protocol of aiosmtpd, which can also disconnect instead of asking for the message."""

    async def smtp_DATA(self, arg: str) -> None:
        assert self.envelope is not None
        handler = cast("SmtpServer", self.event_handler)
        if self.envelope.rcpt_tos and handler.next_reply("data", self.envelope.rcpt_tos[0]):
            self.hang_up()
            return
        await super().smtp_DATA(arg)

    def hang_up(self) -> None:
        cast("asyncio.Transport", self.transport).abort()


class SmtpServer:
    """`with SmtpServer() as server:` listens on 127.0.0.1:server.port.

    `server.reply_next("recipient", address, "450 4.2.2 full", ...)` sets the replies to the next
    attempts for an address ("" for any), at "sender", "recipient", "data" or "message".
    DROP disconnects instead. After a DROP at "message" the server has still stored the message.
    `ssl_context` is that of STARTTLS, or of TLS from the start (`is_implicit`).
    `reply_seconds` delays the replies to MAIL, RCPT and the message.
    """

    def __init__(
        self,
        *,
        eight_bit: bool = True,
        ssl_context: Any = None,
        is_implicit: bool = False,
        reply_seconds: float = 0,
    ) -> None:
        self.taken: list[Taken] = []
        self._reply_seconds = reply_seconds
        self.connections = 0
        self._script: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        self._options: dict[str, Any] = {"decode_data": not eight_bit}
        if not is_implicit:  # but STARTTLS
            self._options["tls_context"] = ssl_context
        self._tls = ssl_context if is_implicit else None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "SmtpServer":
        self._thread.start()
        listening = self._loop.create_server(self._protocol, "127.0.0.1", 0, ssl=self._tls)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_error: object) -> None:
        self._loop.call_soon_threadsafe(self._stop)
        self._thread.join(10)
        self._loop.close()

    def _stop(self) -> None:
        self._server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.call_soon(self._loop.stop)

    def _protocol(self) -> _Protocol:
        self.connections += 1
        return _Protocol(self, loop=self._loop, hostname="smtp.test", **self._options)

    def to(self, address: str) -> list[EmailMessage]:
        """Returns the messages received for an address, oldest first."""
        return [taken.message for taken in list(self.taken) if taken.to == address]

    def reply_next(self, step: str, address: str, *replies: str) -> None:
        """Sets the next replies, one an attempt; after them the server behaves normally."""
        self._script[step, address].extend(replies)

    def next_reply(self, step: str, address: str) -> str:
        """Returns and removes the next reply for a step, or "" for the normal one."""
        for key in ((step, address), (step, "")):
            if self._script[key]:
                return self._script[key].pop(0)
        return ""

    async def handle_MAIL(
        self, server: _Protocol, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        await asyncio.sleep(self._reply_seconds)
        if reply := self.next_reply("sender", ""):
            return self._do(server, reply)
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: _Protocol, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        await asyncio.sleep(self._reply_seconds)
        if reply := self.next_reply("recipient", address):
            return self._do(server, reply)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: _Protocol, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(self._reply_seconds)
        address = envelope.rcpt_tos[0]
        reply = self.next_reply("message", address)
        if not reply or reply == DROP or reply.startswith("2"):
            data = cast("bytes", envelope.original_content)
            self.taken.append(Taken(str(envelope.mail_from), address, data))
        return self._do(server, reply or "250 2.0.0 taken")

    @staticmethod
    def _do(server: _Protocol, reply: str) -> str:
        if reply == DROP:
            server.hang_up()
        return reply


def recipients(taken: Iterable[Taken]) -> list[str]:
    """Returns the recipients of the messages, sorted."""
    return sorted(one.to for one in taken)
