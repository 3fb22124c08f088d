"""The message that tells a contact in the data of a new address or a claim for its person."""

import logging
from datetime import timedelta
from functools import partial
from typing import Any, Protocol

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse
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

_SIGNER = Signer(salt="incidents.address-claims")

logger = logging.getLogger(__name__)


class HeldBackCheck(Protocol):
    """A check of a contact, which an app above this one makes."""

    def __call__(
        self, incident: Incident, kind: Kind, address: str, *, or_lately: bool = False
    ) -> bool:
        """Returns whether no notice of the incident goes to a normalised address or number, because
        a message to it came back or was called spam; with `or_lately` also whether one came back
        lately. Raises EncryptionError.
        """
        ...


# The apps above this one add theirs in AppConfig.ready.
HELD_BACK: list[HeldBackCheck] = []


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
    The number comes first if a mail came back lately.

    Returns None if neither takes a notice: of a closed row, of a person whom no file holds any
    more, of a hidden or shredded incident, of too many people, of a stranger, held back, or
    permanently refused when it was told of `change`. Raises EncryptionError.
    """
    incident = person.incident
    is_open = incident.is_public and not incident.shredded_at and leaked_classes_of([person.pk])
    if not is_open or PersonMark.objects.closing().filter(person=person).exists():
        return None
    tests = (_is_shared, _is_anothers, _is_held_back)
    usable = [
        (kind, contact)
        for kind, contact in _contacts_of(person)
        if not (change is not None and change.is_refused(kind))
        and not any(test(person, kind, contact) for test in tests)
    ]
    if len(usable) > 1 and email_came_back(person):
        usable.reverse()
    return usable[0] if usable else None


def email_came_back(person: AffectedPerson) -> bool:
    """Returns whether mails to the address in the data came back lately or were called spam.

    Raises EncryptionError.
    """
    return any(
        kind is Kind.EMAIL and _is_held_back(person, kind, contact, or_lately=True)
        for kind, contact in _contacts_of(person)
    )


def _is_held_back(
    person: AffectedPerson, kind: Kind, contact: str, *, or_lately: bool = False
) -> bool:
    checks = (check(person.incident, kind, contact, or_lately=or_lately) for check in HELD_BACK)
    return any(checks)


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


def belongs_to_one(person: AffectedPerson, kind: Kind) -> bool:
    """Returns whether the contact of this kind in the data is one person's, and theirs.

    It is not if more people than the bound have it, or if support marked it as another person's.
    Raises EncryptionError.
    """
    held = person.decrypt_contact()
    if kind is Kind.EMAIL:
        contact = next(iter(read_emails(held.get("e", "")).addresses), None)
    else:
        contact = normalise_phone(held.get("p", ""))
    tests = (_is_shared, _is_anothers)
    return contact is not None and not any(test(person, kind, contact) for test in tests)


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
    incident, name = change.incident, "address_claimed" if change.is_claim else "address_changed"
    with override(incident.language_for(change.person.language)):
        context = _context(change)
        if kind is Kind.PHONE:
            of_text = MailKind.CLAIM_TEXT if change.is_claim else MailKind.ADDRESS_TEXT
            sent_mails.text_number(name, context, kind=of_text, to=contact)
            return
        emails.send(
            name,
            contact,
            context | ({"url": stop_url(change)} if change.is_claim else {}),
            kind=MailKind.CLAIM if change.is_claim else MailKind.ADDRESS,
            message_id=f"{name.replace('_', '-')}-{change.pk}",
            connection=connection,
        )


def _context(change: AddressChange) -> dict[str, str]:
    """Returns what the messages about a change name, in the active language."""
    at = localtime(change.proposed_at if change.is_claim else change.confirmed_at)
    context = {"at": date_format(at, "DATETIME_FORMAT"), "company": str(change.incident.company)}
    return context | ({"hours": str(settings.ADDRESS_CLAIM_HOURS)} if change.is_claim else {})


def _columns(change: AddressChange) -> dict[str, Any]:
    columns = ("told_at", "mail_tries", "text_tries", "mail_after")
    return {name: getattr(change, name) for name in columns}


def stop_url(claim: AddressChange) -> str:
    """Returns the URL that stops the claim without a sign-in, in the active language."""
    return settings.PORTAL_URL + reverse("stop_claim", args=[_SIGNER.sign(str(claim.pk))])


def claim_of_token(token: str) -> AddressChange | None:
    """Returns the claim that `stop_url` signed; None for any other token, or after the purge."""
    try:
        key = int(_SIGNER.unsign(token))
    except BadSignature:
        return None
    return AddressChange.objects.claims().filter(pk=key).first()
