"""Moves the tickets of an account that is joined into another."""

from accounts.joining import move
from accounts.models import User
from tickets.models import Ticket


def move_rows(ends: User, stays: User) -> None:
    """Gives the tickets of `ends` to `stays`."""
    move(Ticket.objects.filter(user=ends), stays)
