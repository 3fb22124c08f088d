"""Synthetic affected people, sealed as the import seals them and loaded with COPY.

Customer 17 has the address customer17@people.example and the primary key
`seal.person_id("member", "17")`, so that a mail server's log can be compared with the ledger
person by person, without opening a single row.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.models import User
from incidents import sealing
from incidents.models import (
    AffectedPerson,
    DataClass,
    ExposureBatch,
    ExposureFile,
    Incident,
)
from incidents.sealing import IncidentSeal
from tests.leaked import hanbit

SLUG = "hanbit-2025"
EDITOR, APPROVER = "editor@breachportal.example", "approver@breachportal.example"
LEAKED = ("names", "email-addresses", "phone-numbers")
FAMILY, GIVEN = "김이박최정강조윤장임", ("민지", "서준", "지우", "하은", "도윤", "수아")
PIECE = 10_000  # people a COPY

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
    """Where customer `number` gets mail."""
    return f"customer{number}@people.example"


def make(people: int) -> Incident:
    """An incident with a closed batch of `people`, committed piece by piece."""
    for email in (EDITOR, APPROVER):
        User.objects.create_user(email, is_staff=True, is_superuser=True)
    incident = hanbit()
    batch = ExposureBatch.objects.create(
        incident=incident, number=1, state=ExposureBatch.State.CLOSED, closed_at=timezone.now()
    )
    file = _file(batch, people)
    seal = incident.seal()
    by_slug = dict(DataClass.objects.filter(slug__in=LEAKED).values_list("slug", "pk"))
    classes = sorted(by_slug.values())
    for first in range(1, people + 1, PIECE):
        numbers = range(first, min(first + PIECE, people + 1))
        keys = [seal.person_id("member", str(number)) for number in numbers]
        rows = _people(incident, seal, numbers, keys)
        _copy("incidents_affectedperson", _PEOPLE_COLUMNS, rows)
        exposures = ((key, file.pk, n + 1, classes) for n, key in zip(numbers, keys, strict=True))
        _copy("incidents_exposure", _EXPOSURE_COLUMNS, exposures)
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


def _people(
    incident: Incident, seal: IncidentSeal, numbers: Sequence[int], keys: Sequence[Any]
) -> Iterator[tuple[Any, ...]]:
    reach, member = AffectedPerson.Reach, AffectedPerson.Relation.MEMBER
    for number, key in zip(numbers, keys, strict=True):
        name = FAMILY[number % len(FAMILY)] + GIVEN[number % len(GIVEN)]
        phone = f"+8210{number:08d}"
        contact = {"n": name, "e": address(number), "p": phone}
        yield (
            key,
            incident.pk,
            int(member),
            "ko",
            int(reach.USABLE),
            int(reach.USABLE),
            seal.email_index(address(number)),
            seal.phone_index(phone),
            seal.seal(contact, person=key, purpose=sealing.CONTACT),
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
