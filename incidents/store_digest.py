"""One number for all that an incident's store says: two stores that say the same have the same.

It is taken over the opened contents, in no order, and leaves out what may differ between two ways
to the same state: nonces, and the numbers of files.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from foundations.process_pool import workers
from incidents import encryption
from incidents.encryption import CONTACT, EXPOSURE
from incidents.models import AffectedPerson, DataClass, Exposure, Incident

_PEOPLE = 5_000
_MODULUS = 1 << 256


class StoreDigest(NamedTuple):
    """What was found."""

    people: int
    exposures: int
    hexadecimal: str


class _PersonContent(NamedTuple):
    """What the store says of one person, sealed."""

    row: tuple[UUID, int, str, int, int, UUID | None, UUID | None, bytes]
    exposures: list[tuple[str, int, list[str], bytes | None]]  # file's sha-256, line, classes


def compute_store_digest(incident: Incident, *, processes: int = 0) -> StoreDigest:
    """Of everything imported into the incident. Raises SealingError if anything does not open."""
    people = exposures = total = 0
    slugs = dict(DataClass.objects.values_list("pk", "slug"))
    with workers(processes) as pool:
        for part in pool.map(partial(_summed, incident.keysets(), slugs), _said(incident, slugs)):
            people += part[0]
            exposures += part[1]
            total = (total + part[2]) % _MODULUS
    return StoreDigest(people, exposures, f"{total:064x}")


def _said(incident: Incident, slugs: dict[int, str]) -> Iterator[list[_PersonContent]]:
    """Everybody, in chunks by the primary key."""
    last = UUID(int=0)
    while True:
        people = list(
            AffectedPerson.objects.filter(incident=incident, pk__gt=last)
            .order_by("pk")
            .values_list(
                "pk",
                "relation",
                "language",
                "email_reach",
                "phone_reach",
                "email_index",
                "phone_index",
                "contact",
            )[:_PEOPLE]
        )
        if not people:
            return
        last = people[-1][0]
        found = _exposures([row[0] for row in people], slugs)
        yield [_PersonContent((*row[:7], bytes(row[7])), found.get(row[0], [])) for row in people]


def _exposures(people: list[UUID], slugs: dict[int, str]) -> dict[UUID, list[Any]]:
    found = defaultdict[UUID, list[Any]](list)
    rows = Exposure.objects.filter(person__in=people)
    for person, sha256, line, classes, ciphertext in rows.values_list(
        "person_id", "file__sha256", "line", "data_classes", "ciphertext"
    ):
        names = sorted(slugs[number] for number in classes)
        found[person].append(
            (sha256, line, names, None if ciphertext is None else bytes(ciphertext))
        )
    return dict(found)


def _summed(
    keysets: tuple[int, str, bytes, bytes], slugs: dict[int, str], said: list[_PersonContent]
) -> tuple[int, int, int]:
    cipher = encryption.incident_cipher(*keysets)
    total = sum(int.from_bytes(_hashed(cipher, slugs, person)) for person in said)
    return len(said), sum(len(person.exposures) for person in said), total % _MODULUS


def _hashed(
    cipher: encryption.IncidentCipher, slugs: dict[int, str], said: _PersonContent
) -> bytes:
    person, relation, language, email_reach, phone_reach, email, phone, contact = said.row
    exposures = []
    for sha256, line, classes, ciphertext in said.exposures:
        values = cipher.decrypt(ciphertext, person=person, purpose=EXPOSURE) if ciphertext else []
        exposures.append([sha256, line, classes, [[slugs[row[0]], *row[1:]] for row in values]])
    content = [
        [str(person), relation, language, email_reach, phone_reach, str(email), str(phone)],
        cipher.decrypt(contact, person=person, purpose=CONTACT),
        sorted(exposures),
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()
