"""`breachportal run` starts each process, and `breachportal healthy` tells whether it works."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from breachportal import processes
from harness.product import free_port
from tests.database import conninfo
from tests.running.test_settings import ROOT

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE_SECONDS = 60


@contextmanager
def running(*words: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Context manager: a process on the tests' database and Redis."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run", *words],
        cwd=ROOT,
        env=os.environ
        | {"DATABASE_URL": conninfo(), "REDIS_URL": settings.REDIS_URL}
        | environment,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=PATIENCE_SECONDS)


def is_healthy(name: str) -> bool:
    try:
        processes.require_healthy([name])
    except processes.ProcessError:
        return False
    return True


def wait_until_healthy(name: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_healthy(name):
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.parametrize("name", ["send", "import", "work"])
def test_a_worker_is_healthy_while_it_answers(name, monkeypatch):
    monkeypatch.setattr(processes, "ANSWER_SECONDS", 1.0)
    assert not is_healthy(name)
    with running(name) as process:
        wait_until_healthy(name)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE_SECONDS) == 0
    assert not is_healthy(name)


def test_beat_is_healthy_after_its_first_sign(tmp_path):
    with running("beat", BEAT_SCHEDULE=str(tmp_path / "schedule")):
        wait_until_healthy("beat")


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_bounces_greets_and_ends_in_order(monkeypatch, end):
    port = free_port()
    monkeypatch.setattr(processes, "BOUNCES_PORT", port)
    assert not is_healthy("bounces")
    with running("bounces", "--listen", f"127.0.0.1:{port}") as process:
        wait_until_healthy("bounces")
        process.send_signal(end)
        assert process.wait(timeout=PATIENCE_SECONDS) == 0


def test_copy_is_healthy_when_there_is_one_and_ends_in_order(settings, tmp_path):
    settings.STATIC_COPY = str(tmp_path)
    assert not is_healthy("copy")
    with running("copy", STATIC_COPY=str(tmp_path)) as process:
        wait_until_healthy("copy")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE_SECONDS) == 0


def test_web_is_healthy_while_it_answers(monkeypatch):
    port = free_port()
    monkeypatch.setenv("PORT", str(port))
    assert not is_healthy("web")
    with running("web", "--host", "127.0.0.1", WEB_WORKERS="1") as process:
        wait_until_healthy("web")
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=PATIENCE_SECONDS) == 0


def test_a_missing_setting_is_named_before_a_server_starts(monkeypatch):
    monkeypatch.setenv("BREACHPORTAL_MODE", "production")
    monkeypatch.delenv("SECRET_KEY", raising=False)
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY"):
        processes.run(["web"])


def test_a_variable_is_one_word_of_the_command():
    command = "x --port ${PORT:-8000} --workers ${WEB_WORKERS:-2}"
    replaced = [processes._replaced(word, {"PORT": "1 --y"}) for word in command.split()]
    assert replaced == ["x", "--port", "1 --y", "--workers", "2"]
