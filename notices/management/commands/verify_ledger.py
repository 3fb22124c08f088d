"""The command that verifies the ledger digests of closed notices."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from notices.models import LedgerDigest
from notices.proof import ledger_digest


class Command(BaseCommand):
    """Verifies ledger digests (docs/sending.md)."""

    help = "Recomputes every sealed ledger's hashes; exits with 1, naming what changed."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Adds `--notice`; without it all ledger digests are verified."""
        parser.add_argument("--notice", type=int, metavar="ID")

    def handle(self, **options: Any) -> None:
        """Writes one line a ledger to standard output, and one line a difference to standard error.

        Exits with 1 if there is a difference.
        """
        digests = LedgerDigest.objects.select_related("notice__version").order_by("pk")
        if options["notice"]:
            digests = digests.filter(notice=options["notice"])
            if not digests.exists():
                raise CommandError(f"notice {options['notice']} has no sealed ledger")
        is_whole = True
        for digest in digests:
            found = list(ledger_digest.verify_ledger_digest(digest))
            state = "NOT as sealed" if found else "as sealed"
            self.stdout.write(
                f"notice {digest.notice_id}: {digest.rows:,} rows, {digest.digest}: {state}"
            )
            for line in found:
                self.stderr.write(f"notice {digest.notice_id}: {line}")
            is_whole = is_whole and not found
        if not is_whole:
            raise SystemExit(1)
