"""Chunks: the parts of a notice's ledger that workers lease."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from notices.models.notice import Notice
from notices.models.states import END_STATES, ChunkState


class ChunkQuerySet(models.QuerySet["Chunk"]):
    """Chunks by what a worker may do with them. All times are compared with the database's
    clock.
    """

    def due(self, notice: Notice) -> "ChunkQuerySet":
        """Selects the notice's chunks that a worker may lease: not leased, within the ramp's step,
        and with their backoff over.
        """
        due = self.filter(notice=notice, state=Chunk.State.DUE).order_by("pk")
        if notice.state == Notice.State.CANCELLED:
            return due  # a cancellation ignores the backoff and the ramp
        if notice.ramp_to is not None:
            due = due.filter(pk__lte=notice.ramp_to)
        return due.filter(Q(not_before__isnull=True) | Q(not_before__lte=Now()))

    def left_behind(self, notice: Notice) -> "ChunkQuerySet":
        """Selects the notice's chunks with a lease that ran out, because their worker stopped."""
        leased = self.filter(notice=notice, state=Chunk.State.LEASED)
        return leased.filter(leased_until__lt=Now()).order_by("pk")


class Chunk(models.Model):
    """A few hundred deliveries of a notice, by key range: what a worker leases.

    Each turn of a lease writes this row (it is small and stays in its page). So no column that a
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
    # Each lease raises it by one. Every write of a worker checks that its lease is the newest.
    fencing_token = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(null=True)
    # Leases in a row that ended because the server was unavailable. The backoff grows with it.
    failures = models.PositiveSmallIntegerField(default=0)
    # The deliveries with a message that may be on the wire, at most one for each connection. They
    # are written before the first octet of the message is sent. If the worker dies, only these
    # deliveries are in doubt.
    on_wire = ArrayField(models.BigIntegerField(), default=list)
    # End states that this lease wrote. The notice's counters do not include them yet; see Notice.
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
            # finds the next chunk to lease
            models.Index(fields=["notice", "id"], condition=Q(state="due"), name="due_chunks"),
            # for the progress page's live counts, and for leases that ran out
            models.Index(fields=["notice"], condition=Q(state="leased"), name="leased_chunks"),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id}/{self.pk}"
