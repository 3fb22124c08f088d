"""The product on this machine: its own servers, affected people, and the workers of its Procfile.

`open_in` must run before any code reads Django's settings, because it sets the environment.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import IO, Any

import django
import psutil
import psycopg
import redis
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from breachportal import embedded_servers
from harness.page_budgets import NO_BUDGETS

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
STOP_SECONDS = 20.0
_sets = count(1)


def open_in(var: Path, *, people: int, **environment: str) -> None:
    """Configures this process and its children as the product in `var`, with `people` people.

    The creation takes about 20 seconds for 100,000 people. Therefore the result is stored as a
    template database, and each call starts with a new copy of it. `environment` sets further
    variables. Exits with a message if another process uses `var`. This process has no budgets for
    pages, because one measured visitor opens hundreds a second.
    """
    prepare(var, people=people, **environment)
    django.setup()
    settings.PROOF_RATES = settings.PROOF_RATES | NO_BUDGETS


def prepare(var: Path, *, people: int, **environment: str) -> None:
    """Does what `open_in` does, but leaves it to the caller to set Django up."""
    for name in ("DATABASE_URL", "REDIS_URL", "MASTER_KEYSET", "MASTER_KEYSET_FILE"):
        os.environ.pop(name, None)
    os.environ.update(
        BREACHPORTAL_MODE="development",
        BREACHPORTAL_VAR=str(var.resolve()),
        EMAIL_SECURITY="none",
        LOG_LEVEL=os.environ.get("LOG_LEVEL", "WARNING"),
        **environment,
    )
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "breachportal.settings")
    _lock(var)
    stamp = var / "staged"
    version = f"{people} {_version()}"
    if not stamp.exists() or stamp.read_text() != version:
        shutil.rmtree(var, ignore_errors=True)
        _stage(var, people)
        stamp.write_text(version)
    _run_python("import harness.product as p; p.reset_database()")


def _lock(var: Path) -> None:
    """Locks `var` until this process ends, because two runs would drop each other's database."""
    var.parent.mkdir(parents=True, exist_ok=True)
    _locks.append(var.with_suffix(".lock").open("w"))
    try:
        fcntl.flock(_locks[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"{var} is in use by another run; wait for it, or set BREACHPORTAL_VAR")


_locks: list[IO[str]] = []  # held until this process ends


def _version() -> str:
    """Returns a digest of the migrations and of `people.py`: the template depends on both."""
    digest = hashlib.sha256()
    sources = [*ROOT.glob("*/migrations/*.py"), Path(__file__).with_name("people.py")]
    for path in sorted(sources):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _stage(var: Path, people: int) -> None:
    var.mkdir(parents=True)
    _run_python(f"import harness.product as p; p.fill_database({people})")


def _run_python(code: str) -> None:
    """Runs `code` in a new process. PostgreSQL copies a template only if it has no connections."""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def fill_database(people: int) -> None:
    """Migrates an empty database, creates the people, and stores the result as a template."""
    django.setup()
    from harness import people as synthetic  # imports models, so only after django.setup()

    call_command("migrate", verbosity=0)
    synthetic.make(people)
    connection.close()
    with _server() as server:
        server.execute("CREATE DATABASE staged TEMPLATE breachportal STRATEGY FILE_COPY")


def reset_database() -> None:
    """Replaces the product's database with a new copy of the template, and empties Redis."""
    with _server() as server:
        server.execute("DROP DATABASE IF EXISTS breachportal WITH (FORCE)")
        server.execute("CREATE DATABASE breachportal TEMPLATE staged STRATEGY FILE_COPY")
    redis.Redis.from_url(embedded_servers.redis_url(_var())).flushall()


@contextlib.contextmanager
def _server() -> Iterator[psycopg.Connection[Any]]:
    url = embedded_servers.database_url(_var()).replace("@/breachportal", "@/postgres")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def database_url() -> str:
    """Returns the URL of the product's database."""
    return embedded_servers.database_url(_var())


def _var() -> Path:
    return Path(os.environ["BREACHPORTAL_VAR"])


def free_port() -> int:
    """Returns a TCP port of 127.0.0.1 on which no process listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Workers:
    """The processes of the Procfile except those of `without`, as a context manager.

    Their output is written to a file under the product's `var`.
    """

    def __init__(self, *, without: Collection[str] = ("web",), **environment: str) -> None:
        self._without, self._environment = without, environment
        name = f"workers-{next(_sets)}"
        self.log, self._schedule = _var() / f"{name}.log", _var() / f"{name}.beat"
        self.log.unlink(missing_ok=True)

    def __enter__(self) -> "Workers":
        self.start()
        return self

    def start(self) -> None:
        """Starts the processes, also after all of them were killed."""
        lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
        names = [line.partition(":")[0] for line in lines if ":" in line]
        started = [name for name in names if name not in self._without]
        environment: Mapping[str, str] = {
            **os.environ,
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "BEAT_SCHEDULE": str(self._schedule),
            "PYTHONUNBUFFERED": "1",
            **self._environment,
        }
        self._schedule.unlink(missing_ok=True)
        with self.log.open("a") as log:
            self._honcho = subprocess.Popen(
                [BIN / "honcho", "start", "--no-prefix", *started],
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __exit__(self, *_error: object) -> None:
        family = self.processes()
        self._honcho.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while self._honcho.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._honcho.wait(STOP_SECONDS)

    def processes(self) -> list[psutil.Process]:
        """Returns honcho and all its descendants."""
        try:
            parent = psutil.Process(self._honcho.pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def senders(self) -> list[psutil.Process]:
        """Returns the processes that run send tasks, without their parent.

        Each has its own connections.
        """
        found = self.processes()
        return [process for process in found if _is_sender(process) and _has_sender_parent(process)]

    def parents(self) -> list[psutil.Process]:
        """Returns the parent of the senders, which starts a new one when one dies."""
        return [
            process
            for process in self.processes()
            if _is_sender(process) and not _has_sender_parent(process)
        ]

    def wait_for_end(self, seconds: float) -> None:
        """Waits until all processes have ended, as they do after the death of one of them.

        Raises subprocess.TimeoutExpired after `seconds`.
        """
        self._honcho.wait(seconds)


def _has_sender_parent(process: psutil.Process) -> bool:
    return _is_sender(process.parent())


def _is_sender(process: psutil.Process | None) -> bool:
    """Returns whether it is a process of Celery for the queue `send`, and not its shell."""
    with contextlib.suppress(psutil.Error):
        line = process.cmdline() if process else []
        is_celery = any(part.endswith("celery") for part in line[:2])
        return is_celery and "--queues send" in " ".join(line)
    return False
