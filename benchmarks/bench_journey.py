"""What each request of a sign-in journey costs the web process, one request after another.

One process answers through the WSGI entry point, with real PostgreSQL, Redis and SMTP, so no other
process is in the figures. Each round goes the whole way, and requests the pages to which others are
compared. Before and after a change, run it in turns: other work on the machine lengthens all times.

    make bench-journey ROUNDS=200 PEOPLE=1000
    make bench-journey PROFILE=ask  # or another step: prints its profile, and no figures
    make bench-journey PARTS=1  # adds the parts of the request of a code

The last line is one JSON object; docs/performance.md explains its figures.
"""

import asyncio
import cProfile
import gc
import json
import os
import pstats
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlencode

from benchmarks.bench_surge import (
    CODE,
    EMPTY,
    HOME,
    MY_DATA,
    SIGN_IN,
    SIGN_OUT,
    CodeSink,
)
from benchmarks.command_line import read_command_line
from benchmarks.journey_parts import Parts
from harness import product

ROUNDS_TO_WARM_UP = 20
WRITE = "/write/"
_TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="(\w+)"')
_BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
Figures = dict[str, Any]


def _new_profile() -> cProfile.Profile:
    return cProfile.Profile(time.thread_time)  # of the processor, as the figures are


class Meter:
    """The processor time of each step, in microseconds, and what a step asks of other servers."""

    def __init__(self) -> None:
        self.micros: defaultdict[str, list[float]] = defaultdict(list)
        self.redis_calls = 0
        self.profiles: defaultdict[str, cProfile.Profile] = defaultdict(_new_profile)
        self.profiled = os.environ.get("PROFILE", "")
        self.parts = Parts() if os.environ.get("PARTS") else None

    def time(self, step: str, act: Callable[[], Any]) -> Any:
        """Runs `act` and records the processor time of this thread."""
        if self.profiled == step:
            return self.profiles[step].runcall(act)
        if self.parts and step == "ask":
            act = partial(self.parts.run, act)
        began = time.thread_time_ns()
        result = act()
        self.micros[step].append((time.thread_time_ns() - began) / 1000)
        return result

    def medians(self) -> dict[str, int]:
        """Returns the median of each step in microseconds."""
        return {step: round(median(found)) for step, found in self.micros.items()}


class Browser:
    """A visitor whose requests are answered in this process."""

    def __init__(self, application: Any, address: str, take: Callable[..., Any]) -> None:
        self._application, self._address, self._take = application, address, take
        self._cookies: dict[str, str] = {}
        self._token = ""

    def get(self, step: str, path: str, status: int = 200) -> bytes:
        """Returns the body. Raises RuntimeError for another status."""
        return self._ask(step, "GET", path, b"", status)

    def post(self, step: str, path: str, status: int = 302, **fields: str) -> bytes:
        """Posts a form with the token of the last page, and returns the body."""
        form = urlencode({"csrfmiddlewaretoken": self._token, **fields}).encode()
        return self._ask(step, "POST", path, form, status)

    def _ask(self, step: str, method: str, path: str, body: bytes, status: int) -> bytes:
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "SCRIPT_NAME": "",
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1:8000",
            "HTTP_X_FORWARDED_FOR": self._address,
            "HTTP_USER_AGENT": _BROWSER,
            "HTTP_ACCEPT": "text/html,application/xhtml+xml",
            "HTTP_ACCEPT_LANGUAGE": "ko-KR,ko;q=0.9,en;q=0.5",
            "HTTP_COOKIE": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "wsgi.version": (1, 0),
            "wsgi.errors": BytesIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        if body:
            environ["CONTENT_TYPE"] = "application/x-www-form-urlencoded"
            environ["CONTENT_LENGTH"] = str(len(body))
        answer: list[Any] = []

        def act() -> bytes:
            pieces = self._application(environ, lambda *head: answer.append(head))
            text = b"".join(pieces)
            if hasattr(pieces, "close"):
                pieces.close()
            return text

        text: bytes = self._take(step, act)
        found, headers = answer[0][:2]
        if not found.startswith(str(status)):
            raise RuntimeError(f"{step}: {found} {headers}")
        for name, value in headers:
            if name.lower() == "set-cookie":
                cookie, _equals, rest = value.partition("=")
                self._cookies[cookie] = rest.partition(";")[0]
        if token := _TOKEN.search(text):
            self._token = token[1].decode()
        return text


async def journey(browser: Browser, email: str, sink: CodeSink) -> None:
    """Goes the whole way as one customer, and requests the empty page."""
    mail = sink.expect(email)
    browser.get("home", HOME)
    browser.get("sign_in_page", SIGN_IN)
    browser.post("ask", SIGN_IN, email=email, next="")
    code = await asyncio.wait_for(mail, 60)
    browser.get("code_page", CODE)
    browser.post("code", CODE, code=code)
    browser.get("my_data", MY_DATA)
    browser.get("empty_page", EMPTY)
    browser.post("sign_out", SIGN_OUT)


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Context manager: counts statements, commits and round trips of Redis of this process."""
    import redis.connection
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    found: Counter[str] = Counter()
    connections: Any = redis.connection.AbstractConnection
    send = connections.send_packed_command

    def counting(self: Any, *arguments: Any, **options: Any) -> Any:
        found["redis_trips"] += 1
        return send(self, *arguments, **options)

    connections.send_packed_command = counting
    try:
        with CaptureQueriesContext(connection) as queries:
            yield found
    finally:
        connections.send_packed_command = send
    texts = [query["sql"] for query in queries.captured_queries]
    found["commits"] = sum(text == "COMMIT" for text in texts)
    found["statements"] = len([text for text in texts if text not in ("BEGIN", "COMMIT")])


def counting_take(counts: dict[str, dict[str, int]]) -> Callable[..., Any]:
    """Returns a `take` for Browser that counts what each step asks of the servers."""

    def take(step: str, act: Callable[[], Any]) -> Any:
        with counted() as found:
            result = act()
        counts[step] = dict(found)
        return result

    return take


def send_mails(meter: Meter, rounds: int) -> None:
    """Sends code mails over one connection, as a thread of the queue does."""
    from django.utils.translation import override

    from accounts import emails

    connection = emails.connect()
    connection.open()
    with override("ko"):
        for number in range(rounds):
            address = f"other{number}@people.example"
            send = partial(emails.send_sign_in_code, address, "12345678", connection=connection)
            meter.time("mail", send)
    connection.close()


async def measure(application: Any, sink: CodeSink, options: dict[str, int]) -> Figures:
    """Goes through the rounds, and returns the figures."""
    meter = Meter()
    people, counts = options["people"], dict[str, dict[str, int]]()

    async def go(number: int, take: Callable[..., Any]) -> None:
        address = f"{20 + number // 65536}.{number // 256 % 256}.{number % 256}.7"
        browser = Browser(application, address, take)
        await journey(browser, f"customer{number % people + 1}@people.example", sink)

    for number in range(ROUNDS_TO_WARM_UP):
        await go(number, lambda _step, act: act())
    await go(ROUNDS_TO_WARM_UP, counting_take(counts))
    bare_view = _bare_view()
    bare_view()
    gc.freeze()
    for number in range(options["rounds"]):
        await go(ROUNDS_TO_WARM_UP + 1 + number, meter.time)
        meter.time("bare_view_that_writes", bare_view)
    await asyncio.to_thread(send_mails, meter, options["rounds"])
    for profile in meter.profiles.values():
        stats = pstats.Stats(profile)
        stats.sort_stats("tottime").print_stats(45)
        stats.sort_stats("cumtime").print_stats(110)
    if meter.profiled:
        return {}
    parts = {"parts_of_ask": meter.parts.medians()} if meter.parts else {}
    return figures(meter.medians(), counts) | parts


def _bare_view() -> Callable[[], None]:
    """Returns a function that requests the view WRITE, which writes one row, without middleware."""
    from django.core.handlers.wsgi import WSGIHandler
    from django.test import override_settings

    with override_settings(MIDDLEWARE=[]):
        handler: Any = WSGIHandler()
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": WRITE,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
    }

    def request() -> None:
        response: Any = handler(environ, lambda *_head: None)
        response.close()
        if response.status_code != 200:
            raise RuntimeError(f"{WRITE}: {response.status_code}")

    return request


def figures(medians: dict[str, int], counts: dict[str, dict[str, int]]) -> Figures:
    """Returns the figures of one run."""
    bare = medians["bare_view_that_writes"]
    steps = ("home", "sign_in_page", "ask", "code_page", "code", "my_data", "sign_out", "mail")
    ask = medians["sign_in_page"] + medians["ask"] + medians["mail"]
    return {
        "micros": medians,
        "asked_of_servers": counts,
        "ratio_ask_to_bare": round(bare / ask, 3),
        "ratio_journey_to_bare": round(bare / sum(medians[step] for step in steps), 3),
        "ratio_request_to_bare": round(
            bare * (len(steps) - 1) / sum(medians[step] for step in steps), 3
        ),
        "ratio_my_data_to_empty_page": round(medians["empty_page"] / medians["my_data"], 3),
    }


def main() -> None:
    """Prints the figures of one run."""
    names = {"ROUNDS": 200, "PEOPLE": 1_000}
    options = {name.lower(): int(os.environ.get(name) or value) for name, value in names.items()}
    base = Path(os.environ.get("BREACHPORTAL_VAR") or product.ROOT / "var")
    mail_port = product.free_port()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # requests and the mail server share a thread
    os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.surge_settings"
    product.prepare(
        base / "bench-journey" / str(options["people"]),
        people=options["people"],
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=str(mail_port),
        TRUSTED_PROXY_COUNT="1",
        CODE_MAIL_CONNECTIONS="4",  # a thread sends while this one waits for the mail
        # In a surge a page is requested many times while it is kept; a round here can take longer.
        PUBLIC_PAGE_SECONDS=os.environ.get("PUBLIC_PAGE_SECONDS", "60"),
        SIGN_INS_PER_SECOND=os.environ.get("SIGN_INS_PER_SECOND", "0"),
    )
    from django.db import connection

    from breachportal.wsgi import application  # sets Django up as a web process

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_write (at timestamptz DEFAULT now())")
    sink = CodeSink()
    found = asyncio.run(sink.beside(mail_port, measure(application, sink, options)))
    print(json.dumps(options | found), flush=True)


if __name__ == "__main__":
    read_command_line(__doc__)
    main()
