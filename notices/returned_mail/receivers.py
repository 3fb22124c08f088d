"""Receives returned mail: over an SMTP or LMTP listener, from a Maildir or an IMAP mailbox."""
# ruff: noqa: ARG002, N802 (aiosmtpd calls its handlers by these names and arguments)

import asyncio
import glob
import imaplib
import ipaddress
import logging
import mailbox
import re
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses
from itertools import islice
from pathlib import Path
from threading import Timer
from typing import Any
from urllib.parse import unquote, urlsplit

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections

from foundations.private_urls import is_private
from notices.models import ReturnedMail
from notices.returned_mail import bounces
from notices.returned_mail.returned_message import MOST_BYTES

logger = logging.getLogger(__name__)
MOST_CONNECTIONS = 50
MOST_OF_A_PEER = 10  # connections
IDLE_SECONDS = 60  # between two commands, and for a whole message
SESSION_SECONDS = 600  # a peer with more mail connects again
# The limits of commands in one connection. A mail needs one each of MAIL, RCPT and DATA.
MOST_COMMANDS = {"*": 20, **dict.fromkeys(("MAIL", "RCPT", "DATA", "RSET", "NOOP"), 500)}
MOST_AT_A_TIME = 1_000  # mails of a mailbox in one run
MAILBOX_SECONDS = 1_800  # for one run; 1,000 mails need about 20
_HEAD_BYTES = 65_536
MOST_ANSWER = 4 * MOST_BYTES  # octets of a mailbox's server to one command; a mail is the longest
ASIDE = "aside"  # the folder of mails that could not be processed
Outcome = ReturnedMail.Outcome
_MAIL_HEADERS = ("X-Original-To", "Delivered-To", "Envelope-To", "To")


class UnsafeMailboxError(Exception):
    """Raised if the mailbox can only be read over an unencrypted connection to another machine."""


class Listener:
    """An SMTP or LMTP server for mail to bounce addresses and the complaints address.

    It refuses all other addresses before it receives their content.
    """

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
        # On a loopback address there is one peer: the mail server in front of this one.
        most_of_a_peer = MOST_CONNECTIONS if _is_loopback(host) else MOST_OF_A_PEER
        self._slots = _ConnectionSlots(MOST_CONNECTIONS, most_of_a_peer)
        # One thread writes to the database. That is enough, and a flood of mail then cannot use up
        # the database's connections.
        self._writer = ThreadPoolExecutor(max_workers=1)

    async def serve(self, *, ready: Callable[[int], None] = lambda _port: None) -> None:
        """Listens until cancelled. Calls `ready` with the port once it listens."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._connection, self.host, self.port)
        async with server:
            ready(server.sockets[0].getsockname()[1])
            await server.serve_forever()

    def close(self) -> None:
        """Waits until the last mail is recorded, then closes the database connection."""
        self._writer.submit(connections.close_all)
        self._writer.shutdown()

    def _connection(self) -> asyncio.Protocol:
        return _limited(self._protocol)(
            self,
            self._slots,
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
        """Accepts one known recipient per mail, because a report is about one delivery."""
        is_ours = bounces.delivery_of_sender(address) or bounces.is_complaints_address(address)
        if not is_ours:
            await self._in_database(bounces.count_returned_mail, Outcome.UNKNOWN)
            return "550 5.1.1 no such address"
        if envelope.rcpt_tos:
            return "452 4.5.3 one recipient at a time"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Answers 250 once the report is stored. Until then the other server retains the mail."""
        data = envelope.content if isinstance(envelope.content, bytes) else b""
        try:
            outcome = await self._in_database(_receive, envelope.rcpt_tos[0], data)
        except DatabaseError:
            logger.exception("a returned mail could not be recorded")
            return "451 4.3.0 try again later"
        is_early = outcome == Outcome.EARLY
        return "451 4.3.0 too early, try again later" if is_early else "250 2.0.0 taken"

    async def _in_database(self, function: Callable[..., Any], *args: Any) -> Any:
        def run() -> Any:
            close_old_connections()
            return function(*args)

        return await asyncio.get_running_loop().run_in_executor(self._writer, run)


class _ConnectionSlots:
    """The open connections, limited in total and by peer."""

    def __init__(self, most: int, most_of_a_peer: int) -> None:
        self._most, self._most_of_a_peer = most, most_of_a_peer
        self._open: Counter[str] = Counter()

    def acquire(self, peer: str) -> bool:
        """Counts a connection of `peer`. Returns False if there is no slot left for it."""
        if self._open.total() >= self._most or self._open[peer] >= self._most_of_a_peer:
            return False
        self._open[peer] += 1
        return True

    def release(self, peer: str) -> None:
        self._open[peer] -= 1
        self._open += Counter()  # removes peers without a connection


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _peer_of(transport: asyncio.BaseTransport) -> str:
    """Returns the peer's IPv4 address, or the /64 network of its IPv6 address.

    A provider assigns a /64 network to one subscriber.
    """
    name = transport.get_extra_info("peername")
    address = ipaddress.ip_address(str(name[0]).partition("%")[0]) if name else None
    if not isinstance(address, ipaddress.IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))


def _limited(protocol: type[SMTP]) -> Callable[..., SMTP]:
    """Returns a `protocol` that closes connections without a free slot, and long sessions."""

    class Limited(protocol):  # type: ignore[valid-type,misc]
        # A report quotes a mail whose lines may be longer than RFC 5321 allows. The server that
        # brings it has no other way for it.
        line_length_limit = MOST_BYTES

        def __init__(
            self, handler: Listener, slots: _ConnectionSlots, session_seconds: float, **options: Any
        ) -> None:
            super().__init__(handler, **options)
            self._slots, self._session_seconds = slots, session_seconds
            self._peer = ""
            self._end: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:
            peer = _peer_of(transport)
            if not self._slots.acquire(peer):
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
            self._slots.release(self._peer)
            super().connection_lost(error)

    return Limited


# ---------------------------------------------------------------- mailboxes


def read_maildir(path: Path) -> int:
    """Records the mails in a Maildir and deletes them. Returns how many.

    It takes at most MOST_AT_A_TIME mails. A mail that cannot be processed is moved to the folder
    "aside". One that came too early, or that cannot be opened, stays for the next run.
    """
    box = mailbox.Maildir(path, create=False)
    keys = box.keys()
    takes = (_take_file(box, path, key) for key in keys)
    return sum(islice(filter(None, takes), MOST_AT_A_TIME))


def _take_file(box: mailbox.Maildir, path: Path, key: str) -> bool:
    """Records a mail of a Maildir. Returns False if it stays there."""
    try:
        with box.get_file(key) as file:
            data = file.read(MOST_BYTES + 1)
    except (KeyError, OSError) as error:  # another program has taken it, or owns it
        logger.error("a returned mail could not be opened: %s", type(error).__name__)
        return False
    outcome = _record(data)
    if outcome == Outcome.EARLY:
        return False
    if outcome == Outcome.ASIDE:
        box.add_folder(ASIDE)
        file_path = next(path.glob(f"[cn][ue][rw]/{glob.escape(key)}*"))
        file_path.rename(path / f".{ASIDE}" / "new" / key)
    else:
        box.discard(key)
    return True


def read_imap(url: str) -> int:
    """Records the mails in the INBOX of `imaps://user:password@host/` and deletes them there.

    Returns how many, at most MOST_AT_A_TIME. A mail that cannot be processed is copied to the
    mailbox "aside". One that came too early, or that the server does not give, stays for the next
    run. Raises imaplib.IMAP4.error or OSError if the server does not answer, or takes longer than
    MAILBOX_SECONDS; the mails stay there. Raises UnsafeMailboxError for `imap://` to another
    machine, because the password would be sent unencrypted.
    """
    if not is_private(url, encrypted="imaps"):
        raise UnsafeMailboxError("IMAP_URL: the password would go unencrypted; use imaps://")
    with _signed_in(url) as imap:
        takes = (_take_of_server(imap, uid) for uid in _uids(imap))
        taken = sum(islice(filter(None, takes), MOST_AT_A_TIME))
        imap.expunge()
    return taken


def _uids(imap: imaplib.IMAP4) -> Iterator[str]:
    """Opens the INBOX, and yields the UIDs of its mails. Raises imaplib.IMAP4.error.

    Not from SEARCH: its answer is one line, and imaplib refuses that of 160,000 mails.
    """
    answer, found = imap.select("INBOX")
    if answer != "OK":
        raise imaplib.IMAP4.error("the mailbox has no INBOX that can be opened")
    number_of_mails = int(found[-1] or 0)
    for first in range(1, number_of_mails + 1, MOST_AT_A_TIME):
        last = min(first + MOST_AT_A_TIME - 1, number_of_mails)
        _ok, lines = imap.fetch(f"{first}:{last}", "(UID)")
        uids = (re.search(rb"\bUID (\d+)", line) for line in lines if isinstance(line, bytes))
        yield from (uid[1].decode() for uid in uids if uid)


def _take_of_server(imap: imaplib.IMAP4, uid: str) -> bool:
    """Records a mail of an IMAP mailbox and marks it as deleted. Returns False if it stays there.

    `uid` is its UID: a number changes when another program deletes a mail before it.
    """
    data = _fetched(imap, uid)
    if data is None:
        logger.error("the IMAP server did not give a returned mail")
        return False
    outcome = _record(data)
    if outcome == Outcome.EARLY or not _put_aside(imap, uid, outcome):
        return False
    imap.uid("STORE", uid, "+FLAGS", r"(\Deleted)")
    return True


def _put_aside(imap: imaplib.IMAP4, uid: str, outcome: ReturnedMail.Outcome) -> bool:
    """Copies a mail that could not be processed. Returns False if it cannot be copied."""
    if outcome != Outcome.ASIDE:
        return True
    imap.create(ASIDE)  # the server refuses it if it exists
    answer, _data = imap.uid("COPY", uid, ASIDE)
    return answer == "OK"


class _BoundedAnswers:
    """A mixin for imaplib's connections, which read as much as a server sends, or says it sends,
    and wait for each octet as long as for the first one.
    """

    _left = MOST_ANSWER

    def open(self, *args: Any, **options: Any) -> None:
        """Connects, and ends the connection after MAILBOX_SECONDS, whatever the server sends."""
        super().open(*args, **options)  # type: ignore[misc]
        self._end = Timer(MAILBOX_SECONDS, self._cut)
        self._end.daemon = True
        self._end.start()

    def shutdown(self) -> None:
        """Closes the connection."""
        self._end.cancel()
        super().shutdown()  # type: ignore[misc]

    def _cut(self) -> None:
        logger.error("the IMAP server took longer than %s seconds", MAILBOX_SECONDS)
        connection: Any = self
        connection.state = "LOGOUT"  # else imaplib sends LOGOUT
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)  # the thread that reads gets an end of file

    def send(self, data: Any) -> None:
        """Sends a command, or a part of one, and begins to count the octets of the answer."""
        self._left = MOST_ANSWER
        super().send(data)  # type: ignore[misc]

    def read(self, size: int) -> bytes:
        """Reads a literal. Raises imaplib.IMAP4.abort if the answer is too long."""
        self._count(size)
        return super().read(size)  # type: ignore[misc,no-any-return]

    def readline(self) -> bytes:
        """Reads a line. Raises imaplib.IMAP4.abort if the answer is too long."""
        line: bytes = super().readline()  # type: ignore[misc]
        self._count(len(line))
        return line

    def _count(self, octets: int) -> None:
        self._left -= octets
        if self._left < 0:
            connection: Any = self
            connection.state = "LOGOUT"  # else imaplib sends LOGOUT, and reads on
            connection.shutdown()
            raise imaplib.IMAP4.abort("the mailbox's server answers without end")


class _BoundedIMAP(_BoundedAnswers, imaplib.IMAP4):
    """A connection to this machine."""


class _BoundedIMAPOverTLS(_BoundedAnswers, imaplib.IMAP4_SSL):
    """A connection to another machine."""


@contextmanager
def _signed_in(url: str) -> Iterator[imaplib.IMAP4]:
    parts = urlsplit(url)
    if parts.scheme == "imaps":
        imap: imaplib.IMAP4 = _BoundedIMAPOverTLS(
            parts.hostname or "",
            parts.port or 993,
            ssl_context=ssl.create_default_context(),
            timeout=IDLE_SECONDS,
        )
    else:
        imap = _BoundedIMAP(parts.hostname or "", parts.port or 143, timeout=IDLE_SECONDS)
    try:
        with imap:
            imap.login(unquote(parts.username or ""), unquote(parts.password or ""))
            yield imap
    finally:
        with suppress(OSError):
            imap.shutdown()


def _fetched(imap: imaplib.IMAP4, uid: str) -> bytes | None:
    """Returns the first MOST_BYTES + 1 bytes of a mail; None if the server does not give it.

    A longer mail is then unreadable.
    """
    state, answer = imap.uid("FETCH", uid, f"(BODY.PEEK[]<0.{MOST_BYTES + 1}>)")
    parts = answer if state == "OK" else []
    return next((part[1] for part in parts if isinstance(part, tuple)), None)


def _record(data: bytes) -> ReturnedMail.Outcome:
    """Records a mail of a mailbox. Its address is in a header, because it has no envelope."""
    try:
        address = _address_in_header(data)
    except Exception as error:  # noqa: BLE001  any mail may come, and the next ones must be read
        return _count_aside(error)
    return _receive(address, data)


def _receive(address: str, data: bytes) -> ReturnedMail.Outcome:
    """Records a mail, and counts one that cannot be processed. Raises DatabaseError."""
    try:
        return bounces.receive(address, data)
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001  any mail may come, and the next ones must be read
        return _count_aside(error)


def _count_aside(error: Exception) -> ReturnedMail.Outcome:
    logger.error("a returned mail could not be processed: %s", type(error).__name__)
    bounces.count_returned_mail(Outcome.ASIDE)
    return Outcome.ASIDE


def _address_in_header(data: bytes) -> str:
    """Returns the bounce address that a header names, else the first address, else ""."""
    head = re.split(rb"\r?\n\r?\n", data[:_HEAD_BYTES], maxsplit=1)[0]
    message: Message = BytesHeaderParser().parsebytes(head)
    named = [value for name in _MAIL_HEADERS for value in message.get_all(name, [])]
    addresses = [address for _name, address in getaddresses([str(value) for value in named])]
    known = (one for one in addresses if bounces.delivery_of_sender(one))
    return next(known, addresses[0] if addresses else "")
