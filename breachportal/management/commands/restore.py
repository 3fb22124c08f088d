"""The command that restores a backup."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError

from breachportal import backups, database_checks
from breachportal.doctor import typed
from foundations.commands import PortalCommand
from incidents.keyset_check import incidents_that_do_not_open
from incidents.models import Incident
from notices import decisions, weekly_mails
from notices.models import Notice


class Command(PortalCommand):
    """Reads a backup into an empty database, pauses every notice, and checks what was restored."""

    help = (
        "Reads a backup into the empty database of DATABASE_URL, whose account must own it. Then "
        "it pauses every notice that was being sent, and runs the checks of what is stored. Exits "
        "with 1 if a check finds a fault."
    )
    example = "/var/backups/breachportal/2026-03-04.dump --jobs 4"
    exit_codes = {0: "restored, and each check passes", 1: "not restored, or a check finds a fault"}
    requires_system_checks: list[str] = []  # the database is empty

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds the file and the number of connections."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="connections")

    def handle(self, *, file: Path, jobs: int, **_options: Any) -> None:
        """Restores and checks. Raises CommandError."""
        if faults := database_checks.faults_of_settings():
            raise CommandError("\n".join(f"{fault.msg} {fault.hint}" for fault in faults))
        try:
            backups.restore(file, jobs)
        except backups.BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{file.name} is restored.")
        self._migrate()
        self._pause_notices()
        if closed := incidents_that_do_not_open():
            raise CommandError(
                f"MASTER_KEYSET does not open the data of: {', '.join(closed)}. Give the portal "
                "the keyset of the time of the backup."
            )
        failed = [name for name, words in self._checks() if not self._passes(name, words)]
        if failed:
            raise CommandError(f"{', '.join(failed)} found a fault: see above")
        grant = typed.command("grant_portal_role")
        self.stdout.write(f"Next, once DATABASE_URL leads there: `{grant}` for each account.")

    def _migrate(self) -> None:
        """Brings the tables of an earlier version to this one; names what a later version added."""
        if later := database_checks.migrations_of_later_versions():
            self.stdout.write(
                f"The backup is of a later version of the portal ({', '.join(later)}). That is as "
                "it should be after `deploy/upgrade --back`; else restore it with that version."
            )
        call_command("migrate", verbosity=0, skip_checks=True, stdout=self.stdout)

    def _pause_notices(self) -> None:
        """Pauses what was being sent: who got the notice after the backup counts as waiting.

        A weekly mail that was due after the backup is started first, so that `beat` starts none.
        """
        weekly_mails.start_due(latest=weekly_mails.OLDEST)
        for notice in Notice.objects.filter(
            state__in=[Notice.State.PLANNING, Notice.State.SENDING, Notice.State.PAUSED]
        ):
            decisions.pause(notice)
            self.stdout.write(
                f"Notice {notice.pk} is paused. The backup does not know who received it later; "
                "they get it again when it is resumed."
            )

    def _checks(self) -> list[tuple[str, list[str]]]:
        open_ones = Incident.objects.filter(shredded_at=None).order_by("slug")
        stores = [("check_store", [incident.slug]) for incident in open_ones]
        named = ("verify_statements", "verify_ledger", "verify_audit", "check_counts")
        return [*((name, []) for name in named), *stores]

    def _passes(self, name: str, words: list[str]) -> bool:
        self.stdout.write(f"== {name} {' '.join(words)}")
        try:
            call_command(name, *words, stdout=self.stdout, stderr=self.stderr)
        except (CommandError, SystemExit) as error:
            self.stderr.write(str(error))
            return False
        return True
