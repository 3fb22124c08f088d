"""Imports one file of a company's export."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from incidents import importing
from incidents.importing import ImportRefusedError, Progress
from incidents.models import Incident
from incidents.sealing import SealingError

TERMINAL_SECONDS, LOG_SECONDS = 0.5, 10.0


class Command(BaseCommand):
    """See docs/import.md."""

    help = "Imports one file of an export into an incident's open scope version."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """File, incident and mapping must be given."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--incident", required=True, metavar="SLUG")
        parser.add_argument("--mapping", required=True, type=Path, metavar="MAP.toml")
        parser.add_argument("--encoding", default="", help="utf-8 or cp949; else it is detected")
        parser.add_argument("--batch", type=int, metavar="N", help="the scope version it must be")
        parser.add_argument(
            "--rejects", type=Path, metavar="PATH", help="the reject file, or a directory for it"
        )
        parser.add_argument(
            "--check", action="store_true", help="read everything, load nothing, say what would be"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Imports or checks; every refusal is one line."""
        run = self._check if options["check"] else self._import
        try:
            run(options)
        except (ImportRefusedError, SealingError) as error:
            raise CommandError(str(error)) from None

    def _import(self, options: dict[str, Any]) -> None:
        teller = _Teller(self)
        importing.import_file(
            options["file"],
            batch_number=options["batch"],
            rejects_path=options["rejects"],
            report=teller.tell,
            **_common(options),
        )
        teller.sum_up("taken")

    def _check(self, options: dict[str, Any]) -> None:
        teller = _Teller(self)
        teller.last = importing.check_file(options["file"], report=teller.tell, **_common(options))
        teller.sum_up("can be taken")
        for line, reason in teller.last.first_rejects:
            self.stdout.write(f"  line {line}: {reason}")
        self.stdout.write("Checked only: nothing was loaded.")


def _common(options: dict[str, Any]) -> dict[str, Any]:
    incident = Incident.objects.filter(slug=options["incident"]).first()
    if incident is None:
        raise ImportRefusedError(f"{options['incident']}: no such incident; check --incident")
    return {
        "incident": incident,
        "mapping_text": _read_mapping(options["mapping"]),
        "mapping_name": options["mapping"].name,
        "encoding": options["encoding"],
    }


def _read_mapping(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ImportRefusedError(f"{path.name}: not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise ImportRefusedError(f"{path}: {error.strerror}; check --mapping") from None


class _Teller:
    """Tells on stderr how far it is, and on stdout what came of it."""

    def __init__(self, command: BaseCommand) -> None:
        self._out, self._err = command.stdout, command.stderr
        self._is_terminal = sys.stderr.isatty()
        self._pause = TERMINAL_SECONDS if self._is_terminal else LOG_SECONDS
        self._start = self._told_at = time.monotonic()
        self.last: Progress | None = None

    def tell(self, progress: Progress) -> None:
        """Called after every chunk of rows."""
        if self.last is None:
            self._begin(progress)
        self.last = progress
        now = time.monotonic()
        if now - self._told_at >= self._pause and not progress.is_done:
            self._told_at = now
            rate = progress.rows_read / (now - self._start)
            self._err.write(
                f"{progress.rows_read:,} rows, {progress.rows_rejected:,} rejected, {rate:,.0f}/s",
                ending="\r" if self._is_terminal else "\n",
            )

    def _begin(self, progress: Progress) -> None:
        if progress.batch:
            what = "Opened" if progress.is_new_batch else "Loading into"
            self._out.write(f"{what} scope version {progress.batch}.")
        self._out.write(f"Encoding: {progress.encoding}.")

    def sum_up(self, taken: str) -> None:
        """The counts of the last report."""
        done = self.last
        if done is None:
            return
        self._out.write(
            f"Rows read {done.rows_read:,}, "
            f"{taken} {done.rows_taken:,}, rejected {done.rows_rejected:,}. "
            f"New people {done.people_new:,}, exposures {done.exposures:,}."
        )
        if done.second_people_without_phone:
            self._out.write(
                f"{done.second_people_without_phone:,} rows name a second person "
                "with what is no phone number: the row was taken without that person."
            )
        if done.reject_file:
            self._out.write(f"Rejected rows: {done.reject_file}")
