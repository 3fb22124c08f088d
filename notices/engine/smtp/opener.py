"""From a host's name to a connection past its greeting, its certificate checked, signed in."""

import smtplib
import socket
import ssl
import threading
from contextlib import suppress
from queue import Empty, SimpleQueue

from django.conf import settings

from notices.engine.smtp.connections import Connection
from notices.engine.transport import SenderRefusedError, ServerUnavailableError, clean
from notices.ledger_messages import LedgerMessages


class Opener:
    """Opens connections in threads of their own: names, greetings and certificates take time."""

    def __init__(self) -> None:
        self._results: SimpleQueue[Connection | Exception] = SimpleQueue()
        self.bell, self._rope = socket.socketpair()
        self._under_way = 0
        self._is_closed = False

    @property
    def is_busy(self) -> bool:
        """Whether some are under way."""
        return self._under_way > 0

    def open(self, number: int) -> None:
        """Begins to open that many."""
        for _ in range(number):
            self._under_way += 1
            threading.Thread(target=self._open, daemon=True).start()

    def opened(self) -> list[Connection | Exception]:
        """Those that are open now, and why others are not."""
        self.bell.recv(4096)
        found: list[Connection | Exception] = []
        with suppress(Empty):
            while True:
                found.append(self._results.get_nowait())
                self._under_way -= 1
        return found

    def close(self) -> None:
        """Lets go of what is still under way."""
        self._is_closed = True
        self.bell.close()
        with suppress(Empty):
            while True:
                result = self._results.get_nowait()
                if isinstance(result, Connection):
                    result.sock.close()

    def _open(self) -> None:
        result: Connection | Exception
        try:
            result = _connected()
        except Exception as error:  # noqa: BLE001 (the thread's only way to tell)
            result = error
        if self._is_closed and isinstance(result, Connection):
            result.sock.close()
            return
        self._results.put(result)
        with suppress(OSError):
            self._rope.send(b"1")


def _connected() -> Connection:
    try:
        smtp = _greeted()
        if settings.EMAIL_HOST_USER:
            smtp.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        words = clean(f"{error.smtp_code} {text}")
        if error.smtp_code >= 500:
            raise SenderRefusedError(words) from None
        raise ServerUnavailableError(words) from None
    except (smtplib.SMTPNotSupportedError, ssl.SSLCertVerificationError) as error:
        raise SenderRefusedError(clean(str(error))) from None
    except (smtplib.SMTPException, OSError) as error:
        raise ServerUnavailableError(clean(str(error))) from None
    return _taken_from(smtp)


def _taken_from(smtp: smtplib.SMTP) -> Connection:
    """The socket under an smtplib connection, which knows greetings, TLS and sign-ins."""
    sock, file = smtp.sock, smtp.file
    smtp.sock = smtp.file = None
    if file is not None:
        file.close()
    if sock is None:
        raise ServerUnavailableError(LedgerMessages.HUNG_UP.stored())
    return Connection(sock, {name.lower() for name in smtp.esmtp_features})


def _greeted() -> smtplib.SMTP:
    """A connection past EHLO; the certificate is checked against the host's name."""
    address = (settings.EMAIL_HOST, settings.EMAIL_PORT, settings.MAIL_DOMAIN)
    if settings.EMAIL_SECURITY == "tls":
        context = ssl.create_default_context()
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            *address, timeout=settings.EMAIL_TIMEOUT, context=context
        )
    else:
        smtp = smtplib.SMTP(*address, timeout=settings.EMAIL_TIMEOUT)
    if settings.EMAIL_SECURITY == "starttls":
        smtp.starttls(context=ssl.create_default_context())
    smtp.ehlo_or_helo_if_needed()
    return smtp
