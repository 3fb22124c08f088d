"""Withdraws a scope version of an incident, once two people have decided it on the desk."""

import argparse
from typing import Any

from django.core.management.base import CommandError

from foundations.commands import PortalCommand
from incidents import scope_versions
from incidents.models import ExposureBatch
from incidents.scope_versions import ScopeRefusedError


class Command(PortalCommand):
    """The command; see docs/import.md."""

    help = "Withdraws a scope version that two people decided to withdraw, without a worker."
    example = "hanbit-2026 2"
    exit_codes = {0: "withdrawn", 1: "refused, such as before two people have decided it"}
    prints_json = True

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Adds the incident and the scope version, which are required."""
        parser.add_argument("incident", metavar="SLUG")
        parser.add_argument("number", type=int, metavar="N", help="the scope version")

    def handle(self, *args: Any, **options: Any) -> None:
        """Withdraws the version. A refusal is one line on stderr."""
        slug, number = options["incident"], options["number"]
        batch = ExposureBatch.objects.filter(incident__slug=slug, number=number).first()
        if batch is None:
            raise CommandError(f"{slug}: no scope version {number}; check slug and number")
        try:
            scope_versions.withdraw(batch)
        except ScopeRefusedError as error:
            raise CommandError(str(error)) from None
        text = f"Withdrew scope version {number} of {slug}."
        self.result(text, incident=slug, scope_version=number)
