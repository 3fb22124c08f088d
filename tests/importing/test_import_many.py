"""Large files are stored in another way than small ones, with the same result."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from django.db import connection

import incidents
from incidents import table_locks
from incidents.importing import block_worker, loading, store
from incidents.importing.progress import ImportProgress
from incidents.importing.reading import ImportRefusedError
from incidents.models import AffectedPerson, Incident
from incidents.store_digest import StoreDigest, compute_store_digest
from tests.database import conninfo
from tests.import_factory import import_and_report

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
    """Makes the import handle every file as a large one."""
    monkeypatch.setattr(store, "OWN_PARTITION_ROWS", 0)
    monkeypatch.setattr(store, "REBUILD_PEOPLE", 0)
    monkeypatch.setattr(store, "STORED_FOR_EACH", 1_000_000)
    monkeypatch.setattr(block_worker, "_BLOCKS_WORTH_PROCESSES", 0)


def load(incident: Incident, directory: Path, name: str, **options) -> ImportProgress:
    mapping = (SAMPLE / f"{name.partition('.')[0]}.toml").read_text(encoding="utf-8")
    source = SAMPLE / "export-2025-11" / name
    rejects = directory / f"{name}.rejects.csv"
    return import_and_report(
        source, incident=incident, mapping_text=mapping, rejects_path=rejects, **options
    )


def emptied(incident: Incident) -> Incident:
    """Deletes the rows of the incident, but not its keysets, and returns it."""
    execute("DELETE FROM incidents_exposure")
    AffectedPerson.objects.filter(incident=incident).delete()
    incident.batches.all().delete()
    return incident


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


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
    expected, shape = compute_store_digest(incident), rows(SHAPE)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for path in list(tmp_path.iterdir()):
        path.unlink()
    emptied(incident)

    request.getfixturevalue("many")
    for name in FILES:
        report = load(incident, tmp_path, name)
        assert (report.rows_taken, report.rows_rejected, report.people_new, report.exposures) == (
            few[name].rows_taken,
            few[name].rows_rejected,
            few[name].people_new,
            few[name].exposures,
        )
    assert compute_store_digest(incident) == expected
    assert rows(SHAPE) == shape
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == written
    assert len(partitions()) == 4


def test_a_large_file_that_fails_changes_nothing(incident, tmp_path, many):
    load(incident, tmp_path, "members.csv")
    expected, before = compute_store_digest(incident), partitions()
    path = tmp_path / "orders.csv"
    path.write_bytes(b"member_id,ordered_at,item,qty\n70000000,2025-11-01T00:00:00,x,1\n\0\n")
    with pytest.raises(ImportRefusedError, match="NUL"):
        loading.import_file(
            path,
            incident=incident,
            mapping_text=(SAMPLE / "orders.toml").read_text(encoding="utf-8"),
        )

    assert compute_store_digest(incident) == expected
    assert partitions() == before
    assert not rows("SELECT relname::text FROM pg_class WHERE relname LIKE 'import_%'")


def test_a_changed_value_changes_the_digest(incident, tmp_path):
    load(incident, tmp_path, "members.csv")
    before = compute_store_digest(incident)
    person = AffectedPerson.objects.filter(incident=incident).order_by("pk")[0]
    changed = {**person.decrypt_contact(), "n": "somebody else"}
    ciphertext = incident.cipher().encrypt(changed, person=person.pk, purpose=b"contact")
    AffectedPerson.objects.filter(pk=person.pk).update(contact=ciphertext)

    after = compute_store_digest(incident)
    assert (after.people, after.exposures) == (before.people, before.exposures)
    assert after.hexadecimal != before.hexadecimal


def test_an_empty_store_has_a_digest(incident):
    assert compute_store_digest(incident) == StoreDigest(0, 0, "0" * 64)


# Readers during an import


def reader() -> psycopg.Connection:
    """Returns a connection that waits at most 500 ms for a lock."""
    return psycopg.connect(conninfo(), autocommit=True, options="-c lock_timeout=500ms")


READ = """
SELECT count(*) FROM incidents_affectedperson p JOIN incidents_exposure e ON e.person_id = p.id
JOIN incidents_exposurefile f ON f.id = e.file_id JOIN incidents_incident i ON i.id = p.incident_id
"""


def read(visitor: psycopg.Connection, statement: str = READ) -> int:
    row = visitor.execute(statement).fetchone()
    assert row
    return int(row[0])


def report_partition_steps() -> None:
    """Makes PostgreSQL report how it attaches a partition, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL client_min_messages = debug1")


@pytest.fixture
def while_merged(monkeypatch):
    """A list of functions that are called just before the last step of an import.

    Attached partitions stay when the rows of a test are deleted, so the fixture drops them.
    """
    calls: list[Callable[[], object]] = []
    put_in_place = store.Store.put_in_place

    def called(self: store.Store) -> None:
        for call in calls:
            call()
        put_in_place(self)

    monkeypatch.setattr(store.Store, "put_in_place", called)
    yield calls
    with connection.cursor() as cursor:
        for name in set(partitions()) - {"incidents_exposure_small"}:
            cursor.execute(f"DROP TABLE {name}")


@pytest.mark.django_db(transaction=True)
def test_a_reader_reads_during_a_later_import(incident, tmp_path, many, monkeypatch, while_merged):
    load(incident, tmp_path, "members.csv")
    monkeypatch.setattr(store, "STORED_FOR_EACH", 0)
    with reader() as visitor:
        before, seen, earlier = read(visitor), [], set(partitions())
        while_merged += [lambda: seen.append(read(visitor)), report_partition_steps]
        reported: list[str] = []
        connection.connection.add_notice_handler(
            lambda notice: reported.append(notice.message_primary)
        )
        load(incident, tmp_path, "addresses.csv")  # its recipients are new people

        assert seen == [before]
        # PostgreSQL does not scan the new partition while readers are locked out.
        assert [line for line in reported if line.startswith("partition constraint for table")] == [
            f'partition constraint for table "{newest}" is implied by existing constraints'
            for newest in set(partitions()) - earlier
        ]
        assert read(visitor) > before


@pytest.mark.django_db(transaction=True)
def test_people_can_be_read_while_their_table_is_rebuilt(incident, tmp_path, many, while_merged):
    seen: list[int] = []
    with reader() as visitor:
        while_merged.append(lambda: seen.append(read(visitor)))
        load(incident, tmp_path, "members.csv")
        members = read(visitor)
        load(incident, tmp_path, "addresses.csv")

        assert seen == [0, members]
        assert read(visitor) > members > 0


NUMBER = "SELECT 'incidents_affectedperson'::regclass::oid::text"
RIGHTS = """
SELECT pg_get_userbyid(relowner) || relacl::text FROM pg_class
WHERE oid = 'incidents_affectedperson'::regclass
"""


def test_a_rebuilt_table_keeps_its_owner_and_privileges(incident, tmp_path, many):
    execute("CREATE ROLE keeper")
    execute("ALTER TABLE incidents_affectedperson OWNER TO keeper")
    execute("GRANT SELECT, UPDATE ON incidents_affectedperson TO pg_monitor WITH GRANT OPTION")
    execute("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC")
    number, rights = rows(NUMBER), rows(RIGHTS)
    load(incident, tmp_path, "members.csv")

    assert rows(NUMBER) != number
    assert rows(RIGHTS) == rights


def test_an_account_that_does_not_own_the_tables_imports_row_by_row(incident, tmp_path, many):
    execute("CREATE ROLE clerk")
    execute("GRANT USAGE, CREATE ON SCHEMA public TO clerk")
    execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO clerk")
    execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO clerk")
    execute("SET ROLE clerk")
    number, before = rows(NUMBER), partitions()
    load(incident, tmp_path, "members.csv")
    execute("RESET ROLE")

    assert rows(NUMBER) == number
    assert partitions() == before
    assert AffectedPerson.objects.filter(incident=incident).exists()


def test_a_table_that_a_view_reads_is_not_replaced(incident, tmp_path, many):
    execute("CREATE VIEW numbers AS SELECT id FROM incidents_affectedperson")
    number = rows(NUMBER)
    load(incident, tmp_path, "members.csv")

    assert rows(NUMBER) == number
    assert AffectedPerson.objects.filter(incident=incident).exists()


@pytest.mark.django_db(transaction=True)
def test_an_import_that_waits_for_a_long_reader_delays_no_other_reader(
    incident, tmp_path, many, monkeypatch, while_merged
):
    load(incident, tmp_path, "members.csv")
    monkeypatch.setattr(store, "STORED_FOR_EACH", 0)
    monkeypatch.setattr(table_locks, "LOCK_RETRY_SECONDS", 0.2)
    merged = threading.Event()
    while_merged.append(merged.set)

    def load_more() -> None:
        load(incident, tmp_path, "addresses.csv")
        connection.close()

    importer = threading.Thread(target=load_more)
    with reader() as long, reader() as visitor:
        with long.transaction():
            before = read(long)
            importer.start()
            assert merged.wait(60)
            until = time.monotonic() + 2
            while time.monotonic() < until:
                assert read(visitor) == before
        importer.join(60)
        assert not importer.is_alive()
        assert read(visitor) > before


WAITING_FOR_ANOTHER = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
"""


@pytest.mark.django_db(transaction=True)
def test_two_incidents_files_are_merged_one_after_the_other(
    incident, tmp_path, many, monkeypatch, while_merged
):
    """Both read people and then change the table; in parallel they would deadlock."""
    load(incident, tmp_path, "members.csv")
    monkeypatch.setattr(store, "STORED_FOR_EACH", 0)
    other = Incident(slug="other-2025", aware_at=incident.aware_at)
    other.make_keysets()
    other.save()
    has_read, may_merge = threading.Event(), threading.Event()

    def report(progress: ImportProgress) -> None:
        if progress.is_merging and not progress.is_done:
            has_read.set()
            assert may_merge.wait(60)

    def load_other() -> None:
        loading.import_file(
            SAMPLE / "export-2025-11" / "members.csv",
            incident=other,
            mapping_text=(SAMPLE / "members.toml").read_text(encoding="utf-8"),
            rejects_path=tmp_path / "other.csv",
            report=report,
        )
        connection.close()

    def let_the_other_merge() -> None:
        while_merged.clear()
        may_merge.set()
        until = time.monotonic() + 30
        with reader() as watcher:
            while not read(watcher, WAITING_FOR_ANOTHER):
                assert time.monotonic() < until
                time.sleep(0.05)

    second = threading.Thread(target=load_other)
    second.start()
    assert has_read.wait(60)
    while_merged.append(let_the_other_merge)
    load(incident, tmp_path, "addresses.csv")
    second.join(60)

    assert not second.is_alive()
    assert AffectedPerson.objects.filter(incident=other).exists()
    assert len(partitions()) == 4
