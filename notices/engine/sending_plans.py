"""Sending plans: how many messages a provider group gets in each step, and when it gets them.

Everything here is arithmetic on the plan, the pace of a group and the time; pacing.py stores the
pace. Within a step the number is spread over its time. A step is followed by the next one if at
least half of its number was sent and the provider did not limit us; otherwise it is repeated. After
IDLE without a message the first step begins again, because providers forget a sender.
"""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from django.conf import settings
from django.core import checks
from pydantic import Field, Strict

from foundations.toml_files import Localized, Text, TomlFileError, TomlTable, load
from notices.models import Notice
from notices.provider_groups import GROUP_NAMES, OTHER

NO_PLAN = "none"
ANY_GROUP = "*"
AT_ONCE = 0.05  # the share of a step's number that may go at its start
IDLE = timedelta(days=30)
_Number = Annotated[int, Field(gt=0)]
_Numbers = Annotated[tuple[_Number, ...], Strict(False), Field(min_length=1)]


class PlanEntry(TomlTable):
    """The table [[plan]] of the file."""

    id: Text
    name: Localized
    step_minutes: _Number
    messages: dict[Text, _Numbers]


class _Plans(TomlTable):
    plan: Annotated[tuple[PlanEntry, ...], Strict(False)]


@dataclass(frozen=True)
class SendingPlan:
    """The plan of one notice, as it was approved."""

    id: str
    step: timedelta
    messages: dict[str, tuple[int, ...]]

    def numbers(self, group: str) -> tuple[int, ...] | None:
        """Returns the messages of the group in each step; None: no limit."""
        return self.messages.get(group) or self.messages.get(ANY_GROUP)

    def as_json(self) -> dict[str, Any]:
        """Returns the plan as the notice stores it."""
        seconds = self.step.total_seconds()
        return {"id": self.id, "step_seconds": seconds, "messages": self.messages}


@dataclass(frozen=True)
class Pace:
    """How far a sender is in a plan with one group."""

    step: int  # from 0
    step_at: datetime
    admitted: int = 0  # messages in this step
    refused_at: datetime | None = None  # when the provider last limited us


@lru_cache(maxsize=4)
def _plans_in(path: Path) -> dict[str, PlanEntry]:
    return {entry.id: entry for entry in load(path, _Plans).plan}


def plans() -> dict[str, PlanEntry]:
    """Returns the plans that a notice can have, by id. Raises TomlFileError and OSError."""
    own = settings.NOTICE_PLANS_FILE
    return _plans_in(Path(own) if own else Path(__file__).with_name("sending_plans.toml"))


def check_sending_plans(**_options: object) -> list[checks.CheckMessage]:
    """System check: finds a plans file that cannot be used, and a NOTICE_PLAN that it lacks."""
    try:
        known = plans()
    except (TomlFileError, OSError) as error:
        return [checks.Error(f"NOTICE_PLANS_FILE: {error}", id="notices.E010")]
    groups = {*GROUP_NAMES, OTHER, ANY_GROUP}
    wrong = sorted({name for entry in known.values() for name in entry.messages} - groups)
    found: list[checks.CheckMessage] = []
    if wrong:
        text = f"NOTICE_PLANS_FILE: no provider group is called {', '.join(wrong)}."
        found.append(checks.Error(text, id="notices.E011"))
    if settings.NOTICE_PLAN not in ("", NO_PLAN, *known):
        text = f"NOTICE_PLAN is {settings.NOTICE_PLAN!r}; there is no such plan."
        found.append(checks.Error(text, id="notices.E012"))
    return found


def chosen_plan(notice: Notice) -> SendingPlan | None:
    """Returns the plan that an approval of the draft would freeze; None: no plan. Text messages and
    tests have none.
    """
    entry = plans().get(notice.sending_plan or settings.NOTICE_PLAN)
    if entry is None or notice.is_test or notice.channel != Notice.Channel.EMAIL:
        return None
    return SendingPlan(entry.id, timedelta(minutes=entry.step_minutes), dict(entry.messages))


def is_plan_missing(notice: Notice) -> bool:
    """Returns whether the draft names a plan that the file does not have any more."""
    return notice.sending_plan not in ("", NO_PLAN, *plans())


def plan_of(notice: Notice) -> SendingPlan | None:
    """Returns the plan with which the notice was approved; None: no plan."""
    stored = notice.frozen_plan
    if not stored:
        return None
    messages = {name: tuple(numbers) for name, numbers in stored["messages"].items()}
    return SendingPlan(stored["id"], timedelta(seconds=stored["step_seconds"]), messages)


# ---------------------------------------------------------------- the arithmetic


def moved_on(pace: Pace, plan: SendingPlan, numbers: tuple[int, ...], now: datetime) -> Pace:
    """Returns the pace at `now`: in the same step, in the next one, or at its start again."""
    if now < pace.step_at + plan.step:
        return pace
    if now > pace.step_at + IDLE:
        return Pace(0, now)
    is_full = pace.admitted * 2 >= number_of(pace, numbers)
    was_limited = pace.refused_at is not None and pace.refused_at >= pace.step_at
    step = min(pace.step + (is_full and not was_limited), len(numbers) - 1)
    is_late = now >= pace.step_at + 2 * plan.step
    return Pace(step, now if is_late else pace.step_at + plan.step)


def number_of(pace: Pace, numbers: tuple[int, ...]) -> int:
    """Returns the messages of the current step."""
    return numbers[min(pace.step, len(numbers) - 1)]


def allowed(pace: Pace, plan: SendingPlan, numbers: tuple[int, ...], now: datetime) -> int:
    """Returns how many more messages may be sent now; 0 or more."""
    share = min((now - pace.step_at) / plan.step + AT_ONCE, 1.0)
    number = number_of(pace, numbers)
    return max(min(max(math.floor(number * share), 1), number) - pace.admitted, 0)


def time_to_send(
    pace: Pace, plan: SendingPlan, numbers: tuple[int, ...], now: datetime, *, messages: int
) -> timedelta:
    """Returns how long `messages` further messages take if each step is followed by the next."""
    at, left = pace, messages
    while left > number_of(at, numbers) - at.admitted:
        left -= max(number_of(at, numbers) - at.admitted, 0)
        following = min(at.step + 1, len(numbers) - 1)
        at = Pace(following, at.step_at + plan.step)
        if following == at.step == len(numbers) - 1 and left > numbers[-1]:
            whole = (left - 1) // numbers[-1]
            left -= whole * numbers[-1]
            at = replace(at, step_at=at.step_at + whole * plan.step)
    share = (at.admitted + left) / number_of(at, numbers) - AT_ONCE
    return max(at.step_at + plan.step * max(share, 0.0) - now, timedelta(0))
