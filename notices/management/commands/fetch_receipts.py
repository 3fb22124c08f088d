"""The command that asks the gateways what became of text messages."""

from typing import Any

from foundations.commands import PortalCommand
from notices.engine.gateways import gateway_classes
from notices.returned_mail import receipts


class Command(PortalCommand):
    """Fetches the delivery receipts that no webhook brought."""

    help = "Asks the gateways of SMS_GATEWAY for missing delivery receipts (run it from cron)."
    exit_codes = {0: "each gateway was asked", 1: "failed"}
    prints_json = True

    def handle(self, **_options: Any) -> None:
        """Asks once for each text message of the last days without a receipt."""
        gateways: list[Any] = [found() for found in gateway_classes()]
        try:
            sources = [one for one in gateways if hasattr(one, "fetch_receipt")]
            number = receipts.fetch_receipts(sources)
            self.result(f"{number} receipts recorded", recorded=number)
        finally:
            for gateway in gateways:
                gateway.close()
