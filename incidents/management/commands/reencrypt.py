"""Changes the key that seals an incident's data."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from foundations.process_pool import WorkerLostError
from incidents import reencryption
from incidents.encryption import EncryptionError
from incidents.management.progress_reporter import StepProgressReporter
from incidents.models import Incident, Reencryption
from incidents.scope_versions import IncidentBusyError


class Command(BaseCommand):
    """See docs/running.md: an incident's data key."""

    help = "Seals an incident's data again under a new key, and removes the old one."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The incident must be given."""
        parser.add_argument("incident", metavar="SLUG")
        parser.add_argument(
            "--people", type=int, default=reencryption.STEP_PEOPLE, metavar="N", help="in one step"
        )
        parser.add_argument(
            "--again", action="store_true", help="go through every row of the unfinished change"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Begins, or goes on; every refusal is one line."""
        incident = Incident.objects.filter(slug=options["incident"]).first()
        if incident is None:
            raise CommandError(f"{options['incident']}: no such incident; check the slug")
        if options["again"]:
            reencryption.start_again(incident)
        teller = StepProgressReporter(self, unit="values")

        def tell(reseal: Reencryption) -> None:
            teller.tell(reseal.position, reseal.rows)

        try:
            done = reencryption.reencrypt_incident(
                incident, step_people=options["people"], report=tell, wait=teller.wait
            )
        except WorkerLostError as error:
            raise CommandError(f"{error} The same command goes on from here") from None
        except (reencryption.ReencryptionRefusedError, IncidentBusyError, EncryptionError) as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            raise CommandError("stopped; the same command goes on from here") from None
        self.stdout.write(
            f"{incident.slug}: {done.rows:,} values sealed again, none is left under an older key; "
            f"the older keys are removed."
        )
