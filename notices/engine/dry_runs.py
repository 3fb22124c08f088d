"""Dry runs: the count of a draft's audience before its approval.

A small audience (NOTICE_COUNT_AT_ONCE) is counted while the page is made. A larger count takes
minutes: a worker does it, and the notice stores the result and its time.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Sum
from django.db.models.functions import Now
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from foundations.queue_length import waiting_tasks
from foundations.session_locks import held_keys, session_lock
from incidents.models import ExposureFile
from incidents.scope_counts import counts_of
from notices.engine import audiences, planning
from notices.engine.audiences import DryRun
from notices.models import Notice

# After this time a requested count is taken for lost, unless a worker is at it or tasks wait.
LOST_AFTER = timedelta(minutes=1)
_LOCK_SPACE = 0x62706472  # "bpdr"


@dataclass(frozen=True)
class AudienceCount:
    """The known count of a draft's audience."""

    run: DryRun | None
    at: datetime | None = None  # None: counted now, or never
    is_running: bool = False

    @property
    def is_just_now(self) -> bool:
        """Returns whether a worker counted less than a minute ago."""
        return self.at is not None and self.at > timezone.now() - timedelta(minutes=1)

    @property
    def people(self) -> int | None:
        """Returns the number of people; None if they were not counted."""
        return self.run.people if self.run else None


def current_dry_run(notice: Notice) -> AudienceCount:
    """Returns the count of a draft's audience: made now if it is small, else the last count of a
    worker.
    """
    if not needs_worker(notice):
        return AudienceCount(planning.count_now(notice))
    return AudienceCount(_stored_run(notice), notice.dry_run_at, is_running=is_running(notice))


def is_running(notice: Notice) -> bool:
    """Returns whether a worker counts now or has been requested to."""
    asked_at = notice.dry_run_asked_at
    if asked_at is None or asked_at > timezone.now() - LOST_AFTER:
        return asked_at is not None
    return notice.pk in held_keys(_LOCK_SPACE) or _may_wait()


def _may_wait() -> bool:
    """Returns whether a requested count may still wait in its queue, behind other tasks."""
    try:
        return waiting_tasks(settings.CELERY_TASK_DEFAULT_QUEUE) > 0
    except BrokerError:
        return True  # unknown; and nothing can be requested now


def needs_worker(notice: Notice) -> bool:
    """Returns whether the count could take longer than a page may. Decides by stored figures,
    without a scan.
    """
    limit = settings.NOTICE_COUNT_AT_ONCE
    if notice.is_test:
        return False
    if not notice.is_mandatory:
        return audiences.subscribers(notice)[: limit + 1].count() > limit
    incident = notice.incident
    counts = counts_of(incident).total if incident.is_scope_complete() else None
    if counts is not None:
        return counts.people > limit
    rows = ExposureFile.objects.filter(incident=incident).aggregate(all=Sum("rows_taken"))
    return (rows["all"] or 0) > limit


def run_dry_run(notice_id: int) -> None:
    """Counts a draft's audience and stores the result.

    Does nothing for a notice that is no draft, and while another worker counts it; a repetition is
    harmless.
    """
    draft = Notice.objects.filter(pk=notice_id, state=Notice.State.DRAFT)
    notice = draft.select_related("incident", "version").first()
    if notice is None:
        return
    with session_lock(_LOCK_SPACE, notice_id) as is_held:
        if not is_held:
            return
        found: dict[str, object] = {"dry_run_asked_at": None}
        try:
            run = planning.count_now(notice)
            found |= {"dry_run": vars(run) | {"audience": notice.audience}, "dry_run_at": Now()}
        finally:  # a user can request the count again after an error
            draft.update(**found)


def _stored_run(notice: Notice) -> DryRun | None:
    if notice.dry_run is None or notice.dry_run["audience"] != notice.audience:
        return None
    values = {name: value for name, value in notice.dry_run.items() if name != "audience"}
    by_relation = {int(key): number for key, number in values["by_relation"].items()}
    values |= {"by_language": Counter(values["by_language"]), "by_relation": Counter(by_relation)}
    return DryRun(**values)
