"""Whether an incident may be hidden from the public again."""

from collections.abc import Callable

from django.utils.functional import Promise

from incidents.models import Incident

# Each returns why the incident has to stay public, or None. Apps above add theirs in `ready`.
OBJECTIONS: list[Callable[[Incident], str | Promise | None]] = []


def objection_to_hiding(incident: Incident) -> str | Promise | None:
    """Returns the first reason why the incident has to stay public, or None if it may be hidden."""
    return next(filter(None, (objection(incident) for objection in OBJECTIONS)), None)
