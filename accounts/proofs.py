"""What a user proved in this session, and when.

allauth keeps a record of its own, and its public API only reads it
(`allauth.account.authentication`). What our own views prove is kept here.
"""

import time
from enum import StrEnum

from django.http import HttpRequest

from accounts.models import User

SESSION_KEY = "accounts_proofs"


class Proof(StrEnum):
    """What was proved."""

    SIGN_IN_CODE = "sign_in_code"  # the mailbox, by the code of a sign-in
    STEP_UP_CODE = "step_up_code"  # the mailbox, by a code that step-up asked for
    NEW_APP = "new_app"  # the authenticator app, by the code that set it up


def record(request: HttpRequest, user: User, proof: Proof) -> None:
    """Records that `user` gave `proof` now; what another user proved in this session is dropped."""
    proven = _proven_by(request, user) | {str(proof): time.time()}
    request.session[SESSION_KEY] = {"user": user.pk, "at": proven}


def seconds_since(request: HttpRequest, proof: Proof) -> float | None:
    """Seconds since the signed-in user last gave `proof` in this session; None if never."""
    user = request.user
    at = _proven_by(request, user).get(proof) if isinstance(user, User) else None
    return None if at is None else time.time() - at


def _proven_by(request: HttpRequest, user: User) -> dict[str, float]:
    """The times at which `user` gave each proof, in seconds since the epoch."""
    kept = request.session.get(SESSION_KEY, {})
    return dict(kept["at"]) if kept.get("user") == user.pk else {}
