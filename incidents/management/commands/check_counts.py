"""Compares the stored counts of people with the rows."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from incidents import scope_counts
from incidents.models import Incident


class Command(BaseCommand):
    """The command; reads every exposure: seconds for a million people. See docs/running.md."""

    help = "Recounts the people of every incident, or of one, and tells where a kept count differs."

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
        differing = [incident for incident in incidents if self._differs(incident)]
        if not differing:
            return
        if not options["mend"]:
            raise CommandError("kept counts differ; --mend keeps what was counted")
        for incident in differing:
            scope_counts.recount(incident)
            self.stdout.write(f"{incident.slug}: mended.")

    def _differs(self, incident: Incident) -> bool:
        lines = scope_counts.differences(incident)
        self.stdout.write("\n".join(lines) if lines else f"{incident.slug}: every count is right.")
        return bool(lines)
