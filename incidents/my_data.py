"""The parts of the page "my data" for one user: one for each of the user's rows in an incident.

An incident without a row of the user has one part too. Three rules come before all others. Only
the rows that `own_rows` opens are shown. No user reads that they are not affected unless the
incident's scope is complete. And an incident that cannot be decrypted does not hide the others.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from accounts.contacts import formatted_phone, is_phone, readable_contact
from accounts.models import User
from incidents import phrasing
from incidents.additions import Addition, additions_in
from incidents.class_items import Show, leaked_items, other_lines
from incidents.earlier_answers import earlier_answers
from incidents.encryption import EncryptionError
from incidents.leaks import (
    CONTACT_KEYS,
    Leak,
    decrypted_rows,
    leaks_in,
    without_mixed_values,
)
from incidents.masking import HIDDEN, mask
from incidents.models import AffectedPerson, DataClass, Incident, Reveal
from incidents.my_data_parts import MyDataPart, UnlinkedEntries, UnopenedParts
from incidents.own_facts import OwnFacts
from incidents.own_rows import (
    OwnRows,
    incidents_with_number_otherwise,
    own_rows,
    own_rows_under,
    twins_with_rows,
)
from incidents.places import places_in
from incidents.second_fact import (
    Refusals,
    has_fact_beside_number,
    has_name_only,
    rows_to_ask_about,
)
from incidents.steps import steps_for, words_to_send
from incidents.unread_contacts import incidents_that_may_hold

logger = logging.getLogger(__name__)


def masked(value: str, data_class: DataClass) -> str:
    """Returns the value as the page shows it at first."""
    return mask(value, data_class.masking)


def masked_as_question(value: str, data_class: DataClass) -> str:
    """Returns the value as the page shows it while a name or an address is asked for.

    A mask with letters of the answer would let a stranger guess it.
    """
    return HIDDEN if _is_answer(data_class) else masked(value, data_class)


def _is_answer(data_class: DataClass) -> bool:
    """Returns whether a value of the class can be the second fact that is asked for."""
    is_shown_in_part = data_class.masking in (DataClass.Masking.NAME, DataClass.Masking.EMAIL)
    return is_shown_in_part or CONTACT_KEYS.get(data_class.slug) in ("n", "e")


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
    incidents, catalogue = facts.public.incidents, facts.public.catalogue
    readable = [incident for incident in incidents if _can_decrypt(incident)]
    found = own_rows_under(user, facts.contacts, readable)
    empty = [one for one in incidents if one.pk in found and found[one.pk].is_empty()]
    twins = twins_with_rows(user, facts.emails, empty)
    unmatched = [one for one in empty if one.pk not in twins and _is_complete(one)]
    uncertain = incidents_that_may_hold(
        facts.emails,
        facts.phones,
        [one for one in unmatched if one.pk in facts.public.with_unread],
    ) | incidents_with_number_otherwise(user, facts.member_numbers, unmatched)
    unlinked = UnlinkedEntries(empty, has_number=bool(facts.member_numbers))
    refusals = Refusals([key for own in found.values() for key in rows_to_ask_about(own)])
    unopened = UnopenedParts(found.values(), catalogue, refusals)
    parts = []
    for incident in incidents:
        own = found.get(incident.pk)
        if incident.shredded_at:
            parts.append(MyDataPart(incident, "shredded", _("The company has deleted this data")))
        elif own is None:
            parts.append(_unavailable(incident))
        else:
            done = facts.done_in(incident)
            is_reminded = incident.pk in facts.reminders
            parts += [
                replace(
                    _leaked_part(incident, person, own, catalogue=catalogue, done=done, show=show),
                    is_reminded=is_reminded,
                    **_question(person, own, refusals),
                )
                for person in own.opened
                if person.pk in own.exposed
            ]
            parts += unopened.of(incident, own, twins.get(incident.pk, []))
            if own.is_empty() and incident.pk not in twins:
                may_hold = incident.pk in uncertain
                parts.append(_not_matched(incident, facts.addresses, unlinked, may_hold=may_hold))
    parts.sort(key=lambda part: part.kind != "leaked")
    return _with_earlier_answers(parts, facts)


def _with_earlier_answers(parts: Sequence[MyDataPart], facts: OwnFacts) -> list[MyDataPart]:
    """Adds to the first part of each incident what the page said before a withdrawal."""
    readable = {
        part.incident.pk: part.incident
        for part in parts
        if part.kind not in ("unavailable", "shredded")
    }
    earlier = earlier_answers(facts.emails, facts.phones, readable.values())
    return [replace(part, earlier=earlier.pop(part.incident.pk, ())) for part in parts]


def record_reveals(user: User, parts: Iterable[MyDataPart]) -> list[AffectedPerson]:
    """Records that `user` sees the unmasked values of `parts`: a Reveal and a line in the log.

    Returns the people whose values are shown; a part that stays masked is no look.
    """
    shown = [part for part in parts if part.kind == "leaked" and not part.stays_masked]
    people = [part.person for part in shown if part.person]
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


class OwnLeaks(NamedTuple):
    """One row of a user: what leaked, and what each day added, the newest day first."""

    person: AffectedPerson
    leaks: list[Leak]
    additions: list[Addition]


def leaks_of(user: User, incident: Incident) -> list[OwnLeaks]:
    """Returns the rows of one incident that open for the user, with what leaked.

    Withdrawn batches are left out. Names and e-mail addresses of a row that only a number found
    have no values, as "my data" hides them: a masked one would help to guess the second fact.
    Raises EncryptionError if a keyset or a value cannot be decrypted.
    """
    own = own_rows(user, [incident])[incident.pk]
    catalogue = DataClass.objects.in_bulk()
    found = []
    for person in own.opened:
        if person.pk in own.exposed:
            rows = decrypted_rows(person, own.exposed[person.pk])
            leaks = without_mixed_values(person, leaks_in(person, rows, catalogue))
            for leak in leaks if person.pk in own.by_number_only else ():
                leak.values = Counter() if _is_answer(leak.data_class) else leak.values
            found.append(OwnLeaks(person, leaks, additions_in(rows, incident, catalogue)))
    return found


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
    own: OwnRows,
    *,
    catalogue: dict[int, DataClass],
    done: set[str],
    show: Show,
) -> MyDataPart:
    """Returns the part for one row, or an "unavailable" part if it cannot be decrypted."""
    stays_masked = person.pk in own.by_number_only
    shown = masked_as_question if stays_masked else show
    try:
        rows = decrypted_rows(person, own.exposed[person.pk])
        leaks = without_mixed_values(person, leaks_in(person, rows, catalogue))
    except EncryptionError as error:
        logger.error("person %s cannot be opened: %s", person.pk, error)
        return _unavailable(incident)
    return MyDataPart(
        incident,
        "leaked",
        phrasing.headline([(leak.data_class, leak.count) for leak in leaks]),
        person=person,
        relation=_relation(person),
        found_by=_found_by(person, own),
        finders=[readable_contact(one) for one in own.found_by[person.pk]],
        steps=steps_for(
            (leak.data_class for leak in leaks),
            done,
            [each.jurisdiction for each in incident.jurisdictions.all()],
        ),
        words=words_to_send(incident, person.relation, [leak.data_class for leak in leaks]),
        leaked=leaked_items(leaks, places_in(rows, catalogue), shown),
        stays_masked=stays_masked,
        others=other_lines(incident, {leak.data_class.pk for leak in leaks}),
        note=own.notes.get(person.pk, ""),
        reveals=own.reveals[person.pk],
        additions=additions_in(rows, incident, catalogue),
    )


def _found_by(person: AffectedPerson, own: OwnRows) -> str:
    """Returns the contacts that found the row; "" if no other row of the user opens.

    They are masked, unless two of them would look the same.
    """
    if len(own.exposed) < 2:
        return ""
    masks = {one: _masked_contact(one) for found in own.found_by.values() for one in found}
    are_distinct = len(set(masks.values())) == len(masks)
    contacts = own.found_by[person.pk]
    return phrasing.joined(
        [masks[one] if are_distinct else readable_contact(one) for one in contacts]
    )


def _masked_contact(contact: str) -> str:
    masking = DataClass.Masking.PHONE if is_phone(contact) else DataClass.Masking.EMAIL
    return mask(contact, masking)


def _question(person: AffectedPerson, own: OwnRows, refusals: Refusals) -> dict[str, Any]:
    """Returns the fields of a part about the second fact that would show its values in full."""
    if person.pk not in own.by_number_only or not has_fact_beside_number(person):
        return {}
    is_recipient = person.relation == AffectedPerson.Relation.RECIPIENT
    return {
        "takes_answer": True,
        "asks_for_senders_name": is_recipient and has_name_only(person),
        "no_answer_until": refusals.until(rows_to_ask_about(own)),
    }


def _unavailable(incident: Incident) -> MyDataPart:
    return MyDataPart(incident, "unavailable", _("We cannot show this right now"))


def _is_complete(incident: Incident) -> bool:
    """Returns whether the scope of an incident is complete, and all of it could be read."""
    return incident.is_scope_complete() and not any(incident.unread())


def _not_matched(
    incident: Incident, addresses: Sequence[str], unlinked: UnlinkedEntries, *, may_hold: bool
) -> MyDataPart:
    """Returns the part of an incident without a row of the user.

    Its kind is "unknown" if the user has no verified address or number, or the scope is not
    complete; else "unread" if not everything could be read, an entry may hold an address of the
    user, or an entry has no contact; only then "not_found".
    """
    if not (addresses and incident.is_scope_complete()):
        return MyDataPart(incident, "unknown", _("We do not know yet whether your data leaked"))
    entries, number_from = unlinked.of(incident)
    without_contact = [phrasing.unlinked(entries)] if entries else []
    unread = [phrasing.unread(incident.unread())] if any(incident.unread()) else []
    if not unread and may_hold:
        text = _(
            "Some entries hold an address or number that is incomplete, unclear or written in "
            "another way."
        )
        unread = [text]
    if unread or entries:
        return MyDataPart(
            incident,
            "unread",
            _unread_heading(addresses) if unread else _("We found no entry with your contact data"),
            unread_text=" ".join(unread + without_contact),
            member_number_from=number_from,
        )
    if len(addresses) > 1:
        heading = _("Your addresses are not among the leaked data we know")
    elif is_phone(addresses[0]):
        heading = _("Your number is not among the leaked data we know")
    else:
        heading = _("Your address is not among the leaked data we know")
    return MyDataPart(incident, "not_found", heading)


def _unread_heading(addresses: Sequence[str]) -> str:
    if len(addresses) > 1:
        return _("Your addresses are not in what could be read of the leaked data")
    if is_phone(addresses[0]):
        return _("Your number is not in what could be read of the leaked data")
    return _("Your address is not in what could be read of the leaked data")


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
