"""A date in a text, and the dates of a match of a date's pattern."""

import re
from collections.abc import Iterator
from typing import NamedTuple


class Day(NamedTuple):
    """A date; parts that the text does not state are None."""

    month: int
    day: int | None = None
    year: int | None = None

    def agrees_with(self, other: "Day") -> bool:
        """Returns whether both can be the same date; often only one text states the year."""
        is_same_day = (self.month, self.day) == (other.month, other.day)
        return is_same_day and (self.year is None or other.year is None or self.year == other.year)


def days_of(match: re.Match[str], month: int, year: int | None) -> Iterator[Day]:
    """Yields one date, both dates of "18 to 20 November", or a month without a day."""
    groups = match.groupdict()
    days = [groups[name] for name in ("day", "last_day", "end") if groups.get(name)]
    for day in days or [None]:
        number = int(day) if day else None
        if 1 <= month <= 12 and (number is None or 1 <= number <= 31):
            yield Day(month, number, year)
