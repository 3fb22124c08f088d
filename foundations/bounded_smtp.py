"""SMTP connections whose server cannot hold them, or their memory, without end.

smtplib reads a reply of any number of lines, and its time-out begins again with each octet.
Django's mails and the send engine open their connections with the classes of this module.
"""

import smtplib
import time
from io import BufferedReader

from django.core.mail.backends import smtp

MOST_OCTETS = 65_536  # of one reply; RFC 5321 (4.5.3.1.5) allows 512 a line
MOST_SECONDS = 300.0  # for one reply; RFC 5321 (4.5.3.2) names that of a greeting
ENDLESS = "the mail server talks without end"


class _ReplyFile:
    """The octets that a server sends, as smtplib reads them: line by line.

    `begin` starts a reply. `readline` raises OSError once the reply is too long or takes too long.
    """

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self.begin()

    def begin(self) -> None:
        """Starts to count the octets and the seconds of a reply."""
        self._left, self._ends_at = MOST_OCTETS, time.monotonic() + MOST_SECONDS

    def readline(self, most: int) -> bytes:
        """Returns the next line, its first `most` octets, or what came before the end."""
        line = b""
        while len(line) < most and not line.endswith(b"\n"):
            if self._left <= 0 or time.monotonic() > self._ends_at:
                raise OSError(ENDLESS)
            seen = self._file.peek(1)  # waits for one packet at most
            if not seen:
                break
            length = min(seen.find(b"\n") + 1 or len(seen), most - len(line))
            line += self._file.read(length)
            self._left -= length
        return line

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


class _BoundedReplies:
    """A mixin for smtplib's connections: a reply ends, or the connection does."""

    def getreply(self) -> tuple[int, bytes]:
        """Returns the code and the text of a reply. Raises SMTPServerDisconnected."""
        connection: smtplib.SMTP = self  # type: ignore[assignment]
        if connection.file is None and connection.sock is not None:
            connection.file = _ReplyFile(connection.sock.makefile("rb"))
        if isinstance(connection.file, _ReplyFile):
            connection.file.begin()
        return super().getreply()  # type: ignore[misc,no-any-return]


class BoundedSMTP(_BoundedReplies, smtplib.SMTP):
    """A connection that begins unencrypted."""


class BoundedSMTPOverTLS(_BoundedReplies, smtplib.SMTP_SSL):
    """A connection that is encrypted from its start."""


class EmailBackend(smtp.EmailBackend):
    """Django's backend with these connections."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        """The class of a connection."""
        return BoundedSMTPOverTLS if self.use_ssl else BoundedSMTP
