"""Sentences that a list of translated words cannot make: counted, joined, and in Korean with the
particle that the last syllable asks for.
"""

import datetime
from collections.abc import Sequence

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language

from incidents.models import DataClass

_NO_BREAK = "\u00a0"  # a count alone at the start of a line is misread


def leaked(counts: Sequence[tuple[DataClass, int]]) -> str:
    """As in "Your name, 2 addresses and 1 entrance code leaked", in the active language.

    A count of 0 means that the class leaked and nobody knows how many values of it.
    """
    items = [counted_noun(data_class, count) for data_class, count in counts]
    if _is_korean():
        listed = ", ".join(items)
        return f"{listed}{'이' if _ends_in_consonant(listed) else '가'} 유출되었습니다"
    return f"Your {joined(items)} leaked"


def counted_noun(data_class: DataClass, count: int) -> str:
    """As in "2 addresses", "주소 2개"; without a number where it would say nothing."""
    is_bare = count == 0 or (count == 1 and data_class.is_one_each)
    if _is_korean():
        return (
            data_class.name
            if is_bare
            else f"{data_class.name}{_NO_BREAK}{number_of(data_class, count)}"
        )
    unit = data_class.units_en if count != 1 else data_class.unit_en
    return unit if is_bare else f"{count:,}{_NO_BREAK}{unit}"


def number_of(data_class: DataClass, count: int) -> str:
    """As in "2", "2건": Korean counts each kind of thing in its own word."""
    return f"{count:,}{data_class.unit_ko}" if _is_korean() else f"{count:,}"


def joined(items: Sequence[str]) -> str:
    """As in "a, b and c", in the active language."""
    if _is_korean() or len(items) < 2:
        return ", ".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def day(written: str) -> str:
    """The day of an ISO date or time, in full and in the portal's zone; "" if it is neither."""
    try:
        moment = datetime.datetime.fromisoformat(written)
    except ValueError:
        return ""
    if timezone.is_aware(moment):
        moment = timezone.localtime(moment)
    return date_format(moment)


def _is_korean() -> bool:
    return (get_language() or "").startswith("ko")


def _ends_in_consonant(text: str) -> bool:
    """Hangul syllables stand in blocks of 28, the first of each without a final consonant."""
    last = text[-1:]
    return "가" <= last <= "힣" and (ord(last) - ord("가")) % 28 != 0
