"""Computes people's contacts without the files of a withdrawn scope version.

A contact that only withdrawn files hold must not find a person, receive a message or contradict a
later file. What each file says of a person is known: AffectedPerson.file is the first file, and
FileContact has a row for each further file (and for the first one, once a contact is completed).
A person is in one of three cases:

- A file that is not withdrawn holds the whole contact: it stays.
- The other files hold parts of it: they are decrypted and put together again, the first file first.
- No other file holds a contact: it is emptied. The row stays, because exposures and deliveries
  refer to it. A later file fills it again (incidents.importing.staging).

Each case is one statement over all people, and only the second one decrypts.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.contacts import normalise_phone, read_emails
from incidents.encryption import CONTACT, IncidentCipher
from incidents.models import ExposureBatch

_FETCH = 5_000

# The people of whom a withdrawn file gave a contact. `file_id` is the first other file with the
# whole contact, `is_parted` whether other files hold parts. The first file has the whole contact
# unless FileContact says otherwise.
_CONCERNED = """
CREATE TEMPORARY TABLE concerned ON COMMIT DROP AS
WITH withdrawn AS (
    SELECT id FROM incidents_affectedperson
    WHERE incident_id = %(incident)s AND file_id = ANY(%(files)s)
    UNION SELECT person_id FROM incidents_filecontact WHERE file_id = ANY(%(files)s)
)
SELECT p.id AS person, CASE
    WHEN NOT p.file_id = ANY(%(files)s) AND NOT EXISTS (
        SELECT FROM incidents_filecontact f WHERE f.person_id = p.id AND f.file_id = p.file_id
            AND f.contact IS NOT NULL
    ) THEN p.file_id ELSE min(c.file_id) FILTER (WHERE c.contact IS NULL)
END AS file_id, bool_or(c.contact IS NOT NULL) IS TRUE AS is_parted
FROM withdrawn w JOIN incidents_affectedperson p ON p.id = w.id AND p.file_id IS NOT NULL
LEFT JOIN incidents_filecontact c ON c.person_id = p.id AND NOT c.file_id = ANY(%(files)s)
    AND EXISTS (
        SELECT FROM incidents_exposurefile e WHERE e.id = c.file_id AND e.state <> 'withdrawn'
    )
GROUP BY p.id
"""
_KEEP = """
UPDATE incidents_affectedperson p SET file_id = c.file_id
FROM concerned c WHERE p.id = c.person AND c.file_id IS NOT NULL AND p.file_id <> c.file_id
"""
_EMPTY = """
UPDATE incidents_affectedperson p SET contact = '', email_reach = 2, phone_reach = 2,
    email_index = NULL, phone_index = NULL
FROM concerned c WHERE p.id = c.person AND c.file_id IS NULL AND NOT c.is_parted
"""
_EMPTY_FURTHER = """
DELETE FROM incidents_furthercontact f USING concerned c
WHERE f.person_id = c.person AND c.file_id IS NULL
"""
_PARTS = """
SELECT c.person, f.file_id, f.contact, f.email_reach, f.phone_reach, f.email_index, f.phone_index
FROM concerned c JOIN incidents_filecontact f ON f.person_id = c.person
JOIN incidents_exposurefile e ON e.id = f.file_id AND e.state <> 'withdrawn'
WHERE c.file_id IS NULL AND c.is_parted ORDER BY c.person, f.file_id
"""
_REBUILT = """
CREATE TEMPORARY TABLE rebuilt (
    person uuid, file_id int, contact bytea, email_reach smallint, phone_reach smallint,
    email_index uuid, phone_index uuid, emails uuid[], phones uuid[]
) ON COMMIT DROP
"""
_REBUILD = """
UPDATE incidents_affectedperson p SET file_id = r.file_id, contact = r.contact,
    email_reach = r.email_reach, phone_reach = r.phone_reach,
    email_index = r.email_index, phone_index = r.phone_index
FROM rebuilt r WHERE p.id = r.person
"""
# FurtherContact: the indexes of all addresses and numbers of a contact, except the first ones.
_DROP_FURTHER = """
DELETE FROM incidents_furthercontact f USING rebuilt r
WHERE f.person_id = r.person AND NOT f.contact_index = ANY(r.emails || r.phones)
"""
_ADD_FURTHER = """
INSERT INTO incidents_furthercontact (person_id, kind, contact_index)
SELECT person, 1, i FROM rebuilt, unnest(emails) i WHERE i IS DISTINCT FROM email_index
UNION ALL
SELECT person, 2, i FROM rebuilt, unnest(phones) i WHERE i IS DISTINCT FROM phone_index
ON CONFLICT DO NOTHING
"""
# What the page "my data" may still say of the version; see incidents.earlier_answers.
_KEEP_INDEXES = """
WITH held AS (
    SELECT DISTINCT person_id FROM incidents_exposure WHERE file_id = ANY(%(files)s)
)
INSERT INTO incidents_withdrawncontact (contact_index, batch_id, person_id)
SELECT i, %(batch)s, h.person_id FROM held h JOIN incidents_affectedperson p ON p.id = h.person_id
CROSS JOIN LATERAL (VALUES (p.email_index), (p.phone_index)) AS c (i) WHERE i IS NOT NULL
UNION SELECT f.contact_index, %(batch)s, h.person_id
FROM held h JOIN incidents_furthercontact f ON f.person_id = h.person_id
"""
_FORGET = "DELETE FROM incidents_filecontact WHERE file_id = ANY(%(files)s)"
_TYPES = ["uuid", "int4", "bytea", "int2", "int2", "uuid", "uuid", "uuid[]", "uuid[]"]


def remove_contacts(batch: ExposureBatch) -> None:
    """Removes what the files of a withdrawn scope version say of people's contacts.

    The blind indexes under which its people were found stay as WithdrawnContact. Runs in the
    transaction that withdraws it, after the files are marked as withdrawn. Raises EncryptionError
    if a contact cannot be decrypted.
    """
    if batch.incident.shredded_at:
        return
    files: dict[str, Any] = {
        "incident": batch.incident_id,
        "batch": batch.pk,
        "files": [file.pk for file in batch.files.all()],
    }
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute(_KEEP_INDEXES, files)
        cursor.execute(_CONCERNED, files)
        cursor.execute("ANALYZE concerned")
        cursor.execute(_KEEP)
        cursor.execute(_EMPTY)
        cursor.execute(_EMPTY_FURTHER)
        cursor.execute(_REBUILT)
        _copy_rebuilt(batch.incident.cipher())
        cursor.execute(_REBUILD)
        cursor.execute(_DROP_FURTHER)
        cursor.execute(_ADD_FURTHER)
        cursor.execute(_FORGET, files)
        cursor.execute("DROP TABLE concerned, rebuilt")


def _copy_rebuilt(cipher: IncidentCipher) -> None:
    """Copies the contacts that are put together from several files into the table `rebuilt`."""
    with connection.chunked_cursor() as parts:
        parts.execute(_PARTS)
        people = groupby(_rows(parts), key=itemgetter(0))
        rebuilt = (_rebuilt(cipher, person, rows) for person, rows in people)
        while rows := [row for _, row in zip(range(_FETCH), rebuilt, strict=False)]:
            _copy(rows)


def _rows(cursor: Any) -> Iterator[tuple[Any, ...]]:
    while fetched := cursor.fetchmany(_FETCH):
        yield from fetched


def _copy(rows: Iterable[tuple[Any, ...]]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy("COPY rebuilt FROM STDIN (FORMAT BINARY)") as copy,
    ):
        copy.set_types(_TYPES)
        for row in rows:
            copy.write_row(row)


def _rebuilt(
    cipher: IncidentCipher, person: UUID, rows: Iterable[tuple[Any, ...]]
) -> tuple[Any, ...]:
    """Returns the row of `rebuilt` for a person: the first file with a part comes first."""
    name, emails, phones = "", list[str](), list[str]()
    email, phone, first = (2, None), (2, None), 0  # 2: missing
    for _, file_id, ciphertext, email_reach, phone_reach, email_index, phone_index in rows:
        parts: dict[str, str] = cipher.decrypt(ciphertext, person=person, purpose=CONTACT)
        email = email if emails else (email_reach, email_index)
        phone = phone if phones else (phone_reach, phone_index)
        emails += [text for key, text in parts.items() if key.startswith("e")]
        phones += [text for key, text in parts.items() if key.startswith("p")]
        name, first = name or parts.get("n", ""), first or file_id
    # Those that find the person are in their normal form; the others are as they leaked.
    addresses = {one for text in emails for one in read_emails(text).addresses}
    numbers = {text for text in phones if normalise_phone(text) == text}
    contact = {**({"n": name} if name else {}), **_numbered("e", emails), **_numbered("p", phones)}
    return (
        *(person, first, cipher.encrypt(contact, person=person, purpose=CONTACT)),
        *(email[0], phone[0], email[1], phone[1]),
        list(map(cipher.email_index, addresses)),
        list(map(cipher.phone_index, numbers)),
    )


def _numbered(letter: str, texts: list[str]) -> dict[str, str]:
    """Returns the different texts under the keys of a contact: e, e2, e3."""
    different = dict.fromkeys(texts)
    return {f"{letter}{n}" if n > 1 else letter: text for n, text in enumerate(different, 1)}
