"""The measurement of django-post_office with the product's mails and its best options.

`python -m benchmarks.post_office MAIL.json MESSAGES` prints one JSON object. It reads from the
environment where PostgreSQL and the mail server are (benchmarks/post_office_settings.py).
"""

import contextlib
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import django
import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from harness.product import ROOT

TRIAL = 2_000  # messages
PROCESSES, THREADS, BATCHES = (2, 4), (1, 4), (500, 2_000, 5_000)
PIECE = 1_000  # messages per bulk_create


def best_rate(host: str, port: int, mail: dict[str, str], *, messages: int, var: Path) -> Any:
    """Returns {"send_per_s", "queue_per_s", "how"} of a measurement in a new process.

    `host` is the socket directory of PostgreSQL, `port` that of the mail server.
    """
    with psycopg.connect(f"postgresql://postgres@/postgres?host={host}", autocommit=True) as server:
        server.execute("DROP DATABASE IF EXISTS post_office WITH (FORCE)")
        server.execute("CREATE DATABASE post_office")
    written = var / "post-office-mail.json"
    written.write_text(json.dumps(mail), encoding="utf-8")
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "benchmarks.post_office_settings",
        "POST_OFFICE_HOST": host,
        "EMAIL_PORT": str(port),
    }
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.post_office", str(written), str(messages)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
    )
    return json.loads(done.stdout.splitlines()[-1])


class PostOffice:
    """The queue and the sender of django-post_office, in this process."""

    def __init__(self, mail: dict[str, str]) -> None:
        self._mail, self._numbers = mail, itertools.count(1)
        self._settings: dict[str, Any] = getattr(settings, "POST_OFFICE")  # noqa: B009 (of mypy)

    def queue(self, messages: int) -> float:
        """Writes personal mails into the queue. Returns the seconds it took."""
        from post_office import mail

        began = time.monotonic()
        for first in range(0, messages, PIECE):
            size = min(PIECE, messages - first)
            mail.send_many([self._personal(next(self._numbers)) for _ in range(size)])
        return time.monotonic() - began

    def _personal(self, number: int) -> dict[str, Any]:
        texts = {
            name: text.replace("{name}", f"고객 {number}") for name, text in self._mail.items()
        }
        return {
            "recipients": [f"customer{number}@people.example"],
            "sender": "notice@portal.example",
            "subject": texts["subject"],
            "message": texts["text"],
            "html_message": texts["html"],
        }

    def send(self, messages: int, *, batch: int, processes: int, threads: int) -> float:
        """Sends the queued mails. Returns the seconds it took.

        Raises RuntimeError if a mail was not sent.
        """
        from post_office import mail

        self._settings |= {"BATCH_SIZE": batch, "THREADS_PER_PROCESS": threads}
        sent, began = 0, time.monotonic()
        while sent < messages:
            done, failed, _requeued = mail.send_queued(processes=processes)
            connection.close()  # its processes share our connection; its command closes it, too
            if failed or not done:
                raise RuntimeError(f"post_office: {sent=} {done=} {failed=}")
            sent += done
        return time.monotonic() - began

    def best(self) -> dict[str, int]:
        """Returns the fastest options: short trials of processes and threads, then of the batch."""
        best = {"batch": TRIAL, "processes": 1, "threads": 1}
        ways = [
            {"batch": TRIAL, "processes": processes, "threads": threads}
            for processes, threads in itertools.product(PROCESSES, THREADS)
        ]
        best = self._fastest(ways)
        return self._fastest([best | {"batch": batch} for batch in BATCHES])

    def _fastest(self, ways: list[dict[str, int]]) -> dict[str, int]:
        rates = []
        for way in ways:
            messages = max(TRIAL, way["batch"])
            self.queue(messages)
            rates.append(messages / self.send(messages, **way))
        return ways[rates.index(max(rates))]


def main() -> None:
    """Finds the best options in trials, then runs and prints one measurement."""
    django.setup()
    with contextlib.redirect_stdout(sys.stderr):
        call_command("migrate", verbosity=0)
    office = PostOffice(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    way, messages = office.best(), int(sys.argv[2])
    queueing = office.queue(messages)
    sending = office.send(messages, **way)
    how = ", ".join(f"{name} {number}" for name, number in way.items())
    print(
        json.dumps(
            {"send_per_s": messages / sending, "queue_per_s": messages / queueing, "how": how}
        )
    )


if __name__ == "__main__":
    main()
