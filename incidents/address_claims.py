"""Claims of a row by the code of a message and a second fact, for who lost the contact in the data.

The code alone proves little, because messages are forwarded and photographed. So the second fact is
one that the message does not show, the contact in the data is told and can stop the claim, and the
row opens only after settings.ADDRESS_CLAIM_HOURS. See docs/decisions/0135.
"""

from typing import NamedTuple
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.contacts import is_departments, is_phone
from accounts.models import User
from incidents.address_mails import belongs_to_one
from incidents.encryption import EncryptionError
from incidents.leaks import leaked_classes_of
from incidents.models import AddressChange, AffectedPerson, PersonMark, RowProof, WrongAnswer
from incidents.own_rows import Kind, is_strangers
from incidents.second_fact import fact_beside_message, refused_until

MOST_OPEN = 3  # claims of one user that wait or count
_NO_PERSON = UUID(int=0)


class ClaimedMessage(NamedTuple):
    """The message whose code was typed, and its person."""

    person: AffectedPerson
    delivery_id: int
    channel: Kind
    is_letter: bool  # it reached its person by post, not by the contact in the data


def try_claim(user: User, message: ClaimedMessage | None, *, contact: str, answer: str) -> bool:
    """Claims the row of the message for a verified `contact` of the user; returns whether it did.

    `message` is None if the code is of none that can be used. The caller gives one reply to all
    refusals. A wrong answer counts for the row, over all users. All refusals of one message make
    the same queries, so that the time says nothing of its row.
    """
    with transaction.atomic():
        # Two attempts of a user, or at a row, are judged one after the other.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        key = message.person.pk if message else _NO_PERSON
        list(AffectedPerson.objects.select_for_update(no_key=True).filter(pk=key).values("pk"))
        may_answer, is_free = not _has_used_up(key), _is_free(user, contact, key)
        if message is None or not may_answer:
            return False
        fact = _fact(message, answer)
        if fact and is_free and _is_made(_Attempt(user, contact, message, fact)):
            return True
        WrongAnswer.objects.create(person=message.person, user=user, by_claim=True)
    return False


class _Attempt(NamedTuple):
    user: User
    contact: str
    message: ClaimedMessage
    fact: RowProof.Fact


def _has_used_up(key: UUID) -> bool:
    """Returns whether no claim of the row is tried now. All wrong answers about it count."""
    times = WrongAnswer.objects.filter(person=key).order_by("at").values_list("at", flat=True)
    return refused_until([list(times)]) is not None


def _is_free(user: User, contact: str, key: UUID) -> bool:
    """Returns whether neither the row nor the user has anything that prevents a claim.

    A row may be closed, withdrawn, or have a change of this kind or a claim that its contact in the
    data stopped. The queries are the same for each row.
    """
    of_row = AddressChange.objects.filter(person=key)
    contact_stopped = AddressChange.StoppedBy.CONTACT
    prevents = [
        PersonMark.objects.closing().filter(person=key).exists(),
        of_row.open().filter(kind=_kind(contact)).exists(),
        of_row.filter(stopped_by=contact_stopped).exists(),
        AddressChange.objects.open().filter(claimed_by=user).count() >= MOST_OPEN,
        not is_phone(contact) and is_departments(contact),
    ]
    leaked = leaked_classes_of([key])
    return bool(leaked) and not any(prevents)


def _kind(contact: str) -> Kind:
    return Kind.PHONE if is_phone(contact) else Kind.EMAIL


def _fact(message: ClaimedMessage, answer: str) -> RowProof.Fact | None:
    """Returns the second fact that the answer is; None if it is none.

    Nor is it one after a message to a contact of several people, or of a stranger.
    """
    try:
        is_known = message.is_letter or belongs_to_one(message.person, message.channel)
    except EncryptionError:
        return None
    return fact_beside_message(message.person, message.channel, answer) if is_known else None


def _is_made(attempt: _Attempt) -> bool:
    """Stores the claim. Returns False for a contact of the data itself, or of a stranger."""
    person, kind = attempt.message.person, _kind(attempt.contact)
    claim = AddressChange(
        incident=person.incident,
        person=person,
        kind=kind,
        claimed_by=attempt.user,
        claim_fact=attempt.fact,
        claimed_with=attempt.message.delivery_id,
    )
    try:
        claim.set_contact(attempt.contact)
        if is_strangers(person.incident, kind, attempt.contact):
            return False
        if person.has_contact(claim.contact_index):
            return False
        with transaction.atomic():
            claim.save()
    except (EncryptionError, IntegrityError):  # the team recorded one at the same moment
        return False
    return True


def open_due() -> None:
    """Opens the claims whose time has come, and withdraws those of closed accounts."""
    for claim in AddressChange.objects.claims_to_open():
        claim.open_claim()
    for claim in AddressChange.objects.claims().waiting().filter(claimed_by=None):
        claim.stop(AddressChange.StoppedBy.CLAIMANT)
