"""The number of database connections is bounded, known at start, and flat under bursts."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from breachportal import database_checks, embedded_servers, server_connections
from foundations import prepared_statements
from foundations.prepared_statements import run_prepared
from harness.nginx import program
from harness.product import free_port
from incidents.models import Incident
from incidents.scope_versions import LOCK_SPACE, incident_lock
from tests.database import conninfo
from tests.web_processes import web_processes

ROOT = Path(__file__).parents[2]
PGBOUNCER = program("pgbouncer")
THREADS, BURST, PATIENCE_SECONDS = 4, 40, 30


def open_connections() -> int:
    """Returns the connections to the tests' database, except the one that counts."""
    with psycopg.connect(conninfo()) as counting:
        row = counting.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
    assert row
    return row[0]


def request(port: int) -> int:
    """Requests a page that reads the database, over a new connection; returns the status."""
    visitor = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        visitor.request("GET", "/en/unknown-page/", headers={"Cookie": "sessionid=x"})
        return visitor.getresponse().status
    finally:
        visitor.close()


def wait_until_it_listens(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.02)
    raise AssertionError(f"nothing listens on port {port}")


@pytest.mark.django_db(transaction=True)
def test_bursts_do_not_add_connections(coupang):
    """Threads of the web server end after five idle seconds here, and new ones begin."""
    options = f"--workers 1 --blocking-threads {BURST} --blocking-threads-idle-timeout 5"
    before = open_connections()
    with web_processes(options, WEB_THREADS=str(THREADS)) as port:
        for burst in range(3):
            time.sleep(6 if burst else 0)
            with ThreadPoolExecutor(BURST) as visitors:
                statuses = list(visitors.map(request, [port] * BURST))
            assert set(statuses) == {404}
            assert open_connections() - before <= THREADS


def test_the_web_command_fixes_its_threads():
    command = (ROOT / "Procfile").read_text().splitlines()[0]
    assert "--blocking-threads ${WEB_THREADS:-16} " in command
    assert "--http 1 " in command  # the detection of HTTP/2 waits for a silent visitor


def test_a_process_of_a_worker_keeps_one_connection():
    assert "pool" not in settings.DATABASES["default"]["OPTIONS"]
    assert settings.DATABASES["default"]["CONN_MAX_AGE"] == 60


def test_the_connections_of_a_web_process_prepare_statements():
    database: dict[str, Any] = {"OPTIONS": {}}
    server_connections.add_pool(database, most=4)
    assert database["OPTIONS"]["prepare_threshold"] == server_connections.PREPARED_AFTER


@pytest.fixture
def pooled(django_db_blocker) -> Iterator[Any]:
    """A connection of a pool to the tests' database, outside of the test's transaction."""
    with django_db_blocker.unblock():
        database: Any = connection.copy()
        server_connections.add_pool(database.settings_dict, most=1)
        try:
            yield database
        finally:
            database.close()
            database.close_pool()


def run(database: Any, statement: str, *values: Any) -> list[Any]:
    with run_prepared(database, statement, values) as cursor:
        return list(cursor.fetchall())


def plans(database: Any) -> int:
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE NOT from_sql")
        return int(cursor.fetchone()[0])


@pytest.mark.django_db
def test_a_statement_is_planned_once_until_its_plan_is_old(pooled, monkeypatch):
    def planned() -> int:
        assert run(pooled, "SELECT %s::int + 4711", 1) == [(4712,)]
        return plans(pooled)

    monkeypatch.setattr(prepared_statements, "PLAN_SECONDS", 1e9)
    assert [planned() for _time in range(4)] == [0, 1, 1, 1]
    monkeypatch.setattr(prepared_statements, "PLAN_SECONDS", 0.0)  # the next run drops all plans
    assert planned() == 0


@pytest.mark.django_db
def test_old_plans_do_not_pile_up(pooled, monkeypatch):
    """Each holds memory of the server: a hundred of them were 29 MB a connection."""
    for _window in range(6):
        monkeypatch.setattr(prepared_statements, "PLAN_SECONDS", 0.0)  # the next run drops all
        run(pooled, "SELECT %s::int + 4711", 1)
        monkeypatch.setattr(prepared_statements, "PLAN_SECONDS", 1e9)
        for number in range(3):
            assert run(pooled, "SELECT %s::int + 4711", number) == [(4711 + number,)]
            run(pooled, "SELECT %s::int + 4712", number)
    assert plans(pooled) == 2


@pytest.mark.django_db
def test_a_column_of_another_type_is_read_at_once(pooled, monkeypatch):
    monkeypatch.setattr(prepared_statements, "PLAN_SECONDS", 1e9)
    statement = "SELECT name FROM changed_name WHERE number = %s::int"
    with psycopg.connect(conninfo(), autocommit=True) as migration:
        migration.execute(
            "CREATE TABLE changed_name AS SELECT 1 AS number, 'a'::varchar(2) AS name"
        )
        try:
            for _time in range(3):
                assert run(pooled, statement, 1) == [("a",)]
            migration.execute("ALTER TABLE changed_name ALTER name TYPE varchar(20)")
            assert run(pooled, statement, 1) == [("a",)]
            run(pooled, statement, 1)
            migration.execute("ALTER TABLE changed_name ALTER name TYPE text")
            pooled.set_autocommit(False)  # the refusal would end the transaction
            assert run(pooled, statement, 1) == [("a",)]
        finally:
            pooled.rollback()
            pooled.set_autocommit(True)
            migration.execute("DROP TABLE changed_name")


@pytest.mark.django_db
def test_names_of_an_earlier_client_of_the_session_are_no_obstacle(pooled):
    """A pooler in session mode keeps them with an empty server_reset_query."""
    with pooled.cursor() as cursor:
        cursor.execute("PREPARE _pg3_0 AS SELECT 1")
    assert [run(pooled, "SELECT %s::int", 2) for _time in range(3)] == [[(2,)]] * 3


@pytest.mark.django_db(transaction=True)
def test_a_lock_is_released_if_the_unlocking_fails(incident: Incident):
    """A pool gives the session to another request, which would hold the lock."""
    with suppress(DatabaseError), transaction.atomic(), incident_lock(incident):
        connection.cursor().execute("SELECT no_such_function()")  # aborts the transaction
    with psycopg.connect(conninfo(), autocommit=True) as other:
        row = other.execute(
            "SELECT pg_try_advisory_lock(%s, %s)", [LOCK_SPACE, incident.pk]
        ).fetchone()
    assert row == (True,)


# The checks at start


@pytest.mark.django_db
def test_enough_connections_are_accepted():
    assert database_checks.check_database(databases=["default"]) == []


@pytest.mark.django_db
def test_too_few_connections_are_a_fault(settings):
    settings.WEB_WORKERS, settings.WEB_THREADS = 8, 64
    (fault,) = database_checks.check_database(databases=["default"])
    assert "530 database connections" in fault.msg
    assert "max_connections" in str(fault.hint)


@pytest.mark.django_db
def test_the_limit_of_the_role_counts():
    with connection.cursor() as cursor:
        cursor.execute("ALTER ROLE CURRENT_USER CONNECTION LIMIT 20")
    assert [fault.id for fault in database_checks._faults()] == ["breachportal.E002"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DateStyle", "German, DMY"),
        ("standard_conforming_strings", "off"),
        ("default_transaction_isolation", "serializable"),
    ],
)
def test_a_setting_of_the_server_with_which_the_portal_does_not_work_is_a_fault(name, value):
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL {name} = {value if ',' in value else repr(value)}")
    (fault,) = database_checks.check_database(databases=["default"])
    assert fault.msg.startswith(f"PostgreSQL has {name} = {value}; the portal needs ")


def test_the_documented_formula_is_the_one_that_is_computed():
    text = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    assert f"**{database_checks.connections_needed()}** with the defaults" in text


# PgBouncer


@contextmanager
def pgbouncer(mode: str) -> Iterator[str]:
    """Context manager: a real PgBouncer in front of the tests' database; gives a DATABASE_URL."""
    known, port = connection.settings_dict, free_port()
    name, user, account = known["NAME"], known["USER"], embedded_servers._server_user()
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as file:
        file.write(
            f"[databases]\n{name} = host={known['HOST']} dbname={name} user={user}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = any\npool_mode = {mode}\nignore_startup_parameters = options\n"
        )
        file.flush()
        os.chown(file.name, account.pw_uid, account.pw_gid)
        process = subprocess.Popen([str(PGBOUNCER), file.name], user=account.pw_uid)
        try:
            wait_until_it_listens(port)
            yield f"postgresql://{user}@127.0.0.1:{port}/{name}"
        finally:
            process.terminate()
            process.wait(timeout=10)


def start(url: str) -> subprocess.CompletedProcess[str]:
    """Does in another process what each process does at its start."""
    code = (
        "import django; django.setup(); from breachportal import database_checks as c;"
        "c.require_usable_database(); print('usable')"
    )
    environment = os.environ | {"DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment | {"DJANGO_SETTINGS_MODULE": "breachportal.settings"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(not PGBOUNCER, reason="PgBouncer is not installed; set PGBOUNCER to its path")
@pytest.mark.django_db(transaction=True)
class TestPgBouncer:
    @pytest.mark.parametrize("mode", ["transaction", "statement"])
    def test_a_mode_that_shares_sessions_is_refused_with_the_reason(self, mode):
        with pgbouncer(mode) as url:
            done = start(url)
        assert done.returncode == 1
        assert "transaction or statement mode" in done.stderr
        assert "session lock" in done.stderr

    def test_session_mode_is_accepted(self):
        with pgbouncer("session") as url:
            done = start(url)
        assert done.stdout.strip() == "usable", done.stderr


@pytest.mark.django_db
def test_an_unreachable_database_does_not_stop_the_start():
    done = start("postgresql://portal@127.0.0.1:1/portal")
    assert done.stdout.strip() == "usable", done.stderr
    assert "the database cannot be checked" in done.stderr
