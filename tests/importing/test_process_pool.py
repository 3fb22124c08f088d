"""Worker processes start with the settings of production, whose secrets are files."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.running.test_settings import COMPLETE, ROOT


def in_portal(tmp_path: Path) -> dict[str, str]:
    """Returns the variables of a program that uses the portal's settings."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "breachportal.settings",
        "BREACHPORTAL_VAR": str(tmp_path),
    }


def run(
    tmp_path: Path, program: str, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Runs a program as a file, which its worker processes import; returns the ended process."""
    script = tmp_path / "script.py"
    script.write_text(program)
    return subprocess.run(
        [sys.executable, str(script)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


SCRIPT = """
import os, sys
from foundations.process_pool import workers

if __name__ == "__main__":
    with workers(1) as pool:
        print(list(pool.map(os.getenv, ["DATABASE_URL", "DATABASE_URL_FILE", "REDIS_URL"])))
"""


@pytest.mark.parametrize("as_files", [(), ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")])
def test_a_worker_process_starts_and_knows_no_server(tmp_path, as_files):
    environment = {name: value for name, value in COMPLETE.items() if name not in as_files}
    for name in as_files:
        (tmp_path / name).write_text(COMPLETE[name])
        environment[f"{name}_FILE"] = str(tmp_path / name)
    done = run(tmp_path, SCRIPT, environment | in_portal(tmp_path))
    assert done.stdout == "[None, None, None]\n", done.stderr


TOLD = """
from django.conf import settings
from foundations.process_pool import workers

def told(name):
    return getattr(settings, name, None)

def vendor(alias):
    from django.db import connections
    return connections[alias].vendor

def model(name):
    try:
        from incidents import models
    except Exception as error:
        return type(error).__name__
    return getattr(models, name).__name__

if __name__ == "__main__":
    settings.PHONE_REGION = "JP"
    with workers(1) as pool:
        print(*pool.map(told, ["PHONE_REGION", "REDIS_URL", "CELERY_BROKER_URL"]))
        print(*pool.map(vendor, ["default"]), *pool.map(model, ["Incident"]))
    with workers(1, know_models=False) as pool:
        print(*pool.map(vendor, ["default"]), *pool.map(model, ["Incident"]))
"""


def test_a_worker_process_has_the_settings_of_the_caller_without_those_of_servers(tmp_path):
    done = run(tmp_path, TOLD, COMPLETE | in_portal(tmp_path))
    assert done.stdout == "JP None None\nunknown Incident\nunknown RuntimeError\n", done.stderr


AT_IMPORT = """
import django
from foundations.process_pool import workers

django.setup()

if __name__ == "__main__":
    with workers(1) as pool:
        print(*pool.map(abs, [-1]))
"""


def test_a_program_that_sets_django_up_as_it_is_imported_has_worker_processes(tmp_path):
    done = run(tmp_path, AT_IMPORT, COMPLETE | in_portal(tmp_path))
    assert done.stdout == "1\n", done.stderr


KILLED = """
import os, time
from foundations import process_pool

def die(piece):
    time.sleep(0.5)
    os._exit(1)

if __name__ == "__main__":
    try:
        with process_pool.workers(2) as pool:
            list(pool.map(die, (b"x" * 2_000_000 for _ in range(20))))
    except process_pool.WorkerLostError:
        print("ended")
"""


def test_a_lost_worker_ends_the_work_while_large_pieces_wait(tmp_path):
    """On Python 3.11.2 (Debian 12) the pool waited without end before."""
    done = run(tmp_path, KILLED, os.environ | {"PYTHONPATH": str(ROOT)})
    assert done.stdout == "ended\n", done.stderr


FAILING = """
import multiprocessing
from foundations import process_pool

def end(code):
    process_pool._begin({})
    if code:
        raise RuntimeError

if __name__ == "__main__":
    for code in (0, 1):
        worker = multiprocessing.get_context("spawn").Process(target=end, args=[code])
        worker.start()
        worker.join()
        print(worker.exitcode)
"""


def test_a_worker_that_an_error_ends_has_an_exit_code(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    done = run(tmp_path, FAILING, environment)
    assert done.stdout == "0\n1\n", done.stderr
