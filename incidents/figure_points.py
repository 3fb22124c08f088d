"""Records the course of each incident's figures, and draws it.

A point is stored when a value has changed. The distance between two points grows with the age of
the course: it is a hundredth of it, and ten minutes at least. So a year of an incident has some
hundred points, and its first hours are recorded closely.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Min
from django.utils import timezone
from django.utils.translation import gettext as _

from foundations.formatting import moment, number
from incidents.desk_page import DeskFigure, board_of
from incidents.models import FigurePoint, Incident

SHORTEST = timedelta(minutes=10)
PART_OF_AGE = 100
MOST_POINTS = 1000  # of one incident's page
WIDTH, HEIGHT = 240, 48  # of a picture, in its own units
MARGIN = 2

FigureValue = tuple[datetime, int]


def keep() -> None:
    """Stores a point for each figure of each incident that has changed and is due."""
    for incident in Incident.objects.filter(shredded_at=None):
        keep_values(incident.pk, {each.key: each.value for each in board_of(incident).figures})


def keep_values(
    incident_id: int,
    values: Mapping[str, int],
    *,
    shortest: timedelta = SHORTEST,
    part_of_age: int = PART_OF_AGE,
) -> None:
    """Stores a point of each value, by its key, that has changed and is due.

    `shortest` and the `part_of_age` of the course are the least distance between two points.
    """
    now = timezone.now()
    stored = FigurePoint.objects.filter(incident=incident_id, figure__in=list(values))
    rows = stored.values("figure").annotate(first=Min("at"), last=Max("at"))
    due = {
        row["figure"]: now - row["last"] >= max(shortest, (now - row["first"]) / part_of_age)
        for row in rows
    }
    newest = dict(
        stored.order_by("figure", "-at").distinct("figure").values_list("figure", "value")
    )
    FigurePoint.objects.bulk_create(
        (
            FigurePoint(incident_id=incident_id, figure=key, at=now, value=value)
            for key, value in values.items()
            if newest.get(key, 0) != value and due.get(key, True)
        ),
        ignore_conflicts=True,
    )


@dataclass(frozen=True)
class FigureCourse:
    """The picture of one figure: its name and newest value, a path for SVG, and words.

    A figure without points has no words, and one that never changed has no path.
    """

    figure: DeskFigure
    path: str
    words: str


def courses(incident: Incident, figures: Sequence[DeskFigure]) -> list[FigureCourse]:
    """Returns the picture of each figure, in one query."""
    points = points_of(incident.pk, [each.key for each in figures])
    return [_course(figure, points.get(figure.key, [])) for figure in figures]


def points_of(incident_id: int, keys: Iterable[str]) -> dict[str, list[FigureValue]]:
    """Returns the newest MOST_POINTS stored values of the keys, the oldest first, in one query."""
    points = defaultdict[str, list[FigureValue]](list)
    stored = FigurePoint.objects.filter(incident=incident_id, figure__in=list(keys))
    newest = stored.order_by("-at").values_list("figure", "at", "value")
    for key, at, value in reversed(newest[:MOST_POINTS]):
        points[key].append((at, value))
    return points


def _course(figure: DeskFigure, points: list[FigureValue]) -> FigureCourse:
    if not points:
        return FigureCourse(figure, "", "")
    if all(value == figure.value for _at, value in points):
        return FigureCourse(
            figure, "", _("Unchanged since %(from)s") % {"from": moment(points[0][0])}
        )
    now = timezone.now()
    words = _("From %(first)s on %(from)s to %(last)s now") % {
        "first": number(points[0][1]),
        "from": moment(points[0][0]),
        "last": figure.shown,
    }
    return FigureCourse(figure, path_of([*points, (now, figure.value)]), words)


def path_of(points: list[FigureValue]) -> str:
    """Returns the steps of the course as path data of SVG, from 0 at the bottom."""
    begin, end = points[0][0], points[-1][0]
    seconds = (end - begin).total_seconds() or 1.0
    most = max(value for _at, value in points) or 1
    steps: list[str] = []
    for at, value in points:
        across = MARGIN + (WIDTH - 2 * MARGIN) * (at - begin).total_seconds() / seconds
        down = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * value / most
        steps.append(f"H{across:.1f}V{down:.1f}" if steps else f"M{across:.1f} {down:.1f}")
    return "".join(steps)
