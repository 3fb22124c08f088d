from typing import Any

from django.core.management.base import BaseCommand

from scams import scam_reports


class Command(BaseCommand):
    """The retention of scam reports, by hand; the worker's clock does the same every hour."""

    help = "Deletes scam reports older than SCAM_REPORT_DAYS."

    def handle(self, **options: Any) -> None:
        """Running it again is safe."""
        self.stdout.write(f"deleted {scam_reports.delete_outdated()} scam reports")
