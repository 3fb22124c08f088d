"""The parts of the upgrade drill that run inside the machine, with the portal's settings.

`stage PEOPLE` makes the people and starts a notice to them, `progress` prints how many messages are
accepted, `read SECONDS` reads the tables and prints the longest wait, `compare PEOPLE LOG` compares
the mail server's log with the ledger, and prints JSON.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import django

django.setup()

from django.db import connection  # noqa: E402

from benchmarks import notices  # noqa: E402
from harness import people  # noqa: E402
from notices.models import Notice  # noqa: E402
from tests.drills.comparing import compare  # noqa: E402
from tests.drills.mail_server import Taken  # noqa: E402


def stage(number: str) -> None:
    """Makes the people and approves a notice to them."""
    people.make(int(number))
    notice = notices.draft(octets=0)
    notices.approve(notice)


def progress() -> None:
    """Prints the state of the notice and its counters."""
    print(notices.progress(Notice.objects.get()))


def read(seconds: str) -> None:
    """Reads the tables that a migration changes, again and again; prints the longest wait in s."""
    slowest, deadline = 0.0, time.monotonic() + float(seconds)
    while time.monotonic() < deadline:
        began = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM incidents_incident")
        slowest = max(slowest, time.monotonic() - began)
        time.sleep(0.01)
    print(f"{slowest:.3f}")


def compare_ledger(number: str, log: str) -> None:
    """Prints figures and violations of the notice."""
    taken = []
    for line in Path(log).read_text(encoding="utf-8").splitlines():
        at, connection_number, message_id, to = line.split(" ")
        if to.endswith("@people.example"):  # the others are mails to the team
            taken.append(Taken(float(at), int(connection_number), message_id, to))
    verdict = compare(Notice.objects.get(), taken, people=int(number), most_flagged=0)
    print(json.dumps({"figures": verdict.figures, "violations": verdict.violations}))


COMMANDS: dict[str, Callable[..., None]] = {
    "stage": stage,
    "progress": progress,
    "read": read,
    "compare": compare_ledger,
}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
