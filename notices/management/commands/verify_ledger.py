"""The command that verifies the ledger digests of closed notices."""

import argparse
from typing import Any

from django.core.management.base import CommandError

from foundations.commands import PortalCommand
from notices.models import LedgerDigest
from notices.proof import ledger_digest


class Command(PortalCommand):
    """Verifies ledger digests (docs/sending.md)."""

    help = "Recomputes every sealed ledger's hashes; exits with 1, naming what changed."
    example = "--notice 12"
    exit_codes = {0: "each ledger is unchanged", 1: "a ledger differs, or the notice has none"}
    prints_json = True

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
        ledgers = []
        for digest in digests:
            found = list(ledger_digest.verify_ledger_digest(digest))
            state = "NOT as sealed" if found else "as sealed"
            self.tell(f"notice {digest.notice_id}: {digest.rows:,} rows, {digest.digest}: {state}")
            for line in found:
                self.warn(f"notice {digest.notice_id}: {line}")
            ledger = {"notice": digest.notice_id, "rows": digest.rows, "digest": digest.digest}
            ledgers.append({**ledger, "faults": found})
        self.result(ledgers=ledgers)
        if any(ledger["faults"] for ledger in ledgers):
            raise SystemExit(1)
