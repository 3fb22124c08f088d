"""The progress and the rate of a notice, from stored counters only. The cost is independent of its
size.
"""

import time
from dataclasses import dataclass
from datetime import timedelta

from django.core.cache import cache

from notices.models import Notice
from notices.models.states import END_STATES

SAMPLE_SECONDS = 2.0  # a rate over a shorter time is noise
KEEP_SECONDS = 60


@dataclass(frozen=True)
class SendProgress:
    """Current counts by end state, and the estimated remaining time."""

    counts: dict[str, int]
    planned: int
    rate: float | None  # people a second since an earlier view of the page; None: unknown

    @property
    def to_go(self) -> int:
        """Returns how many of the planned deliveries have no end state."""
        return self.planned - sum(self.counts.values())

    @property
    def left(self) -> timedelta | None:
        """Returns the remaining time at this rate; None if the rate is zero or unknown."""
        if not self.rate:
            return None
        return timedelta(seconds=round(self.to_go / self.rate))


def send_progress(notice: Notice) -> SendProgress:
    """Returns the notice's progress, from one query and at most two cache operations."""
    live = Notice.objects.live_counts(notice.pk)
    counts = {name: live[name] for name in END_STATES}
    return SendProgress(counts, live["planned"], _rate(notice, ended=sum(counts.values())))


def _rate(notice: Notice, *, ended: int) -> float | None:
    """Returns the people a second between an earlier view of the page and this one; None if
    unknown.

    Views within SAMPLE_SECONDS of the last sample measure from the sample before it.
    """
    if notice.state not in (Notice.State.PLANNING, Notice.State.SENDING):
        return None
    key, now = f"notice-progress-{notice.pk}", time.time()
    try:
        before = cache.get(key)
        if before is None or now - before[0] >= SAMPLE_SECONDS:
            cache.set(key, (now, ended, before and before[:2]), KEEP_SECONDS)
        elif before[2]:
            before = before[2]
    except Exception:  # noqa: BLE001  without Redis the page shows no rate
        return None
    if before is None or now - before[0] < SAMPLE_SECONDS:
        return None
    return float(max(0.0, (ended - before[1]) / (now - before[0])))
