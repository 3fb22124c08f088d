"""Records how the counters of each notice change while it is sent, and draws their course.

The ledger of a large notice has tens of millions of rows, so its course is not counted later: the
sweep stores the counters as FigurePoints of the incident, and the desk's page reads these alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from foundations.formatting import moment, number
from incidents import figure_points
from incidents.desk_page import DeskFigure, duration
from incidents.figure_points import FigureCourse, FigureValue
from notices.models import Delivery, Notice

DRAWN = (Delivery.State.ACCEPTED, Delivery.State.BOUNCED, Delivery.State.IN_DOUBT)
SHORTEST = timedelta(seconds=5)  # between two points; also the time between two sweeps
PART_OF_AGE = 40  # the points of two weeks are some 400
ROWS = 10  # of the table
SHORT = timedelta(hours=2)  # a shorter course is told in minutes and seconds


@dataclass(frozen=True)
class CourseRow:
    """The counters at one time, in the order of DRAWN."""

    at: str
    values: list[str]


@dataclass(frozen=True)
class NoticeCourse:
    """The pictures of a notice's counters over time, and the same figures as a table."""

    pictures: list[FigureCourse]
    rows: list[CourseRow]


def keep(notice: Notice) -> None:
    """Stores the notice's current counters that have changed and are due, in four queries."""
    counts = Notice.objects.live_counts(notice.pk)
    figure_points.keep_values(
        notice.incident_id,
        {_key(notice, state): counts[state] for state in DRAWN},
        shortest=SHORTEST,
        part_of_age=PART_OF_AGE,
    )


def course_of(notice: Notice, counts: Mapping[str, int]) -> NoticeCourse | None:
    """Returns the course of the counters up to `counts`, the current ones, in one query.

    Returns None if the notice is not being sent, or was sent before the sweep stored a point.
    """
    begun, now = notice.started_at, timezone.now()
    if begun is None or begun >= now:
        return None
    end = notice.closed_at or now
    stored = figure_points.points_of(notice.incident_id, [_key(notice, each) for each in DRAWN])
    if not stored:
        return None
    points = {
        state: _within(stored.get(_key(notice, state), []), begun, end, counts[state])
        for state in DRAWN
    }
    pictures = [_picture(state, points[state], is_over=bool(notice.closed_at)) for state in DRAWN]
    return NoticeCourse(pictures, list(_rows(list(points.values()), begun, end)))


def _key(notice: Notice, state: str) -> str:
    return f"{notice.pk}:{state}"


def _within(
    stored: Iterable[FigureValue], begun: datetime, end: datetime, now: int
) -> list[FigureValue]:
    """Returns the course from 0 at the begin to the value `now` at the end."""
    return [(begun, 0), *(each for each in stored if begun < each[0] < end), (end, now)]


def _picture(state: Delivery.State, points: list[FigureValue], *, is_over: bool) -> FigureCourse:
    (begun, _zero), (end, last) = points[0], points[-1]
    figure = DeskFigure(key=state.value, order=0, name=str(state.label), value=last)
    if not any(value for _at, value in points):
        return FigureCourse(figure, "", "")
    said = {"from": moment(begun), "last": number(last), "to": moment(end), "first": number(0)}
    text = (
        _("From %(first)s on %(from)s to %(last)s on %(to)s")
        if is_over
        else _("From %(first)s on %(from)s to %(last)s now")
    )
    return FigureCourse(figure, figure_points.path_of(points), text % said)


def _rows(
    courses: Sequence[Sequence[FigureValue]], begun: datetime, end: datetime
) -> Iterator[CourseRow]:
    """Yields the values at ROWS times, evenly apart."""
    for row in range(1, ROWS + 1):
        at = end if row == ROWS else begun + (end - begun) * row / ROWS
        values = [
            number(next(value for time, value in reversed(each) if time <= at)) for each in courses
        ]
        yield CourseRow(_time_words(at, begun, end), values)


def _time_words(at: datetime, begun: datetime, end: datetime) -> str:
    if end - begun > SHORT:
        return moment(at)
    return _("after %(time)s") % {"time": duration(at - begun)}
