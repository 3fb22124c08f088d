"""The command that examines an installed portal."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from breachportal.doctor import CHECKS, diagnose
from breachportal.doctor.diagnosis import Diagnosis, Level
from foundations.commands import PortalCommand


class Command(PortalCommand):
    """Prints one line for each finding, and what to do; exits with 1 if one is a fault."""

    help = (
        "Examines the portal: settings, secrets, database, Redis, workers, mail, certificate and "
        "proxies. Run it as the account of the portal, with its settings. It changes nothing and "
        "prints no secret. Exits with 1 if it finds a fault."
    )
    example = "database mail --json"
    exit_codes = {0: "no fault", 1: "a fault, or an unknown check"}
    prints_json = True
    json_help = "print the findings as one JSON array, for a monitor, and an error as an object"
    requires_system_checks: list[str] = []  # they are findings

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds the checks to run."""
        parser.add_argument("checks", nargs="*", metavar="CHECK", help=", ".join(CHECKS))

    def handle(self, *, checks: list[str], **_options: Any) -> None:
        """Runs the checks. Raises CommandError for a fault, and for an unknown check."""
        if unknown := [name for name in checks if name not in CHECKS]:
            raise CommandError(f"no such check: {', '.join(unknown)}; see --help")
        found = []
        for check, finding in diagnose(tuple(checks)):
            found.append((check, finding))
            self._print(check, finding)
        if self.as_json:
            self._print_json(found)
        if faults := sum(finding.level is Level.FAULT for _check, finding in found):
            raise CommandError(f"{faults} of {len(found)} findings are faults.")

    def _print(self, check: str, finding: Diagnosis) -> None:
        style = {Level.FAULT: self.style.ERROR, Level.WARNING: self.style.WARNING}
        level = style.get(finding.level, str)(f"{finding.level:8}")
        self.tell(f"{level}{check}: {finding.text}")
        if finding.remedy:
            self.tell(f"{'':8}{finding.remedy}")

    def _print_json(self, found: list[tuple[str, Diagnosis]]) -> None:
        rows = [
            {"check": check, "level": one.level, "text": one.text, "remedy": one.remedy}
            for check, one in found
        ]
        self.stdout.write(json.dumps(rows, ensure_ascii=False, indent=1))
