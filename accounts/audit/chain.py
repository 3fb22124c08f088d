"""Links the entries of the audit trail, and verifies the links. docs/audit-trail.md has the format.

The hashes are computed here again, not by the database's own function, which its owner can replace.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

AT_ONCE = 1000  # entries that one transaction links
_READ_AT_ONCE = 2000
_LINK = "SELECT accounts_audit_link(%s)"
_ENTRIES = """
SELECT hash, number::text, id::text,
    to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), actor_id::text, actor, account,
    kind, object_type, object_id, incident_id::text, details::text
FROM accounts_auditentry AS entry WHERE number IS NOT NULL
ORDER BY entry.number -- `number` alone is the text in the list above: 1, 10, 2
"""
_WAITING = """
SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(at)), 0)
FROM accounts_auditentry WHERE number IS NULL
"""


class DigestFormatError(ValueError):
    """A text is no digest of the trail."""


@dataclass(frozen=True)
class TrailDigest:
    """The number and the hash of one entry. Together they fix all entries up to it."""

    number: int
    hash: str

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> "TrailDigest":
        """Returns the digest of "<number>:<64 hexadecimal digits>". Raises DigestFormatError."""
        match = re.fullmatch(r"\s*([0-9]{1,18}):([0-9a-f]{64})\s*", text)
        if not match:
            raise DigestFormatError(text)
        return cls(int(match[1]), match[2])


@dataclass
class TrailReport:
    """The result of a verification. `faults` is empty if the chain is whole."""

    entries: int = 0
    last: TrailDigest | None = None
    waiting: int = 0
    waiting_seconds: int = 0
    faults: list[str] = field(default_factory=list)


def link() -> int:
    """Links all committed entries that wait. Returns their number."""
    linked = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_LINK, [AT_ONCE])
            number = int(cursor.fetchone()[0])
        linked += number
        if number < AT_ONCE:
            return linked


def last_digest() -> TrailDigest | None:
    """Returns the digest of the newest linked entry; None if the trail is empty."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT number, encode(hash, 'hex') FROM accounts_auditentry"
            " WHERE number IS NOT NULL ORDER BY number DESC LIMIT 1"
        )
        row = cursor.fetchone()
    return TrailDigest(*row) if row else None


def verify(
    *,
    digests: list[TrailDigest] | None = None,
    progress: Callable[[int], None] = lambda _number: None,
) -> TrailReport:
    """Reads the whole chain once, with flat memory, and compares it with digests received.

    The first changed or missing entry ends the check of the chain. `progress` is called with the
    number of the entries read, every few thousand.
    """
    report = TrailReport()
    wanted = {digest.number: digest for digest in digests or []}
    previous = b""
    for stored, *fields in _entries():
        number = int(fields[0])
        if number != report.entries + 1:
            report.faults.append(f"entry {report.entries + 1} is missing")
            break
        previous = _hash(previous, fields)
        if previous != stored:
            report.faults.append(f"entry {number} (id {fields[1]}) was changed")
            break
        report.entries = number
        report.last = TrailDigest(number, previous.hex())
        if (digest := wanted.pop(number, None)) and digest.hash != previous.hex():
            report.faults.append(
                f"entry {number} or one before it differs from the digest received"
            )
        if number % _READ_AT_ONCE == 0:
            progress(number)
    if not report.faults and wanted:
        report.faults.append(f"entry {report.entries + 1} is missing: a digest names {max(wanted)}")
    report.waiting, report.waiting_seconds = _waiting()
    return report


def _hash(previous: bytes, fields: list[str | None]) -> bytes:
    """Returns the hash of an entry: see accounts_audit_hash in migrations/sql/audit.sql."""
    parts = []
    for text in fields:
        data = None if text is None else text.encode()
        parts.append(b"-" if data is None else b"%d:%s" % (len(data), data))
    return hashlib.sha256(previous + b",".join(parts)).digest()


def _entries() -> Iterator[tuple[Any, ...]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(_ENTRIES)
        while rows := cursor.fetchmany(_READ_AT_ONCE):
            for stored, *fields in rows:
                yield bytes(stored), *fields


def _waiting() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        number, seconds = cursor.fetchone()
    return number, int(seconds)
