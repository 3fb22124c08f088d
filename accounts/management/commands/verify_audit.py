"""Verifies the chain of the audit trail."""

import argparse
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError

from accounts.audit import chain
from foundations.commands import PortalCommand


class Command(PortalCommand):
    """The command; see docs/audit-trail.md."""

    help = "Computes the hashes of the audit trail again; names the first changed or missing entry."
    example = "--digest 1042:9f2b… --json"
    exit_codes = {0: "the trail is whole", 1: "an entry is changed or missing"}

    prints_json = True

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Adds the digests to compare with."""
        parser.add_argument("--digest", action="append", default=[], metavar="NUMBER:HASH")

    def handle(self, *args: Any, **options: Any) -> None:
        """Links what waits, then verifies. Prints the newest digest. Exits with 1 on a fault."""
        try:
            digests = [chain.TrailDigest.parse(text) for text in options["digest"]]
        except chain.DigestFormatError as error:
            raise CommandError(f"not a digest (NUMBER:HASH): {error}") from error
        chain.link()
        report = chain.verify(
            digests=digests, progress=lambda number: self.warn(f"{number:,} entries read")
        )
        self.result(f"{report.entries:,} entries are whole; digest {report.last}", **asdict(report))
        for fault in report.faults:
            self.warn(fault)
        if report.faults:
            raise SystemExit(1)
