"""Proves that what the retention plans deleted cannot be opened."""

import argparse
from typing import Any

from django.core.management.base import CommandError

from foundations.commands import PortalCommand
from incidents.models import DataDeletion, Incident
from incidents.retention import plans, verification


class Command(PortalCommand):
    """The command; see docs/how-to/end-an-incident.md."""

    help = "Tries to open what was deleted of every incident, or of one, and says what is overdue."
    example = "coupang-2025"
    exit_codes = {0: "all is as the plans say", 1: "data is left, or a step is overdue"}
    prints_json = True

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Adds the incident."""
        parser.add_argument("incident", nargs="?", metavar="SLUG")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints a line for each deletion. Exits with 1 if data is left or a step is overdue."""
        incidents = Incident.objects.order_by("slug")
        if options["incident"]:
            incidents = incidents.filter(slug=options["incident"])
            if not incidents:
                raise CommandError(f"{options['incident']}: no such incident; check the slug")
        found = [self._checked(incident) for incident in incidents]
        for incident in found:
            self._tell(incident)
        self.result(incidents=found)
        if any(each["faults"] for each in found):
            raise CommandError("what is above is not as the plans say")

    def _checked(self, incident: Incident) -> dict[str, Any]:
        records = list(incident.deletions.order_by("started_at"))
        faults = [
            fault for each in records if each.done_at for fault in verification.faults_of(each)
        ]
        if incident.shredded_at and not records:
            faults = verification.faults_of_contacts(incident)
        today = plans.today_of(incident)
        faults += [
            f"{incident.slug}: the deletion of the {each.step.value} is overdue since {each.on}"
            for each in plans.steps_of(incident)
            if not each.is_done and each.on < today
        ]
        return {
            "incident": incident.slug,
            "shredded_at": incident.shredded_at and incident.shredded_at.isoformat(),
            "deletions": [_described(each) for each in records],
            "faults": list(dict.fromkeys(faults)),
        }

    def _tell(self, incident: dict[str, Any]) -> None:
        for each in incident["deletions"]:
            done = f"done {each['done_at']}" if each["done_at"] else "under way"
            self.tell(
                f"{incident['incident']}: {each['step']}: {each['rows']:,} rows of "
                f"{each['people']:,} people, key {each['key_digest']}, {done}"
            )
        lines = incident["faults"] or [f"{incident['incident']}: nothing deleted can be opened."]
        self.tell("\n".join(lines))


def _described(record: DataDeletion) -> dict[str, Any]:
    return {
        "step": record.step,
        "rows": record.rows,
        "people": record.people,
        "key_digest": record.key_digest,
        "started_at": record.started_at.isoformat(),
        "started_by": str(record.started_by) if record.started_by else None,
        "done_at": record.done_at.isoformat() if record.done_at else None,
    }
