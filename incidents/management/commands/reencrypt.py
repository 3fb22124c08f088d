"""Re-encrypts the data of an incident under a new data key."""

import argparse
from typing import Any

from django.core.management.base import CommandError

from foundations.commands import PortalCommand
from foundations.process_pool import WorkerLostError
from incidents import reencryption
from incidents.encryption import EncryptionError
from incidents.management.progress_reporter import StepProgressReporter
from incidents.models import Incident, Reencryption
from incidents.scope_versions import IncidentBusyError


class Command(PortalCommand):
    """The command; see docs/running.md: an incident's data key."""

    help = "Encrypts an incident's data again under a new key, and removes the old one."
    example = "hanbit-2026"
    exit_codes = {
        0: "no value is left under an older key",
        1: "refused or stopped; the same command goes on",
    }
    prints_json = True

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Adds the incident, which is required, and options of the run."""
        parser.add_argument("incident", metavar="SLUG")
        parser.add_argument(
            "--people", type=int, default=reencryption.STEP_PEOPLE, metavar="N", help="in one step"
        )
        parser.add_argument(
            "--again", action="store_true", help="go through every row of the unfinished change"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Starts or continues the re-encryption. A refusal is one line on stderr."""
        incident = Incident.objects.filter(slug=options["incident"]).first()
        if incident is None:
            raise CommandError(f"{options['incident']}: no such incident; check the slug")
        if options["again"]:
            reencryption.start_again(incident)
        reporter = StepProgressReporter(self, unit="values")

        def report(record: Reencryption) -> None:
            reporter.report(record.position, record.rows)

        try:
            done = reencryption.reencrypt_incident(
                incident, step_people=options["people"], report=report, wait=reporter.wait
            )
        except WorkerLostError as error:
            raise CommandError(f"{error} The same command goes on from here") from None
        except (reencryption.ReencryptionRefusedError, IncidentBusyError, EncryptionError) as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            raise CommandError("stopped; the same command goes on from here") from None
        self.result(
            f"{incident.slug}: {done.rows:,} values sealed again, none is left under an older key; "
            f"the older keys are removed.",
            incident=incident.slug,
            values=done.rows,
        )
