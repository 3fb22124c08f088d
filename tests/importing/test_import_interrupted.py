"""An import that is interrupted says so in one line, exits with an error and leaves nothing."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.db import connection, connections

from incidents.importing import loading
from incidents.importing.progress import ImportProgress
from incidents.importing.stopping import ImportStoppedError
from incidents.models import AffectedPerson, ExposureFile
from tests.database import database_url

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.django_db(transaction=True)
MAPPING = """
[person]
relation = "member"
reference = "id"
name = "name"
contact_leaked = ["name"]
"""


@pytest.fixture
def dump(tmp_path) -> Path:
    """A dump of which every second row is rejected."""
    path = tmp_path / "members.csv"
    rows = "".join(f"{n if n % 2 else ''},Minji\n" for n in range(1, 4001))
    path.write_text(f"id,name\n{rows}", encoding="utf-8")
    (tmp_path / "m.toml").write_text(MAPPING, encoding="utf-8")
    return path


def nothing_is_left(dump: Path) -> bool:
    states = set(ExposureFile.objects.values_list("state", flat=True))
    rejects = list(dump.parent.glob("*.rejects*.csv"))
    return states <= {"failed", "loading"} and not AffectedPerson.objects.exists() and not rejects


def command(dump: Path, incident: str) -> list[str]:
    return [
        *(sys.executable, str(ROOT / "manage.py"), "import_exposures", str(dump)),
        *("--incident", incident, "--mapping", str(dump.with_name("m.toml"))),
    ]


@pytest.mark.parametrize("seconds", [0, 0.3, 1])
def test_ctrl_c_is_one_line(incident, dump, seconds):
    """Ctrl-C comes while the worker processes start, or while they work."""
    rows = "".join(f"{n},Minji\n" for n in range(400_000))
    dump.write_text(f"id,name\n{rows}", encoding="utf-8")
    process = subprocess.Popen(
        command(dump, incident.slug),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"DATABASE_URL": database_url()},
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while not ExposureFile.objects.exists() and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, printed = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "Traceback" not in printed
    assert "members.csv: stopped; nothing of it is loaded" in printed.splitlines()[-1]
    assert nothing_is_left(dump)


def test_a_lost_connection_is_one_line(incident, dump):
    connection.ensure_connection()
    victim = connection.connection.info.backend_pid

    def end_backend() -> None:
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [victim])
        connections.close_all()

    def report(progress: ImportProgress) -> None:
        if progress.is_merging:
            ending = threading.Thread(target=end_backend)
            ending.start()
            ending.join()

    with pytest.raises(ImportStoppedError, match="the connection to the database was lost"):
        loading.import_file(dump, incident=incident, mapping_text=MAPPING, report=report)
    assert nothing_is_left(dump)
    loading.import_file(dump, incident=incident, mapping_text=MAPPING)
    assert ExposureFile.objects.filter(state="loaded").count() == 1


def test_a_full_disk_for_the_reject_file_is_one_line(incident, dump):
    """A limit on the size of files fails like a full disk: in a write, half way."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    done = subprocess.run(
        command(dump, incident.slug),
        capture_output=True,
        text=True,
        env=os.environ | {"DATABASE_URL": database_url()},
        preexec_fn=limit,
        check=False,
    )

    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "File too large; name another reject file" in done.stderr.splitlines()[-1]
    assert nothing_is_left(dump)
