"""The message that tells a contact in the data that a new address was recorded for its person."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import override

from accounts import code_texts, due_mails, emails, sent_mails
from accounts.contacts import normalise_phone, read_emails
from accounts.mail_codes import MailKind
from incidents.encryption import EncryptionError
from incidents.leaks import leaked_classes_of
from incidents.models import AddressChange, AffectedPerson, Incident, PersonMark, SharedContact
from incidents.own_rows import Kind, looked_up, strangers_among

_ASKED_AGAIN = timedelta(days=1)  # whether a contact that may not be told may be told now
_SHARED = {Kind.EMAIL: SharedContact.Kind.EMAIL, Kind.PHONE: SharedContact.Kind.PHONE}

logger = logging.getLogger(__name__)

# Each function returns whether no notice goes to a normalised address or number in the data of an
# incident, because a message to it came back or was called spam. The apps above this one add theirs
# in AppConfig.ready. They raise EncryptionError.
HELD_BACK: list[Callable[[Incident, Kind, str], bool]] = []


def send_due() -> None:
    """Sends the messages that are due, first the texts: none waits for the mail server.

    A change that ended meanwhile is told as well.
    """
    for kind in (Kind.PHONE, Kind.EMAIL):
        due_mails.send_each(
            lambda: AddressChange.objects.to_tell().select_related("person__incident", "incident"),
            partial(_tell, kind=kind),
            _columns,
            are_texts=kind is Kind.PHONE,
        )


def contact_to_tell(
    person: AffectedPerson, change: AddressChange | None = None
) -> tuple[Kind, str] | None:
    """Returns the contact in the data that is told: the e-mail address, else the mobile number.

    Returns None if neither takes a notice: of a closed row, of a person whom no file holds any
    more, of a hidden or shredded incident, of too many people, of a stranger, held back, or
    permanently refused when it was told of `change`. Raises EncryptionError.
    """
    incident = person.incident
    is_open = incident.is_public and not incident.shredded_at and leaked_classes_of([person.pk])
    if not is_open or PersonMark.objects.closing().filter(person=person).exists():
        return None
    tests = (_is_shared, _is_anothers, is_held_back)
    for kind, contact in _contacts_of(person):
        is_refused = change is not None and change.is_refused(kind)
        if not is_refused and not any(test(person, kind, contact) for test in tests):
            return kind, contact
    return None


def email_is_held_back(person: AffectedPerson) -> bool:
    """Returns whether mails to the address in the data came back or were called spam.

    Raises EncryptionError.
    """
    return any(
        kind is Kind.EMAIL and is_held_back(person, kind, contact)
        for kind, contact in _contacts_of(person)
    )


def is_held_back(person: AffectedPerson, kind: Kind, contact: str) -> bool:
    """Returns whether no notice goes to a contact of the person. Raises EncryptionError."""
    return any(check(person.incident, kind, contact) for check in HELD_BACK)


def _contacts_of(person: AffectedPerson) -> list[tuple[Kind, str]]:
    """Returns the contacts that take messages, in the order in which they are tried."""
    usable, held = AffectedPerson.Reach.USABLE, person.decrypt_contact()
    found: list[tuple[Kind, str]] = []
    if person.email_reach == usable:
        found += [(Kind.EMAIL, one) for one in read_emails(held.get("e", "")).addresses[:1]]
    number = normalise_phone(held.get("p", "")) if person.phone_reach == usable else None
    if number and code_texts.are_offered():
        found.append((Kind.PHONE, number))
    return found


def _is_shared(person: AffectedPerson, kind: Kind, _contact: str) -> bool:
    index = person.email_index if kind is Kind.EMAIL else person.phone_index
    shared = SharedContact.objects.filter(incident=person.incident, kind=_SHARED[kind])
    return index is not None and shared.filter(contact_index=index).exists()


def _is_anothers(person: AffectedPerson, kind: Kind, contact: str) -> bool:
    return bool(strangers_among(looked_up(person.incident, kind, [contact])))


def _tell(change: AddressChange, connection: Any, *, kind: Kind) -> None:
    """Tells the contact if it is of this kind; asks again later if none may be told.

    A number that the gateway refuses uses up a try of the texts. The mails keep theirs.
    """
    change.person.incident = change.incident
    try:
        found = contact_to_tell(change.person, change)
    except EncryptionError as error:
        raise due_mails.NotNowError(str(error)) from error
    if found is None:
        change.mail_after = timezone.now() + _ASKED_AGAIN
    elif found[0] is kind:
        try:
            _send(change, kind, found[1], connection)
            change.told_at = timezone.now()
        except due_mails.RefusedError as reason:
            logger.error("text about change of address %s is refused: %s", change.pk, reason)
            change.text_tries += 1
            change.mail_after = timezone.now() + due_mails.AGAIN_AFTER


def _send(change: AddressChange, kind: Kind, contact: str, connection: Any) -> None:
    incident = change.incident
    with override(incident.language_for(change.person.language)):
        at = date_format(localtime(change.confirmed_at), "DATETIME_FORMAT")
        context = {"at": at, "company": str(incident.company)}
        if kind is Kind.PHONE:
            of_text = MailKind.ADDRESS_TEXT
            sent_mails.text_number("address_changed", context, kind=of_text, to=contact)
            return
        emails.send(
            "address_changed",
            contact,
            context,
            kind=MailKind.ADDRESS,
            message_id=f"address-changed-{change.pk}",
            connection=connection,
        )


def _columns(change: AddressChange) -> dict[str, Any]:
    columns = ("told_at", "mail_tries", "text_tries", "mail_after")
    return {name: getattr(change, name) for name in columns}
