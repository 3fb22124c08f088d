"""Copies of the database as files of pg_dump, and what must happen when one is restored.

A copy holds encrypted values, and no key: it is useless without the master keyset and the secret
key, which must be kept apart from it.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.db import connection
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict

from breachportal import embedded_servers

_NAME = re.compile(r"breachportal-(\d{8}T\d{6})Z\.dump")
_FORM = "%Y%m%dT%H%M%S"
# libpq reads its options from the environment, where a password is not visible to other accounts.
_VARIABLES = {
    one.keyword.decode(): one.envvar.decode() for one in pq.Conninfo.get_defaults() if one.envvar
}


class BackupError(Exception):
    """A backup or a restore did not succeed. The message is one line for the operator."""


def existing(folder: Path) -> list[tuple[datetime, Path]]:
    """Returns the complete backups in `folder` with their times, the newest first."""
    found = [(_NAME.fullmatch(path.name), path) for path in folder.glob("*.dump")]
    times = [
        (datetime.strptime(match[1], _FORM).replace(tzinfo=UTC), path)
        for match, path in found
        if match
    ]
    return sorted(times, reverse=True)


def back_up(folder: Path, url: str = "") -> Path:
    """Writes a backup that only this account can read, and returns its path.

    `url` is a DATABASE_URL of the owner of the tables; "" uses that of the settings. Imports and
    notices may go on: the copy is of one moment. A file with this name is complete: it is written
    under another name, read back, and renamed. Raises BackupError.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"breachportal-{datetime.now(UTC):{_FORM}}Z.dump"
    part = path.with_suffix(".part")
    try:
        part.touch(mode=0o600, exist_ok=False)
        dump = ["--format=custom", "--no-owner", "--no-privileges", f"--file={part}"]
        _run("pg_dump", dump, _environment(url))
        _run("pg_restore", ["--list", str(part)], _environment(url))
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.rename(path)
    except OSError as error:
        raise BackupError(f"{folder}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def remove_old(folder: Path, keep: int) -> list[Path]:
    """Deletes all but the `keep` newest backups. Returns the deleted ones."""
    old = [path for _time, path in existing(folder)[keep:]]
    for path in old:
        path.unlink()
    return old


def restore(path: Path, jobs: int) -> None:
    """Reads a backup into the empty database of the settings, with `jobs` connections.

    Raises BackupError if the file is no backup, or the database has tables.
    """
    if not path.is_file():
        raise BackupError(f"{path}: no such file")
    _run("pg_restore", ["--list", str(path)], _environment(""))
    if tables := connection.introspection.table_names():
        raise BackupError(f"the database has {len(tables)} tables; restore into a new, empty one")
    options = ["--exit-on-error", "--no-owner", "--no-privileges", f"--jobs={jobs}"]
    database = _environment("")["PGDATABASE"]
    connection.close()
    _run("pg_restore", [*options, f"--dbname={database}", str(path)], _environment(""))


def _environment(url: str) -> dict[str, str]:
    """Returns the environment in which PostgreSQL's programs find the database."""
    options = conninfo_to_dict(url) if url else connection.get_connection_params()
    given = {
        variable: str(options[key]) for key, variable in _VARIABLES.items() if options.get(key)
    }
    return {"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", **given}


def _run(name: str, options: list[str], environment: dict[str, str]) -> None:
    """Runs a program of PostgreSQL. Raises BackupError with its last line."""
    try:
        program = str(embedded_servers.postgres_program(name))  # reads every older server, too
    except embedded_servers.EmbeddedServerError:
        program = name
    try:
        done = subprocess.run(
            [program, *options],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise BackupError(f"{name}: {error.strerror}; install PostgreSQL's client") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no reason given"]
        raise BackupError(next(_reasons(lines), lines[-1]))


def _reasons(lines: list[str]) -> Iterator[str]:
    return (line for line in lines if "error:" in line)
