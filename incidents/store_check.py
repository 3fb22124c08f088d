"""Checks the store of an incident, so that no person reads another person's values.

It decrypts everything of all people, or of a sample, and compares: indexes and reaches with the
contacts, references between tables, stored counts with the rows. It also looks for contacts of
other people in the values of a person: a stray quote in a file once put whole rows into one name.

A delivery note may name another person's number, because its author wrote it. So such a text is a
fault only if it has several lines or holds contacts of several other people, as swallowed rows do;
else it is counted only. Findings name primary keys, files and lines, never a value.
"""

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from django.db import connection

from foundations.process_pool import workers
from incidents import scope_counts
from incidents.importing.mapping import region_named
from incidents.models import (
    AffectedPerson,
    DataClass,
    Exposure,
    ExposureBatch,
    ExposureFile,
    FurtherContact,
    Incident,
)
from incidents.person_check import (
    CheckedPerson,
    Mention,
    StoredExposure,
    StoredPerson,
    check_people,
)

CHUNK_PEOPLE = 2_000
SAMPLE_PEOPLE = 2_000
_RUN_PEOPLE = 100  # people of a sample that follow each other in the order of their ids
_OWNERS_READ = 5  # people by contact and by kind of contact, of those whom a text may name

CheckReport = Callable[[UUID | None, int], None]


@dataclass
class StoreFindings:
    """What a check found."""

    people: int = 0  # that were checked
    mentions: int = 0  # texts with a contact of one other person, which are no faults
    faults: list[str] = field(default_factory=list)  # one line each


def check_whole(
    incident: Incident, *, processes: int = 0, report: CheckReport = lambda *_: None
) -> StoreFindings:
    """Checks everything that the store holds of an incident. Memory stays flat.

    `processes` is the number of worker processes; with 0 this process does all. `report` gets the
    id of the last person that was checked and how many were checked, after each chunk.
    Raises EncryptionError if the keysets of the incident cannot be decrypted.
    """
    findings = StoreFindings()
    _check_people(incident, _all_people(incident), findings, report, processes=processes)
    findings.faults += _table_faults(incident)
    findings.faults += scope_counts.differences(incident)
    return findings


def check_sample(incident: Incident, people: int = SAMPLE_PEOPLE) -> StoreFindings:
    """Checks up to `people` random people of the versions that are not withdrawn, and all counts.

    Raises as `check_whole` does.
    """
    findings = StoreFindings()
    batches = incident.batches.exclude(state=ExposureBatch.State.WITHDRAWN)
    _check_people(incident, _sample(batches, people), findings, lambda *_: None, processes=0)
    findings.faults += scope_counts.differences(incident)
    return findings


def check_version(batch: ExposureBatch, people: int = SAMPLE_PEOPLE) -> StoreFindings:
    """Checks up to `people` random people of a scope version, without counts.

    Raises as `check_whole` does.
    """
    findings = StoreFindings()
    chosen = _sample([batch], people)
    _check_people(batch.incident, chosen, findings, lambda *_: None, processes=0)
    return findings


# People

_PERSON_FIELDS = (
    "pk",
    "email_reach",
    "phone_reach",
    "email_index",
    "phone_index",
    "contact",
)


def _check_people(
    incident: Incident,
    chunks: Iterable[list[UUID]],
    findings: StoreFindings,
    report: CheckReport,
    *,
    processes: int,
) -> None:
    incident.cipher()  # raises EncryptionError here, not in a worker process
    check = partial(
        check_people,
        incident.keysets(),
        dict(DataClass.objects.values_list("pk", "slug")),
        regions=_regions(incident),
        has_values=incident.values_deleted_at is None,
    )
    last = list[tuple[UUID, int]]()

    def stored() -> Iterator[list[StoredPerson]]:
        for ids in chunks:
            last.append((ids[-1], len(ids)))
            yield _stored_people(incident, ids)

    with workers(processes) as pool:
        for checked in pool.map(check, stored()):
            _add_findings(checked, findings)
            _add_lost_contacts(incident, checked, findings)
            position, count = last.pop(0)
            findings.people += count
            report(position, findings.people)


def _all_people(incident: Incident) -> Iterator[list[UUID]]:
    """Yields the ids of all people of the incident, in chunks in their order."""
    last = UUID(int=0)
    people = AffectedPerson.objects.filter(incident=incident).order_by("pk")
    while ids := list(people.filter(pk__gt=last).values_list("pk", flat=True)[:CHUNK_PEOPLE]):
        last = ids[-1]
        yield ids


_PEOPLE_OF_FILES = """
SELECT DISTINCT person_id FROM incidents_exposure
WHERE file_id = ANY(%s) AND person_id >= %s ORDER BY person_id LIMIT %s
"""


def _sample(batches: Iterable[ExposureBatch], most: int) -> Iterator[list[UUID]]:
    """Yields the ids of up to `most` people of the batches, in chunks.

    Ids are the output of a PRF, so the people after a random id are a random choice.
    """
    files = [file.pk for batch in batches for file in batch.files.all()]
    chosen = set(_people_of(files, UUID(int=0), most + 1))
    if len(chosen) > most:
        chosen = set()
        for _ in range(-(-most // _RUN_PEOPLE)):
            chosen |= set(_people_of(files, UUID(bytes=secrets.token_bytes(16)), _RUN_PEOPLE))
    ids = sorted(chosen)
    for place in range(0, len(ids), CHUNK_PEOPLE):
        yield ids[place : place + CHUNK_PEOPLE]


def _people_of(files: list[int], first: UUID, most: int) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE_OF_FILES, [files, first, most])
        return [key for (key,) in cursor.fetchall()]


def _stored_people(incident: Incident, ids: Sequence[UUID]) -> list[StoredPerson]:
    exposures, further = _exposures(ids), _further_contacts(ids)
    people = AffectedPerson.objects.filter(incident=incident, pk__in=ids).order_by("pk")
    return [
        StoredPerson(
            key,
            (email_reach, phone_reach),
            (email_index, phone_index),
            bytes(contact),
            frozenset(further[key]),
            exposures[key],
        )
        for key, email_reach, phone_reach, email_index, phone_index, contact in people.values_list(
            *_PERSON_FIELDS
        )
    ]


def _exposures(ids: Sequence[UUID]) -> defaultdict[UUID, list[StoredExposure]]:
    found = defaultdict[UUID, list[StoredExposure]](list)
    rows = Exposure.objects.not_withdrawn().filter(person__in=ids)
    for person, file_id, line, classes, ciphertext in rows.values_list(
        "person_id", "file_id", "line", "data_classes", "ciphertext"
    ):
        stored = None if ciphertext is None else bytes(ciphertext)
        found[person].append(StoredExposure(file_id, line, classes, stored))
    return found


def _further_contacts(ids: Sequence[UUID]) -> defaultdict[UUID, set[tuple[int, UUID]]]:
    found = defaultdict[UUID, set[tuple[int, UUID]]](set)
    rows = FurtherContact.objects.filter(person__in=ids)
    for person, kind, index in rows.values_list("person_id", "kind", "contact_index"):
        found[person].add((kind, index))
    return found


# Uncertain contacts

_KEPT = """
SELECT i FROM unnest(%(wanted)s::uuid[]) i WHERE EXISTS (
    SELECT FROM incidents_unreadcontact u JOIN incidents_exposurefile f ON f.id = u.file_id
    WHERE u.email_index = i AND f.incident_id = %(incident)s AND f.state = 'loaded'
) OR EXISTS (
    SELECT FROM incidents_unreadcontact u JOIN incidents_exposurefile f ON f.id = u.file_id
    WHERE u.phone_index = i AND f.incident_id = %(incident)s AND f.state = 'loaded'
)
"""


def _add_lost_contacts(
    incident: Incident, checked: Sequence[CheckedPerson], findings: StoreFindings
) -> None:
    """Adds a fault for each uncertain contact whose owner would read that they are not affected."""
    found = [(person.key, one) for person in checked for one in person.uncertain]
    wanted = {index for _, one in found for index in one.addresses | one.numbers}
    if not wanted:
        return
    with connection.cursor() as cursor:
        cursor.execute(_KEPT, {"wanted": list(wanted), "incident": incident.pk})
        kept = {index for (index,) in cursor.fetchall()}
    findings.faults += [
        f"person {key}, {one.place}: not kept as an uncertain contact"
        for key, one in found
        if one.addresses - kept or (one.numbers and not one.numbers & kept)
    ]


def _regions(incident: Incident) -> tuple[str, ...]:
    """Returns the regions of the numbers in the incident's files that have no country code."""
    loaded = ExposureFile.objects.filter(incident=incident, state=ExposureFile.State.LOADED)
    named = {region_named(text) for text in loaded.values_list("mapping", flat=True).distinct()}
    return tuple(sorted({incident.phone_region, *named} - {""}))


# Contacts of other people


def _add_findings(checked: Sequence[CheckedPerson], findings: StoreFindings) -> None:
    wanted = {index for one in checked for mention in one.mentions for index in mention.indexes}
    owners = _owners(wanted) if wanted else defaultdict(set)
    for one in checked:
        findings.faults += [f"person {one.key}, {fault}" for fault in one.faults]
        for mention in one.mentions:
            others = {who for index in mention.indexes for who in owners[index]} - {one.key}
            if _is_swallowed(mention, others, owners):
                findings.faults.append(
                    f"person {one.key}, {mention.place}: holds contacts of "
                    f"{', '.join(sorted(map(str, others))[:3])}; did it swallow rows?"
                )
            else:
                findings.mentions += bool(others)


def _is_swallowed(mention: Mention, others: set[UUID], owners: dict[UUID, set[UUID]]) -> bool:
    """Returns whether a text looks like rows of other people, and not like a note that names one.

    Two contacts of the same other person are a row too; one number that several people have is not.
    """
    contacts = [index for index in mention.indexes if owners[index] & others]
    return bool(others) and (mention.has_lines or len(contacts) > 1)


# An index contains the key of its incident, so that no other incident has it.
_OWNERS = """
SELECT w.contact, o.person FROM unnest(%(wanted)s::uuid[]) AS w(contact) CROSS JOIN LATERAL (
    (SELECT id AS person FROM incidents_affectedperson WHERE email_index = w.contact LIMIT %(most)s)
    UNION ALL
    (SELECT id FROM incidents_affectedperson WHERE phone_index = w.contact LIMIT %(most)s)
    UNION ALL
    (SELECT person_id FROM incidents_furthercontact WHERE contact_index = w.contact LIMIT %(most)s)
) o
"""


def _owners(contacts: set[UUID]) -> defaultdict[UUID, set[UUID]]:
    """Returns a few of the people that have each of these contacts.

    A fault names three of them. A placeholder may belong to a million people.
    """
    found = defaultdict[UUID, set[UUID]](set)
    with connection.cursor() as cursor:
        cursor.execute(_OWNERS, {"wanted": list(contacts), "most": _OWNERS_READ})
        for contact, person in cursor.fetchall():
            found[contact].add(person)
    return found


# References between the tables

_TABLE_FAULTS = {
    "exposures of people of another incident, or of none": """
SELECT count(*) FROM incidents_exposure e
JOIN incidents_exposurefile f ON f.id = e.file_id
LEFT JOIN incidents_affectedperson p ON p.id = e.person_id
WHERE f.incident_id = %s AND p.incident_id IS DISTINCT FROM f.incident_id
""",
    "exposures of files that failed": """
SELECT count(*) FROM incidents_exposure e
JOIN incidents_exposurefile f ON f.id = e.file_id
WHERE f.incident_id = %s AND f.state = 'failed'
""",
    "files with more exposures than two for each row that was taken": """
SELECT count(*) FROM incidents_exposurefile f
WHERE f.incident_id = %s AND f.state = 'loaded' AND 2 * f.rows_taken < (
    SELECT count(*) FROM incidents_exposure e WHERE e.file_id = f.id
)
""",
    "files in the version of another incident": """
SELECT count(*) FROM incidents_exposurefile f
JOIN incidents_exposurebatch b ON b.id = f.batch_id
WHERE f.incident_id = %s AND b.incident_id <> f.incident_id
""",
    "further contacts without a person, of any incident": """
SELECT count(*) FROM incidents_furthercontact c
LEFT JOIN incidents_affectedperson p ON p.id = c.person_id
WHERE p.id IS NULL AND %s IS NOT NULL
""",
}


def _table_faults(incident: Incident) -> list[str]:
    """Returns a line for each kind of wrong references that the tables hold."""
    faults = []
    with connection.cursor() as cursor:
        for fault, statement in _TABLE_FAULTS.items():
            cursor.execute(statement, [incident.pk])
            row = cursor.fetchone()
            if row and row[0]:
                faults.append(f"{incident.slug}: {row[0]:,} {fault}")
    return faults
