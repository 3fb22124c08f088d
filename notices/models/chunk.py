"""Chunks: the parts of a notice's ledger that workers lease."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from notices.models.notice import Notice
from notices.models.states import END_STATES, ChunkState


class ChunkQuerySet(models.QuerySet["Chunk"]):
    """Chunks by what a worker may do with them. The database's clock decides, not the worker's."""

    def due(self, notice: Notice) -> "ChunkQuerySet":
        """Nobody's, and their time has come."""
        due = self.filter(notice=notice, state=Chunk.State.DUE).order_by("pk")
        if notice.state == Notice.State.CANCELLED:
            return due  # cancelling waits for no retry's time
        if notice.ramp_to is not None:
            due = due.filter(pk__lte=notice.ramp_to)
        return due.filter(Q(not_before__isnull=True) | Q(not_before__lte=Now()))

    def left_behind(self, notice: Notice) -> "ChunkQuerySet":
        """Of a worker that stopped: its lease ran out."""
        leased = self.filter(notice=notice, state=Chunk.State.LEASED)
        return leased.filter(leased_until__lt=Now()).order_by("pk")


class Chunk(models.Model):
    """Some hundred deliveries of a notice, by key range; what a worker leases.

    A lease's every turn writes this row (it is small and stays in its page), so nothing that a
    turn changes may be indexed.
    """

    State = ChunkState

    notice = models.ForeignKey(
        Notice, verbose_name=_("notice"), on_delete=models.CASCADE, related_name="chunks"
    )
    first = models.UUIDField()
    last = models.UUIDField()
    people = models.PositiveIntegerField()
    state = models.CharField(max_length=6, choices=State.choices, default=State.DUE)
    leased_until = models.DateTimeField(null=True)
    # Rises with each lease; every write of a worker checks that its lease is still the last one.
    fencing_token = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(null=True)
    # Leases in a row that ended because the server was away; the backoff grows with it.
    failures = models.PositiveSmallIntegerField(default=0)
    # The deliveries whose message may be on the wire: written before the first octet of it goes,
    # at most one a connection. If the worker dies, these and no others are in doubt.
    on_wire = ArrayField(models.BigIntegerField(), default=list)
    # What this lease did and the notice's counters do not hold yet; see Notice.
    accepted = models.IntegerField(default=0)
    bounced = models.IntegerField(default=0)
    suppressed = models.IntegerField(default=0)
    unreachable = models.IntegerField(default=0)
    in_doubt = models.IntegerField(default=0)
    cancelled = models.IntegerField(default=0)

    objects = ChunkQuerySet.as_manager()

    class Meta:
        verbose_name = _("chunk")
        verbose_name_plural = _("chunks")
        constraints = [
            models.UniqueConstraint(fields=["notice", "first"], name="chunk_once"),
            models.CheckConstraint(
                condition=Q(state="leased")
                | Q(
                    leased_until__isnull=True,
                    on_wire=[],
                    **dict.fromkeys(END_STATES, 0),
                ),
                name="only_a_lease_holds_anything",
            ),
        ]
        indexes = [
            # leasing the next chunk
            models.Index(fields=["notice", "id"], condition=Q(state="due"), name="due_chunks"),
            # the progress page's live counts, and leases that ran out
            models.Index(fields=["notice"], condition=Q(state="leased"), name="leased_chunks"),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id}/{self.pk}"
