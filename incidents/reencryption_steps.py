"""The steps of a re-encryption: reads rows, re-encrypts them in a worker process, writes them back.

The rows of a step are PostgreSQL arrays in binary: one array of ciphertexts, and one for each part
of the key. The process with the database connection passes them on as they are, so that worker
processes on the other cores unpack, decrypt and encrypt. The format of an array: the number of
dimensions, whether it has NULLs, the type of the elements, their number, and the index of the first
one; then each element with its length before it.
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
_ARRAYS = (1001, 1007, 2951)  # the OIDs of arrays of bytea, integer and uuid
_BEFORE_ALL = UUID(int=0)  # no person has this id, because ids are the output of a PRF

logger = logging.getLogger(__name__)


class EncryptedRows(NamedTuple):
    """The values of one encrypted column, as binary PostgreSQL arrays of the same length."""

    keys: tuple[bytes, ...]  # an array for each part of the primary key; the person comes first
    ciphertext: bytes  # the array of ciphertexts


class ReencryptionStep(NamedTuple):
    """The rows of consecutive people, in the order of their ids."""

    last: UUID  # the id of the last person
    contacts: EncryptedRows
    exposures: EncryptedRows | None  # None if no exposure of these people has encrypted values


# In a worker process


class ReencryptedStep(NamedTuple):
    """The re-encrypted rows of a step, ready to be written."""

    last: UUID
    contacts: EncryptedRows
    exposures: EncryptedRows | None
    problems: list[str]  # a line, without a value, for each that cannot be decrypted


def reencrypt_step(
    keysets: tuple[int, str, bytes, bytes], step: ReencryptionStep
) -> ReencryptedStep:
    """Returns the rows of a step under the newest data key.

    Leaves out values that are under this key already, and values that cannot be decrypted.
    `keysets` is what Incident.keysets() returns. Raises EncryptionError if they cannot be
    unwrapped.
    """
    cipher, problems = encryption.incident_cipher(*keysets), list[str]()
    contacts = _reencrypt_rows(cipher, CONTACT, step.contacts, problems)
    exposures = step.exposures and _reencrypt_rows(cipher, EXPOSURE, step.exposures, problems)
    return ReencryptedStep(step.last, contacts, exposures, problems)


def _reencrypt_rows(
    cipher: IncidentCipher, purpose: bytes, rows: EncryptedRows, problems: list[str]
) -> EncryptedRows:
    reencrypted: list[bytes | None] = []
    for person, ciphertext in zip(_unpack(rows.keys[0]), _unpack(rows.ciphertext), strict=True):
        if not ciphertext:  # the contact of a person of whom every file is withdrawn
            reencrypted.append(None)
            continue
        try:
            reencrypted.append(
                cipher.reencrypt(ciphertext, person=UUID(bytes=person), purpose=purpose)
            )
        except EncryptionError as error:
            problems.append(str(error))
            reencrypted.append(None)
    keys = rows.keys
    if None in reencrypted:
        keys = tuple(
            _pack([key for key, new in zip(_unpack(part), reencrypted, strict=True) if new], part)
            for part in rows.keys
        )
    return EncryptedRows(keys, _pack([new for new in reencrypted if new], rows.ciphertext))


def _unpack(array: bytes) -> list[bytes]:
    """Returns the elements of a binary array."""
    found, at = [], _HEAD_BYTES
    while at < len(array):
        start = at + _LENGTH.size
        at = start + _LENGTH.unpack_from(array, at)[0]
        found.append(array[start:at])
    return found


def _pack(elements: Sequence[bytes], like: bytes) -> bytes:
    """Returns a binary array of the elements, with the same element type as the array `like`."""
    head = like[: _TYPE.size] + _COUNT.pack(len(elements), 1)
    return head + b"".join([_LENGTH.pack(len(element)) + element for element in elements])


# In the process with the database connection

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
# A value that another process has written since the step was read is under the newest key. It is
# newer than that of the step and must stay.
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


def read_steps(
    incident_id: int, files: Sequence[int], *, after: UUID | None, people: int
) -> Iterator[ReencryptionStep]:
    """Yields the incident's rows in steps of `people` people, after the person `after` (or None).

    `files` are the ids of the incident's files. A step is read only when it is needed, and no lock
    is held between two steps.
    """
    last = after or _BEFORE_ALL
    while (found := _read(_CONTACTS, [incident_id, last, people]))[0] is not None:
        first, (ids, contacts) = last, found
        last = UUID(bytes=ids[-16:])
        *keys, ciphertext = _read(_EXPOSURES, [first, last, list(files)])
        exposures = None if ciphertext is None else EncryptedRows(tuple(keys), ciphertext)
        yield ReencryptionStep(last, EncryptedRows((ids,), contacts), exposures)


def write_step(reencrypted: ReencryptedStep, *, key_prefix: bytes) -> int:
    """Writes the rows of a step in the transaction of the caller; returns how many.

    A row that is under the newest key by now is not overwritten. `key_prefix` is the start of the
    ciphertexts under the newest key.
    """
    for problem in reencrypted.problems:
        logger.error("%s; it stays as it is", problem)
    written = _write_rows(_WRITE_CONTACTS, reencrypted.contacts, key_prefix)
    if reencrypted.exposures:
        written += _write_rows(_WRITE_EXPOSURES, reencrypted.exposures, key_prefix)
    return written


class _Array(bytes):
    """A binary array as PostgreSQL sent it."""


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


def _write_rows(statement: str, rows: EncryptedRows, key_prefix: bytes) -> int:
    if len(rows.ciphertext) <= _HEAD_BYTES:
        return 0
    with _cursor() as cursor:
        arrays = [_Array(part) for part in (*rows.keys, rows.ciphertext)]
        return int(cursor.execute(statement, [*arrays, key_prefix]).rowcount)
