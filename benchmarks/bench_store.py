"""The benchmark of counting, checking, re-encrypting and purging an incident; pages meanwhile.

    make bench-store PEOPLE=300000

During each command this process requests the "my data" page of a customer, as a web server would.
The times are compared with those while no command runs. The last line is one JSON object.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from typing import Any

from benchmarks.command_line import read_command_line
from harness import product

ROOT = Path(__file__).parent.parent
QUIET_SECONDS = 5.0


def main() -> None:
    """Runs all measurements on a new copy of the people."""
    people = int(os.environ.get("PEOPLE", "100000"))
    product.open_in(ROOT / "var" / "bench-store" / str(people), people=people)
    figures: dict[str, Any] = {"people": people}
    figures |= _counting() | checking()
    request = _visitor()
    quiet = _request_times(request, lambda: _seconds_over(QUIET_SECONDS))
    figures["my_data_quiet_ms"] = _percentiles(quiet)
    figures |= _while_running(request, "reencrypt", people)
    _shred()
    figures |= _while_running(request, "purge_incident", people)
    print(json.dumps(figures))


def _counting() -> dict[str, Any]:
    from harness.people import SLUG
    from incidents import scope_counts
    from incidents.models import Incident

    incident = Incident.objects.get(slug=SLUG)
    started = time.monotonic()
    scope_counts.recount(incident)
    counted = time.monotonic() - started
    started = time.monotonic()
    for _ in range(100):
        scope_counts.counts_of(incident)
    read = (time.monotonic() - started) / 100
    return {"count_s": round(counted, 2), "read_counts_ms": round(1000 * read, 2)}


def checking() -> dict[str, Any]:
    """Checks a sample and the whole store. Returns the seconds and the largest process in MiB."""
    from benchmarks.bench_import import memory_of_all
    from harness.people import SLUG

    figures: dict[str, Any] = {}
    for name, options in (("sample", []), ("all", ["--all"])):
        started = time.monotonic()
        with memory_of_all() as memory:
            command = [sys.executable, "manage.py", "check_store", SLUG, *options]
            subprocess.run(command, cwd=ROOT, check=True)
        figures[f"check_{name}_s"] = round(time.monotonic() - started, 1)
        figures[f"check_{name}_mib"] = round(memory.peak("ours"))
        figures[f"check_{name}_server_mib"] = round(memory.peak("server"))
    return figures


def _visitor() -> Callable[[], float]:
    """Creates a customer in a second incident.

    Returns a function that requests that customer's page and returns the seconds it took.
    """
    from django.test import Client
    from django.urls import reverse

    from accounts.models import User
    from harness.exposure_factory import expose, file_of, person
    from harness.signed_cookies import teach_test_clients
    from incidents.models import Incident

    teach_test_clients()
    second = Incident.objects.get()
    second.pk, second.slug, second.aware_at = None, "second", datetime(2024, 1, 1, tzinfo=UTC)
    second.make_keysets()
    second.save()
    user = User.objects.create_user("visitor@people.example", language="ko")
    expose(person(second, name="김민지", email=user.contact), file_of(second), "names")
    client, url = Client(headers={"host": "127.0.0.1"}), reverse("my_data")
    client.force_login(user)

    def request() -> float:
        started = time.monotonic()
        response = client.get(url)
        if "김*지".encode() not in response.content:
            sys.exit(f"the page answered {response.status_code} without the visitor's data")
        return time.monotonic() - started

    return request


def _seconds_over(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def _request_times(
    request: Callable[[], float], begin: Callable[[], Callable[[], bool]]
) -> list[float]:
    """Returns the seconds of each request, until the function that `begin` returns is true."""
    is_over, times = begin(), list[float]()
    while not is_over():
        times.append(request())
        time.sleep(0.01)
    return times


def _while_running(request: Callable[[], float], command: str, rows: int) -> dict[str, Any]:
    from harness.people import SLUG

    def begin() -> Callable[[], bool]:
        arguments = [sys.executable, "manage.py", command, SLUG]
        running.append(subprocess.Popen(arguments, cwd=ROOT))
        return lambda: running[0].poll() is not None

    running: list[subprocess.Popen[bytes]] = []
    started = time.monotonic()
    times = _request_times(request, begin)
    seconds = time.monotonic() - started
    if running[0].returncode:
        sys.exit(f"{command} failed")
    return {
        f"{command}_s": round(seconds, 1),
        f"{command}_rows_per_s": round(rows / seconds),
        f"my_data_during_{command}_ms": _percentiles(times),
    }


def _percentiles(times: list[float]) -> dict[str, float]:
    cuts = quantiles(times, n=100)
    chosen = {"p50": cuts[49], "p99": cuts[98], "most": max(times)}
    return {name: round(1000 * seconds, 1) for name, seconds in chosen.items()}


def _shred() -> None:
    from harness.people import SLUG
    from incidents.models import Incident

    Incident.objects.get(slug=SLUG).shred()


if __name__ == "__main__":
    read_command_line(__doc__)
    main()
