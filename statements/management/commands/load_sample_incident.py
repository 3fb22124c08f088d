"""Loads a sample incident: for a demonstration or development, never for a public portal."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from foundations.commands import PortalCommand
from statements import sample


class Command(PortalCommand):
    help = "Loads a sample incident with its statements and timeline, once."
    example = "eu-retailer"
    exit_codes = {0: "loaded", 1: "the portal lacks the languages or a law file of the sample"}
    prints_json = True

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", nargs="?", choices=sample.SAMPLES, default=sample.SLUG)

    def handle(self, *args: Any, **options: Any) -> None:
        """Loads the incident and prints its page, and the languages that wait for a catalogue."""
        slug = options["slug"]
        try:
            incident = sample.load_sample_incident(slug)
        except sample.SampleRefusedError as error:
            raise CommandError(str(error)) from None
        page = f"/{incident.languages[0]}/incidents/{incident.slug}/"
        waiting = sample.waiting_languages(slug)
        text = f"The sample incident is at {page}."
        if waiting:
            text += f"\nIts texts wait for a catalogue in: {', '.join(waiting)}."
        self.result(text, incident=slug, page=page, waiting_languages=waiting)
