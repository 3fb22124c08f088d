"""The store digest: one number that is equal for two stores with the same imported content.

It is a sum over the decrypted contents, so it does not depend on their order. It leaves out what
may differ between two imports with the same result: nonces and the ids of files.
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
from incidents.models import AffectedPerson, DataClass, Exposure, FurtherContact, Incident

_PEOPLE = 5_000  # in one chunk
_MODULUS = 1 << 256


class StoreDigest(NamedTuple):
    """The store digest of an incident, with the numbers of people and exposures."""

    people: int
    exposures: int
    hexadecimal: str  # 64 digits: the sum of all SHA-256 values, modulo 2**256


class _PersonContent(NamedTuple):
    """Everything that the store holds of one person, still encrypted."""

    row: tuple[UUID, int, str, int, int, UUID | None, UUID | None, bytes]
    exposures: list[
        tuple[str, int, list[str], bytes | None]
    ]  # SHA-256 of the file, line, classes, ciphertext
    further: list[tuple[int, UUID]]  # kind and index of each further contact, sorted


def compute_store_digest(incident: Incident, *, processes: int = 0) -> StoreDigest:
    """Returns the digest of everything that was imported into the incident.

    `processes` is the number of worker processes; with 0 this process does all. Raises
    EncryptionError if a value cannot be decrypted.
    """
    people = exposures = total = 0
    slugs = dict(DataClass.objects.values_list("pk", "slug"))
    with workers(processes) as pool:
        for part in pool.map(
            partial(_sum_chunk, incident.keysets(), slugs), _chunks(incident, slugs)
        ):
            people += part[0]
            exposures += part[1]
            total = (total + part[2]) % _MODULUS
    return StoreDigest(people, exposures, f"{total:064x}")


def _chunks(incident: Incident, slugs: dict[int, str]) -> Iterator[list[_PersonContent]]:
    """Yields all affected people of the incident, in chunks in the order of their primary keys."""
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
        ids = [row[0] for row in people]
        exposures, further = _exposures(ids, slugs), _further_contacts(ids)
        yield [
            _PersonContent(
                (*row[:7], bytes(row[7])), exposures.get(row[0], []), further.get(row[0], [])
            )
            for row in people
        ]


def _exposures(people: list[UUID], slugs: dict[int, str]) -> dict[UUID, list[Any]]:
    """Returns the exposures of these people, by person."""
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


def _further_contacts(people: list[UUID]) -> dict[UUID, list[tuple[int, UUID]]]:
    """Returns kind and index of the further contacts of these people, by person."""
    found = defaultdict[UUID, list[tuple[int, UUID]]](list)
    rows = FurtherContact.objects.filter(person__in=people).order_by("person_id", "kind")
    for person, kind, index in rows.values_list("person_id", "kind", "contact_index"):
        found[person].append((kind, index))
    return {person: sorted(contacts) for person, contacts in found.items()}


def _sum_chunk(
    keysets: tuple[int, str, bytes, bytes], slugs: dict[int, str], chunk: list[_PersonContent]
) -> tuple[int, int, int]:
    cipher = encryption.incident_cipher(*keysets)
    total = sum(int.from_bytes(_hash_person(cipher, slugs, person)) for person in chunk)
    return len(chunk), sum(len(person.exposures) for person in chunk), total % _MODULUS


def _hash_person(
    cipher: encryption.IncidentCipher, slugs: dict[int, str], stored: _PersonContent
) -> bytes:
    person, relation, language, email_reach, phone_reach, email, phone, contact = stored.row
    exposures = []
    for sha256, line, classes, ciphertext in stored.exposures:
        values = cipher.decrypt(ciphertext, person=person, purpose=EXPOSURE) if ciphertext else []
        exposures.append([sha256, line, classes, [[slugs[row[0]], *row[1:]] for row in values]])
    content = [
        [str(person), relation, language, email_reach, phone_reach, str(email), str(phone)],
        cipher.decrypt(contact, person=person, purpose=CONTACT) if contact else {},
        sorted(exposures),
        [[kind, str(index)] for kind, index in stored.further],
    ]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).digest()
