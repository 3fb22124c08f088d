"""Corrections: a reject file that comes back settles rejected rows of the file that it is from.

The first column of a reject file holds the line of each row in the dump. The rejected lines of
every file are on record (RejectedRow), so the lines show which file is corrected.
"""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from incidents.importing import rejects
from incidents.importing.reading import ImportRefusedError, Source
from incidents.importing.refusals import RefusalMessages
from incidents.importing.rows import rows_of
from incidents.models import ExposureFile, Incident, RejectedRow

# The rejected row of a file that each line belongs to. A row of several lines is on record with its
# first line; the reject file holds each of its lines.
_ROWS_OF_LINES = """
SELECT wanted.line, near.line AS row_line
FROM unnest(%(lines)s::int[]) AS wanted (line) CROSS JOIN LATERAL (
    SELECT r.line, r.reason FROM incidents_rejectedrow r
    WHERE r.file_id = {file} AND r.line <= wanted.line AND r.line > wanted.line - 1000
    ORDER BY r.line DESC LIMIT 1
) near
WHERE near.line = wanted.line OR near.reason LIKE '%%join them'
"""
# The files that rejected all of these lines, the newest first.
_REJECTED_THEM = f"""
SELECT id FROM incidents_exposurefile f
WHERE incident_id = %(incident)s AND state IN ('loaded', 'failed')
    AND cardinality(%(lines)s::int[]) = (
        SELECT count(*) FROM ({_ROWS_OF_LINES.format(file="f.id")}) found
    )
ORDER BY state = 'loaded' DESC, id DESC
"""  # noqa: S608
_SETTLE = """
UPDATE incidents_rejectedrow r SET settled_by_id = %s WHERE r.file_id = %s AND r.line = ANY(%s)
    AND NOT EXISTS (
        SELECT FROM incidents_exposurefile s WHERE s.id = r.settled_by_id AND s.state = 'loaded'
    )
"""


@dataclass(frozen=True)
class Correction:
    """A reject file that came back. `lines` and `places` have one entry for each of its rows."""

    file: ExposureFile  # the file that rejected the rows
    lines: "array[int]"  # the row's line in that file
    places: "array[int]"  # the row's line in the reject file

    def settle(self, correcting: ExposureFile, rejected: Iterable[int]) -> None:
        """Records that the rows are loaded with `correcting`, except those of `rejected` places.

        A line of which one row is rejected again stays unread. Raises ImportRefusedError if
        another process has settled one of the lines.
        """
        again = set(rejected)
        pairs = list(zip(self.lines, self.places, strict=True))
        unread = {line for line, place in pairs if place in again}
        settled = sorted({line for line, _ in pairs} - unread)
        with connection.cursor() as cursor:
            cursor.execute(_SETTLE, [correcting.pk, self.file.pk, settled])
            if cursor.rowcount != len(settled):
                _refuse_settled(correcting.name, self.file, settled)


def correction_of(source: Source, incident: Incident) -> Correction | None:
    """Returns what a reject file corrects, or None for any other file.

    Raises ImportRefusedError if it has no line numbers, if they are not rejected lines of one file
    of the incident, or if a row with such a line is loaded already.
    """
    if not source.is_reject_file:
        return None
    lines, places = array("q"), array("q")
    for row in rows_of(source):
        if (line := rejects.line_in_dump(row)) is None:
            why = RefusalMessages.NO_LINE.stored(file=source.name, line=row.line)
            raise ImportRefusedError(why)
        lines.append(line)
        places.append(row.line)
    distinct = sorted(set(lines))
    file = _corrected_file(source, incident, distinct)
    rows = _rows_of_lines(file, distinct)
    _refuse_settled(source.name, file, sorted(set(rows.values())))
    return Correction(file, array("q", (rows[line] for line in lines)), places)


def _rows_of_lines(file: ExposureFile, lines: list[int]) -> dict[int, int]:
    """Returns the first line of the rejected row that each of the lines belongs to."""
    query = _ROWS_OF_LINES.format(file="%(file)s")
    with connection.cursor() as cursor:
        cursor.execute(query, {"file": file.pk, "lines": lines})
        return dict(cursor.fetchall())


def _corrected_file(source: Source, incident: Incident, lines: list[int]) -> ExposureFile:
    with connection.cursor() as cursor:
        cursor.execute(_REJECTED_THEM, {"incident": incident.pk, "lines": lines})
        ids = [file_id for (file_id,) in cursor.fetchall()]
    files = ExposureFile.objects.select_related("batch").in_bulk(ids)
    found = [files[file_id] for file_id in ids]
    stem = rejects.stem_of(source.name)
    by_name = [file for file in found if stem in (file.name, Path(file.name).stem)]
    if by_name or len(found) == 1:
        return (by_name or found)[0]
    why = RefusalMessages.MANY_CORRECTED if found else RefusalMessages.NONE_CORRECTED
    raise ImportRefusedError(why.stored(file=source.name, incident=incident.slug))


def _refuse_settled(name: str, file: ExposureFile, lines: list[int]) -> None:
    rows = RejectedRow.objects.filter(file=file, line__in=lines).select_related("settled_by")
    settled = rows.filter(settled_by__state=ExposureFile.State.LOADED).order_by("line").first()
    if settled and settled.settled_by:
        raise ImportRefusedError(
            RefusalMessages.SETTLED.stored(
                file=name, line=settled.line, of=file.name, name=settled.settled_by.name
            )
        )
