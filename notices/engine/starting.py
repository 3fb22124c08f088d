"""Starts a notice: freezes its messages and its plan. A worker then plans and sends it."""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from notices.engine import pacing, ramp
from notices.models import Notice, NoticeMessage


def start(notice: Notice, messages: Iterable[NoticeMessage], *, people: int | None) -> None:
    """Stores the messages and starts the planning, within the caller's transaction.

    The caller has set who approved the notice, and when. `people` is the number of recipients, None
    if it was not counted. A large notice starts with a ramp. The caller queues the planning; if it
    is killed before, the sweep does.
    """
    for message in messages:
        message.save()
    notice.state = Notice.State.PLANNING
    tried_for = timedelta(hours=settings.NOTICE_DEADLINE_HOURS)
    longest = pacing.freeze_plan(notice, people=people)
    now = timezone.now()
    notice.deadline_at = max(now, notice.begins_at or now) + longest + tried_for
    notice.ramp = ramp.ramp_for(notice, people=people)
    notice.ramp_to = None if notice.ramp == Notice.Ramp.NONE else 0  # until it is planned
    decided = ["state", "approved_by", "approved_at", "deadline_at", "ramp", "ramp_to"]
    notice.save(update_fields=[*decided, "frozen_plan"])
