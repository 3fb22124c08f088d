"""Takes locks on whole tables without delaying the other users of the tables for long."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

# All queries on a table queue behind a pending lock request, so each request times out quickly.
LOCK_TIMEOUT, LOCK_RETRY_SECONDS = "200ms", 2.0

Result = TypeVar("Result")
logger = logging.getLogger(__name__)


def retry_lock(act: Callable[[], Result], *, wait: Callable[[float], None] = time.sleep) -> Result:
    """Runs `act` in a transaction, again until it gets the locks it needs, and returns its result.

    Inside a transaction it runs in a savepoint. If an attempt does not get a lock within
    LOCK_TIMEOUT, it is rolled back, and `wait` is called with the seconds until the next attempt.
    Raises any other exception of `act`.
    """
    started = time.monotonic()
    while True:
        try:
            return _attempt(act)
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
        logger.info("waiting for a table lock, for %.0f s now", time.monotonic() - started)
        wait(LOCK_RETRY_SECONDS)


def _attempt(act: Callable[[], Result]) -> Result:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
        result = act()
    if connection.in_atomic_block:  # the timeout must not stay set in the outer transaction
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    return result
