"""A real RabbitMQ of the distribution, with a folder and ports of its own."""

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from harness.product import free_port

START_SECONDS = 120.0
SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


@contextmanager
def rabbitmq() -> Iterator[str]:
    """Context manager: the URL of a new server on 127.0.0.1, which ends with the block.

    It needs the package `rabbitmq-server`. Raises RuntimeError if the server does not start.
    """
    with tempfile.TemporaryDirectory(prefix="rabbitmq-") as folder:
        port, names = free_port(), free_port()
        environment = os.environ | {
            "HOME": folder,  # of the secret that its programs share
            "RABBITMQ_NODENAME": "portal@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "ERL_EPMD_PORT": str(names),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
        }
        log = Path(folder) / "output"
        with log.open("wb") as output:
            process = subprocess.Popen([SERVER], env=environment, stdout=output, stderr=output)
        try:
            _wait(process, log)
            yield f"amqp://guest:guest@127.0.0.1:{port}//"
        finally:
            _end(process)
            subprocess.run(["epmd", "-port", str(names), "-kill"], check=False, capture_output=True)


def _wait(process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while b"Starting broker... completed" not in log.read_bytes():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(log.read_text(encoding="utf-8", errors="replace"))
        time.sleep(0.2)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ends the server with the processes that it started."""
    tree = [process.pid, *(one.pid for one in psutil.Process(process.pid).children(recursive=True))]
    process.terminate()
    process.wait()
    for one in tree:
        if psutil.pid_exists(one):
            psutil.Process(one).kill()
