"""Sentences that the translation catalogue cannot make: with counts, lists and Korean particles.

A Korean particle depends on the last syllable before it.
"""

import datetime
from collections.abc import Sequence

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext, ngettext

from incidents.models import DataClass, Unread

# Between a count and its unit, because a count alone at the start of a line is misread.
_NO_BREAK = "\u00a0"


def leaked(counts: Sequence[tuple[DataClass, int]]) -> str:
    """Returns "Your name, 2 addresses and 1 entrance code leaked", in the active language.

    A count of 0 means that the class leaked and the number of its values is not known.
    """
    items = [counted_noun(data_class, count) for data_class, count in counts]
    if _is_korean():
        listed = ", ".join(items)
        return f"{listed}{'이' if _ends_in_consonant(listed) else '가'} 유출되었습니다"
    return f"Your {joined(items)} leaked"


def counted_noun(data_class: DataClass, count: int) -> str:
    """Returns "2 addresses" or "주소 2개".

    Omits the number if it is 0 (not known), or 1 of a class with `is_one_each`.
    """
    is_bare = count == 0 or (count == 1 and data_class.is_one_each)
    if _is_korean():
        return (
            str(data_class.name)
            if is_bare
            else f"{data_class.name}{_NO_BREAK}{number_of(data_class, count)}"
        )
    unit = str((data_class.units if count != 1 else None) or data_class.unit)
    return unit if is_bare else f"{count:,}{_NO_BREAK}{unit}"


def number_of(data_class: DataClass, count: int) -> str:
    """Returns "2" or "2건": Korean has a counter word for each kind of thing."""
    return f"{count:,}{data_class.unit}" if _is_korean() else f"{count:,}"


def unread(amount: Unread) -> str:
    """Returns "12 rows of the leaked data could not be read", or the like, as a sentence.

    It is in the active language.
    """
    rows = ngettext("%(number)s row", "%(number)s rows", amount.rows)
    files = ngettext("%(number)s file", "%(number)s files", amount.files)
    counted = [
        text % {"number": f"{number:,}"}
        for text, number in ((rows, amount.rows), (files, amount.files))
        if number
    ]
    return gettext("%(amount)s of the leaked data could not be read.") % {"amount": joined(counted)}


def joined(items: Sequence[str]) -> str:
    """Returns the items as a list in the active language: "a, b and c" or "a, b, c"."""
    if _is_korean() or len(items) < 2:
        return ", ".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def day(iso_date: str) -> str:
    """Returns the written day of an ISO date or time, in the portal's time zone.

    Returns "" if the text is neither.
    """
    try:
        moment = datetime.datetime.fromisoformat(iso_date)
    except ValueError:
        return ""
    if timezone.is_aware(moment):
        moment = timezone.localtime(moment)
    return date_format(moment)


def _is_korean() -> bool:
    return (get_language() or "").startswith("ko")


def _ends_in_consonant(text: str) -> bool:
    """Returns whether the last character is a Hangul syllable with a final consonant.

    Unicode orders the syllables in blocks of 28, and only the first of a block has no final
    consonant.
    """
    last = text[-1:]
    return "가" <= last <= "힣" and (ord(last) - ord("가")) % 28 != 0
