"""The rule that decides whether a public incident may be hidden again."""

from collections.abc import Callable

from incidents.models import Incident

# Each function returns why the incident has to stay public, or None. The apps above this one add
# their own in AppConfig.ready.
OBJECTIONS: list[Callable[[Incident], str | None]] = []


def objection_to_hiding(incident: Incident) -> str | None:
    """Returns the first reason why the incident has to stay public, or None if it may be hidden."""
    objections = (objection(incident) for objection in OBJECTIONS)
    return next((why for why in objections if why), None)
