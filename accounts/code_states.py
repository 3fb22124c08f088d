"""The states of sign-in codes, and counts of their limits, in the database while Redis is away.

Redis holds them otherwise, because it counts faster. A code stays where it was stored first, so
that nothing can use the tries of a code in one place and again in the other. After an error of
Redis a process does not ask it for AWAY_SECONDS, so that its time-outs delay few visitors.
"""

import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol

from django.db import connection
from django.utils import timezone

from accounts.models import CodeState
from foundations import caching

AWAY_SECONDS = 5.0
ALARM, ALARM_SECONDS = "accounts.code_states.alarm", 60  # for which the desk shows it
# A window of fixed length: a count begins again when its window has ended. One statement counts,
# so that requests at the same moment get different numbers.
_TAKE = """
INSERT INTO accounts_codestate AS known (key, number, value, expires_at)
VALUES (%(key)s, %(weight)s, 'null', now() + make_interval(secs => %(seconds)s))
ON CONFLICT (key) DO UPDATE SET
    number = CASE WHEN known.expires_at <= now() THEN excluded.number
        ELSE known.number + excluded.number END,
    expires_at = CASE WHEN known.expires_at <= now() THEN excluded.expires_at
        ELSE known.expires_at END
RETURNING number, ceil(extract(epoch FROM expires_at - now()))
"""
_ADD_ONE = """
UPDATE accounts_codestate SET number = number + 1 WHERE key = %s AND expires_at > now()
RETURNING number
"""

logger = logging.getLogger(__name__)


class CodeStates(Protocol):
    """What holds states: the cache of Django, which is Redis, or `DatabaseStates`."""

    def set_each(self, entries: Sequence[caching.Entry]) -> None:
        """Stores several values."""

    def get(self, key: str, default: Any) -> Any:
        """Returns the value, or `default` if there is none."""

    def incr(self, key: str) -> int:
        """Adds 1 to a number and returns it. Raises ValueError if there is none."""

    def add(self, key: str, value: Any, timeout: float | None) -> bool:
        """Stores `value` if there is none, and returns whether it did."""


class DatabaseStates:
    """States in the database, with the methods of Django's cache that sign-in codes need."""

    def set(self, key: str, value: Any, timeout: float | None) -> None:
        """Stores a number, or another value that JSON can represent, for `timeout` seconds."""
        CodeState.objects.update_or_create(key=key, defaults=_columns(value, timeout))

    def set_each(self, entries: Sequence[caching.Entry]) -> None:
        """Stores several values, each as `set` does."""
        for key, value, timeout in entries:
            self.set(key, value, timeout)

    def get(self, key: str, default: Any) -> Any:
        """Returns a stored value that is not a number, or `default` if there is none."""
        state = CodeState.objects.filter(key=key, expires_at__gt=timezone.now()).first()
        return state.value if state else default

    def incr(self, key: str) -> int:
        """Adds 1 to a stored number and returns it. Raises ValueError if there is none."""
        with connection.cursor() as cursor:
            cursor.execute(_ADD_ONE, [key])
            row = cursor.fetchone()
        if row is None:
            raise ValueError(key)
        return int(row[0])

    def add(self, key: str, value: Any, timeout: float | None) -> bool:
        """Stores `value` if there is none, and returns whether it did."""
        return CodeState.objects.get_or_create(key=key, defaults=_columns(value, timeout))[1]


_database = DatabaseStates()
_away_until = 0.0
_is_logged_away = False


def states(*, is_in_database: bool) -> CodeStates:
    """Returns what holds the states of a code."""
    return _database if is_in_database else caching.kept_cache()


def redis_is_away() -> bool:
    """Returns whether Redis did not answer this process in the last AWAY_SECONDS."""
    return time.monotonic() < _away_until


def note_redis_away() -> None:
    """Records that Redis did not answer: in this process, in the log, and for the desk."""
    global _away_until, _is_logged_away
    _away_until = time.monotonic() + AWAY_SECONDS
    if not _is_logged_away:
        _is_logged_away = True
        logger.error("Redis is away: the database counts sign-in codes")
    _database.set(ALARM, 1, ALARM_SECONDS)


def note_redis_answers() -> None:
    """Records that Redis answered. Writes a line to the log if it was away before."""
    global _is_logged_away
    if _is_logged_away:
        _is_logged_away = False
        logger.warning("Redis answers again: it counts sign-in codes")


def has_alarm() -> bool:
    """Returns whether a process counted sign-in codes in the database in the last ALARM_SECONDS."""
    return bool(_database.get(ALARM, 0))


def count(key: str, *, seconds: int, weight: int = 1) -> tuple[int, int]:
    """Counts one request in the database, as `weight` requests.

    Returns its number in the current window of `seconds`, and the seconds until the window ends.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"key": key, "seconds": seconds, "weight": weight})
        number, wait = cursor.fetchone()
    return int(number), max(1, int(wait))


def purge() -> None:
    """Deletes the states that have expired."""
    CodeState.objects.filter(expires_at__lt=timezone.now()).delete()


def _columns(value: Any, timeout: float | None) -> dict[str, Any]:
    number = value if type(value) is int else 0
    expires_at = timezone.now() + timedelta(seconds=timeout or 0)
    return {"number": number, "value": value, "expires_at": expires_at}
