"""Loads the sample incident: for a demonstration or development, never for a public portal."""

from typing import Any

from django.core.management.base import BaseCommand

from statements import sample


class Command(BaseCommand):
    help = "Loads the sample incident with its statements, advisory and timeline, once."

    def handle(self, *args: Any, **options: Any) -> None:
        incident = sample.load_sample_incident()
        self.stdout.write(f"The sample incident is at /ko/incidents/{incident.slug}/.")
