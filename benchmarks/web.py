"""Runs the web command of the Procfile, with the product or the plain view behind it."""

import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.product import ROOT, free_port

HELLO, PORTAL = "benchmarks.hello:application", "breachportal.wsgi:application"
START_SECONDS, STOP_SECONDS = 30.0, 30.0


@contextmanager
def running_web(application: str = PORTAL, **environment: str) -> Iterator[int]:
    """Context manager: runs the web process with `application`; yields its port.

    Raises RuntimeError if it does not start.
    """
    port = free_port()
    process = subprocess.Popen(
        _command(application, port),
        cwd=ROOT,
        env=os.environ | {"PORT": str(port), "LOG_LEVEL": "WARNING"} | environment,
        stdout=sys.stderr,
    )
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)


def _command(application: str, port: int) -> list[str]:
    lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    line = next(line.removeprefix("web: ") for line in lines if line.startswith("web: "))
    values = os.environ | {"PORT": str(port)}
    line = re.sub(r"\$\{(\w+):-(\w+)\}", lambda match: values.get(match[1], match[2]), line)
    program, *arguments = shlex.split(line.replace(PORTAL, application))
    return [str(Path(sys.executable).parent / program), *arguments]


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError(f"the web process on port {port} does not answer") from None
            time.sleep(0.1)
