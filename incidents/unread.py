"""What could not be read of the imported files: rejected rows that are not loaded, failed files.

An unread row may name a person whom the portal does not know. A scope version with unread rows can
be closed only once two people have written them off (WriteOff). While a closed version has some,
the portal says how many, and tells no user that they are not among the leaked data.
"""

from typing import NamedTuple

from django.db import connection
from django.db.models import Count

from incidents.models import ExposureBatch, RejectedRow, Unread

_FILES = "SELECT file_id, name, unread, is_written_off FROM incidents_unread_files(%s)"


class UnreadFile(NamedTuple):
    """A file that is not read whole. `rows` is None for a failed file: its rows are unknown."""

    pk: int
    name: str
    rows: int | None
    is_written_off: bool


def unread_files(batch: ExposureBatch) -> list[UnreadFile]:
    """Returns the files of a scope version that are not read whole, in the order of loading.

    The rule is in SQL (migrations/sql/writeoff.sql), because a trigger applies it too.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FILES, [batch.pk])
        return [UnreadFile(*row) for row in cursor.fetchall()]


def unread_amount(batch: ExposureBatch) -> Unread:
    """Returns how much of the files of a scope version is not loaded, written off or not."""
    files = unread_files(batch)
    return Unread(sum(file.rows or 0 for file in files), sum(file.rows is None for file in files))


def count_unread(batch: ExposureBatch) -> None:
    """Stores in a closed scope version how much of its files could not be read.

    Runs in the transaction that closes it, or that loads or withdraws a correction of its rows.
    """
    unread = unread_amount(batch)
    ExposureBatch.objects.filter(pk=batch.pk, state=ExposureBatch.State.CLOSED).update(
        rows_unread=unread.rows, files_unread=unread.files
    )


def reasons_of(file_id: int) -> list[tuple[str, int]]:
    """Returns (stored reason, number of unread rows) of a file, the most frequent first."""
    rows = RejectedRow.objects.filter(file=file_id).exclude(settled_by__state="loaded")
    counted = rows.values("reason").annotate(rows=Count("line")).order_by("-rows", "reason")
    return [(entry["reason"], entry["rows"]) for entry in counted]
