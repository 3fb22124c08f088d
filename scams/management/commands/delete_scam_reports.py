from typing import Any

from django.core.management.base import BaseCommand

from scams import scam_reports


class Command(BaseCommand):
    """Deletes expired scam reports. A periodic task does the same every hour."""

    help = "Deletes scam reports older than SCAM_REPORT_DAYS."

    def handle(self, **options: Any) -> None:
        """Deletes the reports and writes how many. A second run does no harm."""
        self.stdout.write(f"deleted {scam_reports.delete_expired()} scam reports")
