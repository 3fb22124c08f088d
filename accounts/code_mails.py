"""Sends code mails outside the request, over kept-open connections of their own.

See accounts.code_queue. There are settings.CODE_MAIL_CONNECTIONS connections at most. With 0 a mail
is sent within the request.
"""

from contextlib import suppress
from smtplib import (
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from django.conf import settings

from accounts import emails
from accounts.code_queue import CarrierError, CodeMessage, CodeQueue

ERRORS = (OSError, SMTPException)
MOST_OF_A_REPLY = 300  # characters


class MailCarrier:
    """A connection to the mail server for sign-in codes, opened with the first mail."""

    def __init__(self) -> None:
        self._connection = emails.connect()

    def send(self, message: CodeMessage) -> None:
        """Sends the code. Raises CarrierError."""
        try:
            self._send_once_or_twice(message)
        except ERRORS as error:
            self.close()
            raise CarrierError(reason_of(error)) from error

    def _send_once_or_twice(self, message: CodeMessage) -> None:
        """Sends over the kept connection, or over a new one if the server closed it."""
        is_new = self._connection.open()
        try:
            emails.send_sign_in_code(message.to, message.code, connection=self._connection)
        except (SMTPServerDisconnected, ConnectionError):
            if is_new:
                raise
            self.close()
            self._connection.open()
            emails.send_sign_in_code(message.to, message.code, connection=self._connection)

    def close(self) -> None:
        """Closes the connection."""
        with suppress(*ERRORS):
            self._connection.close()
            return
        self._connection.connection = None


def new_queue() -> CodeQueue:
    """Returns an empty queue of code mails."""
    return CodeQueue(
        "mail", carrier=MailCarrier, most_threads=lambda: settings.CODE_MAIL_CONNECTIONS
    )


_queue = new_queue()


def send(message: CodeMessage) -> None:
    """Sends a code mail; see `CodeQueue.send`."""
    _queue.send(message)


def waiting() -> int:
    """Returns the number of code mails that wait in this process."""
    return _queue.waiting()


def reason_of(error: OSError | SMTPException) -> str:
    """Returns the error in one line for the log: its kind, and the server's reply if there is one.

    The log line loses the addresses in it (foundations.logs).
    """
    replies = [error] if isinstance(error, SMTPResponseException) else []
    said = [f"{one.smtp_code} {_text(one.smtp_error)}" for one in replies]
    if isinstance(error, SMTPRecipientsRefused):
        said = [f"{code} {_text(text)}" for code, text in error.recipients.values()]
    elif not replies:
        said = [str(error.strerror or error) if isinstance(error, OSError) else str(error)]
    return f"{type(error).__name__}: {' '.join(' '.join(said).split())[:MOST_OF_A_REPLY]}"


def _text(reply: bytes | str) -> str:
    return reply.decode(errors="replace") if isinstance(reply, bytes) else reply
