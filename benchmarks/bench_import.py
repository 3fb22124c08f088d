"""The benchmark of the import, compared with plain COPY of the same rows.

    make bench-import PEOPLE=300000
    make bench-import PEOPLE=1000000 ADDRESSES=4.4    # also with many rows per person

The last line of the output is one JSON object. The benchmark has its own database.
"""

import csv
import json
import os
import random
import shutil
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks.command_line import read_command_line
from benchmarks.memory import MEBIBYTE, Memory, private, resident
from benchmarks.synthetic import export
from benchmarks.synthetic.blocks import Plan

ROOT = Path(__file__).parent.parent
# The numbers of rows for figures that do not depend on the size of the store.
SAMPLE_PEOPLE, RAW_PEOPLE, LOOKUPS = 250_000, 2_000_000, 3_000
FIVE_CLASSES = """
[person]
relation = "member"
reference = "member_id"
name = "name"
email = "email"
phone = "mobile"
language = "lang"
contact_leaked = ["name", "email", "phone"]
[[leaked]]
class = "physical-addresses"
value = "{address}"
[[leaked]]
class = "entrance-codes"
value = "{code}"
"""
PEOPLE_COLUMNS = (
    "id, incident_id, relation, language, email_reach, phone_reach, email_index, phone_index, "
    "contact"
)
EXPOSURE_COLUMNS = "person_id, file_id, line, data_classes, ciphertext"
Figures = dict[str, Any]
Steps = tuple[str, ...]


def say(text: str) -> None:
    """Prints a line for the reader without buffering."""
    print(text, flush=True)


def open_in(var: Path) -> None:
    """Configures this process as the product, with an empty database under `var`."""
    for name in ("DATABASE_URL", "REDIS_URL", "MASTER_KEYSET", "MASTER_KEYSET_FILE"):
        os.environ.pop(name, None)
    shutil.rmtree(var, ignore_errors=True)
    var.mkdir(parents=True)
    os.environ.update(
        BREACHPORTAL_MODE="development",
        BREACHPORTAL_VAR=str(var.resolve()),
        DJANGO_SETTINGS_MODULE="breachportal.settings",
        LOG_LEVEL="ERROR",
    )
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def memory_of_all() -> Memory:
    """Returns a Memory of this process and its children (`ours`) and of PostgreSQL (`server`)."""
    me, servers = psutil.Process(), _server()
    return Memory(
        seconds=0.2,
        ours=lambda: map(resident, [me, *me.children(recursive=True)]),
        server=lambda: map(private, servers.children()),
    )


def _server() -> psutil.Process:
    pid_file = Path(os.environ["BREACHPORTAL_VAR"]) / "postgres" / "postmaster.pid"
    return psutil.Process(int(pid_file.read_text().split()[0]))


def new_incident(slug: str) -> Any:
    """Creates an incident to import into."""
    from incidents.models import Incident

    incident = Incident(slug=slug, aware_at=datetime(2025, 11, 18, tzinfo=UTC), is_public=True)
    incident.make_keysets()
    incident.save()
    return incident


def write_export(directory: Path, people: int, addresses: float) -> None:
    """Writes the synthetic export: members, and `addresses` rows per person if not 0."""
    files = ("members", "addresses") if addresses else ("members",)
    plan = Plan(people=people, addresses_per_person=addresses or 1)
    export.write_export(directory, plan, files=files, processes=os.cpu_count() or 1)


class Tenths:
    """The import's progress over time, to compare the first tenth of a file with the last."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._seen: list[tuple[float, float, int]] = []  # seconds, share, rows
        self.read_seconds = 0.0

    def report(self, progress: Any) -> None:
        """Records one progress report of the import."""
        if not progress.is_done and not progress.is_merging:
            self.read_seconds = time.monotonic() - self._began
            self._seen.append((self.read_seconds, progress.share_read, progress.rows_read))

    def rates(self) -> tuple[float, float]:
        """Returns rows per second in the first and in the last tenth, without the start."""
        return self._rate(0.0, 0.1), self._rate(0.9, 1.0)

    def _rate(self, begin: float, end: float) -> float:
        inside = [seen for seen in self._seen if seen[2] and begin <= seen[1] <= end]
        if len(inside) < 2 or inside[-1][0] == inside[0][0]:
            return 0.0
        return (inside[-1][2] - inside[0][2]) / (inside[-1][0] - inside[0][0])


def load(incident: Any, path: Path, mapping: str) -> tuple[Any, float, Tenths]:
    """Imports a file. Returns its row in the database, the seconds, and the progress over time."""
    from incidents.importing import loading

    tenths, began = Tenths(), time.monotonic()
    file = loading.import_file(path, incident=incident, mapping_text=mapping, report=tenths.report)
    return file, time.monotonic() - began, tenths


def mapping_of(name: str) -> str:
    """Returns the text of a column mapping of the sample."""
    return (ROOT / "incidents" / "sample" / f"{name}.toml").read_text(encoding="utf-8")


def members(incident: Any, exported: Path) -> Figures:
    """Measures the import of the members file, with one row per person."""
    with memory_of_all() as memory:
        file, seconds, tenths = load(incident, exported / "members.csv", mapping_of("members"))
    first, last = tenths.rates()
    say(
        f"members: {file.rows_read:,} rows in {seconds:.1f} s, of them {tenths.read_seconds:.1f} s "
        f"until the last was read; {first:,.0f}/s in the first tenth, {last:,.0f}/s in the last"
    )
    return {
        "rows": file.rows_read,
        "seconds": round(seconds, 1),
        "rows_per_s": round(file.rows_read / seconds),
        "peak_rss_mib": round(memory.peak("ours")),
        "peak_server_private_mib": round(memory.peak("server")),
    }


def address_book(incident: Any, exported: Path) -> Figures:
    """Measures the import of the addresses file.

    It has many rows per person, which are not grouped and also name other people.
    """
    with memory_of_all() as memory:
        file, seconds, tenths = load(incident, exported / "addresses.csv", mapping_of("addresses"))
    first, last = tenths.rates()
    say(
        f"addresses: {file.rows_read:,} rows in {seconds:.1f} s, "
        f"of them {tenths.read_seconds:.1f} s until the last was read"
    )
    return {
        "address_rows": file.rows_read,
        "address_rows_per_s": round(file.rows_read / seconds),
        "address_first_tenth_per_s": round(first),
        "address_last_tenth_per_s": round(last),
        "address_last_to_first": round(last / first, 2) if first else None,
        "address_peak_rss_mib": round(memory.peak("ours")),
        "address_peak_server_private_mib": round(memory.peak("server")),
    }


def disk(exported: Path) -> Figures:
    """Measures the bytes per person with one exposure of five classes, with indexes."""
    five = exported / "five.csv"
    people = _write_five_classes(exported / "members.csv", five)
    before = _store_bytes()
    incident = new_incident("five-classes")
    file, _, _ = load(incident, five, FIVE_CLASSES)
    taken = incident.people.count()
    found = (_store_bytes() - before) / taken
    say(f"disk: {found:.1f} bytes for each of {taken:,} people with five classes")
    five.unlink()
    _empty_store()
    return {"bytes_per_person": round(found, 1)} if people and file.rows_taken else {}


def _write_five_classes(source: Path, target: Path) -> int:
    """Copies the first rows of the members file, with an address and an entrance code each.

    Returns the number of rows.
    """
    draw = random.Random(3)  # noqa: S311
    with (
        source.open(encoding="utf-8-sig", newline="") as read,
        target.open("w", encoding="utf-8", newline="") as write,
    ):
        rows, out = csv.reader(read), csv.writer(write)
        out.writerow([*next(rows), "address", "code"])
        written = 0
        for written, row in enumerate(rows, 1):
            street = f"서울특별시 강남구 테헤란로 {draw.randrange(1, 600)}"
            flat = f"{draw.randrange(100, 130)}동 {draw.randrange(100, 2600)}호"
            out.writerow([*row, f"{street} {flat}, 06234", f"{draw.randrange(10_000):04}#"])
            if written >= SAMPLE_PEOPLE:
                break
    return written


def _store_bytes() -> int:
    return int(
        _value(
            "SELECT pg_total_relation_size('incidents_affectedperson') + sum("
            "pg_total_relation_size(relid)) FROM pg_partition_tree('incidents_exposure') "
            "WHERE isleaf"
        )
    )


def _empty_store() -> None:
    _run("TRUNCATE incidents_incident CASCADE")


def lookups(incident: Any) -> Figures:
    """Measures the SQL queries that find a person by e-mail address and the exposures."""
    from django.db import connection

    indexes = _some_addresses()
    seconds = []
    with connection.cursor() as cursor:
        for index in indexes:
            began = time.perf_counter()
            cursor.execute(
                f"SELECT {PEOPLE_COLUMNS} FROM incidents_affectedperson "  # noqa: S608
                "WHERE incident_id = %s AND email_index = %s",
                [incident.pk, index],
            )
            for row in cursor.fetchall():
                cursor.execute(
                    f"SELECT {EXPOSURE_COLUMNS} FROM incidents_exposure WHERE person_id = %s",  # noqa: S608
                    [row[0]],
                )
                cursor.fetchall()
            seconds.append(time.perf_counter() - began)
    cuts = statistics.quantiles(seconds, n=100)
    say(f"look-up: p50 {cuts[49] * 1000:.2f} ms, p99 {cuts[98] * 1000:.2f} ms of {len(seconds):,}")
    return {"lookup_p50_ms": round(cuts[49] * 1000, 2), "lookup_p99_ms": round(cuts[98] * 1000, 2)}


def _some_addresses() -> list[Any]:
    """Returns blind indexes of people in the whole store: those next to random keys."""
    found = []
    for _ in range(LOOKUPS):
        found += _column(
            "SELECT email_index FROM incidents_affectedperson "
            "WHERE id > (SELECT gen_random_uuid()) AND email_index IS NOT NULL ORDER BY id LIMIT 1"
        )
    return found


def raw_copy(var: Path) -> Figures:
    """Measures plain COPY of the same rows.

    It copies into tables with indexes and foreign keys, into tables that get them after the copy,
    and into tables without any.
    """
    people, exposures = var / "people.bin", var / "exposures.bin"
    of_people = f"SELECT {PEOPLE_COLUMNS} FROM incidents_affectedperson"  # noqa: S608
    of_exposures = f"SELECT {EXPOSURE_COLUMNS} FROM incidents_exposure"  # noqa: S608
    keys = "SELECT id FROM incidents_affectedperson ORDER BY id"
    last = [*_column(f"{keys} OFFSET {RAW_PEOPLE} LIMIT 1"), _LAST_KEY][0]
    rows = _copy_out(f"{of_people} WHERE id <= '{last}'", people)
    _copy_out(f"{of_exposures} WHERE person_id <= '{last}'", exposures)
    bare = _timed(people, exposures, before=(), after=())
    after = _timed(people, exposures, before=(), after=_INDEXES + _FOREIGN_KEYS)
    live = _timed(people, exposures, before=_INDEXES + _FOREIGN_KEYS, after=())
    people.unlink()
    exposures.unlink()
    say(
        f"raw COPY of {rows:,} people and their exposures: {live:.1f} s into identical tables, "
        f"{after:.1f} s with indexes and foreign keys made after, {bare:.1f} s without any"
    )
    return {
        "raw_copy_rows_per_s": round(rows / live),
        "raw_copy_indexed_after_rows_per_s": round(rows / after),
        "raw_copy_bare_rows_per_s": round(rows / bare),
    }


_LAST_KEY = "ffffffff-ffff-ffff-ffff-ffffffffffff"
# The indexes and foreign keys of the store's tables.
_INDEXES = (
    "ALTER TABLE raw_people ADD PRIMARY KEY (id)",
    "CREATE INDEX ON raw_people (email_index) WHERE email_index IS NOT NULL",
    "CREATE INDEX ON raw_people (phone_index) WHERE phone_index IS NOT NULL",
    "ALTER TABLE raw_exposure ADD PRIMARY KEY (person_id, file_id, line)",
)
_FOREIGN_KEYS = (
    (
        "ALTER TABLE raw_people ADD FOREIGN KEY (incident_id) REFERENCES incidents_incident "
        "DEFERRABLE INITIALLY DEFERRED"
    ),
    (
        "ALTER TABLE raw_exposure ADD FOREIGN KEY (person_id) REFERENCES raw_people "
        "DEFERRABLE INITIALLY DEFERRED"
    ),
    (
        "ALTER TABLE raw_exposure ADD FOREIGN KEY (file_id) REFERENCES incidents_exposurefile "
        "DEFERRABLE INITIALLY DEFERRED"
    ),
)


def _timed(people: Path, exposures: Path, *, before: Steps, after: Steps) -> float:
    """Returns the seconds to copy both files into new tables.

    The statements of `before` run before the measurement, those of `after` are part of it.
    """
    _run("SET maintenance_work_mem = '256MB'")
    _run("CREATE TABLE raw_people (LIKE incidents_affectedperson INCLUDING CONSTRAINTS)")
    _run("CREATE TABLE raw_exposure (LIKE incidents_exposure INCLUDING CONSTRAINTS)")
    for statement in before:
        _run(statement)
    _run("CHECKPOINT")
    began = time.monotonic()
    _copy_in(f"raw_people ({PEOPLE_COLUMNS})", people)
    _copy_in(f"raw_exposure ({EXPOSURE_COLUMNS})", exposures)
    for statement in after:
        _run(statement)
    seconds = time.monotonic() - began
    _run("DROP TABLE raw_people, raw_exposure CASCADE")
    return seconds


def _copy_out(query: str, path: Path) -> int:
    from django.db import connection

    statement = f"COPY ({query}) TO STDOUT (FORMAT BINARY)"
    with connection.cursor() as cursor, path.open("wb") as out:
        with cursor.copy(statement) as copy:
            for data in copy:
                out.write(data)
        return int(cursor.rowcount)


def _copy_in(table: str, path: Path) -> None:
    from django.db import connection

    statement = f"COPY {table} FROM STDIN (FORMAT BINARY)"
    with (
        connection.cursor() as cursor,
        path.open("rb") as rows,
        cursor.copy(statement) as copy,
    ):
        while data := rows.read(MEBIBYTE):
            copy.write(data)


def _run(statement: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)


def _column(statement: str) -> list[Any]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [row[0] for row in cursor.fetchall()]


def _value(statement: str) -> Any:
    return _column(statement)[0]


@contextmanager
def own_var() -> Iterator[Path]:
    """Context manager: yields the benchmark's directory, with an empty database.

    Deletes the export at the end unless KEEP is set.
    """
    base = Path(os.environ.get("BREACHPORTAL_VAR") or ROOT / "var")
    var = base / "bench-import"
    open_in(var)
    yield var
    if not os.environ.get("KEEP"):
        from django.db import connection

        connection.close()
        shutil.rmtree(var / "export", ignore_errors=True)


def main() -> None:
    """Measures one import of the requested size, and plain COPY of the same rows."""
    people = int((os.environ.get("PEOPLE") or "300000").replace("_", ""))
    addresses = float(os.environ.get("ADDRESSES") or 0)
    if people < 1:
        sys.exit("PEOPLE: at least 1")
    with own_var() as var:
        exported = var / "export"
        write_export(exported, people, addresses)
        figures: Figures = {"people": people, **disk(exported)}
        incident = new_incident("bench")
        figures |= members(incident, exported)
        figures |= lookups(incident)
        figures |= raw_copy(var)
        for against in ("", "indexed_after_", "bare_"):
            rate = figures["rows_per_s"] / figures[f"raw_copy_{against}rows_per_s"]
            figures[f"ratio_to_{against}".rstrip("_").removesuffix("_to")] = round(rate, 2)
        if addresses:
            figures |= address_book(incident, exported)
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    read_command_line(__doc__)
    main()
