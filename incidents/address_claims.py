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
    """The message whose code was typed."""

    delivery_id: int
    channel: Kind
    is_letter: bool  # it reached its person by post, not by the contact in the data


def try_claim(
    user: User,
    contact: str,
    message: ClaimedMessage | None,
    person: AffectedPerson | None,
    answer: str,
) -> bool:
    """Claims the person's row for a verified `contact` of the user. Returns whether it is claimed.

    `message` and `person` are None if the code is of no message that can be used. The caller gives
    one reply to all refusals. A wrong answer counts for the row, over all users. Each attempt makes
    the same queries up to its end, so that its time says nothing of the row.
    """
    with transaction.atomic():
        # Two attempts of a user, or at a row, are judged one after the other.
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        key = person.pk if person else _NO_PERSON
        list(AffectedPerson.objects.select_for_update(no_key=True).filter(pk=key).values("pk"))
        may_answer = not _has_used_up(key)
        is_free = _is_free(user, contact, key)
        fact, is_made = None, False
        if message and person and may_answer:
            fact = _fact(message, person, answer)
        if message and person and fact and is_free:
            is_made = _is_made(_Attempt(user, contact, message, person, fact))
        if not is_made and person and may_answer:
            WrongAnswer.objects.create(person=person, user=user, by_claim=True)
    return is_made


class _Attempt(NamedTuple):
    user: User
    contact: str
    message: ClaimedMessage
    person: AffectedPerson
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


def _fact(message: ClaimedMessage, person: AffectedPerson, answer: str) -> RowProof.Fact | None:
    """Returns the second fact that the answer is; None if neither it nor the contacts will do."""
    try:
        is_known = message.is_letter or belongs_to_one(person, message.channel)
    except EncryptionError:
        return None
    return fact_beside_message(person, message.channel, answer) if is_known else None


def _is_made(attempt: _Attempt) -> bool:
    """Stores the claim. Returns False for a contact of the data itself, or of a stranger."""
    person, kind = attempt.person, _kind(attempt.contact)
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
