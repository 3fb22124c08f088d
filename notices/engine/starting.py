"""Starts a notice: freezes its messages and its plan. A worker then plans and sends it.

A notice may begin days after its approval. So the worker checks it again before the first page of
its ledger.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Value
from django.db.models.functions import Greatest
from django.utils import timezone

from notices.engine import ledger, pacing, ramp
from notices.ledger_messages import LedgerMessages
from notices.models import Notice, NoticeMessage
from statements.models import StatementVersion

logger = logging.getLogger(__name__)
PausedFor = Notice.PausedFor
# A ledger has at most so many times the confirmed people, or so many more if they are few.
FAR_MORE, FEW_MORE = 1.1, 100


def start(notice: Notice, messages: Iterable[NoticeMessage], *, people: int | None) -> None:
    """Stores the messages and starts the planning, within the caller's transaction.

    The caller has set who approved the notice, and when. `people` is the number of recipients, None
    if it was not counted. A large notice starts with a ramp. The caller queues the planning; if it
    is killed before, the sweep does.
    """
    for message in messages:
        message.save()
    notice.state = Notice.State.PLANNING
    notice.deadline_at = deadline_of(notice, pacing.freeze_plan(notice, people=people))
    if not _waits(notice):
        _set_ramp(notice, people)
    decided = ["state", "approved_by", "approved_at", "deadline_at", "ramp", "ramp_to"]
    notice.save(update_fields=[*decided, "confirmed_people", "frozen_plan"])


def begin(notice: Notice, *, count: Callable[[], int]) -> bool:
    """Checks an approved notice before the first page of its ledger is written.

    Does nothing if it begins at its approval. Otherwise pauses it, with the reason, and returns
    False if what was approved does not hold any more; or chooses its ramp, the people of its plan's
    groups and its deadline by the number of recipients that `count` returns now.
    """
    if not _waits(notice):
        return True
    if reason := _change_since_approval(notice):
        return _pause(notice, reason)
    people = count()
    if is_too_many(notice, people):
        return ask_again(notice, people=people)
    notice.deadline_at = deadline_of(notice, pacing.count_groups_again(notice, people=people))
    _set_ramp(notice, people)
    # A person may have paused it meanwhile; then the caller's step is rolled back.
    Notice.objects.filter(pk=notice.pk, state=Notice.State.PLANNING).update(
        deadline_at=notice.deadline_at, ramp=notice.ramp, ramp_to=notice.ramp_to
    )
    return True


def is_too_many(notice: Notice, people: int) -> bool:
    """Returns whether `people` are far more than a person confirmed, or more than ALERT_TEXTS
    allows.
    """
    return _is_far_more(notice, people) or bool(_too_many_texts(notice, people))


def ask_again(notice: Notice, *, people: int) -> bool:
    """Pauses a notice that would go to too many people. Returns False.

    Who lets it go on confirms the number `people`, and with it the ramp and the deadline of a
    notice of that size. The limit of text messages is confirmed by no person.
    """
    if problem := _too_many_texts(notice, people):
        return _pause(notice, PausedFor.MORE, problem)
    numbers = {"people": f"{people:,}", "confirmed": f"{notice.confirmed_people:,}"}
    _set_ramp(notice, people)
    latest = deadline_of(notice, pacing.count_more(notice, people=people))
    _pause(notice, PausedFor.MORE, LedgerMessages.MORE_PEOPLE.stored(**numbers))
    Notice.objects.filter(pk=notice.pk, paused_for=PausedFor.MORE).update(
        confirmed_people=people,
        deadline_at=Greatest("deadline_at", Value(latest)),
        ramp=notice.ramp,
        ramp_to=notice.ramp_to,
    )
    return False


def _is_far_more(notice: Notice, people: int) -> bool:
    """Returns False also if the people were not counted at the approval."""
    confirmed = notice.confirmed_people
    return confirmed is not None and people > max(confirmed * FAR_MORE, confirmed + FEW_MORE)


def _waits(notice: Notice) -> bool:
    """Returns whether the notice begins later than at its approval: at a set time, or because it
    was paused.
    """
    return notice.started_at != notice.approved_at


def deadline_of(notice: Notice, longest: timedelta) -> datetime:
    """Returns when the retries end, if the plan takes `longest` from now, or from a later start."""
    start_at = notice.waits_until or timezone.now()
    return start_at + longest + timedelta(hours=settings.NOTICE_DEADLINE_HOURS)


def _set_ramp(notice: Notice, people: int | None) -> None:
    """Leaves a notice without steps "by size": people may be added until its ledger is complete."""
    chosen = ramp.ramp_for(notice, people=people)
    if chosen in ramp.IN_STEPS:
        notice.ramp, notice.ramp_to = chosen, 0  # until it is planned


def _pause(notice: Notice, reason: Notice.PausedFor, problem: str = "") -> bool:
    ledger.pause_for_problem(notice, problem, paused_for=reason)
    logger.warning("notice %s paused before more of its ledger is written: %s", notice.pk, reason)
    return False


def _change_since_approval(notice: Notice) -> Notice.PausedFor | None:
    """Returns why the notice may not begin any more; None if it may.

    A weekly mail has the approvals of its alerts, and names the newest versions when it is made.
    """
    if notice.is_test:
        return None
    if notice.incident.shredded_at or not notice.incident.is_public:
        return PausedFor.HIDDEN
    newer = StatementVersion.objects.published().filter(
        statement=notice.version.statement_id,
        number__gt=notice.version.number,
        published_at__gt=notice.approved_at,
    )
    return PausedFor.NEWER if not notice.is_weekly_mail and newer.exists() else None


def _too_many_texts(notice: Notice, people: int) -> str:
    is_text_alert = notice.channel == Notice.Channel.SMS and not notice.is_mandatory
    if not is_text_alert or people <= settings.ALERT_TEXTS:
        return ""
    most = f"{settings.ALERT_TEXTS:,}"
    return LedgerMessages.TOO_MANY_TEXTS.stored(people=f"{people:,}", most=most)
