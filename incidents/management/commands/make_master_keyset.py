"""Makes the key that wraps every other key."""

from typing import Any

from django.core.management.base import BaseCommand

from incidents import sealing


class Command(BaseCommand):
    """For `MASTER_KEYSET` or the file that `MASTER_KEYSET_FILE` names."""

    help = (
        "Prints a new master keyset. Without it nothing can be opened: keep it safe, keep a copy."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints one line of JSON."""
        self.stdout.write(sealing.new_master_keyset())
