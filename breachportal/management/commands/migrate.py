"""Migrates as Django does, but gives up a lock instead of letting readers wait behind it.

ALTER TABLE needs the whole table for a moment. While it waits for a long transaction, such as an
import, every reader of the table waits behind it. So it waits for LOCK_SECONDS only, and tries
again.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.core.management import CommandError
from django.core.management.commands import migrate
from django.db import DatabaseError, OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.errors import LockNotAvailable

# Indexes of a CREATE INDEX CONCURRENTLY that was broken off, or is being built, with their tables.
# No query uses them, but IF NOT EXISTS takes them for the index. Not those of partitioned tables.
_INVALID = """
SELECT c.relname, t.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_class t ON t.oid = i.indrelid
WHERE NOT i.indisvalid AND c.relkind = 'i' AND c.relnamespace = current_schema()::regnamespace
    AND pg_has_role(t.relowner, 'USAGE')
"""

LOCK_SECONDS = 2
PAUSE_SECONDS = 5.0
TRIES = 30


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        """Applies the migrations. Raises CommandError if a lock is not free in TRIES."""
        connection = connections[options["database"]]
        for left in reversed(range(TRIES)):
            try:
                with _lock_timeout(connection):
                    if not (options["plan"] or options["check_unapplied"]):
                        _drop_invalid_indexes(connection)
                    super().handle(*args, **options)
            except OperationalError as error:
                if not isinstance(error.__cause__, LockNotAvailable):
                    raise
                self._wait(left)
            else:
                return

    def _wait(self, tries_left: int) -> None:
        if not tries_left:
            raise CommandError(
                "A table is in use by a long transaction, such as an import, or an index is being"
                " built. What was migrated"
                " stays, and nothing else was changed. Run this again after its end."
            )
        self.stderr.write(f"A table is in use; {tries_left} tries are left.")
        time.sleep(PAUSE_SECONDS)


def _drop_invalid_indexes(connection: BaseDatabaseWrapper) -> None:
    """Drops what broken-off builds left.

    A build holds a lock on its table to its end. So an index that is invalid under the same lock is
    not being built. Raises OperationalError if the lock is not free.
    """
    for name, table in _invalid_indexes(connection):
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            quoted = connection.ops.quote_name(table)
            cursor.execute(f"LOCK TABLE {quoted} IN SHARE UPDATE EXCLUSIVE MODE")
            if (name, table) in _invalid_indexes(connection):
                cursor.execute(f"DROP INDEX {connection.ops.quote_name(name)}")


def _invalid_indexes(connection: BaseDatabaseWrapper) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(_INVALID)
        return list(cursor.fetchall())


@contextmanager
def _lock_timeout(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Context manager: a statement on `connection` waits LOCK_SECONDS for a lock.

    A concurrent index waits for every transaction without a lock that stops others, so it may take
    as long as it needs: a broken-off one would stay as an invalid index.
    """

    def execute(call: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if " CONCURRENTLY " not in sql:
            return call(sql, *rest)
        _set(connection, 0)
        try:
            return call(sql, *rest)
        finally:
            _set(connection, LOCK_SECONDS)

    _set(connection, LOCK_SECONDS)
    try:
        with connection.execute_wrapper(execute):
            yield
    finally:
        # The connection may have ended: the error before is the one to show.
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")


def _set(connection: BaseDatabaseWrapper, seconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{seconds}s'")
