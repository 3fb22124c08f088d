"""Invitations to the response team: they are confirmed, sent, accepted once, or withdrawn.

The link's token is random and is stored as its SHA-256 only, so that a copy of the database opens
nothing. The mail leaves within the request: a queue would hold the token.
"""

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from accounts import emails
from accounts.audit import actors
from accounts.models import Invitation, InvitationQuerySet, RightsGrant, User

_TOKEN_BYTES = 32


class InvitationClosedError(Exception):
    """The invitation was accepted or withdrawn, its link expired, or a newer link was sent."""


class InvitedAccountClosedError(Exception):
    """The invited address belongs to an account that may not sign in."""


def confirm(invitation: Invitation, by: User) -> bool:
    """Records `by` as the second person. Returns False, and changes nothing, if that is too late.

    It is too late if the invitation no longer waits or `by` may not confirm it.
    """
    with transaction.atomic():
        waiting = Invitation.objects.waiting().select_for_update(of=("self",))
        found = waiting.filter(pk=invitation.pk).first()
        if found is None or not found.may_be_confirmed_by(by):
            return False
        found.confirmed_by, found.confirmed_at = by, timezone.now()
        found.save(update_fields=["confirmed_by", "confirmed_at"])
    return True


def send(invitation: Invitation) -> bool:
    """Sends the mail with a new link; earlier links stop working.

    Returns False, and sends nothing, unless the invitation is pending and confirmed. Raises OSError
    or SMTPException if the mail server does not take the mail; the list then says "not sent".
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    confirmed = Invitation.objects.pending().filter(pk=invitation.pk, confirmed_at__isnull=False)
    expires_at = timezone.now() + timedelta(hours=settings.INVITATION_HOURS)
    if not confirmed.update(token_hash=_hash(token), expires_at=expires_at, sent_at=None):
        return False
    with override(invitation.language):
        path = reverse("invitation_link", args=[token])
        emails.send_invitation(
            invitation.email,
            link=f"{settings.PORTAL_URL}{path}",
            invited_by=invitation.asked_by.get_short_name(),
            expires_at=expires_at,
        )
    confirmed.filter(token_hash=_hash(token)).update(sent_at=timezone.now())
    return True


def withdraw(invitation: Invitation) -> bool:
    """Withdraws the invitation; its link stops working.

    Returns False if it is accepted or withdrawn already.
    """
    pending = Invitation.objects.pending().filter(pk=invitation.pk)
    return bool(pending.update(withdrawn_at=timezone.now(), token_hash=None))


def find(token: str) -> Invitation | None:
    """Returns the pending invitation whose newest link has this token, expired or not."""
    return Invitation.objects.pending().filter(token_hash=_hash(token)).first()


def accept(token: str, name: str) -> User:
    """Gives the invited person the roles, and returns the user, who is new or was a customer.

    The link proves the mailbox. Raises InvitationClosedError if the link does not work any more,
    and InvitedAccountClosedError if the account of the address may not sign in.
    """
    return _accept({"token_hash": _hash(token)}, name)


def open_for(email: str) -> bool:
    """Returns whether a confirmed invitation of this normalised address waits to be accepted."""
    return _acceptable().filter(email=email).exists()


def accept_proven(email: str, name: str) -> User:
    """Does what `accept` does for the owner of `email`, which the caller has just verified."""
    return _accept({"email": email}, name)


def _acceptable() -> InvitationQuerySet:
    return Invitation.objects.pending().filter(
        expires_at__gt=timezone.now(), confirmed_at__isnull=False
    )


def _accept(which: dict[str, Any], name: str) -> User:
    with transaction.atomic():
        invitation = _acceptable().select_for_update(of=("self",)).filter(**which).first()
        if invitation is None:
            raise InvitationClosedError
        proven = User.objects.for_proven_email(invitation.email, language=invitation.language)
        # A browser of the customer may add a passkey at this moment.
        user = User.objects.select_for_update().get(pk=proven.pk)
        if not user.is_active:
            raise InvitedAccountClosedError
        with actors.acting(user):
            _give_roles(invitation, user, name)
    return user


def _give_roles(invitation: Invitation, user: User, name: str) -> None:
    """Gives the user the roles, and records it as a grant of rights and in the invitation."""
    roles, now = list(invitation.groups.all()), timezone.now()
    user.end_customers_keys()
    user.name, user.is_staff = name, True
    user.save(update_fields=["name", "is_staff"])
    user.groups.add(*roles)
    grant = RightsGrant.objects.create(
        user=user,
        is_staff=True,
        asked_by=invitation.asked_by,
        confirmed_by=invitation.confirmed_by,
        confirmed_at=now,
    )
    grant.groups.set(roles)
    invitation.user, invitation.accepted_at, invitation.token_hash = user, now, None
    invitation.save(update_fields=["user", "accepted_at", "token_hash"])


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
