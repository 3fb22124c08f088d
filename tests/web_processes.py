"""Starts real web processes on the tests' database, as the Procfile starts them."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from django.conf import settings

from harness.product import BIN, free_port
from tests.database import conninfo

START_SECONDS, STOP_SECONDS = 120.0, 30.0  # beside other tests a start can take half a minute


@contextmanager
def web_processes(options: str, **environment: str) -> Iterator[int]:
    """Context manager: Granian with these command line options; gives its port once it answers."""
    port = free_port()
    process = subprocess.Popen(
        [str(BIN / "granian"), "--host", "127.0.0.1", "--port", str(port)]
        + [
            "--interface",
            "wsgi",
            "--http",
            "1",
            "--no-ws",
            *options.split(),
            "breachportal.wsgi:application",
        ],
        env=os.environ
        | {"DATABASE_URL": conninfo(), "REDIS_URL": settings.REDIS_URL}
        | environment,
    )
    try:
        _wait_for_answer(port, process)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(timeout=STOP_SECONDS)
        finally:
            process.kill()  # it would hold connections to the database, which later tests count


def _wait_for_answer(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=START_SECONDS)
            return
        except httpx.TransportError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
