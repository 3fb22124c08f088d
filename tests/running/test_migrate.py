"""A migration that waits for a table lets its readers pass, and tries again."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.core.management.commands import migrate as djangos
from django.db import connection, migrations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState

from breachportal.management.commands import migrate
from tests.database import conninfo

pytestmark = pytest.mark.django_db(transaction=True)
TABLE = "scams_scamreport"


@pytest.fixture
def new_column(monkeypatch) -> Iterator[None]:
    """A migration that adds a column and, apart from it, an index without stopping writers."""

    class Migration(migrations.Migration):
        atomic = False
        dependencies = [("scams", "0001_initial")]
        operations = [
            migrations.RunSQL(
                f"ALTER TABLE {TABLE} ADD COLUMN IF NOT EXISTS later integer",
                f"ALTER TABLE {TABLE} DROP COLUMN IF EXISTS later",
            ),
            migrations.RunSQL(
                f"CREATE INDEX CONCURRENTLY IF NOT EXISTS of_later ON {TABLE} (later)",
                "DROP INDEX IF EXISTS of_later",
            ),
        ]

    load = MigrationLoader.load_disk

    def load_disk(self) -> None:
        load(self)
        self.disk_migrations["scams", "0002_later"] = Migration("0002_later", "scams")

    monkeypatch.setattr(MigrationLoader, "load_disk", load_disk)
    monkeypatch.setattr(migrate, "LOCK_SECONDS", 1)
    monkeypatch.setattr(migrate, "PAUSE_SECONDS", 0.5)
    yield
    call_command("migrate", "scams", verbosity=0)  # a test may have left a part of it
    call_command("migrate", "scams", "0001", verbosity=0)


@contextmanager
def import_that_runs() -> Iterator[psycopg.Connection]:
    """Context manager: a transaction that wrote to the table and does not end."""
    with psycopg.connect(conninfo()) as holder:
        holder.execute(f"LOCK TABLE {TABLE} IN ROW EXCLUSIVE MODE")
        yield holder
        holder.rollback()


def columns() -> set[str]:
    with connection.cursor() as cursor:
        return {one.name for one in connection.introspection.get_table_description(cursor, TABLE)}


@pytest.mark.usefixtures("new_column")
def test_it_applies_the_migration_and_keeps_no_time_out():
    call_command("migrate", verbosity=0)
    assert "later" in columns()
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


@pytest.mark.usefixtures("new_column")
def test_readers_pass_while_it_waits_and_it_ends_after_the_import(capsys):
    done = threading.Event()

    def migrate_in_thread() -> None:
        call_command("migrate", verbosity=0)
        connection.close()
        done.set()

    slowest = 0.0
    with import_that_runs(), psycopg.connect(conninfo(), autocommit=True) as reader:
        thread = threading.Thread(target=migrate_in_thread)
        thread.start()
        deadline = time.monotonic() + 60
        while "A table is in use" not in capsys.readouterr().err:
            assert time.monotonic() < deadline
            began = time.monotonic()
            reader.execute("SELECT count(*) FROM scams_scamreport")
            slowest = max(slowest, time.monotonic() - began)
        assert not done.is_set()
    thread.join(60)
    assert done.is_set()
    assert slowest < 20  # and not as long as the import
    assert "later" in columns()


@pytest.mark.usefixtures("new_column")
def test_it_gives_up_with_a_reason_and_changes_nothing(monkeypatch):
    monkeypatch.setattr(migrate, "TRIES", 2)
    with import_that_runs(), pytest.raises(CommandError, match="long transaction"):
        call_command("migrate", verbosity=0)
    assert "later" not in columns()


def is_valid(index: str) -> bool | None:
    with connection.cursor() as cursor:
        sql = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"
        cursor.execute(sql, [index])
        row = cursor.fetchone()
        return row[0] if row else None


def break_off_a_build() -> None:
    with psycopg.connect(conninfo(), autocommit=True) as first:
        first.execute(f"ALTER TABLE {TABLE} ADD COLUMN later integer")
        with import_that_runs():
            first.execute("SET statement_timeout = '500ms'")
            with pytest.raises(psycopg.errors.QueryCanceled):
                first.execute(f"CREATE INDEX CONCURRENTLY of_later ON {TABLE} (later)")
    assert is_valid("of_later") is False


@pytest.mark.usefixtures("new_column")
def test_an_index_that_was_broken_off_is_built_again():
    """The run before was killed while it built the index, so the migration begins again."""
    break_off_a_build()
    call_command("migrate", verbosity=0)
    assert is_valid("of_later") is True


@pytest.mark.usefixtures("new_column")
@pytest.mark.parametrize("option", ["--plan", "--check"])
def test_a_question_changes_nothing(option):
    break_off_a_build()
    with suppress(SystemExit):
        call_command("migrate", option, verbosity=0)
    assert is_valid("of_later") is False


@pytest.mark.usefixtures("new_column")
def test_an_index_that_another_one_builds_is_not_dropped(monkeypatch):
    """The view of builds hides those of other accounts; the lock of the table does not."""
    monkeypatch.setattr(migrate, "TRIES", 2)
    with psycopg.connect(conninfo(), autocommit=True) as other:
        other.execute(f"ALTER TABLE {TABLE} ADD COLUMN later integer")
        with import_that_runs() as holder:
            build = f"CREATE INDEX CONCURRENTLY of_later ON {TABLE} (later)"
            thread = threading.Thread(target=other.execute, args=(build,))
            thread.start()
            deadline = time.monotonic() + 30
            while is_valid("of_later") is None:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            with pytest.raises(CommandError, match="is being built"):
                call_command("migrate", verbosity=0)
            holder.rollback()
            thread.join(60)
    assert is_valid("of_later") is True


def test_another_fault_of_the_database_is_not_hidden(monkeypatch):
    def fail(*_words: object, **_options: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr(djangos.Command, "handle", fail)
    with pytest.raises(Exception, match="terminat"):
        call_command("migrate", verbosity=0)
    connection.close()


def statements(capsys, *options: str) -> list[str]:
    """Returns the names of the tables that a migration of offers makes or drops, in order."""
    call_command("sqlmigrate", "offers", "0001", *options)
    return re.findall(r"^(?:CREATE|DROP) TABLE \"(\w+)\"", capsys.readouterr().out, re.MULTILINE)


def test_models_of_a_migration_are_made_once_and_dropped_in_the_other_order(monkeypatch, capsys):
    rendered: list[str] = []
    render = ModelState.render

    def counted(self, apps):
        rendered.append(self.name)
        return render(self, apps)

    monkeypatch.setattr(ModelState, "render", counted)
    made = statements(capsys)
    assert len(made) == 5
    assert len(rendered) < 400
    assert statements(capsys, "--backwards") == made[::-1]
