"""Makes connections to the tests' database for other processes, and changes rows past triggers."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.backends.utils import CursorWrapper
from psycopg.conninfo import make_conninfo


def conninfo() -> str:
    """Returns how psycopg connects to the tests' database."""
    known = connection.settings_dict
    return make_conninfo(
        dbname=known["NAME"], user=known["USER"], host=known["HOST"], port=known["PORT"] or None
    )


def database_url() -> str:
    """Returns the DATABASE_URL of the tests' database."""
    known = connection.settings_dict
    return f"postgresql://{known['USER']}@/{known['NAME']}?host={known['HOST']}"


def a_lock_is_waited_for() -> bool:
    """Returns whether a transaction waits for a lock that another one holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])


@contextmanager
def without_triggers() -> Iterator[CursorWrapper]:
    """Context manager: no trigger fires inside, as for the database's owner; gives a cursor."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor
        cursor.execute("SET LOCAL session_replication_role = origin")
