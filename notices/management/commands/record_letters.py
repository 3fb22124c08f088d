"""The command that records letters as posted or returned."""

import argparse
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from accounts.audit import acts
from accounts.models import AuditEntry
from foundations.commands import PortalCommand
from notices import letter_reports
from notices.letter_reports import LetterReportError, LetterReportKind
from notices.models import Notice


class Command(PortalCommand):
    """Records a file of letter codes (docs/sending.md)."""

    help = "Records the letters in a CSV file of letter codes as posted or returned on a day."
    example = "12 posted --day 2026-03-09 codes.csv"
    exit_codes = {0: "each line is recorded", 1: "refused: nothing is recorded"}
    prints_json = True

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Adds the notice, the kind of report, the day and the file."""
        parser.add_argument("notice", type=int)
        parser.add_argument("kind", choices=LetterReportKind.values)
        parser.add_argument("--day", type=date.fromisoformat, required=True, help="YYYY-MM-DD")
        parser.add_argument("file", type=Path)

    def handle(self, **options: Any) -> None:
        """Records all lines, or none."""
        notice = Notice.objects.filter(pk=options["notice"]).first()
        if notice is None:
            raise CommandError(f"there is no notice {options['notice']}")
        kind = LetterReportKind(options["kind"])
        try:
            data = options["file"].read_bytes()
            report = letter_reports.read_report(data, kind=kind, day=options["day"])
            with transaction.atomic():
                changed = letter_reports.record(notice, report)
                acts.record(
                    AuditEntry.Kind.COMMAND,
                    by=None,
                    about=notice,
                    incident=notice.incident_id,
                    what=f"letters {kind.value} on {options['day']}",
                    number=changed,
                )
        except (LetterReportError, OSError) as error:
            raise CommandError(str(error)) from None
        self.result(f"{changed} letters changed", changed=changed)
