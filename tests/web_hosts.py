"""Web hosts that share nothing but PostgreSQL and Redis, each with the web command of the Procfile.

Each host has its own working directory, `var`, folder for temporary files, and processes. The
master keyset and the secret key are the same, as on the hosts of one portal.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from django.conf import settings

from harness.product import BIN, free_port
from tests.database import database_url
from tests.pages.test_no_leaks import Visitor

ROOT = Path(__file__).parent.parent
START_SECONDS = 60


class WebHost:
    """A running web host."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.port = free_port()
        for name in ("work", "var", "tmp"):
            (folder / name).mkdir(parents=True)
        command = (ROOT / "Procfile").read_text().splitlines()[0].removeprefix("web: ")
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {command}"],
            cwd=folder / "work",
            start_new_session=True,
            env={
                **os.environ,
                "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT),
                "PORT": str(self.port),
                "BREACHPORTAL_VAR": str(folder / "var"),
                "TMPDIR": str(folder / "tmp"),
                "DATABASE_URL": database_url(),
                "REDIS_URL": settings.REDIS_URL,
                "MASTER_KEYSET_FILE": str(settings.VAR / "master-keyset.json"),
                "PORTAL_URL": "http://127.0.0.1",
                "WEB_WORKERS": "2",
                "WEB_THREADS": "4",
                "SIGN_INS_PER_SECOND": "0",
                "CODE_MAIL_CONNECTIONS": "2",
                "PUBLIC_PAGE_SECONDS": "1",
                **environment,
            },
        )

    def visit(self, visitor: Visitor) -> Visitor:
        """Sends the visitor's requests to this host, as a balancer may. Returns the visitor."""
        visitor.http.base_url = httpx.URL(f"http://127.0.0.1:{self.port}")
        return visitor

    def visitor(self) -> Visitor:
        """Returns a new visitor of this host."""
        return Visitor(self.port)

    def wait(self) -> None:
        """Waits until the host answers. Raises AssertionError after START_SECONDS."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with suppress(httpx.HTTPError):
                self.visitor().get("/healthz")
                return
            time.sleep(0.2)
        raise AssertionError("the web host does not start")

    def end(self) -> None:
        """Ends the host. Granian does not end a worker that was starting when it was told to."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)


@contextmanager
def two_web_hosts(
    folder: Path, of_a: dict[str, str] | None = None, **environment: str
) -> Iterator[tuple[WebHost, WebHost]]:
    """Context manager: two running hosts. `of_a` is the environment of the first one only."""
    hosts = (
        WebHost(folder / "a", **environment | (of_a or {})),
        WebHost(folder / "b", **environment),
    )
    try:
        for host in hosts:
            host.wait()
        yield hosts
    finally:
        for host in hosts:
            host.end()
