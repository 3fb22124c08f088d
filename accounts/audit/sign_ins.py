"""Records in the audit trail who of the response team signs in, and which attempts are refused.

Sign-ins of customers are not recorded: the session lists them, and the desk does not concern them.
"""

from typing import Any

from allauth.account.signals import authentication_step_completed
from allauth.mfa.signals import authentication_failed
from django.contrib.auth.signals import user_logged_in

from accounts.audit import acts, refusals
from accounts.models import AuditEntry, User

Kind = AuditEntry.Kind


def connect() -> None:
    """Connects the signals of Django and allauth, which report each step. Call it once."""
    user_logged_in.connect(_signed_in, dispatch_uid="audit_signed_in")
    authentication_step_completed.connect(_step_completed, dispatch_uid="audit_step")
    authentication_failed.connect(_step_refused, dispatch_uid="audit_step_refused")


def refuse(user: User, reason: str) -> None:
    """Records that an attempt of a member of the response team was refused."""
    if _is_on_team(user):
        refusals.record(user, about=user, reason=reason)


def _signed_in(user: User, **_options: Any) -> None:
    if _is_on_team(user):
        acts.record(Kind.SIGN_IN, by=user, about=user, step="signed in")


def _step_completed(user: User, method: str, **_options: Any) -> None:
    if method == "mfa" and _is_on_team(user):
        acts.record(Kind.SIGN_IN, by=user, about=user, step="second factor")


def _step_refused(user: User, **_options: Any) -> None:
    refuse(user, "wrong code of the second factor")


def _is_on_team(user: User) -> bool:
    return user.is_staff or user.is_superuser
