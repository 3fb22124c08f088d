"""Deliveries: the ledger rows of a notice, one for each recipient."""

from collections.abc import Sequence
from typing import TypeAlias

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from foundations.languages import CODE_LENGTH, portal_languages
from incidents.models import AffectedPerson
from notices.models.chunk import Chunk
from notices.models.doubt import DoubtCause
from notices.models.notice import Notice
from notices.models.states import WAITING_STATES, DeliveryState
from notices.models.subscription import AlertSubscription


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Ledger rows by what the engine still has to do with them."""

    def of_chunk(self, chunk: Chunk) -> "DeliveryQuerySet":
        """Selects the rows in the chunk's key range."""
        return self.filter(
            notice=chunk.notice_id, recipient__gte=chunk.first, recipient__lte=chunk.last
        )

    def waiting(self) -> "DeliveryQuerySet":
        """Selects the rows without an end state, including the few on the wire, which
        `Chunk.on_wire` names.
        """
        return self.filter(state__in=WAITING_STATES)

    def ended_as(self, states: Sequence[DeliveryState]) -> "DeliveryQuerySet":
        """Selects the rows in these end states. With "suppressed", it also selects the one message
        to each shared contact, because it told its person nothing. With "bounced", it also selects
        text messages of which the gateway reported after the notice was closed that they failed.
        """
        ended = Q(state__in=states)
        if DeliveryState.BOUNCED in states:
            ended |= Q(state=DeliveryState.ACCEPTED, receipt__state="failed")
        if DeliveryState.SUPPRESSED in states:
            to_shared_contact = Q(state=DeliveryState.ACCEPTED, data_classes=[])
            ended |= to_shared_contact & ~Q(reply__startswith="decided by")
        return self.filter(ended)

    def due(self) -> "DeliveryQuerySet":
        """Selects the rows to send now. Rows with the fewest attempts come first, so that one row
        cannot block the others.
        """
        return (
            self.waiting()
            .filter(Q(not_before__isnull=True) | Q(not_before__lte=Now()))
            .order_by("attempts", "recipient")
        )


class Delivery(models.Model):
    """The ledger row of one notice to one person over one channel.

    The recipient is an affected person (mandatory notices) or a subscription (alerts); `recipient`
    is its primary key, so that one index serves both and a chunk is a range of it.
    """

    State: TypeAlias = DeliveryState

    notice = models.ForeignKey(
        Notice, verbose_name=_("notice"), on_delete=models.CASCADE, related_name="deliveries"
    )
    recipient = models.UUIDField()
    person = models.ForeignKey(
        AffectedPerson,
        verbose_name=_("affected person"),
        on_delete=models.SET_NULL,  # proofs stay when an incident's rows are purged
        null=True,
        related_name="deliveries",
        db_index=False,
        # A constraint would check each of 33 million rows and lock each person, without a benefit.
        db_constraint=False,
    )
    subscription = models.ForeignKey(
        AlertSubscription,
        verbose_name=_("alert subscription"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="deliveries",
        db_index=False,
        db_constraint=False,
    )
    state = models.CharField(
        _("state"), max_length=11, choices=State.choices, default=State.PENDING
    )
    language = models.CharField(_("language"), max_length=CODE_LENGTH, choices=portal_languages)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    not_before = models.DateTimeField(_("not before"), null=True)
    is_possible_duplicate = models.BooleanField(_("possibly sent twice"), default=False)
    # A server refused a message to this recipient for a cause that is not theirs.
    was_refused = models.BooleanField(db_default=False)
    reply = models.CharField(_("the server's reply"), max_length=500, blank=True)
    # The cause of the last doubt. It stays when the message is sent again or a person decides.
    doubt_cause = models.CharField(
        _("why it is in doubt"), max_length=15, choices=DoubtCause.choices, blank=True
    )
    ended_at = models.DateTimeField(_("ended"), null=True)
    # The data classes that the accepted message named: DataClass ids in the catalogue's order.
    data_classes = ArrayField(models.SmallIntegerField(), default=list)
    # For the index: one whose condition names `state` would get an entry for each row that ends.
    is_bounced = models.GeneratedField(
        expression=Q(state="bounced"),  # type: ignore[arg-type]  # the stubs do not know Q here
        output_field=models.BooleanField(),
        db_persist=True,
    )

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [
            models.UniqueConstraint(fields=["notice", "recipient"], name="one_delivery_a_person"),
            models.CheckConstraint(
                condition=~Q(state="in_doubt") | ~Q(doubt_cause=""), name="doubt_has_a_cause"
            ),
        ]
        indexes = [
            # for the desk's look-up and the notifications on the customer's "my data"
            models.Index(fields=["person"], condition=Q(person__isnull=False), name="by_person"),
            models.Index(
                fields=["subscription"],
                condition=Q(subscription__isnull=False),
                name="by_subscription",
            ),
            # for the retry after a resume, and for bounces that a person takes back
            models.Index(fields=["notice"], condition=Q(was_refused=True), name="refused_rows"),
            models.Index(fields=["notice"], condition=Q(is_bounced=True), name="bounced_rows"),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id}/{self.recipient}"

    def went_to_shared_contact(self) -> bool:
        """Returns whether this delivery was the one message to a contact of many people.

        That message names no data classes; every other accepted message of a notice names some,
        unless a person decided that it was accepted.
        """
        is_accepted = self.state == self.State.ACCEPTED and self.person_id is not None
        return is_accepted and not self.data_classes and not self.reply.startswith("decided by")
