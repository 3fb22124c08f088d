"""Withdraws a scope version of an incident."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Sum

from incidents import scope_versions
from incidents.models import ExposureBatch
from incidents.scope_versions import ScopeRefusedError


class Command(BaseCommand):
    """The command; see docs/import.md."""

    help = "Takes back a scope version; its rows stay, and count no longer."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Adds the incident, the scope version and the reason, which are required."""
        parser.add_argument("incident", metavar="SLUG")
        parser.add_argument("number", type=int, metavar="N", help="the scope version")
        parser.add_argument("--reason", required=True, help="why; kept with the scope version")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        """Asks for confirmation, then withdraws. A refusal is one line on stderr."""
        slug, number = options["incident"], options["number"]
        batch = ExposureBatch.objects.filter(incident__slug=slug, number=number).first()
        if batch is None:
            raise CommandError(f"{slug}: no scope version {number}; check slug and number")
        if not (reason := options["reason"].strip()):
            raise CommandError("--reason: say why; it is kept with the scope version")
        if not options["yes"]:
            self._confirm(batch)
        try:
            scope_versions.withdraw(batch, reason)
        except ScopeRefusedError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Withdrew scope version {number} of {slug}.")

    def _confirm(self, batch: ExposureBatch) -> None:
        """Asks the operator to type the slug, because a withdrawal cannot be undone.

        The files can only be imported again. Raises CommandError if the answer differs.
        """
        taken = batch.files.aggregate(rows=Sum("rows_taken"))["rows"] or 0
        self.stdout.write(
            f"Withdrawing {batch.code}: {taken:,} rows no longer count, people no longer see them, "
            "and no notice names them. This is not undone."
        )
        try:
            typed = input(f"Type {batch.incident.slug} to withdraw it: ")
        except EOFError:
            raise CommandError("nobody there to ask; --yes does it without") from None
        if typed.strip() != batch.incident.slug:
            raise CommandError("not withdrawn")
