"""Numbers with units of Korean, Japanese and Chinese: 3천370만, 3,370万, 1億2,000萬."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"


def decimal(text: str) -> Decimal:
    """Returns the number of digits with commas."""
    return Decimal(text.replace(",", ""))


class Scale:
    """The units of one language: a `small` one may stand before a `large` one."""

    def __init__(self, small: Mapping[str, int], large: Mapping[str, int]) -> None:
        self._small, self._large = small, large
        self._part = re.compile(f"({NUMBER})([{''.join(small)}]?)([{''.join(large)}]?)")

    def numbers_of(self, text: str) -> Iterator[Decimal]:
        """Yields the numbers of a text. Parts are added while their units decrease.

        "3천370만" is one number, "3만 5만" are two.
        """
        total, section, last = Decimal(0), Decimal(0), Decimal(0)
        for part in self._part.finditer(text):
            number = decimal(part[1]) * self._small.get(part[2], 1)
            large = self._large.get(part[3], 1)
            if last and number * (large if not section else 1) >= last:
                yield total + section
                total, section = Decimal(0), Decimal(0)
            section += number
            last = Decimal(self._small.get(part[2], 1))
            if large > 1:
                total, section, last = total + section * large, Decimal(0), Decimal(large)
        yield total + section
