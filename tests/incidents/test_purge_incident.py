"""Purging deletes all rows of a shredded incident, no other rows, and no proof."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from harness.exposure_factory import expose, file_of, person
from incidents import purging, scope_versions, table_locks
from incidents.importing import loading, store
from incidents.models import (
    AddressChange,
    AffectedPerson,
    Exposure,
    ExposureFile,
    FurtherContact,
    Incident,
    PersonMark,
    Reveal,
    RowProof,
    Shredding,
    WithdrawnContact,
    WrongAnswer,
)
from incidents.scope_counts import counts_of
from notices import decisions
from notices.models import Delivery, Notice
from tests.incident_factory import another_incident
from tests.killed_process import die_at_call, no_wait, run_until_killed
from tests.notice_factory import affected, assert_adds_up, work

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.django_db
PEOPLE = 12
MAPPING = """
[person]
relation = "member"
reference = "member_id"
name = "name"
contact_leaked = ["name"]
"""


def purge(incident: Incident, **options) -> Shredding:
    return purging.run(incident, step_rows=5, wait=no_wait, **options)


@pytest.fixture
def people(incident) -> list[AffectedPerson]:
    file, rows = file_of(incident), []
    for number in range(PEOPLE):
        row = person(incident, name=f"고객 {number}")
        expose(row, file, "names")
        expose(row, file, values=[("physical-addresses", f"서울 {number}")])
        rows.append(row)
    return rows


@pytest.fixture
def other(incident) -> Incident:
    """Another incident with the same number of people."""
    other = another_incident(incident, "hanbit-2024")
    file = file_of(other)
    for number in range(PEOPLE):
        expose(person(other, name=f"다른 고객 {number}"), file, "names")
    return other


def test_an_incident_that_is_not_shredded_keeps_its_rows(incident, people):
    with pytest.raises(purging.PurgeRefusedError, match="not shredded"):
        purge(incident)
    with pytest.raises(CommandError, match="not shredded"):
        call_command("purge_incident", "hanbit-2025")
    assert AffectedPerson.objects.count() == PEOPLE


def test_only_the_rows_of_the_incident_are_deleted(incident, people, other, minji, editor):
    Reveal.objects.create(user=minji, person=people[0])
    for row in (people[0], other.people.first()):
        RowProof.objects.create(user=minji, person=row, fact="name")
        WrongAnswer.objects.create(user=minji, person=row)
        PersonMark.objects.create(
            incident=row.incident, person=row, kind="minor", reason="x", marked_by=editor
        )
        AddressChange.objects.create(
            incident=row.incident,
            person=row,
            kind=1,
            contact_index=row.pk,
            ciphertext=b"x",
            proposed_by=editor,
        )
    for row in (people[0], other.people.first()):
        index = row.incident.cipher().email_index("further@example.com")
        FurtherContact.objects.create(person=row, kind=1, contact_index=index)
        batch = row.incident.batches.get()
        WithdrawnContact.objects.create(person=row, batch=batch, contact_index=index)
    incident.shred()

    done = purge(incident)
    about_people = (FurtherContact, RowProof, WrongAnswer, PersonMark, AddressChange)
    for model in (*about_people, WithdrawnContact):
        assert model.objects.get().person.incident == other

    assert not AffectedPerson.objects.filter(incident=incident).exists()
    assert Exposure.objects.count() == AffectedPerson.objects.count() == PEOPLE
    assert not Reveal.objects.exists()
    assert (done.people, done.exposures) == (PEOPLE, 2 * PEOPLE)
    assert done.purged_at
    assert ExposureFile.objects.filter(incident=incident).exists()


def test_the_ledger_stays_without_links_to_people(incident, draft, approver, server):
    file = file_of(incident)
    for number in range(3):
        affected(file, f"고객 {number}", f"customer{number}@example.com")
    decisions.approve(draft, by=approver)
    notice = work(draft)
    before = set(Delivery.objects.values_list("recipient", "state", "reply"))
    incident.shred()

    purge(incident)

    assert set(Delivery.objects.values_list("recipient", "state", "reply")) == before
    assert not Delivery.objects.filter(person__isnull=False).exists()
    assert Notice.objects.get(pk=notice.pk).accepted == 3
    assert_adds_up(Notice.objects.get(pk=notice.pk))


def test_the_stored_counts_stay(incident):
    file = file_of(incident, state="open")
    file.state, file.finished_at = ExposureFile.State.LOADED, incident.aware_at
    file.save()
    expose(person(incident, name="김민지"), file, "names")
    scope_versions.close(file.batch)
    incident.shred()

    purge(incident)

    assert counts_of(incident).by_batch[1].people == 1
    call_command("check_counts")


@pytest.mark.django_db(transaction=True)
def test_a_killed_run_continues_where_it_ended(incident, people, other):
    incident.shred()

    run_until_killed(
        lambda: purging.run(incident, step_rows=7, wait=no_wait, report=die_at_call(2))
    )
    gone = Shredding.objects.get()
    assert gone.position
    assert gone.people == PEOPLE - AffectedPerson.objects.filter(incident=incident).count()

    done = purge(incident)
    assert (done.people, done.exposures) == (PEOPLE, 2 * PEOPLE)
    assert AffectedPerson.objects.count() == PEOPLE


@pytest.mark.django_db(transaction=True)
def test_the_purge_waits_for_locks_and_blocks_others_briefly(incident, people):
    incident.shred()
    waits: list[float] = []
    locked, waited = Event(), Event()

    def hold_a_lock() -> None:
        with transaction.atomic():
            AffectedPerson.objects.select_for_update().get(pk=people[0].pk)
            locked.set()
            waited.wait(30)
        connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(hold_a_lock)
        assert locked.wait(30)

        def wait(seconds: float) -> None:
            waits.append(seconds)
            if seconds == table_locks.LOCK_RETRY_SECONDS:
                waited.set()
                other.result()

        done = purging.run(incident, wait=wait)
    assert (done.people, done.exposures) == (PEOPLE, 2 * PEOPLE)
    assert waits.count(table_locks.LOCK_RETRY_SECONDS) == 1
    assert not AffectedPerson.objects.exists()


def test_a_step_reads_a_limited_number_of_rows(incident, people, other):
    incident.shred()

    with CaptureQueriesContext(connection) as queries:
        purge(incident)

    people_read = [query["sql"] for query in queries if "affectedperson" in query["sql"]]
    looked = [query for query in people_read if "LIMIT 5" in query]
    assert len(looked) == 2 * PEOPLE // 5 + 2
    assert not [sql for sql in looked if '"incident_id" =' in sql]


def is_there(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [table])
        return bool(cursor.fetchone()[0])


def test_the_exposures_of_a_large_file_are_dropped_as_a_partition(
    incident, tmp_path: Path, monkeypatch
):
    monkeypatch.setattr(store, "OWN_PARTITION_ROWS", 0)
    path = tmp_path / "members.csv"
    path.write_text("member_id,name\n" + "".join(f"{n},고객 {n}\n" for n in range(20)))
    file = loading.import_file(path, incident=incident, mapping_text=MAPPING)
    table = f"incidents_exposure_{file.pk}"
    assert is_there(table)
    incident.shred()

    done = purge(incident)

    assert (done.people, done.exposures) == (20, 20)
    assert not is_there(table)
    assert not AffectedPerson.objects.exists()


def test_the_command_says_what_it_did(incident, people, capsys):
    incident.shred()

    call_command("purge_incident", "hanbit-2025", rows=5)

    printed = capsys.readouterr().out
    assert f"hanbit-2025: {PEOPLE} people and {2 * PEOPLE} exposures are purged." in printed


def test_an_unknown_incident_is_one_line():
    with pytest.raises(CommandError, match="no such incident"):
        call_command("purge_incident", "nowhere")
