"""Deletes the rows of a shredded incident."""

import argparse
from typing import Any

from django.core.management.base import CommandError

from foundations.commands import PortalCommand
from incidents import purging
from incidents.management.progress_reporter import StepProgressReporter
from incidents.models import Incident, Shredding
from incidents.scope_versions import IncidentBusyError


class Command(PortalCommand):
    """The command; see docs/running.md: ending an incident."""

    help = "Deletes the people and exposures of a shredded incident, in small steps."
    example = "hanbit-2025"
    exit_codes = {0: "all rows are deleted", 1: "refused or stopped; the same command goes on"}
    prints_json = True

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Adds the incident, which is required, and the size of a step."""
        parser.add_argument("incident", metavar="SLUG")
        parser.add_argument(
            "--rows", type=int, default=purging.STEP_ROWS, metavar="N", help="in one step"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Starts or continues the purge. A refusal is one line on stderr."""
        incident = Incident.objects.filter(slug=options["incident"]).first()
        if incident is None:
            raise CommandError(f"{options['incident']}: no such incident; check the slug")
        reporter = StepProgressReporter(self, unit="people")

        def report(record: Shredding) -> None:
            reporter.report(record.position, record.people)

        try:
            done = purging.run(incident, step_rows=options["rows"], report=report)
        except (purging.PurgeRefusedError, IncidentBusyError) as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            raise CommandError("stopped; the same command goes on from here") from None
        self.result(
            f"{incident.slug}: {done.people:,} people and {done.exposures:,} exposures are purged. "
            "Counts, files' records, notices and deliveries stay.",
            incident=incident.slug,
            people=done.people,
            exposures=done.exposures,
        )
