"""A real PostgreSQL primary and its streaming replica, for the tests of the read replica."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from breachportal import embedded_servers
from harness.product import free_port

SECONDS = "60"  # to start or stop


class Server:
    """One server with its own data folder, which listens on a port of 127.0.0.1."""

    def __init__(self, data: Path) -> None:
        self.data, self.port = data, free_port()
        self.log = data.with_suffix(".log")

    @property
    def url(self) -> str:
        """The DATABASE_URL of the portal's database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/portal"

    def start(self) -> None:
        """Starts the server, which logs each statement."""
        options = f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories=''"
        self._control("-o", f"{options} -c log_statement=all -c fsync=off", "-l", self.log, "start")

    def stop(self) -> None:
        """Stops the server as a crash does."""
        self._control("-m", "immediate", "stop")

    def run(self, query: str, **values: str) -> Any:
        """Runs a statement as the superuser. Returns the first value of its result, if any."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(query, values)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None

    def _control(self, *arguments: str | Path) -> None:
        done = program("pg_ctl", "-D", self.data, "-w", "-t", SECONDS, *arguments)
        assert done.returncode == 0, self.log.read_text(errors="replace")[-2000:]


def program(name: str, *arguments: str | Path) -> Any:
    """Runs a program of PostgreSQL as the account of the servers."""
    return embedded_servers._run_as_server([embedded_servers._postgres_bin() / name, *arguments])


@contextmanager
def postgres_pair() -> Iterator[tuple[Server, Server]]:
    """Context manager: an empty primary, and its replica."""
    folder = Path(tempfile.mkdtemp(prefix="postgres-pair-"))
    account = embedded_servers._server_user()
    os.chown(folder, account.pw_uid, account.pw_gid)
    primary, replica = Server(folder / "primary"), Server(folder / "replica")
    embedded_servers._initialise(embedded_servers._postgres_bin(), primary.data)
    primary.start()
    with psycopg.connect(primary.url.replace("/portal", "/postgres"), autocommit=True) as server:
        server.execute("CREATE DATABASE portal")
    source = f"host=127.0.0.1 port={primary.port} user=postgres"
    done = program("pg_basebackup", "-R", "-c", "fast", "-D", replica.data, "-d", source)
    assert done.returncode == 0, done.stdout
    replica.start()
    yield primary, replica
    for each in (replica, primary):
        program("pg_ctl", "-D", each.data, "-m", "immediate", "stop")
    shutil.rmtree(folder)
