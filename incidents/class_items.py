"""What leaked of one person, in the groups of "my data", and what did not leak of them."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Literal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from foundations import formatting
from incidents import phrasing
from incidents.leaks import Leak
from incidents.models import DataClass, Incident, IncidentDataClass
from incidents.my_data_parts import ClassItem, LeakedItems, PlaceCard, StateLine, Value
from incidents.places import Dated, LeakedPlace

FIRST_VALUES, FIRST_PLACES = 5, 3

Show = Callable[[str, DataClass], str]


def leaked_items(leaks: Sequence[Leak], places: Sequence[LeakedPlace], show: Show) -> LeakedItems:
    """Returns the groups for one row. `show` turns a value into what the page shows.

    A value on the card of a place is not shown a second time.
    """
    is_withheld = any(leak.is_withheld for leak in leaks)
    classes = {leak.data_class.pk: leak.data_class for leak in leaks}
    on_cards = Counter[tuple[int, Dated]]()
    for place in [] if is_withheld else places:
        on_cards[place.data_class.pk, place.value] += place.times
        for (class_id, text, date), times in place.others.items():
            on_cards[class_id, (text, date)] += times
    cards = [] if is_withheld else [_card(place, classes, show) for place in places]
    details: list[ClassItem] = []
    orders: list[ClassItem] = []
    for leak in leaks:
        held = {class_id for class_id, _value in on_cards}
        is_on_cards = leak.data_class.pk in held
        item = _item(leak, _left(leak, on_cards), show, is_parted=is_on_cards)
        if item.values or not is_on_cards:
            (orders if _is_order(leak.data_class) else details).append(item)
    return LeakedItems(
        count=len(leaks),
        details=details,
        places=cards[:FIRST_PLACES],
        more_places=cards[FIRST_PLACES:],
        places_title=_places_title(leaks, {class_id for class_id, _value in on_cards}),
        orders=orders,
        is_withheld=is_withheld,
    )


def other_lines(incident: Incident, leaked: set[int]) -> list[StateLine]:
    """Returns a line for the stated classes that none of the user's rows holds, by their reason.

    A class that the user's rows hold has leaked, even if the incident does not state it.
    """
    items = [
        (_other_state(incident, entry), str(entry.data_class))
        for entry in incident.class_states.all()
        if entry.data_class_id not in leaked
    ]
    items.sort(key=lambda item: (item[0][0] == "not_involved", item[0][1:]))
    return [
        StateLine(state, text, basis, _(", ").join(name for _state, name in same))
        for (state, text, basis), same in groupby(items, key=lambda item: item[0])
    ]


State = tuple[Literal["possibly", "not_involved"], str, str]  # as in StateLine


def _other_state(incident: Incident, stated: IncidentDataClass) -> State:
    """Returns the state, its text and its basis of a class that none of the user's rows holds."""
    basis, state = str(stated.get_basis_display()), IncidentDataClass.State
    if stated.state == state.NOT_INVOLVED:
        return "not_involved", _("Did not leak"), basis
    if stated.state == state.POSSIBLY:
        return "possibly", _("Possibly leaked"), basis
    if not incident.is_scope_complete():
        text = _("Other people’s leaked. Not all of the data is loaded yet.")
        return "possibly", _("Not known yet"), text
    if any(incident.unread()):
        text = _(
            "Other people’s leaked. Not all of the data could be read, so yours may have "
            "leaked, too."
        )
        return "possibly", _("Not found in your data"), text
    text = _("Other people’s leaked. We hold no record that yours did.")
    return "not_involved", _("Not in your data"), text


def _is_order(data_class: DataClass) -> bool:
    return data_class.date_meaning == DataClass.DateMeaning.ORDERED


def _left(leak: Leak, on_cards: Counter[tuple[int, Dated]]) -> Counter[Dated]:
    """Returns the values of a class that are on no card."""
    return leak.values - Counter(
        {value: on_cards[leak.data_class.pk, value] for value in leak.values}
    )


def _item(leak: Leak, values: Counter[Dated], show: Show, *, is_parted: bool) -> ClassItem:
    lines = _values(leak.data_class, values, show)
    is_counted = leak.count > leak.data_class.is_one_each and not is_parted
    name = phrasing.counted_noun(leak.data_class, leak.count) if is_counted else ""
    return ClassItem(name or str(leak.data_class), lines[:FIRST_VALUES], lines[FIRST_VALUES:])


def _card(place: LeakedPlace, classes: dict[int, DataClass], show: Show) -> PlaceCard:
    text, date = place.value
    address = Value(
        show(text, place.data_class), _when(_dated(place.data_class, date), place.times)
    )
    others = []
    for (class_id, other, other_date), times in place.others.items():
        data_class = classes[class_id]
        when = _dated(data_class, other_date) if other_date != date else ""
        shown = Value(show(other, data_class), _when(when, times if times != place.times else 1))
        others.append((str(data_class), shown))
    return PlaceCard(address, others)


def _places_title(leaks: Iterable[Leak], held: set[int]) -> str:
    """Returns the counts of the classes that are on cards, such as "2 addresses and 1 order"."""
    counted = [
        phrasing.counted_noun(leak.data_class, leak.count)
        for leak in leaks
        if leak.data_class.pk in held
    ]
    return phrasing.joined(counted)


def _values(data_class: DataClass, values: Counter[Dated], show: Show) -> list[Value]:
    """Returns the lines, newest value first. Values that look alike share a line and a count."""
    lines: Counter[tuple[str, str]] = Counter()
    newest_first = sorted(values.items(), key=lambda entry: entry[0][1], reverse=True)
    for (text, iso_date), times in newest_first:
        lines[show(text, data_class), _dated(data_class, iso_date)] += times
    return [Value(text, _when(date, times)) for (text, date), times in lines.items()]


def _dated(data_class: DataClass, iso_date: str) -> str:
    """Returns a phrase such as "ordered on May 3, 2025", or "" without a date."""
    day = phrasing.day(iso_date)
    if not day:
        return ""
    if data_class.date_meaning == DataClass.DateMeaning.ORDERED:
        return _("ordered on %(date)s") % {"date": day}
    return _("saved on %(date)s") % {"date": day}


def _when(date: str, times: int) -> str:
    """Returns the date's phrase and how often the value occurs, if that is more than once."""
    if times == 1:
        return date
    often = ngettext("%(times)s time", "%(times)s times", times) % {
        "times": formatting.number(times)
    }
    return f"{date} · {often}" if date else often
