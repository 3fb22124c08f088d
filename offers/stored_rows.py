"""What happens to takings when accounts are joined, and to claims when people are purged."""

from collections.abc import Sequence
from uuid import UUID

from accounts.joining import move
from accounts.models import User
from offers.models import OfferTaking, TakingClaim


def move_rows(ends: User, stays: User) -> None:
    """Gives the takings of `ends` to `stays`. If both took a code, the page shows both."""
    move(OfferTaking.objects.filter(user=ends), stays)


def forget_people(people: Sequence[UUID]) -> None:
    """Deletes the claims of the takings of these people, whose incident is shredded."""
    takings = TakingClaim.objects.filter(key__in=people).values("taking")
    TakingClaim.objects.filter(taking__in=list(takings.values_list("taking", flat=True))).delete()
