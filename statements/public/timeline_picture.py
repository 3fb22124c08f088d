"""The timeline as a picture: a line from its first day to its last, with a stroke for each day."""

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

WIDTH, HEIGHT, MARGIN = 320, 24, 2


class TimelinePicture(NamedTuple):
    """The path of an SVG of WIDTH by HEIGHT units, and the days at its ends."""

    path: str
    first: date
    last: date


def timeline_picture(days: Iterable[date]) -> TimelinePicture | None:
    """Returns the picture of `days`, in true distances; None if they are not two days at least."""
    in_order = sorted(set(days))
    if len(in_order) < 2:
        return None
    first, last = in_order[0], in_order[-1]
    length = WIDTH - 2 * MARGIN
    places = [MARGIN + round(length * ((day - first) / (last - first))) for day in in_order]
    strokes = "".join(f"M{place} 4V20" for place in dict.fromkeys(places))
    return TimelinePicture(f"M{MARGIN} 12H{WIDTH - MARGIN}{strokes}", first, last)
