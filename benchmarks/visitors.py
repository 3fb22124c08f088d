"""Visitors of the portal, who count every request that fails and every pause."""

import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import httpx

PAGES = ("/en/account/sign-in/", "/ko/", "/en/check/", "/robots.txt", "/en/")
PAUSE_SECONDS = 0.2
# A form that is sent too often is answered with 429: that is an answer of the portal, too.
ANSWERS = (200, 302, 429)


@dataclass
class Visitors:
    """A context manager: threads that ask for pages and post a form until it ends.

    Half of them keep their connection, as browsers do. A browser repeats a request whose kept
    connection the server closes before an answer; this is counted apart from failures.
    """

    url: str
    host: str
    context: ssl.SSLContext
    number: int = 8
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: float = 0.0

    def __enter__(self) -> "Visitors":
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._visit, args=(which,)) for which in range(self.number)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def _visit(self, which: int) -> None:
        keeps = which % 2 == 0
        limits = httpx.Limits(max_keepalive_connections=1 if keeps else 0)
        with httpx.Client(
            base_url=self.url,
            headers={"Host": self.host},
            verify=self.context,
            limits=limits,
            timeout=60,
        ) as own:
            turn = which
            while not self._end.is_set():
                turn += 1
                if turn % 7 == 0:
                    self._count("POST", partial(_post, own))
                else:
                    path = PAGES[turn % len(PAGES)]
                    self._count(f"GET {path}", partial(own.get, path))
                time.sleep(PAUSE_SECONDS)

    def _count(self, what: str, ask: Callable[[], httpx.Response]) -> None:
        began = time.monotonic()
        try:
            try:
                status = ask().status_code
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                if what == "POST":
                    raise
                with self._lock:
                    self.counts["repeated"] += 1
                status = ask().status_code
            failed = "" if status in ANSWERS else f"{what}: {status}"
        except httpx.HTTPError as error:
            failed = f"{what}: {error!r}"
        with self._lock:
            self.counts["requests"] += 1
            self.slowest = max(self.slowest, time.monotonic() - began)
            if failed:
                self.failures.append(f"{time.strftime('%X')} {failed}")


def _post(client: httpx.Client) -> httpx.Response:
    """Sends a message to the check of messages, a form whose answer is never kept."""
    return client.post("/en/check/answer/", data={"text": "Is this from you? 000-000"})
