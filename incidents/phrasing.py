"""Sentences about what leaked, with counts and lists, in the active language.

What differs by language is in incidents.language_phrases.
"""

import datetime
from collections.abc import Sequence

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language, gettext, ngettext

from foundations import formatting
from incidents.language_phrases import phrases
from incidents.models import DataClass, Unread

MOST_NAMED = 2  # data classes that a heading names


def leaked(counts: Sequence[tuple[DataClass, int]]) -> str:
    """Returns "Your name, 2 addresses and 1 entrance code leaked", in the active language.

    A count of 0 means that the class leaked and the number of its values is not known.
    """
    return phrases().leaked([counted_noun(data_class, count) for data_class, count in counts])


def headline(counts: Sequence[tuple[DataClass, int]]) -> str:
    """Returns what `leaked` does for one or two data classes, else how many kinds leaked."""
    if len(counts) <= MOST_NAMED:
        return leaked(counts)
    kinds = ngettext(
        "%(number)s kind of your data leaked", "%(number)s kinds of your data leaked", len(counts)
    )
    return kinds % {"number": formatting.number(len(counts))}


def counted_noun(data_class: DataClass, count: int) -> str:
    """Returns "2 addresses" or "주소 2개".

    Omits the number if it is 0 (not known), or 1 of a class with `is_one_each`.
    """
    is_bare = count == 0 or (count == 1 and data_class.is_one_each)
    name, unit = str(data_class.name), str(data_class.unit)
    # Without text in the language of the unit, it has no plural forms.
    units = data_class.units.get(data_class.unit.language_for(get_language() or "")) or unit
    if is_bare:
        return phrases().bare(name, unit if count else units)
    return phrases().counted(name, count, unit, units)


def number_of(data_class: DataClass, count: int) -> str:
    """Returns "2" or "2건": Korean has a counter word for each kind of thing."""
    return phrases().number(count, str(data_class.unit))


def unread(amount: Unread) -> str:
    """Returns "12 rows of the leaked data could not be read", or the like, as a sentence.

    It is in the active language.
    """
    rows = ngettext("%(number)s row", "%(number)s rows", amount.rows)
    files = ngettext("%(number)s file", "%(number)s files", amount.files)
    counted = [
        text % {"number": formatting.number(number)}
        for text, number in ((rows, amount.rows), (files, amount.files))
        if number
    ]
    return gettext("%(amount)s of the leaked data could not be read.") % {"amount": joined(counted)}


def unlinked(entries: int) -> str:
    """Returns how many entries hold no contact of their owner, as a sentence."""
    sentence = ngettext(
        "%(number)s entry of the leaked data holds no e-mail address or mobile number that shows "
        "whose it is.",
        "%(number)s entries of the leaked data hold no e-mail address or mobile number that shows "
        "whose they are.",
        entries,
    )
    return sentence % {"number": formatting.number(entries)}


def joined(items: Sequence[str]) -> str:
    """Returns the items as a list in the active language: "a, b and c" or "a, b, c"."""
    return phrases().joined(items)


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
