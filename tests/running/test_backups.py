"""A backup is complete and private, and a restored one sends nothing by itself."""

import json
import os
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import IntegrityError, connection, migrations, transaction
from django.db.migrations.loader import MigrationLoader
from psycopg import sql

from breachportal import backups, embedded_servers
from breachportal.doctor import diagnose
from breachportal.doctor.diagnosis import Level
from foundations import keys
from harness import exposure_factory
from incidents import encryption
from incidents.models import AffectedPerson, Incident
from notices import decisions
from notices.models import Notice
from statements.models import StatementVersion
from tests.database import conninfo, without_triggers
from tests.notice_factory import affected

pytest_plugins = ["tests.notice_fixtures"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def folder(settings, tmp_path) -> Path:
    settings.BACKUP_FOLDER = str(tmp_path / "backups")
    return Path(settings.BACKUP_FOLDER)


@pytest.fixture
def empty_database():
    """Lets the settings name a new, empty database until the end of the test."""
    name, before = f"restored_{os.getpid()}", connection.settings_dict["NAME"]
    admin = psycopg.connect(conninfo(), autocommit=True)

    def use(options: LiteralString = "") -> None:
        new = sql.SQL("CREATE DATABASE {} " + options)
        admin.execute(new.format(sql.Identifier(name)))
        connection.close()
        connection.settings_dict["NAME"] = name

    yield use
    connection.close()
    connection.settings_dict["NAME"] = before
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    admin.close()


@contextmanager
def later_version() -> Iterator[None]:
    """Context manager: the code of a version with one migration more."""

    class Migration(migrations.Migration):
        dependencies = [("scams", "0001_initial")]
        operations = [
            migrations.RunSQL(
                "ALTER TABLE scams_scamreport ADD COLUMN later integer",
                "ALTER TABLE scams_scamreport DROP COLUMN later",
            )
        ]

    load = MigrationLoader.load_disk

    def load_disk(self) -> None:
        load(self)
        self.disk_migrations["scams", "0002_later"] = Migration("0002_later", "scams")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MigrationLoader, "load_disk", load_disk)
        yield


def backed_up(folder: Path) -> Path:
    call_command("backup", stdout=StringIO())
    return backups.existing(folder)[0][1]


def restored(path: Path) -> str:
    out = StringIO()
    call_command("restore", str(path), stdout=out, stderr=out)
    return out.getvalue()


def text_of(path: Path) -> str:
    program = embedded_servers.postgres_program("pg_restore")
    done = subprocess.run([str(program), "--file=-", str(path)], capture_output=True, check=True)
    return done.stdout.decode()


def test_only_this_account_reads_a_backup_and_no_value_is_in_it(notice, folder):
    path = backed_up(folder)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [one.name for one in folder.iterdir()] == [path.name]
    text = text_of(path)
    assert "COPY public.incidents_affectedperson" in text
    assert not [word for word in ("minji@example.com", "김민지", "Seojun") if word in text]


def test_what_is_restored_is_whole_and_sends_nothing(draft, approver, folder, empty_database):
    file = exposure_factory.file_of(draft.incident)
    people = [affected(file, f"고객 {number}", f"a{number}@example.com") for number in range(3)]
    decisions.approve(draft, by=approver)
    call_command("check_counts", "--mend", stdout=StringIO())  # the fixture closed no version
    path = backed_up(folder)
    empty_database()
    said = restored(path)
    assert f"Notice {draft.pk} is paused." in said
    assert Notice.objects.get().state == Notice.State.PAUSED
    assert AffectedPerson.objects.count() == len(people)
    for check in ("verify_statements", "verify_ledger", "verify_audit", "check_store"):
        assert f"== {check}" in said
    assert "grant_portal_role" in said
    assert decisions.resume(Notice.objects.get())


def test_the_result_of_a_restore_is_one_json_object(draft, approver, folder, empty_database):
    affected(exposure_factory.file_of(draft.incident), "고객", "a@example.com")
    decisions.approve(draft, by=approver)
    call_command("check_counts", "--mend", stdout=StringIO())  # the fixture closed no version
    path = backed_up(folder)
    empty_database()
    out, error = StringIO(), StringIO()
    call_command("restore", str(path), "--json", stdout=out, stderr=error)
    said = json.loads(out.getvalue())
    assert (said["file"], said["paused_notices"]) == (str(path), [draft.pk])
    checks = {check["check"]: check for check in said["checks"]}
    assert not [name for name, check in checks.items() if check["error"]]
    assert checks["verify_audit"]["result"]["faults"] == []
    assert checks["check_store"]["arguments"] == [draft.incident.slug]
    assert error.getvalue() == ""


def test_a_backup_of_an_earlier_version_gets_the_tables_of_this_one(
    version, folder, empty_database
):
    path = backed_up(folder)
    empty_database()
    with later_version():
        restored(path)
    with connection.cursor() as cursor:
        cursor.execute("SELECT later FROM scams_scamreport")


def test_a_backup_of_a_later_version_is_named(version, folder, empty_database):
    with later_version():
        call_command("migrate", verbosity=0)
        path = backed_up(folder)
        call_command("migrate", "scams", "0001", verbosity=0)
    empty_database()
    assert "is of a later version of the portal (scams 0002_later)" in restored(path)


def test_a_backup_goes_into_no_database_that_cannot_hold_korean(version, folder, empty_database):
    path = backed_up(folder)
    empty_database("TEMPLATE template0 ENCODING SQL_ASCII LC_COLLATE 'C' LC_CTYPE 'C'")
    with pytest.raises(CommandError, match="server_encoding = SQL_ASCII; the portal needs UTF8"):
        restored(path)


def test_a_database_of_another_program_is_not_migrated(empty_database):
    """Its record says that `accounts` is migrated: the portal's own migration would be left out."""
    empty_database()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE auth_user (id integer)")
        cursor.execute(
            "CREATE TABLE django_migrations (id bigint GENERATED BY DEFAULT AS IDENTITY,"
            " app varchar(255), name varchar(255), applied timestamptz)"
        )
        cursor.execute(
            "INSERT INTO django_migrations VALUES (1, 'accounts', '0001_initial', now())"
        )
    with pytest.raises(SystemCheckError, match="has tables of another program: auth_user"):
        call_command("migrate", verbosity=0, skip_checks=False)


def test_triggers_protect_what_was_restored(version, folder, empty_database):
    path = backed_up(folder)
    empty_database()
    restored(path)
    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute("DELETE FROM statements_statementversion")


def test_a_changed_statement_is_found_after_the_restore(version, folder, empty_database):
    with transaction.atomic(), without_triggers() as cursor:
        cursor.execute('UPDATE statements_section SET body = body || \'{"ko": "다른 글"}\'')
    path = backed_up(folder)
    empty_database()
    with pytest.raises(CommandError, match="verify_statements found a fault"):
        restored(path)


def test_another_master_keyset_is_refused_and_named(people, folder, empty_database, settings):
    path = backed_up(folder)
    settings.MASTER_KEYSET = keys.new_master_keyset()
    encryption.incident_cipher.cache_clear()  # as in a new process
    empty_database()
    with pytest.raises(CommandError, match="does not open the data of: ") as refused:
        restored(path)
    assert Incident.objects.get().slug in str(refused.value)


def test_a_database_with_tables_is_refused(version, folder):
    path = backed_up(folder)
    with pytest.raises(CommandError, match="restore into a new, empty one"):
        restored(path)
    assert StatementVersion.objects.count() == 1


@pytest.mark.parametrize("content", [None, b"", b"PGDMP", b"no backup at all"])
def test_a_file_that_is_no_backup_is_refused(tmp_path, content, empty_database):
    path = tmp_path / "breachportal-20261129T000000Z.dump"
    if content is not None:
        path.write_bytes(content)
    empty_database()
    with pytest.raises(CommandError):
        restored(path)
    assert connection.introspection.table_names() == []


def test_the_programs_of_postgresql_demand_what_the_portal_demands():
    query = "sslmode=verify-full&channel_binding=require&target_session_attrs=read-write"
    found = backups._environment(f"postgresql://owner:sesame@a:1,b:2/portal?{query}")
    assert {name: found[name] for name in found if name.startswith("PG")} == {
        "PGHOST": "a,b",
        "PGPORT": "1,2",
        "PGDATABASE": "portal",
        "PGUSER": "owner",
        "PGPASSWORD": "sesame",
        "PGSSLMODE": "verify-full",
        "PGCHANNELBINDING": "require",
        "PGTARGETSESSIONATTRS": "read-write",
    }


def test_the_newest_backups_are_kept(folder):
    folder.mkdir()
    for day in range(1, 6):
        (folder / f"breachportal-202611{day:02}T000000Z.dump").touch()
    (folder / "of-another-program.dump").touch()
    call_command("backup", "--keep", "3", stdout=StringIO())
    names = sorted(path.name for path in folder.iterdir())
    assert names[:2] == [f"breachportal-202611{day:02}T000000Z.dump" for day in (4, 5)]
    assert len(names) == 4


def test_a_backup_that_fails_leaves_nothing_and_deletes_nothing(folder, settings, tmp_path):
    folder.mkdir()
    old = [folder / f"breachportal-202611{day:02}T000000Z.dump" for day in (1, 2)]
    for path in old:
        path.touch()
    url = tmp_path / "url"
    url.write_text("postgresql://owner:hunter2@127.0.0.1:1/breachportal\n")
    with pytest.raises(CommandError, match="no backup was written") as refused:
        call_command("backup", "--keep", "1", "--database-url-file", str(url))
    assert "hunter2" not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert sorted(folder.iterdir()) == old


def test_the_doctor_knows_the_age_of_the_newest_backup(folder):
    def found() -> list[tuple[Level, str]]:
        return [(one.level, one.text) for _name, one in diagnose(("backup",))]

    assert found() == [(Level.WARNING, f"there is no backup in {folder}")]
    folder.mkdir()
    two_days_ago = datetime.now(UTC) - timedelta(hours=48)
    (folder / f"breachportal-{two_days_ago:%Y%m%dT%H%M%S}Z.dump").touch()
    assert found() == [(Level.FAULT, "the newest backup is 48 hours old")]
    call_command("backup", stdout=StringIO())
    assert found() == [(Level.OK, "the newest backup is 0 hours old")]
