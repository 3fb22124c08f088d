"""Starts real web processes on the tests' database, as the Procfile starts them."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from harness.product import BIN, free_port
from tests.database import conninfo


@contextmanager
def web_processes(options: str, **environment: str) -> Iterator[int]:
    """Context manager: Granian with these command line options; gives its port."""
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
    yield port
    process.terminate()
    process.wait(timeout=30)
