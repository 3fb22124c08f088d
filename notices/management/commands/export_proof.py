"""The command that exports the proof of a notice, or the list of people it did not reach."""

import argparse
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError

from accounts.audit import acts
from accounts.models import AuditEntry
from foundations.commands import ExportCommand
from notices.engine.audiences import NOT_REACHED
from notices.models import Delivery, Notice
from notices.proof import ledger_export


class Command(ExportCommand):
    """Exports the proof (docs/sending.md)."""

    help = "Writes a notice's proof to standard output or into a file, person by person."
    example = "12 --format jsonl > proof.jsonl"
    exit_codes = {0: "each person is written", 1: "there is no such notice"}

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Adds the notice, the format, the choice of people and `--open`."""
        super().add_arguments(parser)
        parser.add_argument("notice", type=int)
        parser.add_argument("--format", choices=sorted(ledger_export.FORMATS), default="csv")
        people = parser.add_mutually_exclusive_group()
        people.add_argument(
            "--not-reached", action="store_true", help="only those it did not reach"
        )
        people.add_argument(
            "--in-doubt", action="store_true", help="only those of whom nobody knows"
        )
        parser.add_argument(
            "--open", action="store_true", help="with names and addresses, opened: handle with care"
        )

    def handle(self, **options: Any) -> None:
        """Writes one line a person. Standard output holds nothing else."""
        with self.opened(options["output"]) as write:
            self._export(write, options)

    def _export(self, write: Callable[[bytes], object], options: dict[str, Any]) -> None:
        related = Notice.objects.select_related("incident", "version__statement")
        notice = related.filter(pk=options["notice"]).first()
        if notice is None:
            raise CommandError(f"there is no notice {options['notice']}")
        is_opened = options["open"]
        if options["not_reached"] or options["in_doubt"]:
            states = [Delivery.State.IN_DOUBT] if options["in_doubt"] else NOT_REACHED
            fields = ledger_export.escalation_fields(is_opened=is_opened)
            rows = ledger_export.not_reached(notice, is_opened=is_opened, states=states)
        else:
            fields = ledger_export.proof_fields(is_opened=is_opened)
            rows = ledger_export.proof(notice, is_opened=is_opened)
        acts.record(
            AuditEntry.Kind.EXPORT,
            by=None,
            about=notice,
            incident=notice.incident_id,
            what=_what(options),
            format=options["format"],
            opened=is_opened,
        )
        for line in ledger_export.FORMATS[options["format"]](fields, rows):
            write(line.encode())


def _what(options: dict[str, Any]) -> str:
    """Returns the name of the file for the audit trail."""
    if options["in_doubt"]:
        return "in-doubt"
    return "not-reached" if options["not_reached"] else "proof"
