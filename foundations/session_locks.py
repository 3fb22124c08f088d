"""Locks of a database session: PostgreSQL's advisory locks.

The server releases them when the session ends, also with a killed process or a lost machine. So a
lock says that a process works, without a lease that must be extended.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection

# If a machine vanishes, the server ends its session after two minutes, not after the two hours that
# are usual for TCP. The settings have no effect on a Unix socket.
_TRY = """
SELECT pg_try_advisory_lock(%s, %s), set_config('tcp_keepalives_idle', '60', false),
    set_config('tcp_keepalives_interval', '10', false),
    set_config('tcp_keepalives_count', '6', false)
"""
_HELD = """
SELECT objid::bigint FROM pg_locks
WHERE locktype = 'advisory' AND granted AND classid = %s AND objsubid = 2
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@contextmanager
def session_lock(space: int, key: int) -> Iterator[bool]:
    """Context manager: holds the lock `key` of `space` during the block, if it is free.

    Gives whether it is held. Does not wait. Both numbers are from 0 to 2³¹ - 1.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TRY, [space, key])
        row = cursor.fetchone()
    is_held = bool(row and row[0])
    try:
        yield is_held
    finally:
        if is_held:
            _unlock([space, key])


def held_keys(space: int) -> list[int]:
    """Returns the keys of the locks of `space` that a session holds now."""
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [space])
        return [key for (key,) in cursor.fetchall()]


def _unlock(keys: list[int]) -> None:
    """Releases a lock of this session.

    Ends the session if that fails, because a pool would give it to another request with the lock.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", keys)
    except DatabaseError:
        if connection.connection is not None:
            connection.connection.close()
