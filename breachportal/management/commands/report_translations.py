"""Reports how complete the catalogues are."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from breachportal.customer_messages import completeness, write_catalogue
from foundations.commands import PortalCommand


class Command(PortalCommand):
    """Reports how many messages each catalogue translates; exits with 1 if one is not complete."""

    help = (
        "Says for each language how many of the messages that it needs are translated. It names "
        "the first ones that are missing, and all of them for the languages that you name."
    )
    example = "de fr"
    exit_codes = {0: "each catalogue is complete", 1: "one is not, or the language is unknown"}
    prints_json = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "languages", nargs="*", help="Codes such as de; by default all that ship."
        )
        parser.add_argument(
            "--write",
            action="store_true",
            help="First write the messages of the code into the catalogues: only the customers' "
            "into that of a language which the desk does not speak.",
        )

    def handle(self, *_args: Any, languages: list[str], write: bool, **_options: Any) -> None:
        codes = languages or list(settings.SHIPPED_LANGUAGES)
        if unknown := [code for code in codes if code not in settings.SHIPPED_LANGUAGES]:
            raise CommandError(f"No language of SHIPPED_LANGUAGES: {', '.join(unknown)}")
        for code in codes:
            if write:
                write_catalogue(code)
        reports = [completeness(code) for code in codes]
        self.result(
            "\n".join(str(report) if languages else report.in_short() for report in reports),
            missing={
                code: len(report.missing) for code, report in zip(codes, reports, strict=True)
            },
        )
        if not write and any(report.missing for report in reports):
            raise CommandError("Not every catalogue is complete.")
