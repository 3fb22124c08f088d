"""The states of a delivery, and what follows from them.

This is the only list. Counters, sums, constraints and the ledger's SQL derive from it. Each end
state has a counter of its name in Notice and in Chunk.
"""

from collections.abc import Iterable
from functools import reduce
from operator import add

from django.db import models
from django.db.models import F
from django.db.models.expressions import CombinedExpression
from django.utils.translation import gettext_lazy as _


class DeliveryState(models.TextChoices):
    """Where a delivery stands. Two states wait; every recipient ends in exactly one other."""

    PENDING = "pending", _("pending")
    DEFERRED = "deferred", _("deferred: will be tried again")
    ACCEPTED = "accepted", _("accepted by the mail server")
    BOUNCED = "bounced", _("bounced")
    SUPPRESSED = "suppressed", _("suppressed")
    UNREACHABLE = "unreachable", _("not reachable over this channel")
    IN_DOUBT = "in_doubt", _("in doubt")
    CANCELLED = "cancelled", _("cancelled")


WAITING_STATES = (DeliveryState.PENDING, DeliveryState.DEFERRED)
# Names, as of the counters.
END_STATES = tuple(state.value for state in DeliveryState if state not in WAITING_STATES)


def sum_of_counters() -> CombinedExpression:
    """How many deliveries have ended: the sum of a row's counters, as a database expression."""
    return reduce(add, (F(name) for name in END_STATES))  # type: ignore[return-value]


def in_sql(states: Iterable[str]) -> str:
    """The states as the inside of an SQL list: 'pending', 'deferred'."""
    return ", ".join(f"'{state!s}'" for state in states)


class ChunkState(models.TextChoices):
    """What a worker may do with a chunk: Chunk.State."""

    DUE = "due", _("due")
    LEASED = "leased", _("leased")
    DONE = "done", _("done")
