"""The interface by which duties and regulator reports read what was sent.

The app that sends notices is above this app and may not be imported here. It adds a function to
`SOURCES` in its `AppConfig.ready`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from incidents.models import Incident


@dataclass(frozen=True, kw_only=True)
class Notification:
    """The progress of one mandatory notice to all affected people."""

    begun_at: datetime
    planned: int  # people
    accepted: int  # people; the mail server or the gateway accepted their message
    all_told_at: datetime | None  # when the notice counts as sent to all; None before that
    description: str  # in the active language
    url: str  # the notice's page on the desk


# Each function returns an incident's notifications, oldest first.
SOURCES: list[Callable[[Incident], Iterable[Notification]]] = []


def notifications_of(incident: Incident) -> list[Notification]:
    """Returns the incident's mandatory notices to all affected people, oldest first."""
    found = [each for source in SOURCES for each in source(incident)]
    return sorted(found, key=lambda each: each.begun_at)
