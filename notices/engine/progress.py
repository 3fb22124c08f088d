"""How far a notice is, and how fast: from kept counters only, whatever its size."""

import time
from dataclasses import dataclass
from datetime import timedelta

from django.core.cache import cache

from notices.models import Notice
from notices.models.states import END_STATES

SAMPLE_SECONDS = 2.0  # a rate over less than this is noise
KEEP_SECONDS = 60


@dataclass(frozen=True)
class SendProgress:
    """Counts by end state as of now, and what they say of the time to come."""

    counts: dict[str, int]
    planned: int
    rate: float | None  # people a second, since somebody looked last; None: nobody did

    @property
    def to_go(self) -> int:
        """How many of those planned so far have no end state."""
        return self.planned - sum(self.counts.values())

    @property
    def left(self) -> timedelta | None:
        """How long the rest takes at this rate; None where nobody can say."""
        if not self.rate:
            return None
        return timedelta(seconds=round(self.to_go / self.rate))


def send_progress(notice: Notice) -> SendProgress:
    """One query, two look-ups in the cache."""
    live = Notice.objects.live_counts(notice.pk)
    counts = {name: live[name] for name in END_STATES}
    return SendProgress(counts, live["planned"], _rate(notice, ended=sum(counts.values())))


def _rate(notice: Notice, *, ended: int) -> float | None:
    """Between the last look and this one. Looks that follow at once measure from the same."""
    if notice.state not in (Notice.State.PLANNING, Notice.State.SENDING):
        return None
    key, now = f"notice-progress-{notice.pk}", time.time()
    try:
        before = cache.get(key)
        if before is None or now - before[0] >= SAMPLE_SECONDS:
            cache.set(key, (now, ended, before and before[:2]), KEEP_SECONDS)
        elif before[2]:
            before = before[2]
    except Exception:  # noqa: BLE001  without Redis there is a page without a rate
        return None
    if before is None or now - before[0] < SAMPLE_SECONDS:
        return None
    return float(max(0.0, (ended - before[1]) / (now - before[0])))
