"""Holds a notice's people back as its sending plan demands, for each provider group by itself.

A worker reserves some messages of a group in the database, at most RESERVED at once, so that all
workers together stay within the plan, also if some are killed: what a killed worker reserved counts
as sent. If nothing is allowed now, the rows of the group get a time (`not_before`) at which their
turn comes. People's keys are random, so a chunk's place in the order of keys tells which share of
the group comes before it. Until then no worker reads these rows.
"""

import time
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from notices.engine import group_counts
from notices.engine.sending_plans import (
    Pace,
    SendingPlan,
    allowed,
    chosen_plan,
    moved_on,
    number_of,
    plan_of,
    time_to_send,
)
from notices.models import Chunk, Notice, NoticeGroup, SendingPace
from notices.provider_groups import group_of

RESERVED = 50  # messages of one group by one worker
CLOSED_SECONDS = 1.0  # before a worker asks again about a group without allowed messages
LONGEST_PLAN = timedelta(days=365)


def sender_name() -> str:
    """Returns the sender as providers see it: the relay or provider, and the domain in From."""
    relay = settings.NOTICE_PROVIDER or settings.EMAIL_HOST
    return f"{relay} {parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition('@')[2].lower()}"


class PlanGate:
    """The plan of one notice, as one worker applies it."""

    def __init__(self, notice: Notice, plan: SendingPlan) -> None:
        self._notice, self._plan = notice, plan
        self._left: Counter[str] = Counter()  # reserved messages
        self._tried: Counter[str] = Counter()  # people, since the last write
        self._ask_at: dict[str, float] = {}
        self._paces: dict[str, Pace] = {}
        self._groups = {row.group: row for row in notice.groups.all()}

    def has_room(self, destination: str) -> bool:
        """Returns whether the plan allows a message to `destination` now. Reserves some if none is
        reserved.
        """
        group = group_of(destination)
        numbers = self._plan.numbers(group)
        if numbers is None or self._left[group] > 0:
            return True
        if time.monotonic() < self._ask_at.get(group, 0.0):
            return False
        self._left[group] = self._reserve(group, numbers)
        if not self._left[group]:
            longest = self._plan.step.total_seconds() / 100
            self._ask_at[group] = time.monotonic() + min(CLOSED_SECONDS, longest)
        return self._left[group] > 0

    def count(self, destination: str, *, is_first: bool) -> None:
        """Counts a message that is about to be sent; `is_first`: the person's first try."""
        group = group_of(destination)
        self._left[group] -= self._plan.numbers(group) is not None
        self._tried[group] += is_first

    def record_refusal(self, destination: str) -> None:
        """Records that the provider limited us: the step will be repeated."""
        self._rows(group_of(destination)).update(refused_at=Now())

    def wait(self, chunk: Chunk, destination: str) -> timedelta:
        """Returns after which time the turn of the group's people in `chunk` comes."""
        group = group_of(destination)
        pace, row = self._paces[group], self._groups.get(group)  # known since it has no room
        numbers, now = self._plan.numbers(group) or (), timezone.now()
        share = chunk.first.int / (1 << 128)
        before = round(share * row.people) - row.tried if row else 0
        turn = time_to_send(pace, self._plan, numbers, now, messages=max(before, 0) + 1)
        return max(turn, self._shortest_wait(now))

    def _shortest_wait(self, now: datetime) -> timedelta:
        """Returns a wait that grows with the time of the send, so that people are not read again
        and again if the estimate of their number is wrong.
        """
        notice = self._notice  # a weekly mail has the approval of its newest alert
        began = notice.created_at if notice.is_weekly_mail else notice.started_at
        since = now - (began or now)
        return min(max(self._plan.step / 100, since / 20), self._plan.step / 4)

    def finish(self) -> None:
        """Writes the counts, and returns what was reserved and not used."""
        for group in {*self._left, *self._tried}:
            with transaction.atomic():
                rows = self._rows(group).filter(admitted__gte=self._left[group])
                rows.update(admitted=F("admitted") - self._left[group])
                tried = self._write_tried(group)
            self._left[group] = 0
            self._tried[group] -= tried

    def _reserve(self, group: str, numbers: tuple[int, ...]) -> int:
        plan = self._plan
        key = {"sender": sender_name(), "plan": plan.id, "group": group}
        SendingPace.objects.get_or_create(**key, defaults={"step_at": timezone.now()})
        with transaction.atomic():
            row = SendingPace.objects.select_for_update().annotate(now=Now()).get(**key)
            stored = Pace(row.step, row.step_at, row.admitted, row.refused_at)
            pace = moved_on(stored, plan, numbers, row.now)
            number = min(allowed(pace, plan, numbers, row.now), RESERVED)
            pace = self._paces[group] = replace(pace, admitted=pace.admitted + number)
            if pace != stored:
                SendingPace.objects.filter(pk=row.pk).update(**vars(pace))
            tried = self._write_tried(group)
        self._tried[group] -= tried
        return number

    def _write_tried(self, group: str) -> int:
        """Writes how many people were tried, and returns the number. Reads the group's counts."""
        tried = self._tried[group]
        rows = NoticeGroup.objects.filter(notice=self._notice, group=group)
        if tried and not rows.update(tried=F("tried") + tried):
            NoticeGroup.objects.get_or_create(
                notice=self._notice, group=group, defaults={"tried": tried, "people": tried}
            )
        self._groups |= {row.group: row for row in rows}
        return tried

    def _rows(self, group: str) -> QuerySet[SendingPace]:
        rows = SendingPace.objects.filter(sender=sender_name(), plan=self._plan.id)
        return rows.filter(group=group)


def plan_gate(notice: Notice) -> PlanGate | None:
    """Returns the gate of a notice with a sending plan; None if it has none."""
    plan = plan_of(notice)
    return PlanGate(notice, plan) if plan else None


# ---------------------------------------------------------------- the notice


def freeze_plan(notice: Notice, *, people: int | None) -> timedelta:
    """Freezes the plan of a notice that is being approved, or gets another plan, and counts its
    groups if they are not counted. Returns how long the plan takes. The caller saves the notice.
    """
    plan = chosen_plan(notice)
    notice.frozen_plan = plan and plan.as_json()
    return _count_groups(notice, plan, people=people) if plan else timedelta(0)


def count_groups_again(notice: Notice, *, people: int) -> timedelta:
    """Counts the groups of a notice with a frozen plan again, before any of them was sent to.
    Returns how long the plan takes.
    """
    plan = plan_of(notice)
    notice.groups.all().delete()
    return _count_groups(notice, plan, people=people) if plan else timedelta(0)


def count_more(notice: Notice, *, people: int) -> timedelta:
    """Adds the groups that are new among the `people` of a notice whose ledger is being written.
    Returns how long the frozen plan takes.
    """
    plan = plan_of(notice)
    return _count_groups(notice, plan, people=people) if plan else timedelta(0)


def _count_groups(notice: Notice, plan: SendingPlan, *, people: int | None) -> timedelta:
    counts = group_counts.count_groups(notice, people=people)
    NoticeGroup.objects.bulk_create(
        (
            NoticeGroup(notice=notice, group=group, people=number)
            for group, number in counts.items()
        ),
        ignore_conflicts=True,
    )
    ends = (each.ends_in for each in group_paces(plan, counts))
    return min(max(ends, default=timedelta(0)), LONGEST_PLAN)


def correct_counts(notice: Notice) -> None:
    """Scales the estimates of a planned notice to the people who have an address."""
    notice.refresh_from_db(fields=["planned", "unreachable"])
    estimated = sum(row.people for row in notice.groups.all())
    if estimated:
        scale = (notice.planned - notice.unreachable) / estimated
        notice.groups.update(people=F("people") * scale)


class GroupPace(NamedTuple):
    """What the desk shows of one group; times from now."""

    group: str
    people: int
    tried: int
    number: int | None  # messages in this step; None: no limit
    admitted: int
    next_in: timedelta
    ends_in: timedelta


def group_paces(
    plan: SendingPlan, people: dict[str, int], tried: dict[str, int] | None = None
) -> list[GroupPace]:
    """Returns the pace of each group now, for that many people, of whom `tried` were tried."""
    now = timezone.now()
    stored = {
        row.group: Pace(row.step, row.step_at, row.admitted, row.refused_at)
        for row in SendingPace.objects.filter(sender=sender_name(), plan=plan.id)
    }
    found = []
    for group, number in people.items():
        done, numbers = (tried or {}).get(group, 0), plan.numbers(group)
        left = max(number - done, 0)
        if numbers is None:
            none = timedelta(0)
            found.append(GroupPace(group, number, done, None, done, none, none))
            continue
        pace = moved_on(stored.get(group, Pace(0, now)), plan, numbers, now)
        ends_in = time_to_send(pace, plan, numbers, now, messages=left) if left else timedelta(0)
        next_in = max(pace.step_at + plan.step - now, timedelta(0))
        of_step = number_of(pace, numbers)
        found.append(GroupPace(group, number, done, of_step, pace.admitted, next_in, ends_in))
    return found
