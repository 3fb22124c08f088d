"""The command that asks the gateways what became of text messages."""

from typing import Any

from django.core.management.base import BaseCommand

from notices.engine.gateways import gateway_classes
from notices.returned_mail import receipts


class Command(BaseCommand):
    """Fetches the delivery receipts that no webhook brought."""

    help = "Asks the gateways of SMS_GATEWAY for missing delivery receipts (run it from cron)."

    def handle(self, **_options: Any) -> None:
        """Asks once for each text message of the last days without a receipt."""
        gateways: list[Any] = [found() for found in gateway_classes()]
        try:
            sources = [one for one in gateways if hasattr(one, "fetch_receipt")]
            self.stdout.write(f"{receipts.fetch_receipts(sources)} receipts recorded")
        finally:
            for gateway in gateways:
                gateway.close()
