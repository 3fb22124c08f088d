"""Deletes the rows of an incident whose data is shredded."""

import argparse
import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from incidents import purging
from incidents.importing import ImportRefusedError
from incidents.models import Incident, Shredding

TERMINAL_SECONDS, LOG_SECONDS = 0.5, 10.0


class Command(BaseCommand):
    """See docs/running.md: ending an incident."""

    help = "Deletes the people and exposures of a shredded incident, in small steps."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The incident must be given."""
        parser.add_argument("incident", metavar="SLUG")
        parser.add_argument(
            "--rows", type=int, default=purging.STEP_ROWS, metavar="N", help="in one step"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Begins, or goes on; every refusal is one line."""
        incident = Incident.objects.filter(slug=options["incident"]).first()
        if incident is None:
            raise CommandError(f"{options['incident']}: no such incident; check the slug")
        try:
            done = purging.run(incident, step_rows=options["rows"], report=_Teller(self).tell)
        except (purging.PurgeRefusedError, ImportRefusedError) as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            raise CommandError("stopped; the same command goes on from here") from None
        self.stdout.write(
            f"{incident}: {done.people:,} people and {done.exposures:,} exposures are purged. "
            "Counts, files' records, notices and deliveries stay."
        )


class _Teller:
    """Tells on stderr how far it is, and how fast."""

    def __init__(self, command: BaseCommand) -> None:
        self._err, self._is_terminal = command.stderr, sys.stderr.isatty()
        self._pause = TERMINAL_SECONDS if self._is_terminal else LOG_SECONDS
        self._start = self._told_at = time.monotonic()
        self._before: int | None = None

    def tell(self, record: Shredding) -> None:
        """Called after every step; people's keys are spread evenly over all there can be."""
        if self._before is None:
            self._before = record.people
        now = time.monotonic()
        if now - self._told_at < self._pause or record.position is None:
            return
        self._told_at = now
        rate = (record.people - self._before) / (now - self._start)
        self._err.write(
            f"{record.position.int / 2**128:.1%}, {record.people:,} people, {rate:,.0f}/s",
            ending="\r" if self._is_terminal else "\n",
        )
