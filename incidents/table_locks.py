"""Locks on whole tables, taken without holding up those who use the tables."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

# Every other query on a table waits behind a waiting lock request, so each request is a short one.
LOCK_TIMEOUT, LOCK_RETRY_SECONDS = "200ms", 2.0

Result = TypeVar("Result")
logger = logging.getLogger(__name__)


def retry_lock(act: Callable[[], Result], *, wait: Callable[[float], None] = time.sleep) -> Result:
    """Runs `act` in a transaction until it gets the locks that it needs; returns its result.

    Inside a transaction it runs in a savepoint. After an attempt that does not get a lock within
    LOCK_TIMEOUT, everything it did is undone, and `wait` is called with the seconds until the next
    attempt. Raises what `act` raises otherwise.
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
    if connection.in_atomic_block:  # the limit is not for the rest of the outer transaction
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    return result
