"""Adds a proven address or number to the account of a signed-in user."""

from typing import cast

from allauth.account.models import EmailAddress
from django.db import DEFAULT_DB_ALIAS, transaction
from django.utils import timezone

from accounts.contacts import is_phone
from accounts.models import NUMBER_STAYS_FOR, User, VerifiedPhone, lock_contact


class OtherAccountError(Exception):
    """The address or number belongs to an account that keeps it: sign in with it instead."""


class SecondAccountError(Exception):
    """Codes of the account `owner` go to this address or number: the two accounts can be joined."""

    def __init__(self, owner: User) -> None:
        super().__init__()
        self.owner = owner


def add_contact(user: User, contact: str, *, leaves_account: bool = False) -> None:
    """Adds `contact`, which the user has just proven, to the account.

    Raises OtherAccountError, and SecondAccountError if the contact opens an account of its own.
    With `leaves_account` a number is then taken from that account, as from any other.
    """
    with transaction.atomic():
        lock_contact(contact, using=DEFAULT_DB_ALIAS)
        locked = User.objects.select_for_update().get(pk=user.pk)
        if is_phone(contact):
            _add_number(locked, contact, leaves_account=leaves_account)
        else:
            _add_email(locked, contact)


def account_of(user: User, contact: str) -> User | None:
    """Returns the other account whose codes go to `contact`, if `user` may join it."""
    owner = _owner_of_number(contact) if is_phone(contact) else _owner_of(contact)
    if owner is None or owner == user or owner.contact != contact:
        return None
    if not owner.is_active or owner.is_or_was_on_team() or user.is_or_was_on_team():
        return None
    return owner


def _owner_of_number(number: str) -> User | None:
    """Returns the account that a sign-in with the number opens; see `for_proven_phone`."""
    known = VerifiedPhone.objects.filter(number=number).select_related("user").first()
    is_recent = known and known.verified_at > timezone.now() - NUMBER_STAYS_FOR
    return known.user if known and is_recent else None


def _add_number(user: User, number: str, *, leaves_account: bool) -> None:
    """Moves the number from an account that proved it before: its newest proof counts."""
    holder = VerifiedPhone.objects.filter(number=number).select_related("user").first()
    if holder and holder.user != user and holder.user.is_or_was_on_team():
        raise OtherAccountError
    if not leaves_account and (owner := account_of(user, number)):
        raise SecondAccountError(owner)
    VerifiedPhone.prove(number, user)


def _add_email(user: User, email: str) -> None:
    owner = _owner_of(email)
    if owner is None or owner == user:
        is_first = not user.email
        if is_first:
            user.email = email
            user.save(update_fields=["email"])
        proven = {"verified": True, "primary": is_first or user.email == email}
        EmailAddress.objects.update_or_create(user=user, email=email, defaults=proven)
        return
    if account_of(user, email):
        raise SecondAccountError(owner)
    raise OtherAccountError


class LastContactError(Exception):
    """The account would have no address and no number left."""


def remove_contact(user: User, contact: str) -> None:
    """Removes a verified address or number from the account. Another one takes its place.

    With the last address the passkeys go: an account with a number only has none, because the
    number can pass to another person. Does nothing if the account does not have it. Raises
    LastContactError.
    """
    with transaction.atomic():
        lock_contact(contact, using=DEFAULT_DB_ALIAS)  # before the account, as `add_contact` does
        locked = User.objects.select_for_update().get(pk=user.pk)
        addresses = EmailAddress.objects.filter(user=locked, verified=True).order_by(
            "-primary", "pk"
        )
        others = [address for address in addresses if address.email != contact]
        numbers = locked.phones.exclude(number=contact)
        if not others and (locked.is_or_was_on_team() or not numbers.exists()):
            raise LastContactError
        locked.phones.filter(number=contact).delete()
        addresses.filter(email=contact).delete()
        if locked.email == contact:
            locked.email = others[0].email if others else None
            locked.save(update_fields=["email"])
            addresses.filter(email=locked.email).update(primary=True)
            if not others:
                locked.end_customers_keys()


def _owner_of(email: str) -> User | None:
    known = EmailAddress.objects.filter(email=email, verified=True).select_related("user").first()
    return cast("User", known.user) if known else User.objects.filter(email=email).first()
