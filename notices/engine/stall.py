"""Why a send stands still though nobody paused it: the database takes nothing.

What cannot be written to the database cannot be said there either. So workers say it in Redis, for
a minute at a time, as a word from a short list; the notice's page reads it. Where Redis knows
nothing, the leases do: a worker that can write extends its own several times a second.
"""

import contextlib
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import redis
from django.db import InterfaceError, OperationalError
from django.db.models import TextChoices
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from foundations import latency
from notices.models import Chunk, Notice

KEY = "notices:database"
KEPT_SECONDS = 60
SILENT_SECONDS = 60  # a lease that ran out so long ago is one that nobody could take over
ERRORS = (psycopg.OperationalError, OperationalError, InterfaceError)


class StallReason(TextChoices):
    """What is in the way, in words for the desk."""

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
    """Tells the desk why the database did not take something; does nothing without Redis."""
    with contextlib.suppress(redis.RedisError):
        latency.client().set(KEY, _reason_of(error).value, ex=KEPT_SECONDS)


def clear_database_error() -> None:
    """The database took something again."""
    with contextlib.suppress(redis.RedisError):
        latency.client().delete(KEY)


@contextlib.contextmanager
def reporting_database_errors() -> Iterator[None]:
    """Says it of work that fails and is begun again by somebody else."""
    try:
        yield
    except ERRORS as error:
        report_database_error(error)
        raise


def stall_reason(notice: Notice) -> StallReason | None:
    """Why a notice that should be moving stands still; None if nothing is known of it."""
    try:
        kept = latency.client().get(KEY)
    except redis.RedisError:
        kept = None
    if isinstance(kept, bytes) and kept.decode() in StallReason.values:
        return StallReason(kept.decode())
    leased = Chunk.objects.filter(notice=notice, state=Chunk.State.LEASED)
    silent = leased.filter(leased_until__lt=Now() - timedelta(seconds=SILENT_SECONDS))
    return StallReason.SILENT if silent.exists() else None


def _reason_of(error: BaseException) -> StallReason:
    """Of the error itself or what Django wrapped; never its words, which name values and paths."""
    is_full = any(isinstance(one, psycopg.errors.DiskFull) for one in (error, error.__cause__))
    return StallReason.FULL if is_full else StallReason.AWAY
