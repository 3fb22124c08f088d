"""How many people an incident affects: counted once when the scope changes, read without counting.

A person counts once, however many rows or files name them: in each scope version, and over all
closed versions together. Versions that are open or withdrawn count in no total.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from incidents.models import ExposureBatch, Incident, ScopeCount, Shredding

# The sets of classes that leaked together: few, however many exposures there are.
_SETS = "SELECT DISTINCT data_classes FROM incidents_exposure WHERE file_id = ANY(%s)"
# A person's classes become one bit string, so that what is grouped is people and not people times
# classes. A bit's place is the class's id.
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
# For both steps, to the end of the transaction.
_ROOM = "SET LOCAL work_mem = '64MB'"
# For the first of the two steps. Left to itself, PostgreSQL hashes the people, in one process:
# it groups sorted rows in several.
_SORTED, _UNSORTED = "SET LOCAL enable_hashagg = off", "SET LOCAL enable_hashagg TO DEFAULT"


class CountKey(NamedTuple):
    """What a ScopeCount is kept for; `data_class` None is everybody, whatever leaked of them."""

    relation: int
    language: str
    data_class: int | None


@dataclass(frozen=True)
class Tally:
    """People, each once; somebody of whom two classes leaked stands under both."""

    people: int = 0
    by_class: dict[int, int] = field(default_factory=dict)  # by DataClass id
    by_relation: dict[int, int] = field(default_factory=dict)  # by AffectedPerson.Relation
    by_language: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Counts:
    """The kept counts of one incident."""

    # Over all closed scope versions; None while none is closed and counted.
    total: Tally | None = None
    by_batch: dict[int, Tally] = field(default_factory=dict)  # by scope version, withdrawn ones too


def counts_of(incident: Incident) -> Counts:
    """The kept counts; two small queries, whatever the incident's size."""
    cells: defaultdict[int | None, dict[CountKey, int]] = defaultdict(dict)
    kept = incident.scope_counts.values_list(
        "batch_id", "relation", "language", "data_class_id", "people"
    )
    for batch_id, relation, language, data_class, people in kept:
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
    """Counts a batch that is being closed, and its incident anew; in the closing transaction."""
    _keep(batch.incident, batch, count_people_of([batch]))
    ExposureBatch.objects.filter(pk=batch.pk).update(counted_at=timezone.now())
    count_standing(batch.incident)


def count_standing(incident: Incident) -> None:
    """Counts the incident's closed versions together; in the transaction that changed them."""
    _keep(incident, None, _counted_standing(incident))


def recount(incident: Incident) -> None:
    """Counts everything anew that `counts_of` tells."""
    with transaction.atomic():
        for batch in _closed_once(incident):
            _keep(incident, batch, count_people_of([batch]))
            ExposureBatch.objects.filter(pk=batch.pk).update(counted_at=timezone.now())
        count_standing(incident)


def differences(incident: Incident) -> list[str]:
    """What a recount finds other than it is kept, a line each; changes nothing.

    Of an incident that is being purged the rows are going and the counts stay.
    """
    if Shredding.objects.filter(incident=incident, position__isnull=False).exists():
        return []
    found = []
    for batch in _closed_once(incident):
        found += _compared(batch.code, stored_counts(incident, batch), count_people_of([batch]))
        if batch.counted_at is None:
            found.append(f"{batch.code}: never counted")
    total = count_people_of(_standing(incident))
    return found + _compared(incident.slug, stored_counts(incident, None), total)


def stored_counts(incident: Incident, batch: ExposureBatch | None) -> dict[CountKey, int]:
    """The counts as they are kept for one batch, or (None) for the incident."""
    rows = incident.scope_counts.filter(batch=batch)
    return {
        CountKey(row.relation, row.language, row.data_class_id): row.people
        for row in rows.iterator()
    }


def count_people_of(batches: Iterable[ExposureBatch]) -> dict[CountKey, int]:
    """The people of some batches together, by two passes over their exposures."""
    files = [file.pk for batch in batches for file in batch.files.all()]
    cells = Counter[CountKey]()
    for relation, language, classes, people in _people_by_classes(files):
        cells[CountKey(relation, language, None)] += people
        for data_class in (place for place, bit in enumerate(classes) if bit == "1"):
            cells[CountKey(relation, language, data_class)] += people
    return dict(cells)


def _people_by_classes(files: list[int]) -> list[tuple[int, str, str, int]]:
    """(relation, language, a bit for each class, people)."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SETS, [files])
        sets = [data_classes for (data_classes,) in cursor.fetchall()]
        if not sets:
            return []
        values = ", ".join(["(%s::smallint[], %s::varbit)"] * len(sets))
        last = max((data_class for one in sets for data_class in one), default=0)
        parameters: list[Any] = [value for one in sets for value in (one, _bits(one, last))]
        cursor.execute(_ROOM)
        cursor.execute(_SORTED)
        cursor.execute(_EACH_PERSON.format(sets=values), [*parameters, files])
        cursor.execute(_UNSORTED)
        cursor.execute("ANALYZE counted")
        cursor.execute(_COUNT)
        rows = list(cursor.fetchall())
        cursor.execute("DROP TABLE counted")
        return rows


def _bits(data_classes: Sequence[int], last: int) -> str:
    return "".join("1" if place in data_classes else "0" for place in range(last + 1))


def _counted_standing(incident: Incident) -> dict[CountKey, int]:
    """The incident's total; of a single batch, its own counts say it already."""
    standing = _standing(incident)
    if len(standing) == 1 and standing[0].counted_at:
        return stored_counts(incident, standing[0])
    return count_people_of(standing)


def _standing(incident: Incident) -> list[ExposureBatch]:
    closed = incident.batches.filter(state=ExposureBatch.State.CLOSED)
    return list(closed.prefetch_related("files"))


def _closed_once(incident: Incident) -> list[ExposureBatch]:
    return list(incident.batches.exclude(state=ExposureBatch.State.OPEN).prefetch_related("files"))


def _keep(incident: Incident, batch: ExposureBatch | None, cells: dict[CountKey, int]) -> None:
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


def _compared(what: str, old: dict[CountKey, int], new: dict[CountKey, int]) -> list[str]:
    return [
        f"{what}: relation {cell.relation}, language {cell.language}, "
        f"class {cell.data_class or 'any'}: {old.get(cell, 0):,} kept, {new.get(cell, 0):,} counted"
        for cell in sorted(old.keys() | new.keys(), key=str)
        if old.get(cell) != new.get(cell)
    ]
