"""The last step of a sign-in: the visitor has proven to read an address or a number."""

from allauth.account.utils import perform_login
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language

from accounts import known_devices, new_devices, proofs
from accounts.contacts import is_phone
from accounts.models import User
from accounts.proofs import Proof


def complete_sign_in(
    request: HttpRequest, *, contact: str, next_url: str, is_known_device: bool = False
) -> HttpResponse:
    """Signs the visitor in as the user of `contact`, and creates that user if there is none.

    `contact` is normalised and proven. allauth's pipeline does the rest: it refuses inactive users,
    asks users for their second factor, changes the session's key, and lists the session. Raises
    StaffNumberError for a number of the response team.

    A code by text message is no fresh code of a user with an e-mail address, because the number may
    be in other hands: step-up asks for a code by e-mail.

    A sign-in on a device that is new to the account is recorded, unless it is the first of all or
    the caller says that the device is known.
    """
    users, language = User.objects, get_language()
    email = None if is_phone(contact) else contact
    if email is None:
        user = users.for_proven_phone(contact, language=language)
    else:
        user = users.for_proven_email(email, language=language)
    if email or not user.email:
        proofs.record(request, user, Proof.SIGN_IN_CODE)
    return _performed(
        request,
        user,
        email=email,
        next_url=next_url,
        is_new_device=not is_known_device and is_new_to(request, user),
    )


def complete_with_passkey(request: HttpRequest, user: User, *, next_url: str) -> HttpResponse:
    """Signs a customer in whose passkey the caller has verified.

    It counts as a fresh code, because the browser asked its owner for a fingerprint, a face or a
    PIN. A sign-in on a device that is new to the account is recorded: passkeys are copied between
    the devices of a person.
    """
    proofs.record(request, user, Proof.SIGN_IN_PASSKEY)
    is_new_device = is_new_to(request, user)
    response = _performed(
        request, user, email=user.email, next_url=next_url, is_new_device=is_new_device
    )
    known_devices.remember(request, response, user.contact)
    return response


def _performed(
    request: HttpRequest, user: User, *, email: str | None, next_url: str, is_new_device: bool
) -> HttpResponse:
    response: HttpResponse = perform_login(
        request, user, email=email, redirect_url=next_url or None
    )
    if is_new_device and request.user.is_authenticated:
        new_devices.record(request, user.pk)
    return response


def is_new_to(request: HttpRequest, user: User) -> bool:
    """Returns whether `user` signed in before, but never with this device."""
    contacts = [*user.verified_emails(), *user.verified_phones()]
    return user.last_login is not None and not known_devices.is_known(request, contacts)
