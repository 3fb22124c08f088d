"""The parts of the page "my data" for one user: one for each of the user's rows in an incident.

An incident without a row of the user has one part too. Three rules come before all others. Only
the rows that `own_rows` opens are shown. No user reads that they are not affected unless the
incident's scope is complete. And an incident that cannot be decrypted does not hide the others.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from incidents import phrasing
from incidents.encryption import EncryptionError
from incidents.leaks import ExposedRow, Leak, readable_leaks
from incidents.masking import formatted_phone, mask
from incidents.models import (
    AffectedPerson,
    DataClass,
    Incident,
    IncidentDataClass,
    Reveal,
)
from incidents.my_data_parts import ClassItem, MyDataPart, UnopenedParts, Value
from incidents.own_facts import OwnFacts
from incidents.own_rows import own_rows, own_rows_under, twins_with_rows

logger = logging.getLogger(__name__)

FIRST_VALUES = FIRST_ACTIONS = 5

Show = Callable[[str, DataClass], str]


def masked(value: str, data_class: DataClass) -> str:
    """Returns the value as the page shows it at first."""
    return mask(value, data_class.masking)


def unmasked(value: str, data_class: DataClass) -> str:
    """Returns the value as the page shows it after step-up. A phone number is formatted."""
    is_phone = data_class.masking == DataClass.Masking.PHONE
    return (formatted_phone(value) if is_phone else None) or value


def parts_for(user: User, facts: OwnFacts, show: Show) -> list[MyDataPart]:
    """Returns the page's parts for `user`: first those where data leaked, then the others.

    Within each group the incident that the company learned of last comes first. `show` turns a
    value into what the page shows: `masked` or `unmasked`. The number of queries does not grow
    with the incidents, rows or values.
    """
    incidents, catalogue = facts.public
    readable = [incident for incident in incidents if _can_decrypt(incident)]
    found = own_rows_under(user, facts.emails, facts.phones, readable)
    empty = [one for one in incidents if one.pk in found and found[one.pk].is_empty()]
    twins = twins_with_rows(user, facts.emails, empty)
    unopened = UnopenedParts(found.values(), catalogue)
    parts = []
    for incident in incidents:
        own = found.get(incident.pk)
        if incident.shredded_at:
            parts.append(MyDataPart(incident, "shredded", _("The company has deleted this data")))
        elif own is None:
            parts.append(_unavailable(incident))
        else:
            parts += [
                _leaked_part(
                    incident,
                    person,
                    own.exposed[person.pk],
                    catalogue=catalogue,
                    show=show,
                    note=own.notes.get(person.pk, ""),
                )
                for person in own.opened
                if person.pk in own.exposed
            ]
            parts += unopened.of(incident, own, twins.get(incident.pk, []))
            if own.is_empty() and incident.pk not in twins:
                parts.append(_not_matched(incident, facts.addresses))
    return sorted(parts, key=lambda part: part.kind != "leaked")


def record_reveals(user: User, parts: Iterable[MyDataPart]) -> list[AffectedPerson]:
    """Records that `user` sees the unmasked values of `parts`: a Reveal and a line in the log.

    Returns the people whose values are shown.
    """
    people = [part.person for part in parts if part.person and part.kind == "leaked"]
    Reveal.objects.bulk_create(Reveal(user=user, person=person) for person in people)
    for person in people:
        logger.info("user %s revealed the data of person %s", user.pk, person.pk)
    return people


def title_of(parts: Sequence[MyDataPart]) -> str:
    """Returns the page's title: the heading of a single part, else a title for all parts."""
    if len(parts) == 1:
        return parts[0].heading
    if any(part.kind == "leaked" for part in parts):
        return _("Your data leaked")
    return _("What we know about your data")


def leaks_of(user: User, incident: Incident) -> list[tuple[AffectedPerson, list[Leak]]]:
    """Returns the rows of one incident that open for the user, with what leaked.

    Withdrawn batches are left out. Raises EncryptionError if a keyset or a value cannot be
    decrypted.
    """
    own = own_rows(user, [incident])[incident.pk]
    catalogue = DataClass.objects.in_bulk()
    return [
        (person, readable_leaks(person, own.exposed[person.pk], catalogue))
        for person in own.opened
        if person.pk in own.exposed
    ]


def _can_decrypt(incident: Incident) -> bool:
    """Returns whether the keysets can be decrypted. If not, logs an error, unless shredded."""
    try:
        incident.cipher()
    except EncryptionError as error:
        if not incident.shredded_at:
            logger.error("incident %s cannot be opened: %s", incident.pk, error)
        return False
    return True


def _leaked_part(
    incident: Incident,
    person: AffectedPerson,
    rows: Sequence[ExposedRow],
    *,
    catalogue: dict[int, DataClass],
    show: Show,
    note: str,
) -> MyDataPart:
    """Returns the part for one row, or an "unavailable" part if it cannot be decrypted."""
    try:
        leaks = readable_leaks(person, rows, catalogue)
    except EncryptionError as error:
        logger.error("person %s cannot be opened: %s", person.pk, error)
        return _unavailable(incident)
    actions = _actions(leak.data_class for leak in leaks)
    return MyDataPart(
        incident,
        "leaked",
        phrasing.leaked([(leak.data_class, leak.count) for leak in leaks]),
        person=person,
        relation=_relation(person),
        actions=actions[:FIRST_ACTIONS],
        more_actions=actions[FIRST_ACTIONS:],
        items=_items(incident, leaks, show),
        note=note,
        is_withheld=any(leak.is_withheld for leak in leaks),
    )


def _unavailable(incident: Incident) -> MyDataPart:
    return MyDataPart(incident, "unavailable", _("We cannot show this right now"))


def _not_matched(incident: Incident, addresses: Sequence[str]) -> MyDataPart:
    """Returns the part of an incident without a row of the user.

    Its kind is "unknown" if the user has no verified address or number, or the scope is not
    complete; else "unread" if not everything could be read; only then "not_found".
    """
    if not (addresses and incident.is_scope_complete()):
        return MyDataPart(incident, "unknown", _("We do not know yet whether your data leaked"))
    if any(incident.unread()):
        return _not_in_what_was_read(incident, addresses)
    if len(addresses) > 1:
        heading = _("Your addresses are not among the leaked data we know")
    else:
        heading = _("Your address is not among the leaked data we know")
    return MyDataPart(incident, "not_found", heading)


def _not_in_what_was_read(incident: Incident, addresses: Sequence[str]) -> MyDataPart:
    """Returns the part that does not clear the user: an unread row may be theirs."""
    if len(addresses) > 1:
        heading = _("Your addresses are not in what could be read of the leaked data")
    else:
        heading = _("Your address is not in what could be read of the leaked data")
    text = phrasing.unread(incident.unread())
    return MyDataPart(incident, "unread", heading, unread_text=text)


def _relation(person: AffectedPerson) -> str:
    company = {"company": person.incident.company}
    match person.relation:
        case AffectedPerson.Relation.MEMBER:
            return _("This is the data of your account at %(company)s.") % company
        case AffectedPerson.Relation.FORMER_MEMBER:
            return _("This is the data of an account you used to have at %(company)s.") % company
        case _:
            return (
                _(
                    "Somebody saved your name and phone number at %(company)s to send you a "
                    "parcel. We do not tell who: that is their data."
                )
                % company
            )


def _actions(data_classes: Iterable[DataClass]) -> list[str]:
    """Returns what to do about all classes, each step once, the most sensitive class first."""
    in_order = sorted(data_classes, key=lambda data_class: -data_class.sensitivity)
    return list(dict.fromkeys(action for entry in in_order for action in entry.actions.lines))


def _items(incident: Incident, leaks: Sequence[Leak], show: Show) -> list[ClassItem]:
    """Returns an item for each class that leaked of the user or that the incident states.

    A class that the user's rows hold is shown as leaked, even if the incident does not state it.
    """
    stated = {entry.data_class_id: entry for entry in incident.class_states.all()}
    found = {leak.data_class.pk for leak in leaks}
    others = [_other_item(incident, entry) for key, entry in stated.items() if key not in found]
    return [_leaked_item(leak, show) for leak in leaks] + sorted(
        others, key=lambda item: item.state == "not_involved"
    )


def _leaked_item(leak: Leak, show: Show) -> ClassItem:
    values = _values(leak, show)
    is_counted = leak.count > leak.data_class.is_one_each
    return ClassItem(
        leak.data_class,
        "leaked",
        _("Leaked"),
        count_text=phrasing.counted_noun(leak.data_class, leak.count) if is_counted else "",
        basis_text=_("Found in the data that leaked"),
        values=values[:FIRST_VALUES],
        more_values=values[FIRST_VALUES:],
    )


def _other_item(incident: Incident, stated: IncidentDataClass) -> ClassItem:
    """Returns the item for a stated class that none of the user's rows holds."""
    basis, state = stated.get_basis_display(), IncidentDataClass.State
    if stated.state == state.NOT_INVOLVED:
        return ClassItem(stated.data_class, "not_involved", _("Did not leak"), basis_text=basis)
    if stated.state == state.POSSIBLY:
        return ClassItem(stated.data_class, "possibly", _("Possibly leaked"), basis_text=basis)
    if not incident.is_scope_complete():
        return ClassItem(
            stated.data_class,
            "possibly",
            _("Not known yet"),
            basis_text=_("It leaked of other people. Not all of the data is loaded yet."),
        )
    if any(incident.unread()):
        return ClassItem(
            stated.data_class,
            "possibly",
            _("Not found of you"),
            basis_text=_(
                "It leaked of other people. Not all of the data could be read, so it may have "
                "leaked of you too."
            ),
        )
    return ClassItem(
        stated.data_class,
        "not_involved",
        _("Not in your data"),
        basis_text=_("It leaked of other people. We hold no record that yours did."),
    )


def _values(leak: Leak, show: Show) -> list[Value]:
    """Returns the lines, newest value first. Values that look alike share a line and a count."""
    lines: Counter[tuple[str, str]] = Counter()
    newest_first = sorted(leak.values.items(), key=lambda entry: entry[0][1], reverse=True)
    for (text, iso_date), times in newest_first:
        lines[show(text, leak.data_class), _dated(leak.data_class, iso_date)] += times
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
    often = ngettext("%(times)s time", "%(times)s times", times) % {"times": f"{times:,}"}
    return f"{date} · {often}" if date else often
