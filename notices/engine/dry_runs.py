"""Whom a draft would go to, counted before its approval.

A few thousand are counted while the page is made. More would take minutes: a worker counts them,
and the notice keeps what it found, and when.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Sum
from django.db.models.functions import Now
from django.utils import timezone

from incidents.models import ExposureFile
from incidents.scope_counts import counts_of
from notices.engine import audiences, planning
from notices.engine.audiences import DryRun
from notices.models import Notice

LOST_AFTER = timedelta(minutes=30)  # a count that takes longer went with its worker


@dataclass(frozen=True)
class AudienceCount:
    """What is known of a draft's audience."""

    run: DryRun | None
    at: datetime | None = None  # None: just now, or never
    is_running: bool = False

    @property
    def is_just_now(self) -> bool:
        """Whether a worker counted less than a minute ago."""
        return self.at is not None and self.at > timezone.now() - timedelta(minutes=1)

    @property
    def people(self) -> int | None:
        """How many it goes to; None while nobody counted."""
        return self.run.people if self.run else None


def current_dry_run(notice: Notice) -> AudienceCount:
    """The audience, counted now if it is small; else what a worker found last."""
    if not needs_worker(notice):
        return AudienceCount(planning.count_now(notice))
    return AudienceCount(_kept(notice), notice.dry_run_at, is_running=is_running(notice))


def is_running(notice: Notice) -> bool:
    """Whether a worker counts, or will."""
    asked = notice.dry_run_asked_at
    return asked is not None and asked > timezone.now() - LOST_AFTER


def needs_worker(notice: Notice) -> bool:
    """Whether counting could take longer than a page may. Tells by figures that are kept."""
    most = settings.NOTICE_COUNT_AT_ONCE
    if notice.is_test:
        return False
    if not notice.is_mandatory:
        return audiences.subscribers(notice)[: most + 1].count() > most
    incident = notice.incident
    standing = counts_of(incident).total if incident.is_scope_complete() else None
    if standing is not None:
        return standing.people > most
    rows = ExposureFile.objects.filter(incident=incident).aggregate(all=Sum("rows_taken"))
    return (rows["all"] or 0) > most


def run_dry_run(notice_id: int) -> None:
    """Counts a draft's audience and keeps the result; twice does no harm."""
    draft = Notice.objects.filter(pk=notice_id, state=Notice.State.DRAFT)
    notice = draft.select_related("incident", "version").first()
    if notice is None:
        return
    found: dict[str, object] = {"dry_run_asked_at": None}
    try:
        run = planning.count_now(notice)
        found |= {"dry_run": vars(run) | {"audience": notice.audience}, "dry_run_at": Now()}
    finally:  # whoever waits may ask again
        draft.update(**found)


def _kept(notice: Notice) -> DryRun | None:
    if notice.dry_run is None or notice.dry_run["audience"] != notice.audience:
        return None
    kept = {name: value for name, value in notice.dry_run.items() if name != "audience"}
    by_relation = {int(key): number for key, number in kept["by_relation"].items()}
    kept |= {"by_language": Counter(kept["by_language"]), "by_relation": Counter(by_relation)}
    return DryRun(**kept)
