"""Whether a public incident may be hidden again, and when it was hidden."""

from collections.abc import Callable, Sequence
from datetime import datetime

from incidents.models import FactChange, Incident

# Each function returns why the incident has to stay public, or None. The apps above this one add
# their own in AppConfig.ready.
OBJECTIONS: list[Callable[[Incident], str | None]] = []


def objection_to_hiding(incident: Incident) -> str | None:
    """Returns the first reason why the incident has to stay public, or None if it may be hidden."""
    objections = (objection(incident) for objection in OBJECTIONS)
    return next((why for why in objections if why), None)


def shown_since(incident: Incident, at: datetime) -> datetime:
    """Returns since when people can read what the incident holds since `at`.

    It is later than `at` if the incident was not public yet, or hidden. Makes one query for each
    object of an incident, and none if it was not public yet.
    """
    first = incident.first_public_at
    if first is None or at <= first:
        return first or at
    if incident.hidden_times is None:
        incident.hidden_times = _hidden_times(incident)
    return next((end for begin, end in incident.hidden_times if begin <= at < end), at)


def _hidden_times(incident: Incident) -> Sequence[tuple[datetime, datetime]]:
    """Returns when the incident was hidden, and when it was made public again; the earliest first.

    Two people confirm both (FactChange), so their records hold all such times.
    """
    changes = FactChange.objects.of(incident).filter(
        changes__has_key="is_public", confirmed_at__isnull=False
    )
    found, hidden_at = list[tuple[datetime, datetime]](), None
    for changed, at in changes.order_by("confirmed_at").values_list("changes", "confirmed_at"):
        is_public = changed["is_public"][1]
        if is_public and hidden_at and at:
            found.append((hidden_at, at))
        hidden_at = None if is_public else at
    return found
