"""Compares the stored counts of people with the rows."""

import argparse
from typing import Any

from django.core.management.base import CommandError

from foundations.commands import PortalCommand
from incidents import scope_counts
from incidents.models import Incident


class Command(PortalCommand):
    """The command; reads every exposure: seconds for a million people. See docs/running.md."""

    help = "Recounts the people of every incident, or of one, and tells where a kept count differs."
    example = "hanbit-2026 --mend"
    exit_codes = {0: "each count is right, or is corrected", 1: "a count differs"}
    prints_json = True

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Adds the incident, and the option to store the counts again."""
        parser.add_argument("incident", nargs="?", metavar="SLUG")
        parser.add_argument("--mend", action="store_true", help="keep what was counted")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints the differences. Exits with 1 if a count differs and is not corrected."""
        incidents = Incident.objects.order_by("slug")
        if options["incident"]:
            incidents = incidents.filter(slug=options["incident"])
            if not incidents:
                raise CommandError(f"{options['incident']}: no such incident; check the slug")
        found = {incident: scope_counts.differences(incident) for incident in incidents}
        for incident, lines in found.items():
            self.tell("\n".join(lines) if lines else f"{incident.slug}: every count is right.")
        differing = [incident for incident, lines in found.items() if lines]
        if options["mend"]:
            self._correct(differing)
        self.result(
            checked=[incident.slug for incident in found],
            differences={incident.slug: found[incident] for incident in differing},
            corrected=options["mend"],
        )
        if differing and not options["mend"]:
            raise CommandError("kept counts differ; --mend keeps what was counted")

    def _correct(self, differing: list[Incident]) -> None:
        for incident in differing:
            scope_counts.recount(incident)
            self.tell(f"{incident.slug}: mended.")
