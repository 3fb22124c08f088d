"""Wraps everything that the master keyset wraps again, under its newest key."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.rewrapping import rewrap_second_factors
from incidents.encryption import EncryptionError
from incidents.rewrapping import OF_OTHER_APPS, rewrap_incidents


class Command(BaseCommand):
    """The command; see docs/running.md: the master keyset."""

    help = "Wraps incidents' keysets and second factors again, under the newest master key."

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints how many keysets were wrapped. A second run changes none if all are done."""
        started = time.monotonic()
        try:
            incidents, second_factors = rewrap_incidents(), rewrap_second_factors()
            others = [(name, *rewrap()) for name, rewrap in OF_OTHER_APPS]
        except EncryptionError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"Keysets of {incidents[0]:,} of {incidents[1]:,} incidents and "
            f"{second_factors[0]:,} of {second_factors[1]:,} second factors wrapped again, "
            f"in {time.monotonic() - started:.1f} s."
        )
        for name, changed, found in others:
            self.stdout.write(f"{changed:,} of {found:,} {name} encrypted again.")
        if not (incidents[0] or second_factors[0] or any(changed for _name, changed, _ in others)):
            self.stdout.write("All are under the newest master key: older keys can be retired.")
