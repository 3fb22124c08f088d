"""Single mails and text messages whose rows say that they are due, and the loop that sends them."""

import contextlib
import logging
import random
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from smtplib import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
)
from typing import Any, Protocol, TypeVar

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts import emails

SECONDS = 50.0  # of one run: the next begins a minute after it
CHUNK = 500  # rows that a run looks up at once
BATCH = 100  # rows that send_batches sends in one transaction, at most
BATCH_SECONDS = 2.0  # in which a transaction of send_batches begins mails: it locks all its rows
MOST_TRIES = 5  # permanent refusals of one recipient
AGAIN_AFTER = timedelta(minutes=10)

_CLOSING, _PERMANENT = 421, 500  # RFC 5321, section 4.2

logger = logging.getLogger(__name__)


class NotNowError(Exception):
    """One mail cannot be made now; others can."""


class RefusedError(Exception):
    """The gateway refuses the number of one text message."""


class DueMail(models.Model):
    """The columns of a row about which a user gets a mail. Each model has its own time of it."""

    mail_tries = models.PositiveSmallIntegerField(default=0)  # permanent refusals of the recipient
    mail_after = models.DateTimeField(null=True)  # not before, because it did not leave

    class Meta:
        abstract = True


Row = TypeVar("Row", bound=DueMail)
Row_contra = TypeVar("Row_contra", bound=DueMail, contravariant=True)


def is_time() -> Q:
    """Returns the condition of rows whose mail no server refused just now."""
    return Q(mail_after=None) | Q(mail_after__lte=timezone.now())


def may_be_tried() -> Q:
    """Returns the condition of rows whose mail no server refused permanently or just now."""
    return is_time() & Q(mail_tries__lt=MOST_TRIES)


def send_each(
    due: Callable[[], models.QuerySet[Row]],
    mail: Callable[[Row, Any], None],
    sent: Callable[[Row], dict[str, Any]],
    *,
    are_texts: bool = False,
) -> None:
    """Sends the mail of each due row, each in its own transaction, for SECONDS at most.

    `due` returns the rows to send; `mail` sends one over an open connection, which is None if the
    rows `are_texts`; `sent` returns the columns of a row whose mail the server took. A mail that
    did not leave is tried again after AGAIN_AFTER, whatever error prevented it. Only
    permanent refusals (5xx) of the recipient, and of a number (RefusedError), use up tries: another
    refusal may be about the sender, and then about every mail. A run tries a row once at most. Runs
    at the same time share the rows and send no mail twice. A process that is killed after the
    server took a mail sends it again.
    """
    until = time.monotonic() + SECONDS
    tried: list[int] = []  # those that another run holds are due after it, too
    with contextlib.closing(_NoServer() if are_texts else _Server()) as server:
        while chunk := list(due().exclude(pk__in=tried).values_list("pk", flat=True)[:CHUNK]):
            tried += chunk
            random.shuffle(chunk)  # runs at the same time seldom take the same row
            for pk in chunk:
                is_over = time.monotonic() > until
                if is_over or not _send_one(due().filter(pk=pk), mail, sent, server):
                    return  # out of time, or the server is away: the next run goes on


class MailBatch(Protocol[Row_contra]):
    """The mails of some due rows, which are prepared and recorded together."""

    def mail(self, row: Row_contra, connection: Any) -> None:
        """Sends the mail of one row over the open connection. It makes no query: after an error of
        the database, `record` would fail.
        """

    def record(self, taken: Sequence[Row_contra]) -> None:
        """Records the rows whose mail the server took, in the transaction that locks them."""


def send_batches(
    due: Callable[[], models.QuerySet[Row]], prepare: Callable[[list[Row]], MailBatch[Row]]
) -> None:
    """Sends the mails of due rows as `send_each` does, BATCH rows in a transaction.

    A transaction begins no mail after BATCH_SECONDS, so that a slow server does not keep rows
    locked. A process that is killed sends the mails of one transaction again. The row at which the
    server goes away waits, too: it may be the reason, and would stop each run before later rows.
    Memory does not grow with the rows.
    """
    until, after = time.monotonic() + SECONDS, 0
    with contextlib.closing(_Server()) as server:
        while time.monotonic() < until:
            with transaction.atomic():
                found = due().filter(pk__gt=after).order_by("pk")
                rows = list(found.select_for_update(of=("self",), skip_locked=True)[:BATCH])
                last = _send_batch(rows, prepare(rows), server) if rows else None
            if last is None:
                return  # nothing is due, or the server is away: the next run goes on
            after = last.pk


def _send_batch(rows: list[Row], batch: MailBatch[Row], server: "_Server") -> Row | None:
    """Sends the mails of locked rows for BATCH_SECONDS.

    Returns the last row that was tried, or None if the server is away.
    """
    until = time.monotonic() + BATCH_SECONDS
    taken: list[Row] = []
    last: Row | None = None
    for row in rows:
        last = row
        try:
            failure = _attempt(row, batch.mail, server)
        except _AwayError:
            failure, last = _put_off(), None
        except Exception as error:  # noqa: BLE001  what was sent must be recorded
            failure = _unexpected(row, error)
        if failure:
            type(row)._default_manager.filter(pk=row.pk).update(**failure)
        else:
            taken.append(row)
        if last is None or time.monotonic() > until:
            break
    batch.record(taken)
    return last


class _AwayError(Exception):
    """The mail server takes no mail now."""


class _Server:
    """The mail server for code mails, over one connection while it accepts mails."""

    def __init__(self) -> None:
        self._connection = emails.connect()
        self._is_used = False

    def send(self, act: Callable[[Any], None]) -> None:
        """Calls `act` with an open connection. Raises OSError or SMTPException.

        Servers close a connection after some time or number of mails: one that was used before is
        opened again.
        """
        try:
            self._connection.open()
            act(self._connection)
        except (OSError, SMTPException) as error:
            was_used = self._is_used
            self.close()
            if not was_used or _is_refusal(error):
                raise
            self._connection.open()
            act(self._connection)
        self._is_used = True

    def close(self) -> None:
        """Closes the connection; the next mail opens one."""
        self._is_used = False
        self._connection.close()


class _NoServer:
    """What stands for the mail server while text messages are sent: they leave while it is away."""

    def send(self, act: Callable[[Any], None]) -> None:
        """Calls `act` without a connection."""
        act(None)

    def close(self) -> None:
        """Does nothing."""


def _send_one(
    found: models.QuerySet[Row],
    mail: Callable[[Row, Any], None],
    sent: Callable[[Row], dict[str, Any]],
    server: _Server | _NoServer,
) -> bool:
    """Sends one mail. Returns whether further mails may be tried now."""
    with transaction.atomic():
        row = found.select_for_update(of=("self",), skip_locked=True).first()
        if row is None:
            return True
        try:
            with transaction.atomic():  # after an error of the database the failure is recorded
                failure = _attempt(row, mail, server)
        except _AwayError:
            return False
        except Exception as error:  # noqa: BLE001  one row must not stop the others
            failure = _unexpected(row, error)
        rows = type(row)._default_manager.filter(pk=row.pk)
        rows.update(**(failure or {"mail_tries": 0, "mail_after": None, **sent(row)}))
    return True


def _attempt(
    row: Row, mail: Callable[[Row, Any], None], server: _Server | _NoServer
) -> dict[str, Any]:
    """Sends the mail of a row. Returns the columns of a failure; none if the server took it.

    Raises _AwayError, and what `mail` raises for a reason of its own.
    """
    try:
        server.send(lambda connection: mail(row, connection))
    except NotNowError as reason:
        logger.error("mail of %s %s waits: %s", row._meta.label, row.pk, reason)
        return _put_off()
    except RefusedError as reason:
        logger.error("text of %s %s is refused: %s", row._meta.label, row.pk, reason)
        return _put_off(tries=1)
    except (OSError, SMTPException) as error:
        logger.error("mail of %s %s: %s", row._meta.label, row.pk, type(error).__name__)
        if not _is_refusal(error):
            raise _AwayError from error
        return _put_off(tries=int(_is_recipient_gone(error)))
    return {}


def _unexpected(row: DueMail, error: Exception) -> dict[str, Any]:
    """Logs an error of the portal, without its message, which could hold personal data.

    Returns the columns of the failure.
    """
    logger.error("mail of %s %s failed: %s", row._meta.label, row.pk, type(error).__name__)
    return _put_off()


def _put_off(*, tries: int = 0) -> dict[str, Any]:
    """Returns the columns of a row whose mail is tried again later, after so many used-up tries."""
    later = timezone.now() + AGAIN_AFTER
    return {"mail_tries": F("mail_tries") + tries, "mail_after": later}


def _codes(error: Exception) -> list[int]:
    """Returns the reply codes with which the server answered about this mail."""
    if isinstance(error, SMTPRecipientsRefused):
        return [code for code, _text in error.recipients.values()]
    return [error.smtp_code] if isinstance(error, SMTPResponseException) else []


def _is_refusal(error: Exception) -> bool:
    """Returns whether the server answered about this mail; else no mail can be sent now."""
    if isinstance(error, (SMTPConnectError, SMTPAuthenticationError, SMTPServerDisconnected)):
        return False
    codes = _codes(error)
    return bool(codes) and _CLOSING not in codes


def _is_recipient_gone(error: Exception) -> bool:
    """Returns whether the server refused the recipient permanently. A refusal of the sender or the
    content can mean the portal, and is tried until it ends.
    """
    is_of_recipient = isinstance(error, SMTPRecipientsRefused)
    return is_of_recipient and all(code >= _PERMANENT for code in _codes(error))
