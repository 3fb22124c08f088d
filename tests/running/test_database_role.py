"""The portal works with an account that can change nothing that proves something."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import User
from breachportal import database_role
from harness.exposure_factory import expose, file_of, person
from harness.product import BIN
from harness.sign_in import sign_in, sign_in_to_desk, step_up
from incidents import purging
from incidents.importing.staging_schema import STAGING_SCHEMA
from incidents.models import (
    ExposureFile,
    FactChange,
    Incident,
    IncidentJurisdiction,
    Reveal,
    Shredding,
)
from notices.models import Certificate
from notices.proof import certificates
from tests.database import database_url
from tests.import_factory import import_and_report
from tests.running.test_settings import COMPLETE, ROOT
from tickets.correspondence import ask, extend, extensions_of, write_again
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
ROLE = "portal_of_tests"


def run(statement: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def as_portal(db):
    """Everything after this runs with the account of the portal, until the test's rollback."""
    run(f"CREATE ROLE {ROLE} LOGIN")
    call_command("grant_portal_role", ROLE, stdout=StringIO())
    run(f"SET LOCAL ROLE {ROLE}")


@pytest.fixture
def leaked_minji(minji, incident):
    row = person(incident, name="김민지", email=minji.email)
    expose(row, file_of(incident), "names", values=[("physical-addresses", "서울 강남대로 1")])
    return row


REMOVALS = [
    *("DELETE FROM {table}", "TRUNCATE {table}", "DROP TABLE {table}"),
    "ALTER TABLE {table} DISABLE TRIGGER ALL",
]


def accepted(statements: Iterable[str]) -> list[str]:
    """Returns the statements that the database does not refuse to the account; undoes each."""
    done = []
    for statement in statements:
        try:
            with transaction.atomic():
                run(statement)
                transaction.set_rollback(True)
        except ProgrammingError as error:
            assert re.search("permission denied|must be owner", str(error)), error  # noqa: PT017
        else:
            done.append(statement)
    return done


# The grants take longer than the statements, so one test tries the statements of all tables.
@pytest.mark.usefixtures("as_portal")
def test_the_account_can_remove_no_proof():
    tables, removals = database_role.PROOF_TABLES, REMOVALS
    assert accepted(text.format(table=table) for table in tables for text in removals) == []
    assert accepted(["SELECT 1"]) == ["SELECT 1"]


def test_the_account_purges_a_shredded_incident_and_no_other(
    minji, leaked_minji, incident, editor, approver, as_portal
):
    Reveal.objects.create(user=minji, person=leaked_minji)
    people = f"ARRAY['{leaked_minji.pk}'::uuid]"
    purge = f"SELECT incidents_purge_reveals({incident.pk}, {people})"
    file = ExposureFile.objects.get(batch__incident=incident)
    for statement in (purge, f"SELECT incidents_purge_partition({file.pk})"):
        with pytest.raises(ProgrammingError, match="not shredded"), transaction.atomic():
            run(statement)
    Shredding.objects.create(incident=incident, asked_by=editor)
    incident.shred(approver)
    purging.run(incident)
    assert not Reveal.objects.exists()
    assert Shredding.objects.get().purged_at


def test_the_account_purges_a_partition_that_was_made_after_the_grants(
    leaked_minji, incident, editor, approver, as_portal
):
    file = ExposureFile.objects.get(batch__incident=incident)
    table = f"incidents_exposure_{file.pk}"
    run("RESET ROLE")
    run(f"CREATE TABLE {table} (LIKE incidents_exposure INCLUDING ALL)")
    run(f"INSERT INTO {table} SELECT * FROM incidents_exposure WHERE file_id = {file.pk}")  # noqa: S608
    run(f"DELETE FROM incidents_exposure WHERE file_id = {file.pk}")  # noqa: S608
    run(f"ALTER TABLE incidents_exposure ATTACH PARTITION {table} FOR VALUES IN ({file.pk})")
    [(exposures,)] = run(f"SELECT count(*) FROM {table}")  # noqa: S608
    run(f"SET LOCAL ROLE {ROLE}")
    Shredding.objects.create(incident=incident, asked_by=editor)
    incident.shred(approver)
    done = purging.run(incident)
    assert exposures
    assert done.exposures == exposures
    assert run("SELECT to_regclass(%s)", table) == [(None,)]


@pytest.mark.usefixtures("as_portal")
def test_the_account_can_change_only_the_listed_columns():
    found = {
        table: run(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
            " AND has_column_privilege(attrelid, attnum, 'UPDATE')",
            table,
        )
        for table in database_role.PROOF_TABLES
    }
    columns = {table: {name for (name,) in rows} for table, rows in found.items()}
    assert columns == {table: set(names) for table, names in database_role.PROOF_TABLES.items()}


@pytest.mark.usefixtures("as_portal")
def test_the_account_cannot_avoid_the_triggers():
    statements = [
        "SET session_replication_role = replica",
        "DROP TRIGGER version_is_immutable ON statements_statementversion",
        "ALTER TABLE statements_statementversion DISABLE TRIGGER version_is_immutable",
        "TRUNCATE statements_statementversion CASCADE",
        "TRUNCATE django_admin_log",
        "CREATE TABLE mine (id int)",
        "DELETE FROM django_migrations",
    ]
    assert accepted(statements) == []


def test_each_table_whose_rows_are_never_changed_is_listed():
    found = run(
        "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " JOIN pg_proc p ON p.oid = t.tgfoid"
        " WHERE p.proname = 'incidents_proof_is_immutable' AND c.relname <> 'django_admin_log'"
    )
    assert {name for (name,) in found} <= set(database_role.PROOF_TABLES)


def test_a_second_run_takes_away_what_was_granted_by_hand():
    run(f"CREATE ROLE {ROLE}")
    run(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {ROLE}")
    call_command("grant_portal_role", ROLE, stdout=StringIO())
    run(f"SET LOCAL ROLE {ROLE}")
    assert not database_role.may_change_proof()


@pytest.fixture
def as_importer(db):
    """Everything after this runs with the account of imports, until the test's rollback."""
    run(f"CREATE ROLE {ROLE}")
    call_command("grant_portal_role", ROLE, "--import", stdout=StringIO())
    run(f"SET LOCAL ROLE {ROLE}")


@pytest.mark.usefixtures("as_importer")
def test_the_account_that_imports_creates_staging_tables_and_changes_no_proof(incident):
    run(f"CREATE TABLE {STAGING_SCHEMA}.staged (id int)")
    assert not database_role.may_change_proof()


def test_the_account_that_imports_loads_a_file(incident, request, tmp_path):
    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    first.write_text("id,email\n1,minji@example.com\n")
    second.write_text("id,email\n1,minji@example.com\n2,seojun@example.com\n")
    mapping = """
[person]
relation = "member"
reference = "id"
email = "email"
contact_leaked = ["email"]
"""
    request.getfixturevalue("as_importer")
    for path, people in ((first, 1), (second, 1)):
        report = import_and_report(path, incident=incident, mapping_text=mapping)
        assert (report.is_done, report.people_new) == (True, people)
    assert run("SELECT relname FROM pg_class WHERE relname LIKE 'import\\_%%'") == []


@pytest.mark.usefixtures("as_importer")
def test_the_account_that_imports_can_create_no_operator_that_triggers_use():
    run(
        f"CREATE FUNCTION {STAGING_SCHEMA}.never(varchar, varchar) RETURNS boolean"
        " LANGUAGE sql AS 'SELECT false'"
    )
    with pytest.raises(ProgrammingError, match="permission denied for schema public"):
        run(
            "CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = varchar,"
            f" FUNCTION = {STAGING_SCHEMA}.never)"
        )


@pytest.mark.usefixtures("as_portal")
def test_an_account_that_may_create_in_the_schema_of_the_tables_is_refused():
    run("RESET ROLE")
    run("GRANT CREATE ON SCHEMA public TO PUBLIC")
    run(f"SET LOCAL ROLE {ROLE}")
    assert database_role.may_change_proof()
    run("RESET ROLE")
    call_command("grant_portal_role", ROLE, stdout=StringIO())
    run(f"SET LOCAL ROLE {ROLE}")
    assert not database_role.may_change_proof()


def test_an_unknown_account_is_refused():
    with pytest.raises(CommandError, match='role "nobody_here" does not exist'):
        call_command("grant_portal_role", "nobody_here")


# The portal's work with that account


@pytest.mark.usefixtures("as_portal")
def test_a_customer_signs_in_sees_values_and_closes_the_account(client, minji, leaked_minji):
    sign_in(client, minji.email)
    step_up(client, minji)
    assert client.post(reverse("my_data_reveal"), follow=True).status_code == 200
    assert client.post(reverse("close_account"), {"sure": "on"}).status_code == 302
    assert not User.objects.filter(pk=minji.pk).exists()
    assert Reveal.objects.get().user is None


@pytest.mark.usefixtures("as_portal")
def test_a_certificate_is_issued_and_stays(minji, incident, leaked_minji):
    assert certificates.issue(minji, incident, language="en")
    with pytest.raises(ProgrammingError, match="permission denied"):
        Certificate.objects.update(lookup="00000000-0000-0000-0000-000000000000")


@pytest.mark.usefixtures("as_portal")
def test_public_facts_are_changed_by_two_people_and_the_record_stays(incident, editor, approver):
    changes = {"contact_phone": [incident.contact_phone, "1577-0000"]}
    change = FactChange.objects.create(
        incident=incident,
        model="incidents.incident",
        object_id=incident.pk,
        title="x",
        changes=changes,
        proposed_by=editor,
    )
    assert change.confirm(approver)
    assert Incident.objects.get(pk=incident.pk).contact_phone == "1577-0000"
    with pytest.raises(IntegrityError, match="on record"), transaction.atomic():
        FactChange.objects.update(confirmed_by=None, confirmed_at=None)
    with pytest.raises(ProgrammingError, match="permission denied"):
        FactChange.objects.update(title="y")


def test_a_reveal_can_only_lose_its_user(minji, seojun, leaked_minji):
    Reveal.objects.create(user=minji, person=leaked_minji)
    with pytest.raises(IntegrityError, match="cannot be changed"), transaction.atomic():
        Reveal.objects.update(user=seojun)
    Reveal.objects.update(user=None)


# The desk's log


@pytest.fixture
def entry(editor) -> LogEntry:
    return LogEntry.objects.create(
        user=editor,
        content_type=ContentType.objects.get_for_model(Incident),
        object_id="1",
        object_repr="x",
        action_flag=CHANGE,
    )


@pytest.mark.parametrize("account", ["owner", "portal"])
def test_the_desks_log_is_neither_changed_nor_deleted(request, entry, account):
    if account == "portal":
        request.getfixturevalue("as_portal")
    for act in (lambda rows: rows.update(object_repr="y"), lambda rows: rows.delete()):
        with (
            pytest.raises(IntegrityError, match="cannot be changed or deleted"),
            transaction.atomic(),
        ):
            act(LogEntry.objects.filter(pk=entry.pk))


def test_a_user_with_an_entry_in_the_desks_log_is_not_deleted(client, editor, approver, entry):
    sign_in_to_desk(client, approver)
    for url, data in (
        (f"/admin/accounts/user/{editor.pk}/delete/", {"post": "yes"}),
        (
            "/admin/accounts/user/",
            {"action": "delete_selected", "_selected_action": editor.pk, "post": "yes"},
        ),
    ):
        assert client.post(url, data).status_code == 200
    User.objects.filter(pk=editor.pk).update(is_staff=False, is_superuser=False)
    former = Client()
    sign_in(former, editor.email)
    step_up(former, editor)
    assert former.post(reverse("close_account"), {"sure": "on"}).status_code == 200
    assert User.objects.filter(pk=editor.pk).exists()


# The start


def test_the_owner_of_the_tables_is_refused():
    with pytest.raises(ImproperlyConfigured, match="grant_portal_role"):
        database_role.refuse_owner()


@contextmanager
def production_as(account: str) -> Iterator[dict[str, str]]:
    """Context manager: the environment of a production process that uses an account."""
    url, is_portal = database_url(), account != "owner"
    if is_portal:
        run(f"DROP ROLE IF EXISTS {ROLE}")
        run(f"CREATE ROLE {ROLE} LOGIN")
        words = ["--import"] if account == "import" else []
        call_command("grant_portal_role", ROLE, *words, stdout=StringIO())
        url = url.replace("//postgres@", f"//{ROLE}@")
    address = {"DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL}
    try:
        yield {"PATH": os.environ["PATH"], **COMPLETE, **address}
    finally:
        if is_portal:
            run(f"DROP OWNED BY {ROLE}")
            run(f"DROP ROLE {ROLE}")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("account", ["owner", "portal"])
def test_a_web_process_in_production_starts_without_the_owners_account_only(account):
    with production_as(account) as environment:
        done = subprocess.run(
            [sys.executable, "-c", "import breachportal.wsgi; print('started')"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    started = done.stdout.strip() == "started"
    assert started == (account == "portal"), done.stderr
    assert ("grant_portal_role" in done.stderr) == (account == "owner")


def ended_with(command: str, environment: dict[str, str], log: Path, *, ready: str) -> int | None:
    """Returns the exit code of a Celery process, or None if its log says that it is ready."""
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(BIN / "celery"), "-A", "breachportal", *command.split(), "--loglevel", "INFO"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
        )
    for _ in range(600):
        if process.poll() is not None or ready in log.read_text():
            break
        time.sleep(0.1)
    ended = process.poll()
    process.terminate()
    process.wait(timeout=30)
    return ended


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("account", ["owner", "portal"])
@pytest.mark.parametrize(
    ("command", "ready"),
    [
        ("worker --queues of_no_task --pool solo --hostname role@%h", "ready."),
        ("beat --schedule {folder}/beat", "Scheduler: Sending"),
    ],
)
def test_workers_and_beat_in_production_start_without_the_owners_account_only(
    account, command, ready, tmp_path
):
    log = tmp_path / "log"
    with production_as(account) as environment:
        ended = ended_with(command.format(folder=tmp_path), environment, log, ready=ready)
    assert ended == (None if account == "portal" else 1), log.read_text()
    assert ("grant_portal_role" in log.read_text()) == (account == "owner")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("account", ["portal", "import"])
def test_a_worker_of_imports_in_production_starts_with_their_account_only(account, tmp_path):
    """The account of the others would fail at the first file, in a worker that seems well."""
    log, command = tmp_path / "log", "worker --queues import --pool solo --hostname role@%h"
    with production_as(account) as environment:
        ended = ended_with(command, environment, log, ready="ready.")
    assert ended == (None if account == "import" else 1), log.read_text()
    assert ("cannot import files" in log.read_text()) == (account == "portal")


def test_a_database_that_is_away_stops_no_web_process():
    done = subprocess.run(
        [sys.executable, "-c", "import breachportal.wsgi; print('started')"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]} | COMPLETE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "started", done.stderr
    assert "could not be checked" in done.stderr


def test_a_ticket_is_asked_extended_and_written_again(incident, seojun, editor, request):
    incident.jurisdictions.all().delete()
    IncidentJurisdiction.objects.create(incident=incident, jurisdiction="EU")
    request.getfixturevalue("as_portal")
    ticket = ask(seojun, incident, kind=Ticket.Kind.ACCESS, text="All", language="en", key=uuid4())
    [period] = extensions_of(ticket)
    extend(ticket, period=period, reason="Many requests", by=editor)
    write_again(ticket, text="When?", key=uuid4())
    assert Ticket.objects.get().extended_at
