"""When the files came that hold data of one person, and what was new on each day.

A file that is loaded later can add data to a row that a person has seen already. Files of withdrawn
scope versions are left out: incidents.earlier_answers tells of those. See docs/decisions/0128.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from incidents import phrasing
from incidents.leaks import DecryptedRow, HeldValues, Leak, values_held
from incidents.models import DataClass, Incident
from incidents.visibility import shown_since


@dataclass(frozen=True)
class Addition:
    """What the files of one day added to the data of one person."""

    day: date  # in the incident's time zone
    new: Sequence[DataClass]  # that no earlier file holds
    more: Sequence[DataClass]  # of which an earlier file holds values, but fewer

    @property
    def lines(self) -> list[str]:
        """Returns one or two lines in the active language: the new classes, and the others."""
        more = _("More entries: %(names)s") % {"names": _names(self.more)}
        return [capfirst(_names(self.new))] * bool(self.new) + [more] * bool(self.more)


def additions_in(
    rows: Sequence[DecryptedRow], incident: Incident, catalogue: Mapping[int, DataClass]
) -> list[Addition]:
    """Returns what each day added to the rows of one person, the newest day first.

    A day that added nothing is left out. All files that came before the incident was public, or
    while it was hidden, count on the day when it became public (again), because no person could see
    them earlier. Values in the person's contact have no day, so they count as a data class only.
    `catalogue` has the data classes by id, in their order.
    """

    def day_of(row: DecryptedRow) -> date:
        return shown_since(incident, row.added_at).astimezone(incident.zone).date()

    found, rows_so_far, before = list[Addition](), list[DecryptedRow](), HeldValues({}, set())
    for day, group in groupby(sorted(rows, key=day_of), key=day_of):
        rows_so_far += group
        now = values_held(rows_so_far)
        held = [entry for key, entry in catalogue.items() if key in now.values]
        new = [entry for entry in held if entry.pk not in before.values]
        more = [entry for entry in held if _has_more(entry, before, now)]
        found += [Addition(day, new, more)] if new or more else []
        before = now
    return found[::-1]


def _has_more(entry: DataClass, before: HeldValues, now: HeldValues) -> bool:
    """Returns whether the class was held before, and more values of it are now."""
    earlier = before.values.get(entry.pk)
    return earlier is not None and (
        Leak(entry, now.values[entry.pk]).count > Leak(entry, earlier).count
    )


def _names(classes: Sequence[DataClass]) -> str:
    return phrasing.joined([phrasing.counted_noun(entry, 0) for entry in classes])
