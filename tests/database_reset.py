"""Takes the tests' database back to the rows of the migrations after a transactional test.

Django would empty every table and save each of these rows again, which takes a second. Most tables
are empty, so this empties the others only, and copies the rows of the migrations as they were.
"""

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from tests.database import without_triggers

_kept: dict[str, bytes] = {}  # the rows by table, as COPY wrote them


def keep_rows() -> None:
    """Keeps the rows of all tables in memory, without the audit entries of the migrations."""
    with transaction.atomic(), without_triggers() as cursor:
        cursor.execute("DELETE FROM accounts_auditentry")
        for table in _filled_tables(cursor):
            with cursor.copy(f'COPY "{table}" TO STDOUT (FORMAT binary)') as copy:
                _kept[table] = b"".join(copy)


def restore_rows() -> None:
    """Deletes all rows and writes the kept ones again. No trigger fires."""
    with transaction.atomic(), without_triggers() as cursor:
        for table in _filled_tables(cursor):
            cursor.execute(f'DELETE FROM "{table}"')  # noqa: S608
        for table, rows in _kept.items():
            with cursor.copy(f'COPY "{table}" FROM STDIN (FORMAT binary)') as copy:
                copy.write(rows)


def _filled_tables(cursor: CursorWrapper) -> list[str]:
    tables = connection.introspection.django_table_names()
    query = "SELECT '{0}' WHERE EXISTS (SELECT FROM \"{0}\")"
    cursor.execute(" UNION ALL ".join(query.format(table) for table in tables))
    return [table for (table,) in cursor.fetchall()]
