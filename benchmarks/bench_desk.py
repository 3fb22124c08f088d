"""The benchmark of the desk's lists and look-ups at the size of a nation.

    make bench-desk PEOPLE=33700000

It fills a real PostgreSQL with rows of PEOPLE people (harness/large_tables.py), then requests each
list's first page, a deep page, each filter with a value that no row has, and each look-up, VISITS
times. The last line is one JSON object: milliseconds of each (median and max) and its queries.
"""

import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from harness import product

ROOT = Path(__file__).parent.parent
VISITS = 10
LIMIT_MS = 200.0


def main() -> None:
    """Runs all measurements on new tables."""
    people = int(os.environ.get("PEOPLE", "337000"))
    product.open_in(ROOT / "var" / "bench-desk", people=1_000)
    began = time.monotonic()
    _fill(people)
    figures: dict[str, Any] = {"people": people, "fill_s": round(time.monotonic() - began)}
    figures["database_gib"] = _database_gib()
    figures["pages"] = {name: measured(visit) for name, visit in _visits()}
    slow = [name for name, page in figures["pages"].items() if page["median_ms"] > LIMIT_MS]
    print(json.dumps(figures | {"slower_than_limit": slow}))


def measured(visit: Callable[[], Any]) -> dict[str, float]:
    """Returns the median and the largest milliseconds of VISITS visits, and their queries.

    `own_ms` is the processor time of this process, which a busy machine does not lengthen.
    """
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        _answer(visit)
        queries = captured.captured_queries
    times, own = [], []
    for _ in range(VISITS):
        began, own_began = time.perf_counter(), time.process_time()
        _answer(visit)
        times.append(1000 * (time.perf_counter() - began))
        own.append(1000 * (time.process_time() - own_began))
    return {
        "median_ms": round(statistics.median(times), 1),
        "max_ms": round(max(times), 1),
        "own_ms": round(statistics.median(own), 1),
        "slowest_query_ms": round(max(1000 * float(query["time"]) for query in queries)),
        "queries": len(queries),
    }


def _answer(visit: Callable[[], Any]) -> None:
    response = visit()
    if response.status_code != 200:
        raise RuntimeError(f"a page answers {response.status_code}")


def _fill(people: int) -> None:
    from benchmarks import notices
    from harness.large_tables import TableSizes, fill

    fill(notices.draft(octets=0), TableSizes.of(people))


def _database_gib() -> float:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return round(float(cursor.fetchone()[0]) / (1 << 30), 1)


def _visits() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yields the name of each visit and the function that makes it."""
    from benchmarks.desk import at_the_desk

    client = at_the_desk(is_superuser=True)
    yield "desk: front page", lambda: client.get("/admin/")
    yield from _lists(client)
    yield from _look_ups(client)


def _lists(client: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yields the visits of each large list."""
    from django.contrib import admin
    from django.urls import reverse

    from accounts.desk_lists import LargeTableAdmin

    for model, model_admin in admin.site._registry.items():
        label = model._meta.label_lower
        url = reverse(f"admin:{label.replace('.', '_')}_changelist")
        yield f"{label}: first page", partial(client.get, url)
        if not isinstance(model_admin, LargeTableAdmin):
            continue
        deep = f"{url}?{_deep_query(model_admin)}"
        yield f"{label}: deep page", partial(client.get, deep)
        for query in _filters(model_admin):
            yield f"{label}: {query}", partial(client.get, f"{url}?{query}")


def _deep_query(model_admin: Any) -> str:
    """Returns the query of a page in the middle of the table: what a reader of it would follow."""
    from accounts.desk_lists import query_after

    key = model_admin.page_key
    rows = model_admin.model._default_manager.order_by(*key)
    middle = rows.only("pk")[max(0, _estimated_rows(model_admin.model) // 2)]
    return query_after({}, key, model_admin.model._default_manager.get(pk=middle.pk))


def _estimated_rows(model: Any) -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [model._meta.db_table])
        return int(cursor.fetchone()[0])


def _filters(model_admin: Any) -> Iterator[str]:
    """Yields queries that choose each value of each filter of the list."""
    for name in model_admin.list_filter:
        field = model_admin.model._meta.get_field(name)
        if field.is_relation:
            newest = field.related_model._default_manager.order_by("-pk").first()
            yield from (f"{name}__id__exact={newest.pk if newest else 1}",)
            yield f"{name}__id__exact=2000000"
        else:
            values = [value for value, _words in field.flatchoices] or [0, 1]
            yield from (f"{name}__exact={value}" for value in values)


def _look_ups(client: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yields the look-ups of an address that is stored and one that is not."""
    from django.urls import reverse

    pages = {
        "incidents_affectedperson_changelist": "asked",
        "notices_delivery_changelist": "asked",
        "notices_suppression_look_up": "address",
    }
    for name, field in pages.items():
        url = reverse(f"admin:{name}")
        for typed in ("stranger@example.net", "010-1234-5678"):
            values = {field: typed, "reason": "x"}
            yield f"{name}: {typed}", partial(client.post, url, values)


if __name__ == "__main__":
    main()
