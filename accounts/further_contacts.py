"""Adds a proven address or number to the account of a signed-in user."""

from typing import cast

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils import timezone

from accounts.contacts import is_phone
from accounts.models import User, VerifiedPhone


class OtherAccountError(Exception):
    """The address or number belongs to an account that keeps it: sign in with it instead."""


def add_contact(user: User, contact: str) -> User:
    """Adds `contact`, which the user has just proven, and returns the account that has it now.

    The account is another one if a user with numbers only proves the address of that account: it
    gets the numbers, because one person has proven both. Raises OtherAccountError.
    """
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        if is_phone(contact):
            return _add_number(locked, contact)
        return _add_email(locked, contact)


def _add_number(user: User, number: str) -> User:
    """Moves the number from an account that proved it before: its newest proof counts."""
    holder = VerifiedPhone.objects.filter(number=number).select_related("user").first()
    if holder and holder.user != user and holder.user.is_or_was_on_team():
        raise OtherAccountError
    proven = {"user": user, "verified_at": timezone.now()}
    VerifiedPhone.objects.update_or_create(number=number, defaults=proven)
    return user


def _add_email(user: User, email: str) -> User:
    owner = _owner_of(email)
    if owner is None or owner == user:
        is_first = not user.email
        if is_first:
            user.email = email
            user.save(update_fields=["email"])
        proven = {"verified": True, "primary": is_first or user.email == email}
        EmailAddress.objects.update_or_create(user=user, email=email, defaults=proven)
        return user
    if user.email or not owner.is_active or owner.is_or_was_on_team():
        raise OtherAccountError
    VerifiedPhone.objects.filter(user=user).update(user=owner)
    return owner


def _owner_of(email: str) -> User | None:
    known = EmailAddress.objects.filter(email=email, verified=True).select_related("user").first()
    return cast("User", known.user) if known else User.objects.filter(email=email).first()
