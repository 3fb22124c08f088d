"""Checks what the store holds of an incident."""

import argparse
import os
from typing import Any

from django.core.management.base import CommandError

from foundations.commands import PortalCommand
from incidents import store_check
from incidents.encryption import EncryptionError
from incidents.management.progress_reporter import StepProgressReporter
from incidents.models import Incident
from incidents.store_check import StoreFindings


class Command(PortalCommand):
    """The command; see docs/running.md."""

    help = (
        "Decrypts what is stored of an incident and tells where an index, a reach or a count does "
        "not fit, and where a person's values hold contacts of other people. It changes nothing."
    )
    example = "hanbit-2026 --sample 50000"
    exit_codes = {0: "no fault", 1: "a fault, or the store cannot be read"}
    prints_json = True

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Adds the incident, and how many people are checked."""
        parser.add_argument("incident", metavar="SLUG")
        how_many = parser.add_mutually_exclusive_group()
        how_many.add_argument(
            "--sample",
            type=int,
            default=store_check.SAMPLE_PEOPLE,
            metavar="N",
            help=f"check N random people; the default is {store_check.SAMPLE_PEOPLE:,}",
        )
        how_many.add_argument("--all", action="store_true", help="check everything")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints one line for each fault. Exits with 1 if there is one."""
        incident = Incident.objects.filter(slug=options["incident"]).first()
        if incident is None:
            raise CommandError(f"{options['incident']}: no such incident; check the slug")
        try:
            findings = self._check(incident, options)
        except EncryptionError as error:
            raise CommandError(str(error)) from None
        for fault in findings.faults:
            self.tell(fault)
        self.result(
            f"{incident.slug}: {findings.people:,} people checked, "
            f"{len(findings.faults):,} faults; {findings.mentions:,} texts name another person's "
            "contact, as a delivery note may.",
            incident=incident.slug,
            people=findings.people,
            faults=findings.faults,
            mentions=findings.mentions,
        )
        if findings.faults:
            raise CommandError("the store has faults; see the lines above")

    def _check(self, incident: Incident, options: dict[str, Any]) -> StoreFindings:
        if not options["all"]:
            return store_check.check_sample(incident, max(1, options["sample"]))
        reporter = StepProgressReporter(self, unit="people")
        return store_check.check_whole(
            incident, processes=os.cpu_count() or 1, report=reporter.report
        )
