"""Prints the store digest of an incident: one number for everything imported into it."""

import argparse
import os
from typing import Any

from django.core.management.base import CommandError

from foundations.commands import PortalCommand
from incidents.encryption import EncryptionError
from incidents.models import Incident
from incidents.store_digest import compute_store_digest


class Command(PortalCommand):
    """The command; see docs/import.md."""

    help = (
        "Opens everything imported into an incident and prints one digest of it: the same for two "
        "stores that say the same, whatever happened on the way."
    )
    example = "hanbit-2026"
    exit_codes = {0: "the digest is printed", 1: "the store cannot be read"}
    prints_json = True

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Adds the incident, which is required."""
        parser.add_argument("incident", metavar="SLUG")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints the digest and the numbers of people and exposures."""
        incident = Incident.objects.filter(slug=options["incident"]).first()
        if incident is None:
            raise CommandError(f"{options['incident']}: no such incident")
        try:
            found = compute_store_digest(incident, processes=os.cpu_count() or 1)
        except EncryptionError as error:
            raise CommandError(str(error)) from None
        self.result(
            f"{found.hexadecimal}  people {found.people:,}, exposures {found.exposures:,}",
            incident=incident.slug,
            digest=found.hexadecimal,
            people=found.people,
            exposures=found.exposures,
        )
