"""Proposals: what one person proposes and another one confirms, as rows that stay on record."""

from typing import Self, TypeVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User

P = TypeVar("P", bound=models.Model)


class ProposalQuerySet(models.QuerySet[P]):
    """Proposals by state."""

    def waiting(self) -> Self:
        """Returns the proposals that are neither confirmed nor withdrawn."""
        return self.filter(confirmed_at__isnull=True, withdrawn_at__isnull=True)


class Proposal(models.Model):
    """The fields of a proposal. The model adds what is proposed, and that it takes two people."""

    reason = models.TextField(_("reason"))
    proposed_by = models.ForeignKey(
        User, verbose_name=_("proposed by"), on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField(_("proposed"), auto_now_add=True)
    confirmed_by = models.ForeignKey(
        User, verbose_name=_("confirmed by"), on_delete=models.PROTECT, related_name="+", null=True
    )
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)

    class Meta:
        abstract = True

    @property
    def proposer(self) -> User | None:
        """Returns who proposed it."""
        return self.proposed_by

    @property
    def is_waiting(self) -> bool:
        """Returns whether the proposal is neither confirmed nor withdrawn."""
        return self.confirmed_at is None and self.withdrawn_at is None

    def withdraw(self) -> bool:
        """Withdraws the proposal. Returns False if it is confirmed or withdrawn already."""
        proposals: ProposalQuerySet[Proposal] = ProposalQuerySet(type(self))
        waiting = proposals.waiting().filter(pk=self.pk)
        return bool(waiting.update(withdrawn_at=timezone.now()))
