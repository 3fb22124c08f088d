"""`make matrix` ends a part that runs over, names it, and goes on."""

import contextlib
import subprocess
import sys

import psutil

from tests import matrix

WAIT = "import time; time.sleep(60)"


@contextlib.contextmanager
def serve(error: Exception | None = None):
    if error:
        raise error
    yield {}, "here"


def test_tests_that_do_not_end_are_ended_and_named(monkeypatch):
    started = []

    def hang(_tests, _environment, folder):
        """Starts a server that outlives its parent, as those of the tests do."""
        words = [sys.executable, "-c", WAIT, str(folder)]
        started.append(psutil.Process(subprocess.Popen(words, start_new_session=True).pid))
        return subprocess.run(words, check=False).returncode

    monkeypatch.setattr(matrix, "_run_tests", hang)
    monkeypatch.setattr(matrix, "TEST_SECONDS", 0.5)
    result = matrix._result(matrix.Row("a version", (), serve))
    assert result == matrix.Result("failed", "the tests with it took more than 0 s", is_fault=True)
    psutil.wait_procs(started, timeout=10)
    assert not [one for one in started if one.is_running()]


def test_a_version_that_does_not_start_is_a_fault_and_one_that_is_missing_is_none():
    broken = matrix.Row("", (), lambda: serve(RuntimeError("redis-server does not start")))
    missing = matrix.Row("", (), lambda: serve(matrix.NotHereError("apt-get install redis-server")))
    assert matrix._result(broken).is_fault
    assert not matrix._result(missing).is_fault


def test_the_counts_are_those_of_pytest(tmp_path):
    (tmp_path / "test_a.py").write_text(
        "import pytest\ndef test_a(): pass\ndef test_b(): assert 0\ndef test_c(): pytest.skip()\n"
    )
    result = tmp_path / "result.xml"
    words = [sys.executable, "-m", "pytest", "-q", f"--junitxml={result}", "-p", "no:django"]
    subprocess.run([*words, "--rootdir", str(tmp_path), str(tmp_path)], check=False, cwd=tmp_path)
    assert matrix._counts(result) == "1 passed, 1 failed, 1 skipped"
    assert matrix._counts(tmp_path / "none") == "failed before the first test"
