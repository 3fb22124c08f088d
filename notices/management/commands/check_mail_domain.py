"""The command that checks the DNS records of the mail domain."""

from argparse import ArgumentParser
from dataclasses import asdict
from ipaddress import ip_address
from typing import Any

from django.core.management.base import CommandError
from dns.exception import DNSException

from foundations.commands import PortalCommand
from notices.dns_records import DnsRecords
from notices.mail_domain import MailDomainFinding, check_mail_domain

FAULT, NOT_CHECKED = 1, 2  # exit codes


class Command(PortalCommand):
    """Prints one line for each check, with the record to publish at a fault."""

    help = (
        "Checks SPF, DKIM, DMARC, MX, return paths and PTR of the mail domain. Exits with 1 at a "
        "fault, and with 2 if a check could not be made because the DNS did not answer."
    )
    example = "--sender 192.0.2.10 --json"
    prints_json = True
    exit_codes = {0: "no fault", 1: "a fault", 2: "the DNS did not answer each question"}

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Adds the name server to ask, such as the domain's own before others have its change."""
        parser.add_argument("--nameserver", default="", help="its IP address")
        parser.add_argument("--port", type=int, default=53)
        parser.add_argument(
            "--sender",
            action="append",
            default=[],
            help="an IP address from which mails leave; repeat it for more. Default: EMAIL_HOST",
        )

    def handle(self, *, nameserver: str, port: int, sender: list[str], **_options: Any) -> None:
        """Prints the findings. Raises CommandError with the exit code."""
        try:
            records = DnsRecords(nameserver, port)
            addresses = [str(ip_address(one)) for one in sender]
        except (ValueError, DNSException) as error:
            raise CommandError(str(error), returncode=NOT_CHECKED) from None
        findings = list(check_mail_domain(records, addresses))
        self.result("\n".join(map(str, findings)), **_facts(findings))
        if faults := sum(finding.is_fault for finding in findings):
            is_answered = all(finding.is_answered for finding in findings)
            raise CommandError(
                f"{faults} of {len(findings)} checks found a fault.",
                returncode=FAULT if is_answered else NOT_CHECKED,
            )


def _facts(findings: list[MailDomainFinding]) -> dict[str, Any]:
    """Returns what --json prints."""
    shown = [
        asdict(finding) | {"wanted": finding.wanted and finding.wanted._asdict()}
        for finding in findings
    ]
    faults = sum(finding.is_fault for finding in findings)
    return {"faults": faults, "findings": shown}
