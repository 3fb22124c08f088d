"""The benchmark of a surge: many people sign in at once while a notice is being sent.

Visitors go the whole way in parallel: home page, request of a code, code from the mail, my data,
sign-out. They come through nginx with the shipped site, where it is installed, and request the home
page directly as well. Everything runs on the same cores: nginx, web, workers, PostgreSQL, Redis,
mail server, visitors.

    make bench-surge VISITORS=200 SECONDS=60 PEOPLE=100000

The last line is one JSON object; docs/performance.md explains its figures.
"""

import asyncio
import contextlib
import json
import os
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import psycopg

from benchmarks.command_line import read_command_line
from benchmarks.sink import Sink
from benchmarks.visitor import UnexpectedAnswerError, Visitor, expect, for_seconds
from benchmarks.web import HELLO, running_web
from harness import product
from harness.nginx import NGINX, nginx

HOME, SIGN_IN, CODE = "/ko/", "/ko/account/sign-in/", "/ko/account/sign-in/code/"
MY_DATA, SIGN_OUT, EMPTY = "/ko/my-data/", "/ko/account/sign-out/", "/ko/empty/"
BULK_OCTETS = 8 * 1024
RATIO_SECONDS = float(os.environ.get("RATIO_SECONDS") or 4)
RATIO_CONNECTIONS, RATIO_ROUNDS = 16, 3
CODE_SECONDS = 60.0  # to wait for the mail
WATCH_SECONDS = 0.5
_CODE_LINE = re.compile(rb"(?m)^ +(\d{6,8})\s*$")  # in the text of a mail, which is sent as 8bit
Figures = dict[str, Any]
Result = TypeVar("Result")


def say(text: str) -> None:
    """Prints a line for the reader without buffering."""
    print(text, flush=True)


class CodeSink:
    """An SMTP server in this process that gives the code of each mail to the waiting visitor."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[str]] = {}

    async def beside(self, port: int, work: Coroutine[Any, Any, Result]) -> Result:
        """Listens on the port until `work` has ended, and returns its result."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        try:
            return await work
        finally:
            server.close()

    def expect(self, address: str) -> "asyncio.Future[str]":
        """Returns the future code of the next mail to the address."""
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[address] = future
        return future

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink ESMTP\r\n")
        recipients: list[str] = []
        closed = asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError  # at the end
        with contextlib.suppress(*closed):
            while line := await reader.readline():
                verb = line[:4].upper()
                if verb == b"DATA":
                    writer.write(b"354 Go on\r\n")
                    self._deliver(recipients, await reader.readuntil(b"\r\n.\r\n"))
                    recipients = []
                elif verb == b"RCPT":
                    recipients.append(line.partition(b"<")[2].partition(b">")[0].decode())
                writer.write(b"221 Bye\r\n" if verb == b"QUIT" else b"250 OK\r\n")
                if verb == b"QUIT":
                    break
        writer.close()

    def _deliver(self, recipients: list[str], data: bytes) -> None:
        found = _CODE_LINE.search(data)  # `email` would take as long as a code costs the portal
        for address in recipients:
            future = self._waiting.pop(address, None)
            if future and found and not future.done():
                future.set_result(found[1].decode())


class Surge:
    """The visitors of one run, and what they measured."""

    def __init__(self, port: int, sink: CodeSink, people: int, *, site: int = 0) -> None:
        self._port, self._site, self._sink, self._people = port, site, sink, people
        self.ms: defaultdict[str, list[float]] = defaultdict(list)
        self.errors: Counter[str] = Counter()

    async def journey(self, number: int) -> None:
        """Goes the whole way as one customer. Counts an error instead of raising it."""
        try:
            visitor = await self.signed_in(number)
            self._took("my_data", expect(await visitor.get(MY_DATA), 200, "my data").ms)
            expect(await visitor.post(SIGN_OUT), 302, "sign out")
            visitor.close()
        except (UnexpectedAnswerError, TimeoutError, OSError, asyncio.IncompleteReadError) as error:
            self.errors[str(error) or type(error).__name__] += 1

    async def signed_in(self, number: int) -> Visitor:
        """Returns a visitor who has signed in as customer `number`."""
        await self._read_home(number)
        visitor = Visitor(self._site or self._port, _address(number))
        if self._site:
            self._took("public", expect(await visitor.get(HOME), 200, "home").ms)
        expect(await visitor.get(SIGN_IN), 200, "sign in")
        code = await self._asked(visitor, number)
        expect(await visitor.get(CODE), 200, "enter code")
        expect(await visitor.post(CODE, code=code), 302, "code")
        return visitor

    async def _read_home(self, number: int) -> None:
        """Requests the home page from the web process, without nginx."""
        reader = Visitor(self._port, _address(number))
        self._took("public_direct", expect(await reader.get(HOME), 200, "home").ms)
        reader.close()

    async def ask(self, number: int) -> None:
        """Requests a code and waits for the mail."""
        visitor = Visitor(self._port, _address(number))
        expect(await visitor.get(SIGN_IN), 200, "sign in")
        await self._asked(visitor, number)
        visitor.close()

    async def _asked(self, visitor: Visitor, number: int) -> str:
        email = f"customer{number % self._people + 1}@people.example"
        mail, began = self._sink.expect(email), time.perf_counter()
        answer = await visitor.post(SIGN_IN, email=email, next="")
        self._took("ask", expect(answer, 302, "ask").ms)
        code = await asyncio.wait_for(mail, CODE_SECONDS)
        self._took("code_mail", (time.perf_counter() - began) * 1000)
        return code

    def _took(self, step: str, ms: float) -> None:
        self.ms[step].append(ms)

    def p99(self, step: str) -> float:
        """Returns the 99th percentile of a step in milliseconds; 0 if nothing was measured."""
        found = sorted(self.ms[step])
        return found[min(len(found) - 1, int(len(found) * 0.99))] if found else 0.0


def _address(number: int) -> str:
    """Returns the network address of a visitor. No two visitors of a run share a network."""
    return f"{20 + number // 65536 % 200}.{number // 256 % 256}.{number % 256}.7"


class Connections(threading.Thread):
    """Counts the connections to the database, every WATCH_SECONDS."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url, self.peak, self._ended = url, 0, threading.Event()

    def run(self) -> None:
        """Counts until `end`."""
        count = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        with psycopg.connect(self._url, autocommit=True) as watcher:
            while not self._ended.wait(WATCH_SECONDS):
                row = watcher.execute(count).fetchone()
                self.peak = max(self.peak, row[0] - 1 if row else 0)

    def end(self) -> int:
        """Stops counting, and returns the largest number."""
        self._ended.set()
        self.join()
        return self.peak


@contextlib.contextmanager
def bulk_sending(is_wanted: bool) -> Iterator[None]:
    """Context manager: a notice to all people is being sent meanwhile."""
    if not is_wanted:
        yield
        return
    from benchmarks import notices

    var = Path(os.environ["BREACHPORTAL_VAR"])
    with Sink(var / "bulk.count") as sink:
        environment = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(sink.port)}
        with product.Workers(**environment):
            notices.approve(notices.draft(octets=BULK_OCTETS))
            while not sink.taken():
                time.sleep(0.2)
            yield
        say(f"bulk mails meanwhile: {sink.taken():,}")


@contextlib.contextmanager
def nginx_site(port: int) -> Iterator[int]:
    """Context manager: gives the port of nginx with the shipped site, or 0 if it is not installed.

    It passes on the visitors' addresses, as if another proxy were in front of it.
    """
    if not NGINX:
        yield 0
        return
    with nginx(port, forwarded="$http_x_forwarded_for") as site:
        yield site


async def surge(run: Surge, options: dict[str, int]) -> None:
    """Runs the journeys; `run` holds what they measured."""
    await for_seconds(5, 4, run.journey)  # warms the processes up; not measured
    run.ms.clear()
    run.errors.clear()
    rate = await for_seconds(
        options["seconds"], options["visitors"], lambda number: run.journey(number + 10_000)
    )
    run.ms["rate"] = [rate - sum(run.errors.values()) / options["seconds"]]


async def ratios(hello: int, run: Surge) -> Figures:
    """Measures in turns: a request of a code and a bare view that writes; my data and a page."""
    visitors = [await run.signed_in(500_000 + number) for number in range(RATIO_CONNECTIONS)]
    bare = [Visitor(hello, "127.0.0.1") for _number in range(RATIO_CONNECTIONS)]

    async def page(users: list[Visitor], path: str) -> None:
        # Each visitor has one connection, which carries one request at a time.
        free = users.pop()
        try:
            expect(await free.get(path), 200, path)
        finally:
            users.append(free)

    tasks: dict[str, Callable[[int], Awaitable[None]]] = {
        "hello_write": lambda _number: page(bare, "/write/"),
        "ask": lambda number: run.ask(600_000 + len(rates["ask"]) * 50_000 + number),
        "empty": lambda _number: page(visitors, EMPTY),
        "my_data": lambda _number: page(visitors, MY_DATA),
    }
    rates: dict[str, list[float]] = {name: [] for name in tasks}
    for _round in range(RATIO_ROUNDS):
        for name, task in tasks.items():
            rates[name].append(await for_seconds(RATIO_SECONDS, RATIO_CONNECTIONS, task))
    medians = {name: sorted(found)[len(found) // 2] for name, found in rates.items()}
    return {
        **{f"{name}_per_s": round(rate, 1) for name, rate in medians.items()},
        "ratio_ask_to_hello": round(medians["ask"] / medians["hello_write"], 3),
        "ratio_my_data_to_empty_page": round(medians["my_data"] / medians["empty"], 3),
    }


def queries_of_my_data() -> int:
    """Returns the number of queries of the page "my data" for a customer, in this process."""
    from allauth.account.models import EmailAddress
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from accounts.models import User
    from harness.people import address
    from harness.signed_cookies import teach_test_clients

    teach_test_clients()
    client = Client(headers={"host": "127.0.0.1"})
    user, _is_new = User.objects.get_or_create(email=address(1))
    EmailAddress.objects.get_or_create(user=user, email=address(1), verified=True, primary=True)
    client.force_login(user)
    client.get(MY_DATA)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(MY_DATA)
    if answer.status_code != 200:
        raise RuntimeError(f"my data answers {answer.status_code} {answer.headers}")
    return len(queries)


def measure(options: dict[str, int]) -> Figures:
    """Starts web and the mail server, measures everything, and returns the figures."""
    sink, mail_port = CodeSink(), product.free_port()
    environment = {
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(mail_port),
        "TRUSTED_PROXY_COUNT": "1",
        "DJANGO_SETTINGS_MODULE": "benchmarks.surge_settings",  # adds the page EMPTY
        "SIGN_INS_PER_SECOND": "0",  # no waiting room: the benchmark looks for the limit
    }
    with running_web(**environment) as port, running_web(HELLO) as hello:
        connections = Connections(os.environ["DATABASE_URL"])
        connections.start()
        with bulk_sending(bool(options["bulk"])), nginx_site(port) as site:
            run = Surge(port, sink, options["people"], site=site)
            asyncio.run(sink.beside(mail_port, surge(run, options)))
        peak = connections.end()
        say(f"steps: {', '.join(f'{step} {len(found):,}' for step, found in run.ms.items())}")
        for error, number in run.errors.most_common(10):
            say(f"error, {number} times: {error}")
        direct = Surge(port, sink, options["people"])  # as the bare view is asked
        figures = asyncio.run(sink.beside(mail_port, ratios(hello, direct)))
    return {
        "journeys_per_s": round(run.ms["rate"][0], 1),
        "ask_p99_ms": round(run.p99("ask"), 1),
        "code_mail_p99_s": round(run.p99("code_mail") / 1000, 3),
        "my_data_p99_ms": round(run.p99("my_data"), 1),
        "public_p99_ms": round(run.p99("public"), 1) if run.ms["public"] else None,
        "public_direct_p99_ms": round(run.p99("public_direct"), 1),
        "errors": sum(run.errors.values()),
        **figures,
        "connections_peak": peak,
    }


def _create_table() -> None:
    """Creates the table that the plain view writes to."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as database:
        database.execute("CREATE TABLE bench_write (at timestamptz DEFAULT now())")


def main() -> None:
    """Prints the figures of one run."""
    names = {"VISITORS": 200, "SECONDS": 60, "PEOPLE": 100_000, "BULK": 1}
    options = {name.lower(): int(os.environ.get(name) or value) for name, value in names.items()}
    base = Path(os.environ.get("BREACHPORTAL_VAR") or product.ROOT / "var")
    product.open_in(base / "bench-surge" / str(options["people"]), people=options["people"])
    from django.conf import settings

    os.environ["DATABASE_URL"] = product.database_url()
    say(f"{options}; {os.cpu_count()} cores for everything; {settings.PORTAL_URL}")
    _create_table()
    figures = measure(options) | {"queries_my_data": queries_of_my_data()}
    print(json.dumps(options | figures), flush=True)


if __name__ == "__main__":
    read_command_line(__doc__)
    main()
