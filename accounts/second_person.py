"""Decides whether a member of the team can be the second person of what another one did.

A user who gives rights to an account may control that account. So for a time the two count as one
person wherever the portal needs two. Two accounts of the same mailbox are always one person,
because a person who reads the mailbox gets the sign-in codes of both.
"""

from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import GRANT_JOINS_FOR, AuditEntry, RightsGrant, User
from accounts.twin_mailboxes import mailbox_of


def objection(by: User, *, first: Iterable[User]) -> str:
    """Returns why `by` cannot be the second person of what the users `first` did; else "".

    The reason is in the active language: their addresses are of the same mailbox, or one gave the
    other, or a role of the other, rights within GRANT_JOINS_FOR.
    """
    for user in first:
        if user.pk != by.pk and by.has_mailbox_of(user):
            return _(
                "The address of %(user)s is of the same mailbox as yours: you cannot be two "
                "people. Ask another person."
            ) % {"user": user}
        if RightsGrant.objects.joining(by, user).exists() or _changed_a_role(by, user):
            hours = round(GRANT_JOINS_FOR.total_seconds() / 3600)
            return _(
                "One of you gave the other rights on the desk less than %(hours)s hours ago: you "
                "and %(user)s cannot be two people yet. Ask another person."
            ) % {"hours": hours, "user": user}
    return ""


def _changed_a_role(one: User, other: User) -> bool:
    """Returns whether one user added a right to a role of the other within GRANT_JOINS_FOR.

    The trail says it, which no superuser can change.
    """
    since = timezone.now() - GRANT_JOINS_FOR
    added = AuditEntry.objects.rights_added_to_roles(since)
    return any(
        added.filter(
            actor_id=giver.pk,  # `details` has the value before and after
            details__group_id__1__in=_roles_held(taker, since),
        ).exists()
        for giver, taker in ((one, other), (other, one))
    )


def _roles_held(user: User, since: datetime) -> list[int]:
    """Returns the keys of the roles of a user, also of those that the user lost after `since`."""
    lost = AuditEntry.objects.filter(
        object_type=User.groups.through._meta.db_table,
        kind=AuditEntry.Kind.DELETED,
        at__gt=since,
        details__user_id__0=user.pk,
    )
    now = user.groups.values_list("pk", flat=True)
    return [*now, *lost.values_list("details__group_id__0", flat=True)]


def same_person(user: User) -> list[User]:
    """Returns other active accounts of the team that may belong to the person of `user`.

    Their addresses are of the same mailbox: another spelling, or another part after "+". A verified
    phone belongs to one account only.
    """
    return [other for other in _team_with(user.mailboxes()) if other.pk != user.pk]


def team_with_mailbox(email: str) -> list[User]:
    """Returns the active accounts of the team with an address of the mailbox of `email`."""
    return _team_with({mailbox_of(email)})


def _team_with(mailboxes: set[str]) -> list[User]:
    team = User.objects.filter(is_staff=True, is_active=True).order_by("email")
    return [user for user in team if not mailboxes.isdisjoint(user.mailboxes())]
