"""While the database is away, public pages stay fast, others say so, and all recover."""

import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection, HTTPResponse

import pytest
from django.db import connection

from tests.web_processes import web_processes

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
PAGES = ["/ko/", "/en/", "/en/check/", "/en/incidents/coupang-2025/"]
PATIENCE_SECONDS, THREADS = 30, 4


class DatabaseProxy:
    """A TCP proxy in front of the tests' database, which can cut all connections."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._is_cut = False
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        known, port = connection.settings_dict, self._listener.getsockname()[1]
        return f"postgresql://{known['USER']}@127.0.0.1:{port}/{known['NAME']}"

    def cut(self) -> None:
        """Ends all connections, and each new one at once."""
        self._is_cut = True
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._is_cut = False

    def _accept(self) -> None:
        path = os.path.join(connection.settings_dict["HOST"], ".s.PGSQL.5432")  # noqa: PTH118
        while True:
            visitor, _address = self._listener.accept()
            if self._is_cut:
                visitor.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(path)
            self._sockets += [visitor, server]
            for one, other in ((visitor, server), (server, visitor)):
                threading.Thread(target=self._copy, args=(one, other), daemon=True).start()

    @staticmethod
    def _copy(one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65_536):
                other.sendall(data)
            other.shutdown(socket.SHUT_RDWR)


def get(port: int, path: str) -> tuple[HTTPResponse, str, float]:
    """Returns the response, its text, and its time in seconds."""
    visitor, began = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS), time.monotonic()
    try:
        visitor.request("GET", path, headers={"Cookie": "sessionid=x"})
        response = visitor.getresponse()
        return response, response.read().decode(), time.monotonic() - began
    finally:
        visitor.close()


def wait_for(port: int, path: str, status: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError):
            if get(port, path)[0].status == status:
                return
        time.sleep(0.2)
    raise AssertionError(f"{path} is never answered with {status}")


def test_public_pages_stay_fast_and_the_portal_recovers(coupang):
    proxy = DatabaseProxy()
    options = f"--workers 1 --blocking-threads {THREADS}"
    with web_processes(
        options, DATABASE_URL=proxy.url, WEB_THREADS=str(THREADS), PUBLIC_PAGE_SECONDS="1"
    ) as port:
        wait_for(port, PAGES[0], 200)
        before = {page: get(port, page)[1] for page in PAGES}
        proxy.cut()
        time.sleep(1.1)
        assert (
            get(port, "/en/incidents/unknown/")[0].status == 503
        )  # the first request waits for a connection
        with ThreadPoolExecutor(16) as visitors:
            answers = list(visitors.map(lambda page: get(port, page), PAGES * 20))
        assert [answer[0].status for answer in answers] == [200] * 80
        assert [answer[1] for answer in answers] == [before[page] for page in PAGES] * 20
        assert sorted(answer[2] for answer in answers)[72] < 1.0
        unknown, text, seconds = get(port, "/en/incidents/unknown/")
        assert (unknown.status, unknown.headers["Retry-After"]) == (503, "30")
        assert "Our database does not answer" in text
        assert seconds < 2
        proxy.mend()
        wait_for(port, "/en/incidents/unknown/", 404)
