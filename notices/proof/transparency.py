"""The figures of the transparency page: how many people were notified, how soon (decision 0009).

Any visitor can read them repeatedly, and may know one of the people counted. Three rules therefore
protect single people:
- Figures are taken at most once a day, and once more when a notice closes. A count changes only if
  it changed by THRESHOLD people or more, so that a change never shows one person.
- A count below THRESHOLD is not shown. The largest count is then not shown exactly either: it is
  computed from the other counts on the page, so that no difference reveals a small count.
- A notice to fewer than FEWEST people is not broken down.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from foundations import formatting
from incidents.models import Incident
from incidents.scope_counts import counts_of
from notices.models import Milestone, Notice, PublicFigures
from notices.models.notice import NoticeQuerySet
from statements.models import StatementVersion

THRESHOLD = 10  # people; counts are also rounded to multiples of it
SMALL = 2 * THRESHOLD  # a count below THRESHOLD may since have grown by less than THRESHOLD
FEWEST = 100  # the fewest people of a notice for which end states are shown
CELLS = ("accepted", "bounced", "not_reachable", "other")

Counts = Mapping[str, int]


# ---------------------------------------------------------------- taking figures


def record_milestones() -> None:
    """Records which notices have passed a milestone. It is cheap enough to run every minute."""
    mandatory = Notice.objects.real().filter(kind=Notice.Kind.MANDATORY, planned_at__isnull=False)
    ended = Q(closed_at__isnull=False, milestones__kind=Milestone.Kind.FIRST)
    for notice in mandatory.exclude(ended).exclude(milestones__kind=Milestone.Kind.NEARLY_ALL):
        counts, now = Notice.objects.live_counts(notice.pk), timezone.now()
        passed = [Milestone.Kind.FIRST] if counts["accepted"] else []
        if passed and counts["accepted"] * 100 >= counts["planned"] * 99:
            passed.append(Milestone.Kind.NEARLY_ALL)
        Milestone.objects.bulk_create(
            [Milestone(notice=notice, kind=kind, at=now) for kind in passed], ignore_conflicts=True
        )


def take_all() -> None:
    """Takes the figures of all public incidents for which they are due."""
    for incident in Incident.objects.public():
        take_figures(incident)


def take_figures(incident: Incident) -> bool:
    """Takes an incident's figures if they are due and a count has changed by THRESHOLD or more.

    Returns whether it stored new figures.
    """
    with transaction.atomic():
        # Another process, such as an import, may lock the row for long. The next run takes the
        # figures then.
        rows = Incident.objects.select_for_update(no_key=True, skip_locked=True)
        if not rows.filter(pk=incident.pk).exists():
            return False
        last = incident.figures.order_by("taken_at").last()
        now = timezone.now()
        if last and not _is_due(incident, last.taken_at, now):
            return False
        counts = _counts(incident, last.counts if last else {})
        if last and counts == last.counts:
            return False
        PublicFigures.objects.create(incident=incident, taken_at=now, counts=counts)
    return True


def _is_due(incident: Incident, last: datetime, now: datetime) -> bool:
    is_new_day = timezone.localdate(now) != timezone.localdate(last)
    return is_new_day or _sent(incident).filter(closed_at__gt=last).exists()


def _sent(incident: Incident) -> NoticeQuerySet:
    """Returns the mandatory notices for which sending has started, oldest first."""
    unsent = [Notice.State.DRAFT, Notice.State.PLANNING]
    real = Notice.objects.real().filter(incident=incident, planned__gt=0)
    mandatory = real.filter(kind=Notice.Kind.MANDATORY)
    return mandatory.exclude(state__in=unsent).order_by("approved_at", "pk")


def _counts(incident: Incident, last: Mapping[str, Any]) -> dict[str, Any]:
    before = last.get("notices", {})
    people = _steadied({"people": _affected(incident)}, {"people": last.get("affected", 0)})
    return {
        "affected": people["people"],
        "notices": {
            str(notice.pk): _steadied(_cells(notice), before.get(str(notice.pk), {}))
            for notice in _sent(incident)
        },
    }


def _affected(incident: Incident) -> int:
    """Returns the number of people in the closed scope versions; 0 if none is closed."""
    total = counts_of(incident).total
    return total.people if total else 0


def _cells(notice: Notice) -> Counts:
    """Returns the five counts of the page, from the notice's stored counters."""
    ended = {
        "accepted": notice.accepted,
        "bounced": notice.bounced,
        "not_reachable": notice.unreachable + notice.suppressed,
    }
    other = notice.planned - sum(ended.values())
    return {"planned": notice.planned, **ended, "other": other}


def _steadied(counts: Counts, before: Counts) -> dict[str, int]:
    """Returns each count as it was last taken, unless it has changed by THRESHOLD or more."""
    return {
        name: before[name] if name in before and abs(now - before[name]) < THRESHOLD else now
        for name, now in counts.items()
    }


# ---------------------------------------------------------------- showing them


class NoticeFigures(NamedTuple):
    """A notice on the page: its version, and rows of (label, figure)."""

    version: StatementVersion
    facts: list[tuple[str, Any]]


def context(incident: Incident) -> dict[str, Any]:
    """Returns the page's template context: the newest figures and the milestones before them."""
    figures = incident.figures.order_by("taken_at").last()
    if figures is None:
        return {"incident": incident, "figures": None, "threshold": THRESHOLD, "told": []}
    counts = figures.counts["notices"]
    notices = Notice.objects.filter(pk__in=[int(key) for key in counts]).order_by("approved_at")
    related = notices.select_related("version__statement__incident").prefetch_related("milestones")
    return {
        "incident": incident,
        "figures": figures,
        "threshold": THRESHOLD,
        "affected": _affected_facts(figures.counts.get("affected", 0)),
        "told": [
            NoticeFigures(
                notice.version, _facts(incident, notice, counts[str(notice.pk)], figures.taken_at)
            )
            for notice in related
        ],
    }


def _affected_facts(people: int) -> list[tuple[str, str]]:
    """Returns the row with the rounded number of affected people.

    Returns no row for 0 people, and no number for fewer than FEWEST.
    """
    if not people:
        return []
    few = _("fewer than %(number)s") % {"number": FEWEST}
    return [(_("People whose data leaked"), few if people < FEWEST else rounded_count(people))]


def _facts(
    incident: Incident, notice: Notice, counts: Counts, taken_at: datetime
) -> list[tuple[str, Any]]:
    facts: list[tuple[str, Any]] = [(_("Channel"), notice.get_channel_display())]
    if notice.started_at:
        facts.append(
            (_("Sent from"), date_format(timezone.localdate(notice.started_at, incident.zone)))
        )
    if counts["planned"] < FEWEST:
        few = _("Fewer than %(number)s, so nothing more is shown here")
        return [*facts, (_("People to tell"), few % {"number": FEWEST})]
    is_push = notice.channel == Notice.Channel.PUSH
    to_tell = _("Browsers of subscribers") if is_push else _("People to tell")
    facts.append((to_tell, rounded_count(counts["planned"])))
    labels = {
        "accepted": _("Told: the message was accepted for delivery"),
        "bounced": _("The message came back"),
        "not_reachable": _("Not reachable over this channel"),
        "other": _("Under way, in doubt or cancelled"),
    }
    shown = shown_cells(counts)
    facts += [(labels[name], shown[name]) for name in CELLS]
    return facts + _times(incident, notice, taken_at)


def shown_cells(counts: Counts) -> dict[str, str]:
    """Returns the text that the page shows for each of CELLS."""
    small = [name for name in CELLS if counts[name] < THRESHOLD]
    if not small:
        return {name: rounded_count(counts[name]) for name in CELLS}
    largest = max(CELLS, key=lambda name: counts[name])
    others = [name for name in CELLS if name not in (*small, largest)]
    rest = _rounded(counts["planned"]) - sum(_rounded(counts[name]) for name in others)
    few = _("fewer than %(number)s") % {"number": SMALL}
    shown = dict.fromkeys(small, few) | {name: rounded_count(counts[name]) for name in others}
    return shown | {largest: rounded_count(rest)}


def rounded_count(count: int) -> str:
    """Returns a rounded count as text, such as "about 33,673,820"."""
    return _("about %(number)s") % {"number": formatting.number(_rounded(count))}


def _rounded(count: int) -> int:
    """Rounds to the nearest multiple of THRESHOLD; a half is rounded up."""
    return (count + THRESHOLD // 2) // THRESHOLD * THRESHOLD


def _times(incident: Incident, notice: Notice, taken_at: datetime) -> list[tuple[str, str]]:
    """Returns (label, time) for each milestone: the time since the company became aware."""
    labels = {
        Milestone.Kind.FIRST: _("From becoming aware to the first message"),
        Milestone.Kind.NEARLY_ALL: _("From becoming aware to 99 per cent told"),
    }
    passed = {each.kind: each.at for each in notice.milestones.all() if each.at <= taken_at}
    return [
        (label, _span(incident.aware_at, passed[kind]) if kind in passed else _("not reached"))
        for kind, label in labels.items()
    ]


def _span(start: datetime, end: datetime) -> str:
    """Returns the time from `start` to `end` in words, rounded up to hours, and a long one to
    days.
    """
    seconds = max(int((end - start).total_seconds()), 0)
    unit = 1 if seconds <= formatting.MOST_DAYS_WITH_HOURS * 24 * 3600 else 24  # hours
    return formatting.hours_in_words(-(-seconds // (unit * 3600)) * unit)
