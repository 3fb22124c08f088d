"""Write-offs: rejected rows and failed files that will not be loaded."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents.models.exposure_file import ExposureFile
from incidents.models.proposal import Proposal, ProposalQuerySet


class WriteOffQuerySet(ProposalQuerySet["WriteOff"]):
    """Write-offs by state."""


class WriteOff(Proposal):
    """The decision that the unread rows of a file will not be loaded.

    One person proposes it with a reason, another one confirms it. From then on the scope version
    can be closed. The portal says publicly how many rows could not be read, and tells no customer
    that they are not among the leaked data. A database trigger keeps the rows.
    """

    file = models.ForeignKey(
        ExposureFile,
        verbose_name=_("imported file"),
        on_delete=models.PROTECT,
        related_name="write_offs",
    )
    # The number that both people saw. Null for a failed file, whose rows are unknown.
    rows = models.PositiveBigIntegerField(_("rows"), null=True)

    objects = WriteOffQuerySet.as_manager()

    class Meta:
        verbose_name = _("write-off")
        verbose_name_plural = _("write-offs")
        ordering = ["-proposed_at"]
        permissions = [("confirm_writeoff", _("Can confirm write-offs"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True, confirmed_at__isnull=True)
                | Q(confirmed_at__isnull=False) & ~Q(confirmed_by=F("proposed_by")),
                name="write_off_confirmed_by_a_second_person",
            ),
            models.UniqueConstraint(
                fields=["file"], condition=Q(withdrawn_at__isnull=True), name="one_write_off_a_file"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file} {timezone.localtime(self.proposed_at):%Y-%m-%d}"

    def confirm(self, by: User) -> bool:
        """Records `by` as the second person.

        Returns False, and changes nothing, if the write-off no longer waits or `by` proposed it.
        """
        waiting = WriteOff.objects.waiting().exclude(proposed_by=by).filter(pk=self.pk)
        return bool(waiting.update(confirmed_by=by, confirmed_at=timezone.now()))
