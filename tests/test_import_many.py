"""Many rows take another way into the store than few; what stands there in the end is the same."""

from pathlib import Path

import pytest
from django.db import connection

import incidents
from incidents import importing
from incidents.digests import Digest, digest
from incidents.importing import store, working
from incidents.models import AffectedPerson, Exposure, Incident

pytestmark = pytest.mark.django_db
SAMPLE = Path(incidents.__file__).parent / "sample"
FILES = ["members.csv", "addresses.csv", "orders.csv.gz"]
SHAPE = """
SELECT indexdef FROM pg_indexes WHERE tablename = 'incidents_affectedperson'
UNION ALL SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = 'incidents_affectedperson'::regclass
"""


@pytest.fixture
def many(monkeypatch):
    """Every file counts as a large one."""
    monkeypatch.setattr(store, "OWN_PARTITION_ROWS", 0)
    monkeypatch.setattr(store, "REBUILD_ROWS", 0)
    monkeypatch.setattr(store, "REBUILD_SHARE", 0)
    monkeypatch.setattr(working, "_BLOCKS_WORTH_PROCESSES", 0)


def load(incident: Incident, directory: Path, name: str, **options) -> importing.Progress:
    reports: list[importing.Progress] = []
    mapping = (SAMPLE / f"{name.partition('.')[0]}.toml").read_text(encoding="utf-8")
    source = SAMPLE / "export-2025-11" / name
    importing.import_file(
        source,
        incident=incident,
        mapping_text=mapping,
        rejects_path=directory / f"{name}.rejects.csv",
        report=reports.append,
        **options,
    )
    return reports[-1]


def again(incident: Incident) -> Incident:
    """An incident with the same keysets and number, and nothing in it."""
    Exposure.objects.filter(person__incident=incident).delete()
    AffectedPerson.objects.filter(incident=incident).delete()
    incident.batches.all().delete()
    return incident


def rows(statement: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return sorted(row[0] for row in cursor.fetchall())


def partitions() -> list[str]:
    return rows(
        "SELECT inhrelid::regclass::text FROM pg_inherits "
        "WHERE inhparent = 'incidents_exposure'::regclass"
    )


def test_many_rows_end_in_the_same_state_as_few(incident, tmp_path, request):
    few = {name: load(incident, tmp_path, name) for name in FILES}
    expected, shape = digest(incident), rows(SHAPE)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for path in list(tmp_path.iterdir()):
        path.unlink()
    again(incident)

    request.getfixturevalue("many")
    for name in FILES:
        report = load(incident, tmp_path, name)
        assert (report.rows_taken, report.rows_rejected, report.people_new, report.exposures) == (
            few[name].rows_taken,
            few[name].rows_rejected,
            few[name].people_new,
            few[name].exposures,
        )
    assert digest(incident) == expected
    assert rows(SHAPE) == shape
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == written
    assert len(partitions()) == 4


def test_a_large_file_that_fails_leaves_nothing(incident, tmp_path, many):
    load(incident, tmp_path, "members.csv")
    expected, before = digest(incident), partitions()
    path = tmp_path / "orders.csv"
    path.write_bytes(b"member_id,ordered_at,item,qty\n70000000,2025-11-01T00:00:00,x,1\n\0\n")
    with pytest.raises(importing.ImportRefusedError, match="NUL"):
        importing.import_file(
            path,
            incident=incident,
            mapping_text=(SAMPLE / "orders.toml").read_text(encoding="utf-8"),
        )

    assert digest(incident) == expected
    assert partitions() == before
    assert not rows("SELECT relname::text FROM pg_class WHERE relname LIKE 'import_%'")


def test_the_digest_tells_a_changed_value(incident, tmp_path):
    load(incident, tmp_path, "members.csv")
    before = digest(incident)
    person = AffectedPerson.objects.filter(incident=incident).order_by("pk")[0]
    changed = {**person.open_contact(), "n": "somebody else"}
    sealed = incident.seal().seal(changed, person=person.pk, purpose=b"contact")
    AffectedPerson.objects.filter(pk=person.pk).update(contact=sealed)

    after = digest(incident)
    assert (after.people, after.exposures) == (before.people, before.exposures)
    assert after.hexadecimal != before.hexadecimal


def test_an_empty_store_has_a_digest(incident):
    assert digest(incident) == Digest(0, 0, "0" * 64)
