"""Writes a synthetic export: the files, and what an import of them must find.

Worker processes make the blocks, this one puts them into the files in order. No more blocks exist
at a time than the workers need, so memory stays flat whatever the size.
"""

import gzip
import json
import os
import shutil
import signal
import time
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from incidents.synthetic import words
from incidents.synthetic.blocks import FILES, FORMATS, Plan, SyntheticBlock, form_of
from incidents.synthetic.entries import make_addresses, make_orders
from incidents.synthetic.members import make_members

EXPECTED = "expected.json"
# Past so many, rejected rows are counted by reason only.
LISTED_REJECTS = 10_000
_BEGUN = ".part"
_SECTIONS = {"members": "members", "addresses": "address_book", "orders": "orders"}
_MAKERS = {"members": make_members, "addresses": make_addresses, "orders": make_orders}
# The fastest level: an export is read once or twice.
_GZIP_LEVEL = 1


class ExportRefusedError(Exception):
    """The export cannot be written; the message is one line for whoever asked for it."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be written where."""

    directory: Path
    plan: Plan
    files: tuple[str, ...] = FILES
    gzipped: frozenset[str] = frozenset({"orders"})
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)

    def path(self, file: str) -> Path:
        """Where one of the files goes."""
        suffix = ".gz" if file in self.gzipped else ""
        return self.directory / f"{file}.{self.plan.format}{suffix}"


@dataclass(kw_only=True)
class ExportProgress:
    """How far one file is."""

    file: str
    blocks: int
    total_blocks: int
    rows: int
    written: int  # bytes, as they lie on the disk
    seconds: float
    seconds_left: float  # of this file


@dataclass
class _Tally:
    """What stands in one file, so far."""

    rows: int = 0
    lines: int = 0  # physical
    rejected: list[tuple[int, str]] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)
    # One bit for each telephone number there is: flat, and quicker than a set.
    recipients: bytearray = field(default_factory=bytearray)

    def add(self, block: SyntheticBlock) -> None:
        self.reasons.update(reason for _, reason in block.rejected)
        if self.reasons.total() <= LISTED_REJECTS:
            self.rejected += [(self.lines + line + 1, reason) for line, reason in block.rejected]
        else:
            self.rejected.clear()
        self.rows += block.rows
        self.lines += block.lines
        self.people += block.people
        self._mark(block.recipients)

    def _mark(self, recipients: "array[int]") -> None:
        if recipients and not self.recipients:
            self.recipients = bytearray(words.PHONE_NUMBERS // 8)
        for number in recipients:
            self.recipients[number >> 3] |= 1 << (number & 7)

    def distinct_recipients(self) -> int:
        return int.from_bytes(self.recipients).bit_count()

    def section(self) -> dict[str, Any]:
        """As it stands in expected.json."""
        counts = {"rows": self.rows, "rejected_by_reason": dict(sorted(self.reasons.items()))}
        if self.reasons.total() > LISTED_REJECTS:
            return counts
        return counts | {"rejected": self.rejected}


def check_disk(order: Order) -> int:
    """The bytes it will take; makes the directory. Raises ExportRefusedError if they do not fit.

    An export that stands there counts as free: it is replaced.
    """
    with _refusing_failures(order.directory):
        order.directory.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(order.directory).free
        free += sum(path.stat().st_size for path in _earlier(order.directory))
    # A share for the file system's own books, and for the estimate.
    needed = estimated_bytes(order) * 104 // 100
    if needed > free:
        raise ExportRefusedError(
            f"{order.directory}: about {needed / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are "
            "free; ask for fewer people or files, for --compress gzip, or name another disk"
        )
    return needed


def write_export(order: Order, report: Callable[[ExportProgress], None] = lambda _: None) -> None:
    """Writes the files and `expected.json`; a file appears under its name when it is whole.

    Replaces an export that stands there. Raises ExportRefusedError.
    """
    with _refusing_failures(order.directory):
        order.directory.mkdir(parents=True, exist_ok=True)
        for path in _earlier(order.directory):
            path.unlink()
        with _pool(order.workers) as pool:
            tallies = {file: _write_file(order, file, pool, report) for file in order.files}
        expected = json.dumps(_expected(order, tallies), ensure_ascii=False, indent=1)
        (order.directory / EXPECTED).write_text(expected + "\n", encoding="utf-8")


def estimated_bytes(order: Order) -> int:
    """What the files will take on the disk, judged by the first block of each."""
    plan, total = order.plan, 0.0
    rows_per_person = {
        "members": 1.04,
        "addresses": plan.addresses_per_person * 1.005,
        "orders": plan.orders_per_person * 1.002,
    }
    for file in order.files:
        block, data = _made(order, file, 0)
        total += len(data) / max(block.rows, 1) * plan.people * rows_per_person[file]
    return int(total)


def _earlier(directory: Path) -> list[Path]:
    """The files of an export that may stand there, whole or begun."""
    wholes = [f"{file}.{kind}{end}" for file in FILES for kind in FORMATS for end in ("", ".gz")]
    begun = [f"{whole}{_BEGUN}" for whole in wholes]
    return [path for name in [EXPECTED, *wholes, *begun] if (path := directory / name).exists()]


@contextmanager
def _refusing_failures(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ExportRefusedError(f"{error.filename or directory}: {error.strerror}") from None
    except BrokenProcessPool:
        raise ExportRefusedError(
            "a worker process was ended from outside; is there enough memory?"
        ) from None


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    # Started afresh, not forked: a fork would carry the database's connections along.
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_leave_ctrl_c)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_ctrl_c() -> None:
    """To the process that waits for us: it ends us."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _made(order: Order, file: str, number: int) -> tuple[SyntheticBlock, bytes]:
    """(block without its data, the data as it goes to the disk)."""
    block = _MAKERS[file](order.plan, number)
    data, block.data = block.data, b""
    return block, _packed(order, file, data)


def _packed(order: Order, file: str, data: bytes) -> bytes:
    """Several gzip members one after the other are one gzip file."""
    return gzip.compress(data, _GZIP_LEVEL, mtime=0) if file in order.gzipped else data


def _write_file(
    order: Order, file: str, pool: ProcessPoolExecutor, report: Callable[[ExportProgress], None]
) -> _Tally:
    path, start, tally = order.path(file), time.monotonic(), _Tally()
    part = path.with_name(path.name + _BEGUN)
    try:
        with part.open("wb") as out:
            header = form_of(file, order.plan.format).header
            tally.lines = header.count(b"\n")
            out.write(_packed(order, file, header) if header else b"")
            for number, (block, data) in enumerate(_in_order(order, file, pool), 1):
                out.write(data)
                tally.add(block)
                report(_progress(order, file, number, tally, out.tell(), start))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return tally


def _in_order(
    order: Order, file: str, pool: ProcessPoolExecutor
) -> Iterator[tuple[SyntheticBlock, bytes]]:
    """The blocks one by one, the next few in the making; a slow disk slows the workers down."""
    waiting = deque[Future[tuple[SyntheticBlock, bytes]]]()
    for number in range(order.plan.blocks):
        waiting.append(pool.submit(_made, order, file, number))
        if len(waiting) > 2 * order.workers:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _progress(
    order: Order, file: str, number: int, tally: _Tally, written: int, start: float
) -> ExportProgress:
    seconds, total = time.monotonic() - start, order.plan.blocks
    return ExportProgress(
        file=order.path(file).name,
        blocks=number,
        total_blocks=total,
        rows=tally.rows,
        written=written,
        seconds=seconds,
        seconds_left=seconds / number * (total - number),
    )


def _expected(order: Order, tallies: dict[str, _Tally]) -> dict[str, Any]:
    """In the sample's shape; what the files written do not tell is left out."""
    sections = {_SECTIONS[file]: tally.section() for file, tally in tallies.items()}
    people: dict[str, int] = {}
    if "members" in tallies:
        people |= _expected_members(tallies["members"].people)
    if "addresses" in tallies:
        people["recipients_by_distinct_phone"] = tallies["addresses"].distinct_recipients()
        people["entrance_codes"] = tallies["addresses"].people["entrance_codes"]
    made_with = {"people": order.plan.people, "seed": order.plan.seed}
    return {**sections, "people": people, "made_with": made_with}


def _expected_members(counted: Counter[str]) -> dict[str, int]:
    keys = (
        "members_without_email",
        "members_with_unusable_email",
        "members_without_phone",
        "members_with_unusable_phone",
    )
    reachable = counted["members"] - counted[keys[0]] - counted[keys[1]]
    return {
        "members": counted["members"],
        "members_mailable": reachable,
        **{key: counted[key] for key in keys},
    }
