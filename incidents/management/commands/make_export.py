"""Makes a synthetic export of any size."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from incidents.synthetic.blocks import FILES, FORMATS, Plan
from incidents.synthetic.export import (
    ExportProgress,
    ExportRefusedError,
    Order,
    check_disk,
    write_export,
)
from incidents.synthetic.words import PHONE_NUMBERS

TERMINAL_SECONDS, LOG_SECONDS = 0.5, 10.0
MOST_ROWS_PER_PERSON = 20
GZIPPED = {"none": frozenset[str](), "gzip": frozenset(FILES), "orders": frozenset({"orders"})}


class Command(BaseCommand):
    """See docs/synthetic-exports.md."""

    help = (
        "Writes a synthetic export with the defects real ones have, for trials and measurements, "
        "and expected.json, which says what an import of it must find."
    )
    # It neither reads nor writes the database.
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Directory and people must be given."""
        parser.add_argument("directory", type=Path)
        parser.add_argument(
            "--people", type=_people, required=True, metavar="N", help="such as 1000000"
        )
        parser.add_argument("--addresses-per-person", type=_mean, default=4.4, metavar="MEAN")
        parser.add_argument("--orders-per-person", type=_mean, default=2.5, metavar="MEAN")
        parser.add_argument("--seed", type=int, default=1, help="another seed, other people")
        parser.add_argument(
            "--files", type=_files, default=FILES, metavar="A,B", help=f"of {','.join(FILES)}"
        )
        parser.add_argument("--format", choices=FORMATS, default="csv")
        parser.add_argument(
            "--compress",
            choices=list(GZIPPED),
            default="orders",
            help="which files with gzip: none, all, or orders only as in the sample (default)",
        )
        parser.add_argument(
            "--force", action="store_true", help="replace an export that stands there"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Writes the export; every refusal is one line."""
        order = _order(options)
        if not options["force"]:
            _refuse_full(order.directory)
        teller = _ExportReporter(self)
        try:
            self.stdout.write(f"About {check_disk(order) / 1e6:,.0f} MB will be written.")
            write_export(order, teller.tell)
        except ExportRefusedError as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            raise CommandError(
                "stopped; the files that were whole are kept, expected.json is not written"
            ) from None


def _order(options: dict[str, Any]) -> Order:
    plan = Plan(
        people=options["people"],
        addresses_per_person=options["addresses_per_person"],
        orders_per_person=options["orders_per_person"],
        seed=options["seed"],
        format=options["format"],
    )
    return Order(
        directory=options["directory"],
        plan=plan,
        files=options["files"],
        gzipped=GZIPPED[options["compress"]],
    )


def _refuse_full(directory: Path) -> None:
    if directory.exists() and not directory.is_dir():
        raise CommandError(f"{directory}: is a file; name a directory")
    if directory.is_dir() and any(directory.iterdir()):
        raise CommandError(
            f"{directory}: is not empty; name another directory, or give --force to replace an "
            "export that stands there"
        )


def _people(text: str) -> int:
    people = int(text.replace("_", "").replace(",", ""))
    if not 1 <= people <= PHONE_NUMBERS:
        raise argparse.ArgumentTypeError(
            f"1 to {PHONE_NUMBERS:,}, as there are no more mobile numbers"
        )
    return people


def _mean(text: str) -> float:
    mean = float(text)
    if not 0 < mean <= MOST_ROWS_PER_PERSON:
        raise argparse.ArgumentTypeError(
            f"more than 0 and at most {MOST_ROWS_PER_PERSON}; to have none, leave the file out"
        )
    return mean


def _files(text: str) -> tuple[str, ...]:
    asked = {name.strip() for name in text.split(",")}
    if unknown := asked - set(FILES):
        raise argparse.ArgumentTypeError(
            f"no such file: {', '.join(sorted(unknown))}; there are {', '.join(FILES)}"
        )
    return tuple(name for name in FILES if name in asked)


class _ExportReporter:
    """Tells on stderr how far it is, and on stdout what was written."""

    def __init__(self, command: BaseCommand) -> None:
        self._out, self._err = command.stdout, command.stderr
        self._is_terminal = sys.stderr.isatty()
        self._pause = TERMINAL_SECONDS if self._is_terminal else LOG_SECONDS
        self._told_at = time.monotonic()

    def tell(self, progress: ExportProgress) -> None:
        """Called after every block."""
        rate = f"{progress.rows / progress.seconds:,.0f} rows/s"
        if progress.blocks == progress.total_blocks:
            self._out.write(
                f"{progress.file}: {progress.rows:,} rows, {progress.written / 1e6:,.1f} MB, "
                f"{progress.seconds:,.1f} s, {rate}."
            )
        elif time.monotonic() - self._told_at >= self._pause:
            self._told_at = time.monotonic()
            share = progress.blocks / progress.total_blocks
            self._err.write(
                f"{progress.file}: {share:.0%}, {progress.rows:,} rows, {rate}, "
                f"{progress.written / 1e6:,.0f} MB, {progress.seconds_left:,.0f} s left",
                ending="\r" if self._is_terminal else "\n",
            )
