"""The product's settings with shorter waits, so that a drill takes minutes and not hours."""

import json
import os
import time
from datetime import UTC, datetime, timedelta, tzinfo

from breachportal.settings import *  # noqa: F403 (only the names below differ)

EMAIL_TIMEOUT = 5
NOTICE_REPLY_SECONDS = 8
NOTICE_LEASE_SECONDS = 12  # as in production, longer than any reply may take
NOTICE_BACKOFF_SECONDS = 1
NOTICE_BACKOFF_MAX_SECONDS = 4
NOTICE_UNAVAILABLE_SECONDS = 1
NOTICE_UNAVAILABLE_MAX_SECONDS = 2
CELERY_BEAT_SCHEDULE = {
    "sweep-notices": {"task": "notices.tasks.sweep_notices", "schedule": 2.0},
}
# A drill may override settings: {"NOTICE_LEASE_SECONDS": 4}
globals().update(json.loads(os.environ.get("DRILL_SETTINGS") or "{}"))


def _shift_clock(seconds: float) -> None:
    """Shifts the clock of this process, as far as Python code and Django read it."""
    from django.utils import timezone

    real_time, current_timezone = time.time, timezone.get_current_timezone

    def shifted_now() -> datetime:
        return datetime.fromtimestamp(real_time() + seconds, tz=UTC)

    def shifted_localtime(
        value: datetime | None = None, timezone: tzinfo | None = None
    ) -> datetime:
        return (value or shifted_now()).astimezone(timezone or current_timezone())

    time.time = lambda: real_time() + seconds
    timezone.now = shifted_now
    timezone.localtime = shifted_localtime


if os.environ.get("DRILL_CLOCK_SHIFT"):
    _shift_clock(timedelta(seconds=float(os.environ["DRILL_CLOCK_SHIFT"])).total_seconds())
