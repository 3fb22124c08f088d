"""The first use of an account at the company's provider: what a session holds until it connects.

The person confirms it, and then gives the second factor of the portal; only then is it connected.
"""

import time
from typing import NamedTuple

from django.http import HttpRequest

from accounts import proofs
from accounts.company_sign_on.tokens import SignedOn
from accounts.models import User

_WAITING = "accounts_company_identity"
_CONFIRM_SECONDS = 1800  # long enough to set up an authenticator app
_FACTOR = "company_factor_of"  # the attribute of a request that signs in with a given factor


class FirstUse(NamedTuple):
    """An account at the provider that is not connected yet."""

    who: SignedOn
    confirmed_by: int | None  # the primary key of the member who confirmed it and signed in


def keep(request: HttpRequest, who: SignedOn, *, confirmed_by: User | None = None) -> None:
    """Stores the first use in the session: before the confirmation, or with who confirmed it."""
    confirmed = confirmed_by.pk if confirmed_by else None
    request.session[_WAITING] = {"who": vars(who), "by": confirmed, "at": time.time()}


def waiting(request: HttpRequest) -> FirstUse | None:
    """Returns the first use that this session holds, or None."""
    stored = request.session.get(_WAITING, {})
    if time.time() - stored.get("at", 0) > _CONFIRM_SECONDS:
        request.session.pop(_WAITING, None)
        return None
    return FirstUse(SignedOn(**stored["who"]), stored["by"])


def forget(request: HttpRequest) -> None:
    """Removes the first use from the session."""
    request.session.pop(_WAITING, None)


def accept_factor(request: HttpRequest, user: User) -> None:
    """Records that the provider asked for a second factor that the settings accept."""
    proofs.record(request, user, proofs.Proof.COMPANY_FACTOR)
    setattr(request, _FACTOR, user.pk)


def is_factor_given(request: HttpRequest | None, user: User) -> bool:
    """Returns whether this request signs `user` in with a second factor of the provider."""
    return request is not None and getattr(request, _FACTOR, None) == user.pk
