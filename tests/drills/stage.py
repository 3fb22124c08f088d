"""The starting point of every drill: the product, its people, a mail server and a notice."""

import random
import subprocess
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import psutil
from django.db import close_old_connections

from harness import product
from harness.product import Workers
from notices.models import Notice
from tests.drills.comparing import Verdict, compare
from tests.drills.mail_server import MailServer

# People per second. The limit is low, because drills check correctness and not speed.
SLOWEST_PER_S = 25


def say(text: str) -> None:
    """Prints a line without buffering."""
    print(text, flush=True)


@dataclass
class Stage:
    """The environment of one drill. Its random numbers come from `rng`, so SEED= repeats it."""

    people: int
    rng: random.Random
    server: MailServer

    def workers(self, **environment: str) -> Workers:
        """Returns the product's workers, which send to the drill's server.

        No drill imports a file, and the start of a process takes seconds.
        """
        return Workers(
            without=("web", "import"),
            EMAIL_HOST="127.0.0.1",
            EMAIL_PORT=str(self.server.port),
            **environment,
        )

    def approved(self) -> Notice:
        """Returns a notice to all affected people, just approved."""
        from benchmarks import notices

        notice = notices.draft(octets=0)
        notices.approve(notice)
        return notice

    def wait_for_taken(self, count: int, *, seconds: float | None = None) -> None:
        """Waits until the mailboxes hold `count` messages; raises AssertionError at the limit."""
        limit = seconds or 60 + self.people / SLOWEST_PER_S
        self.wait_for(lambda: self.server.taken_count() >= count, limit, f"{count} mails")

    def wait_for(self, is_so: Callable[[], bool], seconds: float, what: str) -> None:
        """Polls until `is_so` returns True; raises AssertionError after `seconds`."""
        deadline = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > deadline:
                raise AssertionError(f"no {what} after {seconds:.0f} s")
            time.sleep(0.01)

    def wait_for_close(self, notice: Notice, *, seconds: float | None = None) -> None:
        """Waits until the notice is closed, or the limit; the comparison then reports its state."""
        from benchmarks import notices

        close_old_connections()
        limit = seconds or 120 + self.people / SLOWEST_PER_S
        try:
            notices.wait_until(notice, notices.is_closed, seconds=limit, every=0.2)
        except notices.NotClosedError as error:
            say(f"  {error}")

    def compare(
        self, notice: Notice, *, most_flagged: int = 0, returned: Collection[str] = ()
    ) -> Verdict:
        """Compares the server's log with the ledger."""
        return compare(
            *(notice, self.server.taken()),
            people=self.people,
            most_flagged=most_flagged,
            returned=returned,
        )

    def connections_of(self, processes: list[psutil.Process]) -> int:
        """Returns how many connections to the mail server these processes hold."""
        return sum(len(connections_to(self.server.port, one)) for one in processes)


def connections_to(port: int, process: psutil.Process) -> list[int]:
    """Returns the local ports of a process's established connections to `port`."""
    try:
        found = process.net_connections(kind="tcp")
    except psutil.Error:
        return []
    return [
        one.laddr.port
        for one in found
        if one.raddr and one.raddr.port == port and one.status == psutil.CONN_ESTABLISHED
    ]


def start_servers() -> None:
    """Starts PostgreSQL and Redis, as a supervisor would, if they are stopped. It tries again while
    PostgreSQL recovers, which refuses connections meanwhile. Raises CalledProcessError.
    """
    command = [sys.executable, "-c", "from breachportal import settings"]
    deadline = time.monotonic() + 120
    while (ended := subprocess.run(command, check=False, cwd=product.ROOT)).returncode:
        if time.monotonic() > deadline:
            ended.check_returncode()
        time.sleep(1)


def postmaster(var: Path) -> psutil.Process:
    """Returns the first process of the embedded PostgreSQL."""
    return psutil.Process(int((var / "postgres" / "postmaster.pid").read_text().split()[0]))
