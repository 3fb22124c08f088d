"""The SQL files of migrations: functions, triggers and storage settings, one file a table.

Each function says `SET search_path FROM CURRENT`: it then finds the tables of the portal whatever
the search path of its caller is. PostgreSQL searches temporary tables first unless the search path
names pg_temp, and an account could mislead a trigger with a temporary table of the same name.
"""

from pathlib import Path

from django.db.migrations import RunSQL

_BACKWARDS_LINE = "-- Backwards\n"
_FIX_SEARCH_PATH = """
SELECT set_config('breachportal.search_path', current_setting('search_path'), true),
    set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);
"""
_RESTORE_SEARCH_PATH = """
SELECT set_config('search_path', current_setting('breachportal.search_path'), true);
"""


def run_sql(path: Path) -> RunSQL:
    """Returns the migration operation that executes the SQL file at `path`.

    While it is executed, the search path is the schema of the tables and then pg_temp. The part of
    the file after the line `-- Backwards` is executed when the migration is reversed. A file
    without that line does nothing then. Raises OSError if the file cannot be read.
    """
    forwards, _, backwards = path.read_text(encoding="utf-8").partition(_BACKWARDS_LINE)
    forwards = _FIX_SEARCH_PATH + forwards + _RESTORE_SEARCH_PATH
    return RunSQL(forwards, backwards or RunSQL.noop)
