"""Reports to the desk why a send is stalled without being paused: the database accepts no writes.

A worker cannot write this reason to the database. So it stores it in Redis, for KEPT_SECONDS, as
one word of a short list, and the notice's page reads it. If Redis holds nothing, the leases show
the stall: a worker that can write extends its leases several times a second.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TypeVar

import psycopg
import redis
from django.db import InterfaceError, OperationalError, connection
from django.db.models import TextChoices
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from foundations import latency
from notices.models import Chunk, Notice

logger = logging.getLogger(__name__)
KEY = "notices:database"
KEPT_SECONDS = 60
SILENT_SECONDS = 60  # if a lease ran out so long ago, no worker could lease the chunk again
RETRY_SECONDS = (0.1, 1.0)  # first and longest wait for a database that accepts no writes
ERRORS = (psycopg.OperationalError, OperationalError, InterfaceError)


class StallReason(TextChoices):
    """The reason of a stall, with the text that the desk shows."""

    FULL = (
        "full",
        _(
            "The database takes nothing at the moment: its disk is full. The send waits and goes "
            "on by itself."
        ),
    )
    AWAY = (
        "away",
        _(
            "The database takes nothing at the moment: workers cannot reach it. The send waits "
            "and goes on by itself."
        ),
    )
    SILENT = (
        "silent",
        _(
            "No worker has written anything for a minute: the workers are stopped, or the "
            "database takes nothing. The send waits, and goes on by itself once they can."
        ),
    )


def report_database_error(error: BaseException) -> None:
    """Stores the reason why the database did not accept a write. Does nothing if Redis is
    unavailable.
    """
    with contextlib.suppress(redis.RedisError):
        latency.client().set(KEY, _reason_of(error).value, ex=KEPT_SECONDS)


def clear_database_error() -> None:
    """Deletes the stored reason, because the database accepted a write again."""
    with contextlib.suppress(redis.RedisError):
        latency.client().delete(KEY)


_T = TypeVar("_T")


def retry_until_written(act: Callable[[], _T]) -> _T:
    """Calls `act` until the database accepts it, and returns its result.

    A database that is unreachable or full delays the send. The function never gives up, because
    this process alone knows which messages the servers accepted. `act` must be one transaction that
    may be repeated. Raises the database's error only inside a transaction, where a repetition
    cannot succeed.
    """
    wait, longest = RETRY_SECONDS
    has_failed = False
    while True:
        try:
            result = act()
        except ERRORS as error:
            if connection.in_atomic_block:
                raise
            logger.error("the database does not take it, the send waits: %s", str(error).strip())
            connection.close()
            report_database_error(error)
            has_failed = True
        else:
            if has_failed:
                clear_database_error()
            return result
        time.sleep(wait)
        wait = min(wait * 2, longest)


@contextlib.contextmanager
def reporting_database_errors() -> Iterator[None]:
    """Context manager: reports a database error of the block to the desk, then raises it again. For
    work that another process repeats.
    """
    try:
        yield
    except ERRORS as error:
        report_database_error(error)
        raise


def stall_reason(notice: Notice) -> StallReason | None:
    """Returns why a notice that should be moving is stalled; None if no stall is known."""
    try:
        stored = latency.client().get(KEY)
    except redis.RedisError:
        stored = None
    if isinstance(stored, bytes) and stored.decode() in StallReason.values:
        return StallReason(stored.decode())
    leased = Chunk.objects.filter(notice=notice, state=Chunk.State.LEASED)
    silent = leased.filter(leased_until__lt=Now() - timedelta(seconds=SILENT_SECONDS))
    return StallReason.SILENT if silent.exists() else None


def _reason_of(error: BaseException) -> StallReason:
    """Returns the reason for `error`, which Django may have wrapped. The error's text is not used,
    because it contains values and paths.
    """
    is_full = any(isinstance(one, psycopg.errors.DiskFull) for one in (error, error.__cause__))
    return StallReason.FULL if is_full else StallReason.AWAY
