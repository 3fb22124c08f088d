"""The proofs of a user in a session: which codes the user entered, and when.

allauth has a record of its own, but its public API can only read it
(`allauth.account.authentication`). The session stores the proofs of our own views separately.
"""

import time
from enum import StrEnum

from django.http import HttpRequest

from accounts.models import User

SESSION_KEY = "accounts_proofs"


class Proof(StrEnum):
    """The kinds of proof."""

    SIGN_IN_CODE = "sign_in_code"  # the mailbox, by the code of a sign-in
    SIGN_IN_PASSKEY = "sign_in_passkey"  # a passkey, at the sign-in
    STEP_UP_CODE = "step_up_code"  # the mailbox or a passkey, because step-up asked for it
    COMPANY_FACTOR = "company_factor"  # a second factor that the company's provider asked for
    APP_PAGE = "app_page"  # a fresh code, at the opening of the page of an authenticator app
    PASSKEY_PAGE = "passkey_page"  # a fresh code, at the opening of the page of a passkey
    NEW_APP = "new_app"  # the authenticator app or passkey, by its set-up


def record(request: HttpRequest, user: User, proof: Proof) -> None:
    """Records that `user` gave `proof` now. Drops the proofs of another user in this session."""
    proven = _proven_by(request, user) | {str(proof): time.time()}
    request.session[SESSION_KEY] = {"user": user.pk, "at": proven}


def seconds_since(request: HttpRequest, proof: Proof) -> float | None:
    """Returns the seconds since the signed-in user gave `proof` in this session, or None."""
    user = request.user
    at = _proven_by(request, user).get(proof) if isinstance(user, User) else None
    return None if at is None else time.time() - at


def _proven_by(request: HttpRequest, user: User) -> dict[str, float]:
    """Returns when `user` gave each proof last, in seconds since the epoch."""
    stored = request.session.get(SESSION_KEY, {})
    return dict(stored["at"]) if stored.get("user") == user.pk else {}
