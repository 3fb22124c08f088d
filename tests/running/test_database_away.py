"""While the database is away, public pages stay fast, others say so, and all recover."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection, HTTPResponse

import pytest

from tests.running.database_proxy import DatabaseProxy
from tests.web_processes import web_processes

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = ["/ko/", "/en/", "/en/check/", "/en/incidents/coupang-2025/"]
PATIENCE_SECONDS, THREADS = 30, 4


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
        assert "A part of this portal does not answer" in text
        assert "check first whether it has arrived" in text
        assert seconds < 2
        proxy.restore()
        wait_for(port, "/en/incidents/unknown/", 404)
