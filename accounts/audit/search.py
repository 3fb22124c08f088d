"""Finds entries of the audit trail, page by page, newest first.

A page reads at most WINDOW entries of one index, so that no search scans a trail of millions: it
counts nothing and skips nothing. See docs/audit-trail.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max, Min

from accounts.models import AuditEntry, AuditEntryQuerySet

PAGE = 100  # entries
EXPORTED_AT_ONCE = 1_000
WINDOW = 5_000
# The keys of entries rise with their times, but for transactions that ran at the same time and a
# clock that was set back. So many entries around a time are compared one by one.
SLACK = 1_000


@dataclass(frozen=True, kw_only=True)
class TrailSearch:
    """What a reader looks for; a field with None or "" does not limit the search."""

    actor_id: int | None = None
    actor: str = ""  # part of the text in the column "actor"
    kind: str = ""
    object_type: str = ""
    object_id: str = ""
    incident_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None  # the first moment after the time looked for

    def indexed(self) -> dict[str, Any]:
        """Returns the filter that one index answers in the order of the keys."""
        if self.object_type and self.object_id:
            return {"object_type": self.object_type, "object_id": self.object_id}
        for name in ("actor_id", "incident_id", "kind"):
            if value := getattr(self, name):
                return {name: value}
        return {}

    def wanted(self) -> dict[str, Any]:
        """Returns the filter of all fields."""
        fields = {
            "actor_id": self.actor_id,
            "actor__icontains": self.actor,
            "kind": self.kind,
            "object_type": self.object_type,
            "object_id": self.object_id,
            "incident_id": self.incident_id,
            "at__gte": self.since,
            "at__lt": self.until,
        }
        return {name: value for name, value in fields.items() if value not in (None, "")}


@dataclass(frozen=True)
class TrailPage:
    """Entries, newest first. The next page has those with a key below `older`; None at the end.

    `is_cut` says that the search stopped after WINDOW entries, so that the page is not full.
    """

    entries: list[AuditEntry]
    older: int | None
    is_cut: bool = False


def page(search: TrailSearch, *, before: int | None = None, size: int = PAGE) -> TrailPage:
    """Returns up to `size` entries with a key below `before`, the newest if it is None."""
    near = _within_time(search).filter(**search.indexed())
    if before is not None:
        near = near.filter(pk__lt=before)
    keys = near.order_by("-pk")[:WINDOW].aggregate(lowest=Min("pk"), highest=Max("pk"))
    lowest, highest = keys["lowest"], keys["highest"]
    if lowest is None:
        return TrailPage([], None)
    # both bounds: with one, PostgreSQL may read the whole primary key down to it
    window = AuditEntry.objects.filter(pk__range=(lowest, highest), **search.wanted())
    entries = list(window.order_by("-pk")[: size + 1])
    if len(entries) > size:
        return TrailPage(entries[:size], entries[size - 1].pk)
    is_cut = near.filter(pk__lt=lowest).exists()
    return TrailPage(entries, lowest if is_cut else None, is_cut)


def all_entries(search: TrailSearch) -> Iterator[AuditEntry]:
    """Yields all entries, newest first; reads them in pages, so that memory use is constant."""
    before = None
    while True:
        found = page(search, before=before, size=EXPORTED_AT_ONCE)
        yield from found.entries
        if found.older is None:
            return
        before = found.older


def _within_time(search: TrailSearch) -> AuditEntryQuerySet:
    """Returns the entries between the keys of the first and the last entry in the search's time.

    The index over the times finds both. SLACK more entries are included on each side.
    """
    entries = AuditEntry.objects.all()
    if search.since is not None:
        first = entries.filter(at__gte=search.since).order_by("at").first()
        if first is None:
            return entries.none()
        entries = entries.filter(pk__gte=first.pk - SLACK)
    if search.until is not None:
        last = AuditEntry.objects.filter(at__lt=search.until).order_by("-at").first()
        if last is None:
            return entries.none()
        entries = entries.filter(pk__lte=last.pk + SLACK)
    return entries
