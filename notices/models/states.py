"""The states of a delivery and of a chunk, and what derives from them.

This is the only list. Counters, sums, constraints and the ledger's SQL derive from it. Notice and
Chunk have a counter for each end state, with the state's name.
"""

from collections.abc import Iterable
from functools import reduce
from operator import add

from django.db import models
from django.db.models import F
from django.db.models.expressions import CombinedExpression
from django.utils.translation import gettext_lazy as _


class DeliveryState(models.TextChoices):
    """The state of a delivery. Two states wait. Every recipient ends in exactly one of the
    others.
    """

    PENDING = "pending", _("pending")
    DEFERRED = "deferred", _("deferred: will be tried again")
    ACCEPTED = "accepted", _("accepted by the mail server")
    BOUNCED = "bounced", _("bounced")
    SUPPRESSED = "suppressed", _("suppressed")
    UNREACHABLE = "unreachable", _("not reachable over this channel")
    IN_DOUBT = "in_doubt", _("in doubt")
    CANCELLED = "cancelled", _("cancelled")


WAITING_STATES = (DeliveryState.PENDING, DeliveryState.DEFERRED)
# The values are also the names of the counters.
END_STATES = tuple(state.value for state in DeliveryState if state not in WAITING_STATES)


def sum_of_counters() -> CombinedExpression:
    """Returns the number of ended deliveries, the sum of a row's counters, as a database
    expression.
    """
    return reduce(add, (F(name) for name in END_STATES))  # type: ignore[return-value]


def in_sql(states: Iterable[str]) -> str:
    """Returns the states as the inside of an SQL list: 'pending', 'deferred'."""
    return ", ".join(f"'{state!s}'" for state in states)


class ChunkState(models.TextChoices):
    """What a worker may do with a chunk: Chunk.State."""

    DUE = "due", _("due")
    LEASED = "leased", _("leased")
    DONE = "done", _("done")
