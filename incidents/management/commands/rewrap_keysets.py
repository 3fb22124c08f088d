"""Wraps everything that the master keyset wraps again, under its newest key."""

import time
from typing import Any

from django.core.management.base import CommandError

from accounts.rewrapping import rewrap_second_factors
from foundations.commands import PortalCommand
from incidents.encryption import EncryptionError
from incidents.rewrapping import OF_OTHER_APPS, rewrap_incidents


class Command(PortalCommand):
    """The command; see docs/running.md: the master keyset."""

    help = "Wraps incidents' keysets and second factors again, under the newest master key."
    exit_codes = {0: "all is under the newest master key", 1: "a keyset cannot be opened"}
    prints_json = True

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints how many keysets were wrapped. A second run changes none if all are done."""
        started = time.monotonic()
        try:
            incidents, second_factors = rewrap_incidents(), rewrap_second_factors()
            others = [(name, *rewrap()) for name, rewrap in OF_OTHER_APPS]
        except EncryptionError as error:
            raise CommandError(str(error)) from None
        self.tell(
            f"Keysets of {incidents[0]:,} of {incidents[1]:,} incidents and "
            f"{second_factors[0]:,} of {second_factors[1]:,} second factors wrapped again, "
            f"in {time.monotonic() - started:.1f} s."
        )
        for name, changed, found in others:
            self.tell(f"{changed:,} of {found:,} {name} encrypted again.")
        counts = {"incidents": incidents[0], "second factors": second_factors[0]}
        counts |= {name: changed for name, changed, _found in others}
        is_done = not any(counts.values())
        done = "All are under the newest master key: older keys can be retired." if is_done else ""
        self.result(done, changed=counts, older_keys_can_be_retired=is_done)
