"""Deletes expired scam reports."""

from typing import Any

from foundations.commands import PortalCommand
from scams import scam_reports


class Command(PortalCommand):
    """Deletes expired scam reports. A periodic task does the same every hour."""

    help = "Deletes scam reports older than SCAM_REPORT_DAYS."
    exit_codes = {0: "no expired report is left"}
    prints_json = True

    def handle(self, **options: Any) -> None:
        """Deletes the reports and writes how many. A second run does no harm."""
        number = scam_reports.delete_expired()
        self.result(f"deleted {number} scam reports", deleted=number)
