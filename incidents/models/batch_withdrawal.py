"""Withdrawals of scope versions, which two people decide together."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents.models.exposure_batch import ExposureBatch
from incidents.models.proposal import Proposal, ProposalQuerySet


class BatchWithdrawalQuerySet(ProposalQuerySet["BatchWithdrawal"]):
    """Withdrawals of scope versions by state."""

    def confirmed(self) -> "BatchWithdrawalQuerySet":
        """Returns the withdrawals that a second person has confirmed."""
        return self.filter(confirmed_at__isnull=False)


class BatchWithdrawal(Proposal):
    """The decision that a scope version is wrong and no longer counts.

    One person proposes it with a reason, another one confirms it. A version may hold rows that two
    people wrote off, and people whom no other version names: after the withdrawal they may read
    that they are not among the leaked data. Database triggers keep the rows, and refuse a
    withdrawal without a confirmed one. See incidents.withdrawal_decisions.
    """

    batch = models.ForeignKey(
        ExposureBatch,
        verbose_name=_("scope version"),
        on_delete=models.PROTECT,
        related_name="withdrawals",
    )
    public_reason = models.CharField(
        _("reason that customers read"), max_length=10, choices=ExposureBatch.PublicReason.choices
    )
    # The rows that the version held when this was proposed. With others, the decision is outdated.
    rows = models.PositiveBigIntegerField(_("rows"))

    objects = BatchWithdrawalQuerySet.as_manager()

    class Meta:
        verbose_name = _("withdrawal of a scope version")
        verbose_name_plural = _("withdrawals of scope versions")
        ordering = ["-proposed_at"]
        permissions = [("confirm_batchwithdrawal", _("Can confirm withdrawals of scope versions"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True, confirmed_at__isnull=True)
                | Q(confirmed_at__isnull=False) & ~Q(confirmed_by=F("proposed_by")),
                name="withdrawal_confirmed_by_a_second_person",
            ),
            models.UniqueConstraint(
                fields=["batch"],
                condition=Q(confirmed_at__isnull=True, withdrawn_at__isnull=True),
                name="one_waiting_withdrawal_of_a_batch",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch} {timezone.localtime(self.proposed_at):%Y-%m-%d}"

    def confirm(self, by: User) -> bool:
        """Records `by` as the second person.

        Returns False, and changes nothing, if the proposal no longer waits or `by` made it.
        """
        waiting = BatchWithdrawal.objects.waiting().exclude(proposed_by=by).filter(pk=self.pk)
        return bool(waiting.update(confirmed_by=by, confirmed_at=timezone.now()))
