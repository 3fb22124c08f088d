"""Counts the people that an incident affects, by scope version, relation, language and data class.

The counts are stored when the scope changes, so that pages read them without a scan. A person
counts once, even if several rows or files name them: in each scope version, and over all closed
versions together. Versions that are open or withdrawn do not count in the total.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from incidents.models import ExposureBatch, Incident, ScopeCount, Shredding
from incidents.shared_contacts import count_shared_contacts
from incidents.unlinked import count_unlinked, unlinked_differences

# The sets of data classes that leaked together. There are few, also for very many exposures.
_SETS = "SELECT DISTINCT data_classes FROM incidents_exposure WHERE file_id = ANY(%s)"
# The data classes of a person become one bit string, so that PostgreSQL groups one row for each
# person and not one for each person and class. The position of a bit is the id of the data class.
_EACH_PERSON = """
CREATE TEMPORARY TABLE counted AS
SELECT e.person_id, bit_or(s.classes) AS classes
FROM incidents_exposure e
JOIN (VALUES {sets}) s (data_classes, classes) ON s.data_classes = e.data_classes
WHERE e.file_id = ANY(%s) GROUP BY e.person_id
"""
_COUNT = """
SELECT p.relation, p.language, c.classes, count(*)
FROM counted c JOIN incidents_affectedperson p ON p.id = c.person_id
GROUP BY p.relation, p.language, c.classes
"""
# Memory for both steps, until the end of the transaction.
_MEMORY = "SET LOCAL work_mem = '64MB'"
# For the first of the two steps. By default PostgreSQL would group by a hash, in one process. It
# groups sorted rows in several processes.
_BY_SORTING, _BY_DEFAULT = "SET LOCAL enable_hashagg = off", "SET LOCAL enable_hashagg TO DEFAULT"


class CountKey(NamedTuple):
    """The key of one stored count of a batch or an incident.

    `data_class` is the id of a DataClass, or None for all people with any leaked data.
    """

    relation: int  # AffectedPerson.Relation
    language: str
    data_class: int | None


@dataclass(frozen=True)
class Tally:
    """Numbers of distinct people. A person with two leaked classes counts in both classes."""

    people: int = 0
    by_class: dict[int, int] = field(default_factory=dict)  # by DataClass id
    by_relation: dict[int, int] = field(default_factory=dict)  # by AffectedPerson.Relation
    by_language: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Counts:
    """The stored counts of one incident."""

    # Over all closed scope versions; None if none is closed, or one is not counted yet.
    total: Tally | None = None
    # By number of the scope version, also of withdrawn ones.
    by_batch: dict[int, Tally] = field(default_factory=dict)


def counts_of(incident: Incident) -> Counts:
    """Returns the stored counts of an incident, in two small queries for any number of people."""
    cells: defaultdict[int | None, dict[CountKey, int]] = defaultdict(dict)
    stored = incident.scope_counts.values_list(
        "batch_id", "relation", "language", "data_class_id", "people"
    )
    for batch_id, relation, language, data_class, people in stored:
        cells[batch_id][CountKey(relation, language, data_class)] = people
    batches = list(incident.batches.all())
    closed = [batch for batch in batches if batch.state == ExposureBatch.State.CLOSED]
    is_known = closed and all(batch.counted_at for batch in closed)
    return Counts(
        total=_tally(cells[None]) if is_known else None,
        by_batch={batch.number: _tally(cells[batch.pk]) for batch in batches if batch.counted_at},
    )


def _tally(cells: dict[CountKey, int]) -> Tally:
    by_class, by_relation, by_language = Counter[int](), Counter[int](), Counter[str]()
    for cell, people in cells.items():
        if cell.data_class is None:
            by_relation[cell.relation] += people
            by_language[cell.language] += people
        else:
            by_class[cell.data_class] += people
    return Tally(by_relation.total(), dict(by_class), dict(by_relation), dict(by_language))


def count_closed(batch: ExposureBatch) -> None:
    """Counts a batch and its incident, and stores the counts. Runs in the closing transaction."""
    _store(batch.incident, batch, count_people_of([batch]))
    ExposureBatch.objects.filter(pk=batch.pk).update(counted_at=timezone.now())
    count_total(batch.incident)


def count_total(incident: Incident) -> None:
    """Counts all closed versions of the incident together, and stores the counts.

    Counts its shared contacts, and the entries without a contact, too.

    Runs in the transaction that closed or withdrew one of them.
    """
    _store(incident, None, _counted_total(incident))
    count_shared_contacts(incident)
    count_unlinked(incident)


def recount(incident: Incident) -> None:
    """Counts again and stores everything that `counts_of` returns."""
    with transaction.atomic():
        for batch in _batches_ever_closed(incident):
            _store(incident, batch, count_people_of([batch]))
            ExposureBatch.objects.filter(pk=batch.pk).update(counted_at=timezone.now())
        count_total(incident)


def differences(incident: Incident) -> list[str]:
    """Returns a line for each stored count that differs from a recount. Changes nothing.

    Returns an empty list for an incident that is being purged: its rows are deleted in steps, and
    its counts stay.
    """
    if Shredding.objects.filter(incident=incident, position__isnull=False).exists():
        return []
    found = []
    for batch in _batches_ever_closed(incident):
        found += _difference_lines(
            batch.code, stored_counts(incident, batch), count_people_of([batch])
        )
        if batch.counted_at is None:
            found.append(f"{batch.code}: never counted")
    total = count_people_of(_closed_batches(incident))
    found += _difference_lines(incident.slug, stored_counts(incident, None), total)
    return found + unlinked_differences(incident)


def stored_counts(incident: Incident, batch: ExposureBatch | None) -> dict[CountKey, int]:
    """Returns the stored counts of a batch; with None, the total of the incident."""
    rows = incident.scope_counts.filter(batch=batch)
    return {
        CountKey(row.relation, row.language, row.data_class_id): row.people
        for row in rows.iterator()
    }


def count_people_of(batches: Iterable[ExposureBatch]) -> dict[CountKey, int]:
    """Counts the people of some batches together, in two passes over their exposures."""
    files = [file.pk for batch in batches for file in batch.files.all()]
    cells = Counter[CountKey]()
    for relation, language, classes, people in _people_by_classes(files):
        cells[CountKey(relation, language, None)] += people
        for data_class in (place for place, bit in enumerate(classes) if bit == "1"):
            cells[CountKey(relation, language, data_class)] += people
    return dict(cells)


def _people_by_classes(files: list[int]) -> list[tuple[int, str, str, int]]:
    """Returns rows of (relation, language, a bit string with a bit for each class, people)."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SETS, [files])
        sets = [data_classes for (data_classes,) in cursor.fetchall()]
        if not sets:
            return []
        values = ", ".join(["(%s::smallint[], %s::varbit)"] * len(sets))
        last = max((data_class for one in sets for data_class in one), default=0)
        parameters: list[Any] = [value for one in sets for value in (one, _bits(one, last))]
        cursor.execute(_MEMORY)
        cursor.execute(_BY_SORTING)
        cursor.execute(_EACH_PERSON.format(sets=values), [*parameters, files])
        cursor.execute(_BY_DEFAULT)
        cursor.execute("ANALYZE counted")
        cursor.execute(_COUNT)
        rows = list(cursor.fetchall())
        cursor.execute("DROP TABLE counted")
        return rows


def _bits(data_classes: Sequence[int], last: int) -> str:
    return "".join("1" if place in data_classes else "0" for place in range(last + 1))


def _counted_total(incident: Incident) -> dict[CountKey, int]:
    """Returns the total of the incident. A single closed batch is not counted again."""
    closed = _closed_batches(incident)
    if len(closed) == 1 and closed[0].counted_at:
        return stored_counts(incident, closed[0])
    return count_people_of(closed)


def _closed_batches(incident: Incident) -> list[ExposureBatch]:
    closed = incident.batches.filter(state=ExposureBatch.State.CLOSED)
    return list(closed.prefetch_related("files"))


def _batches_ever_closed(incident: Incident) -> list[ExposureBatch]:
    return list(incident.batches.exclude(state=ExposureBatch.State.OPEN).prefetch_related("files"))


def _store(incident: Incident, batch: ExposureBatch | None, cells: dict[CountKey, int]) -> None:
    incident.scope_counts.filter(batch=batch).delete()
    ScopeCount.objects.bulk_create(
        ScopeCount(
            incident=incident,
            batch=batch,
            relation=cell.relation,
            language=cell.language,
            data_class_id=cell.data_class,
            people=people,
        )
        for cell, people in cells.items()
    )


def _difference_lines(what: str, old: dict[CountKey, int], new: dict[CountKey, int]) -> list[str]:
    return [
        f"{what}: relation {cell.relation}, language {cell.language}, "
        f"class {cell.data_class or 'any'}: {old.get(cell, 0):,} kept, {new.get(cell, 0):,} counted"
        for cell in sorted(old.keys() | new.keys(), key=str)
        if old.get(cell) != new.get(cell)
    ]
