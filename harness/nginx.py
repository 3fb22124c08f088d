"""A real nginx with the site that `deploy/nginx` ships, in front of a web process."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.product import ROOT, free_port

START_SECONDS, STOP_SECONDS = 30.0, 10.0
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def program(name: str) -> str | None:
    """Returns the path of a server's program: of the variable NAME, else the system's, else None.

    The folder /usr/sbin is not in the PATH of every user.
    """
    return (
        os.environ.get(name.upper()) or shutil.which(name) or shutil.which(name, path="/usr/sbin")
    )


NGINX = program("nginx")


@contextmanager
def nginx(portal: int, copy: str = "/nonexistent", *, forwarded: str = '""') -> Iterator[int]:
    """Context manager: nginx with the shipped site, without TLS, before `portal`; gives its port.

    `copy` is the folder of the static copy; `forwarded` the value of X-Forwarded-For, which the
    shipped site empties. Raises RuntimeError if nginx does not start.
    """
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        site = _site(port, portal, folder, copy).replace(
            'X-Forwarded-For ""', f"X-Forwarded-For {forwarded}"
        )
        temporary = "".join(f"{name}_temp_path {folder}/{name};\n" for name in _TEMPORARY)
        conf = Path(folder) / "nginx.conf"
        conf.write_text(
            f"daemon off; pid {folder}/pid; error_log {folder}/error.log;\n"
            f"events {{ worker_connections 4096; }}\nhttp {{ access_log off;\n{temporary}{site} }}"
        )
        Path(folder).chmod(0o755)
        process = subprocess.Popen([str(NGINX), "-c", str(conf), "-p", folder])
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()
            process.wait(timeout=STOP_SECONDS)


def _site(port: int, portal: int, folder: str, copy: str) -> str:
    """Returns the shipped site for this machine: its ports, its folders, and no TLS."""
    site = (ROOT / "deploy/nginx/breachportal.conf").read_text(encoding="utf-8")
    head, _plain, tls = site.split("server {\n")
    tls = re.sub(r"^ +(listen|ssl_\w+) .*\n", "", tls, flags=re.MULTILINE)
    tls = tls.replace("127.0.0.1:8000", f"127.0.0.1:{portal}").replace("$scheme", "http")
    tls = tls.replace("/var/cache/breachportal-copy", copy)
    text = f"{head}server {{\n listen 127.0.0.1:{port};\n{tls}"
    text = text.replace("/var/cache/breachportal-pages", f"{folder}/pages")
    return text.replace("/var/log/nginx", folder).replace("Host $host", "Host 127.0.0.1")


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"nginx on port {port} does not answer")
