"""Sealed rows on their way from PostgreSQL through a worker process and back, a step at a time.

A step's rows travel as PostgreSQL's own arrays in binary: one of ciphertexts and one for each part
of the key. The process that talks to the database hands them on unopened, so that unpacking,
opening and sealing are done on the other cores. The format: dimensions, whether there are NULLs,
the type of the elements, how many, the first one's number; then each with its length before it.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from struct import Struct
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from psycopg import Cursor, pq
from psycopg.adapt import Dumper
from psycopg.types.string import ByteaBinaryLoader

from incidents import encryption
from incidents.encryption import CONTACT, EXPOSURE, EncryptionError, IncidentCipher

_TYPE, _COUNT, _LENGTH = Struct("!iiI"), Struct("!ii"), Struct("!i")
_HEAD_BYTES = _TYPE.size + _COUNT.size
_ARRAYS = (1001, 1007, 2951)  # of bytea, integer and uuid, by PostgreSQL's numbers
_BEFORE_ALL = UUID(int=0)  # the keys are a PRF: nobody's is this

logger = logging.getLogger(__name__)


class EncryptedRows(NamedTuple):
    """Rows of one column: an array for each part of their keys, the person's first; ciphertexts."""

    keys: tuple[bytes, ...]
    ciphertext: bytes


class ReencryptionStep(NamedTuple):
    """The rows of so many people in the order of their keys, up to and with `last`."""

    last: UUID
    contacts: EncryptedRows
    exposures: EncryptedRows | None  # nobody of them has values of their own


# In a worker process


class ReencryptedStep(NamedTuple):
    """What is to be written of a step."""

    last: UUID
    contacts: EncryptedRows
    exposures: EncryptedRows | None
    problems: list[str]  # what did not open stays as it is; a line each, without a value


def reencrypt_step(
    keysets: tuple[int, str, bytes, bytes], step: ReencryptionStep
) -> ReencryptedStep:
    """The step's rows under the newest key; those that are already, or do not open, are left out.

    `keysets` as Incident.keysets gives them. Raises SealingError if they do not open.
    """
    cipher, problems = encryption.incident_cipher(*keysets), list[str]()
    contacts = _reencrypt_rows(cipher, CONTACT, step.contacts, problems)
    exposures = step.exposures and _reencrypt_rows(cipher, EXPOSURE, step.exposures, problems)
    return ReencryptedStep(step.last, contacts, exposures, problems)


def _reencrypt_rows(
    cipher: IncidentCipher, purpose: bytes, rows: EncryptedRows, problems: list[str]
) -> EncryptedRows:
    again: list[bytes | None] = []
    for person, ciphertext in zip(_unpacked(rows.keys[0]), _unpacked(rows.ciphertext), strict=True):
        try:
            again.append(cipher.reencrypt(ciphertext, person=UUID(bytes=person), purpose=purpose))
        except EncryptionError as error:
            problems.append(str(error))
            again.append(None)
    keys = rows.keys
    if None in again:
        keys = tuple(
            _packed([key for key, new in zip(_unpacked(part), again, strict=True) if new], part)
            for part in rows.keys
        )
    return EncryptedRows(keys, _packed([new for new in again if new], rows.ciphertext))


def _unpacked(array: bytes) -> list[bytes]:
    found, at = [], _HEAD_BYTES
    while at < len(array):
        start = at + _LENGTH.size
        at = start + _LENGTH.unpack_from(array, at)[0]
        found.append(array[start:at])
    return found


def _packed(elements: Sequence[bytes], like: bytes) -> bytes:
    """An array with the type of elements that `like` has."""
    head = like[: _TYPE.size] + _COUNT.pack(len(elements), 1)
    return head + b"".join([_LENGTH.pack(len(element)) + element for element in elements])


# Where the database is

_CONTACTS = """
SELECT array_agg(id ORDER BY id), array_agg(contact ORDER BY id) FROM (
    SELECT id, contact FROM incidents_affectedperson
    WHERE incident_id = %s AND id > %s ORDER BY id LIMIT %s
) step
"""
_EXPOSURES = """
SELECT array_agg(person_id), array_agg(file_id), array_agg(line), array_agg(ciphertext)
FROM incidents_exposure
WHERE person_id > %s AND person_id <= %s AND file_id = ANY(%s) AND ciphertext IS NOT NULL
"""
# What was sealed since the step was read is under the newest key, and newer.
_WRITE_CONTACTS = """
UPDATE incidents_affectedperson p SET contact = again.value
FROM unnest(%b::uuid[], %b::bytea[]) again(id, value)
WHERE p.id = again.id AND substr(p.contact, 1, 5) <> %s
"""
_WRITE_EXPOSURES = """
UPDATE incidents_exposure e SET ciphertext = again.value
FROM unnest(%b::uuid[], %b::integer[], %b::integer[], %b::bytea[])
    again(person_id, file_id, line, value)
WHERE e.person_id = again.person_id AND e.file_id = again.file_id AND e.line = again.line
    AND substr(e.ciphertext, 1, 5) <> %s
"""


def steps(
    incident_id: int, files: Sequence[int], *, after: UUID | None, people: int
) -> Iterator[ReencryptionStep]:
    """The incident's rows from the person `after` on; `files` are the ids of its files.

    Each step is read when it is asked for, and no lock is held between.
    """
    last = after or _BEFORE_ALL
    while (found := _read(_CONTACTS, [incident_id, last, people]))[0] is not None:
        first, (ids, contacts) = last, found
        last = UUID(bytes=ids[-16:])
        *keys, ciphertext = _read(_EXPOSURES, [first, last, list(files)])
        exposures = None if ciphertext is None else EncryptedRows(tuple(keys), ciphertext)
        yield ReencryptionStep(last, EncryptedRows((ids,), contacts), exposures)


def write(again: ReencryptedStep, *, key_prefix: bytes) -> int:
    """Writes a step's rows in the caller's transaction, unless they are under that key; how many.

    `key_prefix` is what ciphertexts of the newest key begin with.
    """
    for problem in again.problems:
        logger.error("%s; it stays as it is", problem)
    written = _written(_WRITE_CONTACTS, again.contacts, key_prefix)
    if again.exposures:
        written += _written(_WRITE_EXPOSURES, again.exposures, key_prefix)
    return written


class _Array(bytes):
    """An array as PostgreSQL sent it."""


class _ArrayDumper(Dumper):
    format = pq.Format.BINARY

    def dump(self, obj: _Array) -> bytes:
        return obj


def _cursor() -> Cursor[Any]:
    connection.ensure_connection()
    cursor = Cursor(connection.connection)
    cursor.adapters.register_dumper(_Array, _ArrayDumper)
    for oid in _ARRAYS:
        cursor.adapters.register_loader(oid, ByteaBinaryLoader)
    return cursor


def _read(statement: str, parameters: Iterable[Any]) -> Sequence[Any]:
    with _cursor() as cursor:
        [row] = cursor.execute(statement, list(parameters), binary=True).fetchall()
        found: Sequence[Any] = row
        return found


def _written(statement: str, rows: EncryptedRows, key_prefix: bytes) -> int:
    if len(rows.ciphertext) <= _HEAD_BYTES:
        return 0
    with _cursor() as cursor:
        arrays = [_Array(part) for part in (*rows.keys, rows.ciphertext)]
        return int(cursor.execute(statement, [*arrays, key_prefix]).rowcount)
