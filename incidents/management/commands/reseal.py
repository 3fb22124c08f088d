"""Changes the key that seals an incident's data."""

import argparse
import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from incidents import resealing
from incidents.importing import ImportRefusedError
from incidents.models import Incident, Reseal
from incidents.sealing import SealingError

TERMINAL_SECONDS, LOG_SECONDS = 0.5, 10.0


class Command(BaseCommand):
    """See docs/running.md: an incident's data key."""

    help = "Seals an incident's data again under a new key, and removes the old one."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The incident must be given."""
        parser.add_argument("incident", metavar="SLUG")
        parser.add_argument(
            "--people", type=int, default=resealing.STEP_PEOPLE, metavar="N", help="in one step"
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
            resealing.start_again(incident)
        teller = _Teller(self)
        try:
            done = resealing.run(
                incident, step_people=options["people"], report=teller.tell, wait=teller.wait
            )
        except (resealing.ResealRefusedError, ImportRefusedError, SealingError) as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            raise CommandError("stopped; the same command goes on from here") from None
        self.stdout.write(
            f"{incident}: {done.rows:,} values sealed again, none is left under an older key; "
            f"the older keys are removed."
        )


class _Teller:
    """Tells on stderr how far it is, and how fast."""

    def __init__(self, command: BaseCommand) -> None:
        self._err, self._is_terminal = command.stderr, sys.stderr.isatty()
        self._pause = TERMINAL_SECONDS if self._is_terminal else LOG_SECONDS
        self._start = self._told_at = time.monotonic()
        self._before: int | None = None

    def wait(self, seconds: float) -> None:
        """Until every process has read the new key."""
        if seconds:
            self._err.write(f"Waiting {seconds:,.0f} s until every process knows the new key.")
        time.sleep(seconds)
        self._start = time.monotonic()

    def tell(self, reseal: Reseal) -> None:
        """Called after every step. The keys of people are spread evenly, so the last one's place
        says how far it is.
        """
        if self._before is None:
            self._before = reseal.rows
        now = time.monotonic()
        if now - self._told_at < self._pause or reseal.position is None:
            return
        self._told_at = now
        rate = (reseal.rows - self._before) / (now - self._start)
        self._err.write(
            f"{reseal.position.int / 2**128:.1%}, {reseal.rows:,} values, {rate:,.0f}/s",
            ending="\r" if self._is_terminal else "\n",
        )
