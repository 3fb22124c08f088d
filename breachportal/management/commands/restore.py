"""The command that restores a backup."""

import json
import os
from argparse import ArgumentParser
from io import StringIO
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
    prints_json = True
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
        self.tell(f"{file.name} is restored.")
        later, paused = self._migrate(), self._pause_notices()
        if closed := incidents_that_do_not_open():
            raise CommandError(
                f"MASTER_KEYSET does not open the data of: {', '.join(closed)}. Give the portal "
                "the keyset of the time of the backup."
            )
        checks = [self._check(name, words) for name, words in self._checks()]
        self.result(file=file, later_migrations=later, paused_notices=paused, checks=checks)
        if failed := [check["check"] for check in checks if check["error"]]:
            raise CommandError(f"{', '.join(failed)} found a fault: see above")
        grant = typed.command("grant_portal_role")
        self.tell(f"Next, once DATABASE_URL leads there: `{grant}` for each account.")

    def _migrate(self) -> list[str]:
        """Brings the tables of an earlier version to this one; names what a later version added."""
        if later := database_checks.migrations_of_later_versions():
            self.tell(
                f"The backup is of a later version of the portal ({', '.join(later)}). That is as "
                "it should be after `deploy/upgrade --back`; else restore it with that version."
            )
        out = StringIO() if self.as_json else self.stdout
        call_command("migrate", verbosity=0, skip_checks=True, stdout=out)
        return later

    def _pause_notices(self) -> list[int]:
        """Pauses what was being sent: who got the notice after the backup counts as waiting.

        A weekly mail that was due after the backup is started first, so that `beat` starts none.
        """
        weekly_mails.start_due(latest=weekly_mails.OLDEST)
        states = [Notice.State.PLANNING, Notice.State.SENDING, Notice.State.PAUSED]
        notices = list(Notice.objects.filter(state__in=states))
        for notice in notices:
            decisions.pause(notice)
            self.tell(
                f"Notice {notice.pk} is paused. The backup does not know who received it later; "
                "they get it again when it is resumed."
            )
        return [notice.pk for notice in notices]

    def _checks(self) -> list[tuple[str, list[str]]]:
        open_ones = Incident.objects.filter(shredded_at=None).order_by("slug")
        stores = [("check_store", [incident.slug]) for incident in open_ones]
        named = ("verify_statements", "verify_ledger", "verify_audit", "check_counts")
        return [*((name, []) for name in named), *stores]

    def _check(self, name: str, words: list[str]) -> dict[str, Any]:
        """Runs a check. Returns its name, its result as JSON prints it, and its error or ""."""
        self.tell(f"== {name} {' '.join(words)}")
        out, error = StringIO() if self.as_json else self.stdout, ""
        options = ["--json"] if self.as_json else []
        try:
            call_command(name, *words, *options, stdout=out, stderr=self.stderr)
        except (CommandError, SystemExit) as ended:
            error = str(ended)
            self.warn(error)
        result = json.loads(out.getvalue() or "null") if isinstance(out, StringIO) else None
        return {"check": name, "arguments": words, "error": error, "result": result}
