"""Where returned mail comes in: an SMTP or LMTP listener, a Maildir, an IMAP mailbox."""
# ruff: noqa: ARG002, N802 (aiosmtpd calls its handlers by these names and arguments)

import asyncio
import imaplib
import ipaddress
import logging
import mailbox
import re
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections

from breachportal import environment
from notices.models import ReturnedMail
from notices.returned_mail import bounces
from notices.returned_mail.delivery_reports import MOST_BYTES

logger = logging.getLogger(__name__)
MOST_CONNECTIONS = 50
MOST_OF_A_PEER = 10
IDLE_SECONDS = 60  # between two commands, and for a whole message
SESSION_SECONDS = 600  # a peer that has more to say connects again
# After so many a connection is closed; a mail needs one each, but for RSET and NOOP.
MOST_COMMANDS = {"*": 20, **dict.fromkeys(("MAIL", "RCPT", "DATA", "RSET", "NOOP"), 500)}
MOST_AT_A_TIME = 1_000  # mails of a mailbox in one run
_HEAD_BYTES = 65_536
_MAIL_HEADERS = ("X-Original-To", "Delivered-To", "Envelope-To", "To")


class UnsafeMailboxError(Exception):
    """The mailbox can be read only in a way that others could read, too."""


class Listener:
    """Takes mail to the addresses we gave, and refuses all others before their content comes."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        is_lmtp: bool = False,
        idle_seconds: float = IDLE_SECONDS,
        session_seconds: float = SESSION_SECONDS,
    ) -> None:
        self.host, self.port = host, port
        self._protocol = LMTP if is_lmtp else SMTP
        self._idle_seconds, self._session_seconds = idle_seconds, session_seconds
        # Who listens to its own machine has one peer: the mail server in front of it.
        most_of_a_peer = MOST_CONNECTIONS if _is_loopback(host) else MOST_OF_A_PEER
        self._seats = _Seats(MOST_CONNECTIONS, most_of_a_peer)
        # One thread writes: it is little work, and a flood must not take the connections.
        self._writer = ThreadPoolExecutor(max_workers=1)

    async def serve(self, *, ready: Callable[[int], None] = lambda _port: None) -> None:
        """Listens until cancelled; `ready` is told the port."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._connection, self.host, self.port)
        async with server:
            ready(server.sockets[0].getsockname()[1])
            await server.serve_forever()

    def close(self) -> None:
        """Lets what is being recorded end, and its connection to the database."""
        self._writer.submit(connections.close_all)
        self._writer.shutdown()

    def _connection(self) -> asyncio.Protocol:
        return _limited(self._protocol)(
            self,
            self._seats,
            self._session_seconds,
            hostname=settings.MAIL_DOMAIN,
            data_size_limit=MOST_BYTES,
            timeout=self._idle_seconds,
            command_call_limit=MOST_COMMANDS,
            enable_SMTPUTF8=True,
        )

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        """One recipient a mail: a report is about one delivery."""
        is_ours = bounces.delivery_of_sender(address) or bounces.is_complaints_address(address)
        if not is_ours:
            await self._in_database(bounces.count_returned_mail, ReturnedMail.Outcome.UNKNOWN)
            return "550 5.1.1 no such address"
        if envelope.rcpt_tos:
            return "452 4.5.3 one recipient at a time"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """250 once it is in the database; until then the other server keeps it."""
        data = envelope.content if isinstance(envelope.content, bytes) else b""
        try:
            await self._in_database(bounces.receive, envelope.rcpt_tos[0], data)
        except DatabaseError:
            logger.exception("a returned mail could not be recorded")
            return "451 4.3.0 try again later"
        return "250 2.0.0 taken"

    async def _in_database(self, function: Callable[..., Any], *args: Any) -> Any:
        def run() -> Any:
            close_old_connections()
            return function(*args)

        return await asyncio.get_running_loop().run_in_executor(self._writer, run)


class _Seats:
    """How many are connected, in all and of one peer."""

    def __init__(self, most: int, most_of_a_peer: int) -> None:
        self._most, self._most_of_a_peer = most, most_of_a_peer
        self._taken: Counter[str] = Counter()

    def take(self, peer: str) -> bool:
        """False if there is none left for this peer."""
        if self._taken.total() >= self._most or self._taken[peer] >= self._most_of_a_peer:
            return False
        self._taken[peer] += 1
        return True

    def give_back(self, peer: str) -> None:
        self._taken[peer] -= 1
        self._taken += Counter()  # forgets who has none


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _peer_of(transport: asyncio.BaseTransport) -> str:
    """An IPv4 address, or the IPv6 network that one subscriber has to himself."""
    name = transport.get_extra_info("peername")
    address = ipaddress.ip_address(str(name[0]).partition("%")[0]) if name else None
    if not isinstance(address, ipaddress.IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))


def _limited(protocol: type[SMTP]) -> Callable[..., SMTP]:
    """`protocol` that hangs up on whom there is no seat for, and on who stays too long."""

    class Limited(protocol):  # type: ignore[valid-type,misc]
        def __init__(
            self, handler: Listener, seats: _Seats, session_seconds: float, **options: Any
        ) -> None:
            super().__init__(handler, **options)
            self._seats, self._session_seconds = seats, session_seconds
            self._peer = ""
            self._end: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:
            peer = _peer_of(transport)
            if not self._seats.take(peer):
                transport.write(b"421 4.7.0 too many connections\r\n")
                transport.close()
                return
            self._peer = peer
            self._end = self.loop.call_later(self._session_seconds, transport.abort)
            super().connection_made(transport)

        def connection_lost(self, error: Exception | None) -> None:
            if self._end is None:
                return
            self._end.cancel()
            self._seats.give_back(self._peer)
            super().connection_lost(error)

    return Limited


# ---------------------------------------------------------------- mailboxes


def read_maildir(path: Path) -> int:
    """Takes what lies in a Maildir and deletes it there; how many mails it was."""
    box = mailbox.Maildir(path, create=False)
    keys = box.keys()[:MOST_AT_A_TIME]
    for key in keys:
        with box.get_file(key) as file:
            _take(file.read(MOST_BYTES + 1))
        box.remove(key)
    return len(keys)


def read_imap(url: str) -> int:
    """The same for the INBOX of `imaps://user:password@host/`.

    Raises UnsafeMailboxError for `imap://` to another machine: the password would go in the clear.
    """
    if not environment.is_private(url, encrypted="imaps"):
        raise UnsafeMailboxError("IMAP_URL: the password would go unencrypted; use imaps://")
    with _signed_in(url) as imap:
        _ok, found = imap.search(None, "ALL")
        numbers = found[0].split()[:MOST_AT_A_TIME]
        for number in numbers:
            _take(_fetched(imap, number.decode()))
            imap.store(number.decode(), "+FLAGS", r"(\Deleted)")
        imap.expunge()
    return len(numbers)


@contextmanager
def _signed_in(url: str) -> Iterator[imaplib.IMAP4]:
    parts = urlsplit(url)
    if parts.scheme == "imaps":
        imap: imaplib.IMAP4 = imaplib.IMAP4_SSL(
            parts.hostname or "",
            parts.port or 993,
            ssl_context=ssl.create_default_context(),
            timeout=IDLE_SECONDS,
        )
    else:
        imap = imaplib.IMAP4(parts.hostname or "", parts.port or 143, timeout=IDLE_SECONDS)
    with imap:
        imap.login(unquote(parts.username or ""), unquote(parts.password or ""))
        imap.select("INBOX")
        yield imap


def _fetched(imap: imaplib.IMAP4, number: str) -> bytes:
    """At most what a report may measure; a longer one is cut, and then unreadable."""
    _ok, answer = imap.fetch(number, f"(BODY.PEEK[]<0.{MOST_BYTES + 1}>)")
    return next((part[1] for part in answer if isinstance(part, tuple)), b"")


def _take(data: bytes) -> None:
    """In a mailbox the envelope is gone: the address stands in one of the headers."""
    head = re.split(rb"\r?\n\r?\n", data[:_HEAD_BYTES], maxsplit=1)[0]
    message: Message = BytesHeaderParser().parsebytes(head)
    named = [value for name in _MAIL_HEADERS for value in message.get_all(name, [])]
    addresses = [address for _name, address in getaddresses([str(value) for value in named])]
    known = (one for one in addresses if bounces.delivery_of_sender(one))
    bounces.receive(next(known, addresses[0] if addresses else ""), data)
