"""The database connections of the web processes under bursts: `make drill-connections MINUTES=10`.

Every SECONDS a burst of VISITORS requests arrives at once. Granian ends idle threads in between.
Prints the connections after each burst, and exits with 1 if there are more than the processes have
threads, or if a request fails.
"""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from django.conf import settings
from django.db import connection

from benchmarks.bench_web import prepare
from benchmarks.command_line import read_command_line
from benchmarks.web import running_web

VISITORS, SECONDS = 40, 40


def main() -> None:
    """Runs bursts for MINUTES and compares the connections with the threads."""
    prepare()
    minutes = float(os.environ.get("MINUTES") or 10)
    most = settings.WEB_WORKERS * settings.WEB_THREADS
    counted, failed, before = [], 0, _connections()
    end = time.monotonic() + minutes * 60
    with running_web() as port, ThreadPoolExecutor(VISITORS) as visitors:
        while time.monotonic() < end:
            statuses = list(
                visitors.map(_request, [f"http://127.0.0.1:{port}/en/unknown-page/"] * VISITORS)
            )
            failed += sum(status != 404 for status in statuses)
            counted.append(_connections() - before)
            print(f"{counted[-1]} connections, {failed} failed requests", flush=True)
            time.sleep(min(SECONDS, max(0.0, end - time.monotonic())))
    sys.exit(1 if failed or max(counted) > most else 0)


def _request(url: str) -> int:
    """Requests a page that reads the session from the database; returns the status."""
    request = Request(url, headers={"Cookie": "sessionid=x"})  # noqa: S310
    try:
        with urlopen(request, timeout=30) as response:  # noqa: S310
            return int(response.status)
    except HTTPError as error:
        return error.code
    except OSError:
        return 0


def _connections() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


if __name__ == "__main__":
    read_command_line(__doc__)
    main()
