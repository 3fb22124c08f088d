"""Synthetic affected people, encrypted as the import encrypts them and loaded with COPY.

Customer 17 has the address customer17@people.example and the primary key
`cipher.person_id("member", "17")`. The log of a mail server can therefore be compared with the
ledger person by person, without decrypting a row.
"""

import json
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from accounts.models import User
from harness.exposure_factory import hanbit
from incidents import encryption
from incidents.bulk_encryption import BulkEncryptor
from incidents.models import (
    AffectedPerson,
    DataClass,
    ExposureBatch,
    ExposureFile,
    Incident,
)

SLUG = "hanbit-2025"
EDITOR, APPROVER = "editor@breachportal.example", "approver@breachportal.example"
LEAKED = ("names", "email-addresses", "phone-numbers")
FAMILY, GIVEN = "김이박최정강조윤장임", ("민지", "서준", "지우", "하은", "도윤", "수아")
PIECE = 10_000  # people per COPY

_PEOPLE_COLUMNS = (
    *("id", "incident_id", "relation", "language", "email_reach", "phone_reach"),
    *("email_index", "phone_index", "contact"),
)
_EXPOSURE_COLUMNS = ("person_id", "file_id", "line", "data_classes")
_TYPES = """
SELECT udt_name FROM information_schema.columns
JOIN unnest(%s::text[]) WITH ORDINALITY AS c (name, place) ON column_name = c.name
WHERE table_name = %s ORDER BY c.place
"""


def address(number: int) -> str:
    """Returns the e-mail address of customer `number`."""
    return f"customer{number}@people.example"


def make(people: int) -> Incident:
    """Creates an incident with a closed batch of `people` people, and returns the incident.

    Uses all cores; each process commits pieces of PIECE people.
    """
    for email in (EDITOR, APPROVER):
        User.objects.create_user(email, is_staff=True, is_superuser=True)
    incident = hanbit()
    batch = ExposureBatch.objects.create(
        incident=incident, number=1, state=ExposureBatch.State.CLOSED, closed_at=timezone.now()
    )
    file = _file(batch, people)
    by_slug = dict(DataClass.objects.filter(slug__in=LEAKED).values_list("slug", "pk"))
    piece = partial(_load_piece, incident.keysets(), file.pk, sorted(by_slug.values()), people)
    connection.close()  # each forked process opens its own connection
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("fork")) as pool:
        list(pool.map(piece, range(1, people + 1, PIECE)))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
    return incident


def _file(batch: ExposureBatch, people: int) -> ExposureFile:
    return ExposureFile.objects.create(
        batch=batch,
        incident=batch.incident,
        name="synthetic.csv",
        sha256="0" * 64,
        size=people,
        encoding="utf-8",
        mapping="",
        state=ExposureFile.State.LOADED,
        rows_read=people,
        rows_taken=people,
        finished_at=timezone.now(),
    )


def _load_piece(
    keysets: tuple[int, str, bytes, bytes], file: int, classes: list[int], people: int, first: int
) -> None:
    cipher = BulkEncryptor(*keysets)
    numbers = range(first, min(first + PIECE, people + 1))
    keys = [cipher.blind_index(f"person:member\0{number}") for number in numbers]
    _copy("incidents_affectedperson", _PEOPLE_COLUMNS, _people(keysets[0], cipher, numbers, keys))
    lines = zip(numbers, keys, strict=True)
    exposures = ((UUID(bytes=key), file, number + 1, classes) for number, key in lines)
    _copy("incidents_exposure", _EXPOSURE_COLUMNS, exposures)


def _people(
    incident: int, cipher: BulkEncryptor, numbers: Sequence[int], keys: Sequence[bytes]
) -> Iterator[tuple[Any, ...]]:
    reach, member = AffectedPerson.Reach, AffectedPerson.Relation.MEMBER
    for number, key in zip(numbers, keys, strict=True):
        name = FAMILY[number % len(FAMILY)] + GIVEN[number % len(GIVEN)]
        phone = f"+8210{number:08d}"
        contact = {"n": name, "e": address(number), "p": phone}
        plain = json.dumps(contact, ensure_ascii=False, separators=(",", ":")).encode()
        yield (
            UUID(bytes=key),
            incident,
            int(member),
            "ko",
            int(reach.USABLE),
            int(reach.USABLE),
            UUID(bytes=cipher.blind_index(f"email\0{address(number)}")),
            UUID(bytes=cipher.blind_index(f"phone\0{phone}")),
            cipher.encrypt_bytes(plain, key, encryption.CONTACT),
        )


def _copy(table: str, columns: Sequence[str], rows: Iterator[tuple[Any, ...]]) -> None:
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor:
        cursor.execute(_TYPES, [list(columns), table])
        types = [name for (name,) in cursor.fetchall()]
        with cursor.copy(statement) as copy:
            copy.set_types([f"{name[1:]}[]" if name.startswith("_") else name for name in types])
            for row in rows:
                copy.write_row(row)
