"""Writes entries of the audit trail as lines of a CSV or JSON Lines file."""

import csv
import io
import json
from collections.abc import Iterable, Iterator

from accounts.models import AuditEntry
from foundations.formulas import neutralised

COLUMNS = (
    *("number", "hash", "id", "at", "actor_id", "actor", "account", "kind"),
    *("object_type", "object_id", "incident_id", "details"),
)
CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}


def csv_lines(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """Yields the head and one line an entry. A cell that a spreadsheet could run gets a ' first."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for entry in entries:
        yield _taken(buffer)
        fields = _fields(entry)
        fields["details"] = json.dumps(fields["details"], ensure_ascii=False)
        writer.writerow(
            ["" if cell is None else neutralised(str(cell)) for cell in fields.values()]
        )
    yield _taken(buffer)


def json_lines(entries: Iterable[AuditEntry]) -> Iterator[str]:
    """Yields one JSON object a line."""
    for entry in entries:
        yield json.dumps(_fields(entry), ensure_ascii=False) + "\n"


FORMATS = {"csv": csv_lines, "jsonl": json_lines}


def _fields(entry: AuditEntry) -> dict[str, object]:
    fields = {name: getattr(entry, name) for name in COLUMNS}
    fields["at"] = entry.at.isoformat()
    fields["hash"] = bytes(entry.hash).hex() if entry.hash is not None else None
    return fields


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
