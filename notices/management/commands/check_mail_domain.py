"""The command that checks the DNS records of the mail domain."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from dns.exception import DNSException

from notices.mail_domain import DnsRecords, check_mail_domain


class Command(BaseCommand):
    """Prints one line for SPF, DKIM, DMARC and MX, with the record to publish at a fault."""

    help = "Checks SPF, DKIM, DMARC and MX of the mail domain; exits with 1 at a fault."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds the name server to ask, such as the domain's own before others have its change."""
        parser.add_argument("--nameserver", default="", help="its IP address")
        parser.add_argument("--port", type=int, default=53)

    def handle(self, *, nameserver: str, port: int, **_options: Any) -> None:
        """Prints the findings. Raises CommandError at a fault, and without a usable name server."""
        try:
            records = DnsRecords(nameserver, port)
        except (ValueError, DNSException) as error:
            raise CommandError(str(error)) from None
        findings = list(check_mail_domain(records))
        for finding in findings:
            self.stdout.write(str(finding))
        if faults := sum(finding.is_fault for finding in findings):
            raise CommandError(f"{faults} of {len(findings)} checks found a fault.")
