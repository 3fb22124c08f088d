"""The parts of an incident's page on the desk, as data. Each app contributes its own.

An app above this one knows the statements, the notices or the scams of an incident. It adds a
function to `SOURCES` in its `AppConfig.ready`. Each function takes few queries, however many people
the incident affects: it reads stored counts only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from foundations.formatting import hours_in_words, number
from incidents.models import Incident

SUPERUSER = "superuser"  # `DeskTask.right` of what a superuser alone may do


@dataclass(frozen=True, kw_only=True)
class DeskTask:
    """One thing that a person of the response team has to do."""

    key: str  # the same for the same task, so that a message about it is sent once
    words: str  # in the active language
    url: str
    right: str  # the permission that it needs, "app.codename", or SUPERUSER
    not_by: frozenset[int] = frozenset()  # users who may not, because they did the first half
    message_kind: str = ""  # a MessageKind, if people are informed of it; else ""
    message: str = ""  # the words of the message, if they are others than `words`

    def may(self, user: User) -> bool:
        """Returns whether the user may do it."""
        if user.pk in self.not_by:
            return False
        return user.is_superuser if self.right == SUPERUSER else user.has_perm(self.right)


class StageState(StrEnum):
    """The state of one stage of the work on an incident."""

    OPEN = "open"
    MOVING = "moving"
    DONE = "done"


@dataclass(frozen=True, kw_only=True)
class WorkStage:
    """One stage of the work, such as the approval, and the next thing to do in it."""

    order: int  # the place among the stages: 10 is the first
    name: str
    state: StageState
    words: str
    url: str = ""
    task: DeskTask | None = None  # None: nothing can be done yet, or nothing has to be

    @property
    def state_words(self) -> str:
        """Returns the state in the active language."""
        words = {
            StageState.OPEN: _("not begun"),
            StageState.MOVING: _("under way"),
            StageState.DONE: _("done"),
        }
        return words[self.state]


@dataclass(frozen=True, kw_only=True)
class DeskFigure:
    """One number of the incident. A FigurePoint records its course."""

    key: str
    order: int  # the place among the figures: 10 is the first
    name: str
    value: int
    limit: int | None = None  # where the count stopped, so that the value is "more than"
    url: str = ""
    right: str = ""  # the permission that the page at `url` needs
    alarms: tuple[int, ...] = ()  # values at which people with the right are informed
    message_kind: str = ""  # a MessageKind, if there are alarms

    @property
    def shown(self) -> str:
        """Returns the number, or that it is more than the limit of the count."""
        if self.limit is not None and self.value > self.limit:
            return _("more than %(number)s") % {"number": number(self.limit)}
        return number(self.value)


@dataclass(frozen=True, kw_only=True)
class DeskClock:
    """The clock of a legal duty, as the page shows it."""

    key: str
    name: str
    cited: str
    due_at: datetime
    is_met: bool
    url: str

    def left(self, now: datetime) -> timedelta:
        """Returns the time until it is due; negative if it is overdue."""
        return self.due_at - now

    def is_late(self, now: datetime) -> bool:
        """Returns whether it is overdue."""
        return not self.is_met and self.due_at < now

    @property
    def time_left(self) -> str:
        """Returns the time left, such as "31 hours left" or "4 days 4 hours overdue"."""
        left = self.left(timezone.now())
        text = _("%(time)s overdue") if left < timedelta() else _("%(time)s left")
        return text % {"time": duration(abs(left))}


@dataclass(frozen=True, kw_only=True)
class PageParts:
    """The contribution of one app to the page of one incident."""

    stages: Sequence[WorkStage] = ()
    tasks: Sequence[DeskTask] = ()
    figures: Sequence[DeskFigure] = ()
    clocks: Sequence[DeskClock] = ()
    blocks: Sequence[DeskTask] = ()  # what prevents the work; `right` is that of who can end it


SOURCES: list[Callable[[Incident], PageParts]] = []


@dataclass(kw_only=True)
class IncidentBoard:
    """All parts of one incident's page, in the order in which the page shows them."""

    incident: Incident
    stages: list[WorkStage] = field(default_factory=list)
    tasks: list[DeskTask] = field(default_factory=list)
    figures: list[DeskFigure] = field(default_factory=list)
    clocks: list[DeskClock] = field(default_factory=list)
    blocks: list[DeskTask] = field(default_factory=list)

    @property
    def next_task(self) -> DeskTask | None:
        """Returns the next step: the task of the first stage that is not done and has one."""
        return next((stage.task for stage in self.undone if stage.task), None)

    @property
    def undone(self) -> list[WorkStage]:
        """Returns the stages that are not done."""
        return [stage for stage in self.stages if stage.state != StageState.DONE]

    @property
    def late(self) -> list[DeskClock]:
        """Returns the overdue clocks, the longest overdue first."""
        now = timezone.now()
        return [clock for clock in self.clocks if clock.is_late(now)]

    @property
    def running(self) -> list[DeskClock]:
        """Returns the clocks that are neither met nor overdue, the next one first."""
        now = timezone.now()
        return [clock for clock in self.clocks if not clock.is_met and not clock.is_late(now)]

    @property
    def met(self) -> list[DeskClock]:
        """Returns the clocks of duties that are met."""
        return [clock for clock in self.clocks if clock.is_met]

    def waiting_for(self, user: User) -> list[DeskTask]:
        """Returns what waits for this user, the next step first, each thing once."""
        steps = [stage.task for stage in self.undone]
        found = {task.key: task for task in [*steps, *self.tasks] if task and task.may(user)}
        return list(found.values())


def board_of(incident: Incident) -> IncidentBoard:
    """Returns the page's parts of the incident, in its time zone and the active language."""
    with timezone.override(incident.zone):
        parts = [source(incident) for source in SOURCES]
    figures = [each for part in parts for each in part.figures]
    return IncidentBoard(
        incident=incident,
        stages=sorted((each for part in parts for each in part.stages), key=lambda one: one.order),
        tasks=[each for part in parts for each in part.tasks],
        figures=sorted(figures, key=lambda one: one.order),
        clocks=sorted((each for part in parts for each in part.clocks), key=lambda one: one.due_at),
        blocks=[each for part in parts for each in part.blocks],
    )


def named(task: DeskTask, incident: Incident) -> DeskTask:
    """Returns the task with the incident's title before it, for a list of several incidents."""
    return replace(task, words=f"{incident}: {task.words}")


def duration(time: timedelta) -> str:
    """Returns a duration in words, rounded down: "19 seconds", "20 minutes", "31 hours", "4 days 4
    hours", "377 days".
    """
    seconds = max(int(time.total_seconds()), 0)
    if seconds < 60:
        return ngettext("%(n)s second", "%(n)s seconds", seconds) % {"n": seconds}
    minutes, hours = seconds // 60, seconds // 3600
    if hours < 2:
        return ngettext("%(n)s minute", "%(n)s minutes", minutes) % {"n": minutes}
    return hours_in_words(hours)
