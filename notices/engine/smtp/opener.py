"""Opens SMTP connections: name look-up, greeting, certificate check and sign-in."""

import smtplib
import socket
import ssl
import threading
from contextlib import suppress
from queue import Empty, SimpleQueue

from django.conf import settings

from foundations.bounded_smtp import BoundedSMTP, BoundedSMTPOverTLS
from notices.engine.smtp.connections import Connection
from notices.engine.transport import (
    ConnectionDeniedError,
    SenderRefusedError,
    ServerUnavailableError,
    clean_reply,
)
from notices.ledger_messages import LedgerMessages
from notices.returned_mail.reply_reading import asks_for_later
from notices.returned_mail.returned_message import decoded_octets


class Opener:
    """An opener of connections. It uses threads of its own, because name look-ups, greetings and
    certificates take time.

    `wake_up` is a socket that becomes readable when a result is there.
    """

    def __init__(self) -> None:
        self._results: SimpleQueue[Connection | Exception] = SimpleQueue()
        self.wake_up, self._wake_up_sender = socket.socketpair()
        self.pending = 0  # connections that are being opened
        self._is_closed = False

    @property
    def is_busy(self) -> bool:
        """Returns whether connections are being opened."""
        return self.pending > 0

    def open(self, number: int) -> None:
        """Starts to open that many connections."""
        for _ in range(number):
            self.pending += 1
            threading.Thread(target=self._open, daemon=True).start()

    def opened(self) -> list[Connection | Exception]:
        """Returns the connections that are open now, and the errors of others."""
        self.wake_up.recv(4096)
        found: list[Connection | Exception] = []
        with suppress(Empty):
            while True:
                found.append(self._results.get_nowait())
                self.pending -= 1
        return found

    def close(self) -> None:
        """Closes the connections that were opened and not collected. Later ones are closed when
        they open.
        """
        self._is_closed = True
        self.wake_up.close()
        with suppress(Empty):
            while True:
                result = self._results.get_nowait()
                if isinstance(result, Connection):
                    result.sock.close()

    def _open(self) -> None:
        result: Connection | Exception
        try:
            result = _connect()
        except Exception as error:  # noqa: BLE001 (the thread passes every error to the loop)
            result = error
        if self._is_closed and isinstance(result, Connection):
            result.sock.close()
            return
        self._results.put(result)
        with suppress(OSError):
            self._wake_up_sender.send(b"1")


def _connect() -> Connection:
    """Opens a connection and signs in. Raises SenderRefusedError and ServerUnavailableError."""
    try:
        smtp = _connect_smtp()
        if settings.EMAIL_HOST_USER:
            smtp.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
    except smtplib.SMTPResponseException as error:
        answer = error.smtp_error
        text = decoded_octets(answer) if isinstance(answer, bytes) else answer
        server_reply = clean_reply(f"{error.smtp_code} {text}")
        if error.smtp_code >= 500 and not asks_for_later(server_reply):
            raise SenderRefusedError(server_reply) from None
        raise ConnectionDeniedError(server_reply) from None
    except (smtplib.SMTPNotSupportedError, ssl.SSLCertVerificationError) as error:
        raise SenderRefusedError(clean_reply(str(error))) from None
    except (smtplib.SMTPException, OSError) as error:
        raise ServerUnavailableError(clean_reply(str(error))) from None
    return _connection_from(smtp)


def _connection_from(smtp: smtplib.SMTP) -> Connection:
    """Returns a Connection over the socket of an smtplib connection. smtplib has handled the
    greeting, TLS and the sign-in.
    """
    sock, file = smtp.sock, smtp.file
    smtp.sock = smtp.file = None
    if file is not None:
        file.close()
    if sock is None:
        raise ServerUnavailableError(LedgerMessages.HUNG_UP.stored())
    return Connection(sock, {name.lower() for name in smtp.esmtp_features})


def _connect_smtp() -> smtplib.SMTP:
    """Returns a connection after EHLO. The certificate is checked against the host's name."""
    address = (settings.EMAIL_HOST, settings.EMAIL_PORT, settings.MAIL_DOMAIN)
    if settings.EMAIL_SECURITY == "tls":
        context = ssl.create_default_context()
        smtp: smtplib.SMTP = BoundedSMTPOverTLS(
            *address, timeout=settings.EMAIL_TIMEOUT, context=context
        )
    else:
        smtp = BoundedSMTP(*address, timeout=settings.EMAIL_TIMEOUT)
    if settings.EMAIL_SECURITY == "starttls":
        smtp.starttls(context=ssl.create_default_context())
    smtp.ehlo_or_helo_if_needed()
    return smtp
