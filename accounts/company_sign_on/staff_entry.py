"""Decides whether an account at the company's provider opens the desk, and whose."""

import time
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from accounts import proofs
from accounts.audit import actors
from accounts.company_sign_on.identities import CompanyIdentity
from accounts.company_sign_on.providers import SignOnError
from accounts.company_sign_on.tokens import SignedOn

_WAITING = "accounts_company_identity"
_CONFIRM_SECONDS = 600
_FACTOR = "company_factor_of"  # the attribute of a request that signs in with a given factor


class UnknownIdentityError(SignOnError):
    """No account of the response team belongs to the account at the provider."""


def known_user(who: SignedOn) -> Any:
    """Returns the user whom the account at the provider opens, or None at its first use."""
    rows = CompanyIdentity.objects.filter(issuer=who.issuer, subject=who.subject)
    bound = rows.select_related("user").first()
    return bound.user if bound else None


def keep_for_confirmation(request: HttpRequest, who: SignedOn) -> None:
    """Stores in the session that the person may connect the account at the provider."""
    request.session[_WAITING] = {**vars(who), "at": time.time()}


def waiting(request: HttpRequest) -> SignedOn | None:
    """Returns the account at the provider that waits for the person's confirmation, or None."""
    stored = dict(request.session.get(_WAITING, {}))
    if time.time() - stored.pop("at", 0) > _CONFIRM_SECONDS:
        request.session.pop(_WAITING, None)
        return None
    return SignedOn(**stored)


def forget(request: HttpRequest) -> None:
    """Removes what waits for a confirmation."""
    request.session.pop(_WAITING, None)


def bind(who: SignedOn, user: Any) -> None:
    """Connects the account at the provider with `user`. Raises UnknownIdentityError if one of the
    two is connected with another already: an address never moves a connection.
    """
    try:
        with transaction.atomic(), actors.acting(user):
            CompanyIdentity.objects.create(user=user, issuer=who.issuer, subject=who.subject)
    except IntegrityError as error:
        raise UnknownIdentityError("the account is connected with another one") from error


def accept_factor(request: HttpRequest, user: Any) -> None:
    """Records that the provider asked for a second factor that the settings accept."""
    proofs.record(request, user, proofs.Proof.COMPANY_FACTOR)
    setattr(request, _FACTOR, user.pk)


def is_factor_given(request: HttpRequest | None, user: Any) -> bool:
    """Returns whether this request signs `user` in with a second factor of the provider."""
    return request is not None and getattr(request, _FACTOR, None) == user.pk
