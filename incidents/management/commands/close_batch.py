"""Closes the open scope version of an incident."""

import argparse
from typing import Any

from django.core.management.base import CommandError

from foundations.commands import PortalCommand
from incidents import scope_versions
from incidents.models import ExposureBatch
from incidents.scope_versions import ScopeRefusedError


class Command(PortalCommand):
    """The command; see docs/import.md."""

    help = "Says that the incident's open scope version is complete."
    example = 'hanbit-2026 --note "All files of 4 March"'
    exit_codes = {0: "closed", 1: "refused, such as for rows that are not settled"}
    prints_json = True

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Adds the incident and a note."""
        parser.add_argument("incident", metavar="SLUG")
        parser.add_argument("--note", default="", help="kept with the scope version")

    def handle(self, *args: Any, **options: Any) -> None:
        """Closes the scope version. A refusal is one line on stderr."""
        batch = ExposureBatch.objects.filter(
            incident__slug=options["incident"], state=ExposureBatch.State.OPEN
        ).first()
        if batch is None:
            raise CommandError(f"{options['incident']}: no open scope version; check the slug")
        try:
            scope_versions.close(batch, note=options["note"])
        except ScopeRefusedError as error:
            raise CommandError(str(error)) from None
        slug = options["incident"]
        text = f"Closed scope version {batch.number} of {slug}."
        if unlinked := batch.incident.unlinked().entries:
            text += (
                f" {unlinked:,} entries hold no address or mobile number of their owner. So nobody "
                "reads that they are not among the leaked data."
            )
        self.result(text, incident=slug, scope_version=batch.number, without_contact=unlinked)
