"""Says whether sealed ledgers are what they were when their notices ended."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from notices.models import LedgerDigest
from notices.proof import ledger_digest


class Command(BaseCommand):
    """See docs/sending.md."""

    help = "Recomputes every sealed ledger's hashes; exits with 1, naming what changed."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """All, unless one is named."""
        parser.add_argument("--notice", type=int, metavar="ID")

    def handle(self, **options: Any) -> None:
        """One line a ledger, and one for all that is wrong with it."""
        seals = LedgerDigest.objects.select_related("notice__version").order_by("pk")
        if options["notice"]:
            seals = seals.filter(notice=options["notice"])
            if not seals.exists():
                raise CommandError(f"notice {options['notice']} has no sealed ledger")
        is_whole = True
        for digest in seals:
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
