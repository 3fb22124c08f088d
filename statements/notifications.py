"""What duties and reports to authorities ask about the notices that were sent.

The app that sends is above this one. It adds a function to `SOURCES` in its `AppConfig.ready`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from incidents.models import Incident


@dataclass(frozen=True, kw_only=True)
class Notification:
    """One mandatory notice to all affected people: how far it came."""

    approved_at: datetime
    planned: int  # people
    accepted: int  # people whose mail server, or gateway, accepted the message
    all_told_at: datetime | None  # None: not yet
    description: str  # in the active language
    url: str  # the notice's page on the desk


# Each returns an incident's notifications, oldest first.
SOURCES: list[Callable[[Incident], Iterable[Notification]]] = []


def notifications_of(incident: Incident) -> list[Notification]:
    """Returns the incident's mandatory notices to all affected people, oldest first."""
    found = [each for source in SOURCES for each in source(incident)]
    return sorted(found, key=lambda each: each.approved_at)
