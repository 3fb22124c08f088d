"""Decides whether a member of the team can be the second person of what another one did.

A user who gives rights to an account may control that account. So for a time the two count as one
person wherever the portal needs two.
"""

from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _

from accounts.models import GRANT_JOINS_FOR, RightsGrant, User
from accounts.twin_mailboxes import twins_of


def objection(by: User, *, first: Iterable[User]) -> str:
    """Returns why `by` cannot be the second person of what the users `first` did; else "".

    The reason is in the active language: one gave the other rights within GRANT_JOINS_FOR.
    """
    for user in first:
        if RightsGrant.objects.joining(by, user).exists():
            hours = round(GRANT_JOINS_FOR.total_seconds() / 3600)
            return _(
                "One of you gave the other rights on the desk less than %(hours)s hours ago: you "
                "and %(user)s cannot be two people yet. Ask another person."
            ) % {"hours": hours, "user": user}
    return ""


def same_person(user: User) -> list[User]:
    """Returns other active accounts of the team that may belong to the person of `user`.

    Their addresses are of the same mailbox: another spelling, or another part after "+". It is a
    hint, no proof. A verified phone belongs to one account only.
    """
    found = team_with_mailbox(user.email) if user.email else []
    return [other for other in found if other.pk != user.pk]


def team_with_mailbox(email: str) -> list[User]:
    """Returns the active accounts of the team with an address of the mailbox of `email`."""
    team = User.objects.filter(is_staff=True, is_active=True).order_by("email")
    wanted = set(_mailboxes(email))
    return [user for user in team if not wanted.isdisjoint(_mailboxes(user.email or ""))]


def _mailboxes(email: str) -> Iterator[str]:
    """Yields the spellings of the address without the part after "+"."""
    local, _at, domain = email.rpartition("@")
    plain = f"{local.partition('+')[0]}@{domain}"
    yield plain
    yield from twins_of(plain)
