"""Visitors who send bodies slowly do not stop the portal for others."""

import socket
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest
from django.http import HttpResponse

from foundations import slow_bodies
from foundations.slow_bodies import SLOW_SECONDS, BodySlots, LateBodies
from harness.nginx import NGINX, nginx
from tests.web_processes import web_processes

ROOT = Path(__file__).parents[2]
FORM = "application/x-www-form-urlencoded"
PAGE, SIGN_IN = "/en/", "/en/account/sign-in/"
THREADS, SLOW_VISITORS, PATIENCE_SECONDS, SOON_SECONDS = 4, 120, 30, 5.0


@pytest.fixture(scope="module")
def portal(django_db_setup) -> Iterator[int]:
    """The port of a web process with the Procfile's limits and few threads; without an incident."""
    options = f"--workers 1 --blocking-threads {THREADS} --backlog 4096 --backpressure 4096"
    with web_processes(options, WEB_THREADS=str(THREADS)) as port:
        wait_for(port)
        yield port


def wait_for(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError):
            status_of(port)
            return
        time.sleep(0.1)


def status_of(port: int, path: str = PAGE, *, body: str = "", address: str = "127.0.0.1") -> int:
    """Requests a page from `address`, with POST if there is a body. Returns the status."""
    visitor = HTTPConnection("127.0.0.1", port, PATIENCE_SECONDS, source_address=(address, 0))
    try:
        visitor.request("POST" if body else "GET", path, body or None, {"Content-Type": FORM})
        return visitor.getresponse().status
    finally:
        visitor.close()


def check_message(port: int, address: str) -> int:
    return status_of(port, "/en/check/answer/", body="text=7QK2", address=address)


@contextmanager
def trickling(port: int, number: int) -> Iterator[list[socket.socket]]:
    """Context manager: connections that sent headers and a byte of a body of 1,000 bytes."""
    head = f"POST {SIGN_IN} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    visitors = []
    for _number in range(number):
        visitors.append(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS))
        visitors[-1].sendall(head.encode() + b"e")
    try:
        yield visitors
    finally:
        for visitor in visitors:
            visitor.close()


def test_pages_are_answered_beside_trickling_bodies(portal):
    with trickling(portal, SLOW_VISITORS):
        time.sleep(1)
        began = time.monotonic()
        assert status_of(portal) == 200
        assert status_of(portal, path=SIGN_IN) == 200
        assert time.monotonic() - began < SOON_SECONDS


def test_a_whole_body_is_read_beside_trickling_bodies(portal):
    with trickling(portal, SLOW_VISITORS):
        time.sleep(1)
        assert check_message(portal, address="127.0.0.2") == 200


def test_a_slow_body_is_cut_off_at_its_deadline_and_most_at_once(portal):
    with trickling(portal, 6) as visitors:
        began = time.monotonic()
        answers = [visitor.recv(100)[9:12] for visitor in visitors]
        assert sorted(answers) == [b"", b"503", b"503", b"503", b"503", b"503"]
        assert 9 < time.monotonic() - began < 15


def trickle_until_cut_off(visitor: socket.socket) -> None:
    for _time in range(2 * PATIENCE_SECONDS):
        visitor.sendall(b"x")
        time.sleep(0.5)


def test_a_visitor_who_goes_on_trickling_is_cut_off(portal):
    with trickling(portal, 1) as (visitor,):
        began = time.monotonic()
        with pytest.raises(OSError, match=r"[Bb]roken pipe|reset"):
            trickle_until_cut_off(visitor)
        assert time.monotonic() - began < 15


def test_a_silent_connection_is_closed(portal):
    silent = socket.create_connection(("127.0.0.1", portal), timeout=PATIENCE_SECONDS + 10)
    began = time.monotonic()
    assert silent.recv(100) == b""
    assert time.monotonic() - began < PATIENCE_SECONDS + 5
    silent.close()


def test_a_body_in_pieces_is_complete(portal):
    body = b"text=" + b"7QK2" * 10
    head = f"POST /en/check/answer/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {FORM}\r\n"
    head += f"Content-Length: {len(body)}\r\n\r\n"
    visitor = socket.create_connection(("127.0.0.1", portal), timeout=PATIENCE_SECONDS)
    visitor.sendall(head.encode())
    for start in range(0, len(body), 9):
        time.sleep(0.1)
        visitor.sendall(body[start : start + 9])
    assert visitor.recv(100).startswith(b"HTTP/1.1 200")
    visitor.close()


# Behind the nginx site


@pytest.mark.skipif(not NGINX, reason="nginx is not installed; set NGINX to its path")
def test_slow_bodies_end_at_the_nginx_site(portal):
    with nginx(portal) as port, trickling(port, 6 * SLOW_VISITORS) as visitors:
        began = time.monotonic()
        assert status_of(port) == 200
        assert check_message(port, address="127.0.0.1") == 200
        assert time.monotonic() - began < SOON_SECONDS
        with suppress(ConnectionError):
            assert visitors[0].recv(100) == b""  # after client_body_timeout
        assert 8 < time.monotonic() - began < 15


def test_the_thread_ends_when_no_body_is_read():
    late = LateBodies()

    def is_running() -> bool:
        return "late-bodies" in {thread.name for thread in threading.enumerate()}

    for _time in range(2):  # the next body starts it again
        with late.watched("127.0.0.1", seconds=10):
            assert is_running()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while is_running() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not is_running()


def hold(slots: BodySlots, number: int, seconds: float) -> list[threading.Thread]:
    """Lets visitors of so many networks hold a slot each, for that time."""

    def read(network: str) -> None:
        with slots.slot(network):
            time.sleep(seconds)

    threads = [threading.Thread(target=read, args=(f"10.0.0.{one}",)) for one in range(number)]
    for thread in threads:
        thread.start()
    while slots._held.total() < number:
        time.sleep(0.001)
    return threads


def test_a_body_waits_for_quick_ones_and_not_for_slow_ones(settings):
    settings.WEB_THREADS = 8
    slots = BodySlots()
    threads = hold(slots, 6, SLOW_SECONDS / 2)
    with slots.slot("203.0.113.7") as may_read:
        assert may_read
    for thread in threads:
        thread.join()
    threads = hold(slots, 6, 4 * SLOW_SECONDS)
    time.sleep(SLOW_SECONDS + 0.1)
    began = time.monotonic()
    with slots.slot("203.0.113.7") as may_read:
        assert not may_read
    assert time.monotonic() - began < SLOW_SECONDS
    for thread in threads:
        thread.join()
    assert not slots._since


def test_slow_bodies_of_early_answers_and_of_other_pages_share_the_slots(rf, settings):
    """Each had slots of its own, so that together they held more threads than there are."""
    settings.WEB_THREADS = 8
    threads = hold(slow_bodies._slots, 6, 4 * SLOW_SECONDS)
    time.sleep(SLOW_SECONDS + 0.1)
    for _kind in ("early", "other"):
        answer = slow_bodies.read_bodies(lambda _request: HttpResponse())(
            rf.post(SIGN_IN, {"email": "minji@example.com"}, REMOTE_ADDR="203.0.113.7")
        )
        assert answer.status_code == 503
    for thread in threads:
        thread.join()


def test_waiting_bodies_leave_threads_for_pages(settings):
    settings.WEB_THREADS = 16
    slots, waits = BodySlots(), list[float]()

    def read(network: str) -> None:
        with slots.slot(network) as may_read:
            time.sleep(may_read * 0.8 * SLOW_SECONDS)

    def answer(since: float) -> None:
        waits.append(time.monotonic() - since)

    with ThreadPoolExecutor(16) as threads:
        for number in range(90):  # 60 bodies a second; half of them find a slot
            threads.submit(read, f"10.0.0.{number % 5}")
            if number % 6 == 5:
                threads.submit(answer, time.monotonic())
            time.sleep(1 / 60)
    assert statistics.median(waits) < 0.25
    assert max(waits) < 1
