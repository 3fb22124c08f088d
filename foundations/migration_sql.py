"""The SQL files of migrations: functions, triggers and storage settings, one file a table."""

from pathlib import Path

from django.db.migrations import RunSQL

_BACKWARDS_LINE = "-- Backwards\n"


def run_sql(path: Path) -> RunSQL:
    """Returns the migration operation that executes the SQL file at `path`.

    The part of the file after the line `-- Backwards` is executed when the migration is reversed.
    A file without that line does nothing then. Raises OSError if the file cannot be read.
    """
    forwards, _, backwards = path.read_text(encoding="utf-8").partition(_BACKWARDS_LINE)
    return RunSQL(forwards, backwards or RunSQL.noop)
