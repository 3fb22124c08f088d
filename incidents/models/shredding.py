"""Records of the deletion of an incident's keysets."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import User


class Shredding(models.Model):
    """The record of a shredding: who requested it, who did it, what was deleted, and the purge.

    A trigger refuses changes of what was done, once it is done. The last five fields are the
    progress of the purge, which deletes the rows (incidents.purging).
    """

    incident = models.OneToOneField(
        "incidents.Incident",
        verbose_name=_("incident"),
        on_delete=models.PROTECT,
        related_name="shredding",
    )
    asked_by = models.ForeignKey(
        User, verbose_name=_("asked by"), on_delete=models.PROTECT, null=True, related_name="+"
    )
    asked_at = models.DateTimeField(_("asked"), null=True)
    # Null if it was done outside the desk, by code on the server.
    done_by = models.ForeignKey(
        User, verbose_name=_("shredded by"), on_delete=models.PROTECT, null=True, related_name="+"
    )
    done_at = models.DateTimeField(_("shredded"), null=True)
    # SHA-256 of each wrapped keyset, in hex.
    data_fingerprint = models.CharField(_("fingerprint of the data keyset"), max_length=64)
    index_fingerprint = models.CharField(_("fingerprint of the index keyset"), max_length=64)
    # Progress: the purge has examined people up to this primary key.
    position = models.UUIDField(null=True, editable=False)
    # And withdrawn contacts up to this blind index.
    contact_position = models.UUIDField(null=True, editable=False)
    people = models.PositiveBigIntegerField(_("people purged"), default=0)
    exposures = models.PositiveBigIntegerField(_("exposures purged"), default=0)
    purged_at = models.DateTimeField(_("purged"), null=True)

    class Meta:
        verbose_name = _("shredding")
        verbose_name_plural = _("shreddings")
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at__isnull=True)
                | Q(data_fingerprint__regex="^[0-9a-f]{64}$")
                & Q(index_fingerprint__regex="^[0-9a-f]{64}$"),
                name="shredding_says_what",
            ),
            models.CheckConstraint(
                condition=Q(done_by__isnull=True) | ~Q(done_by=F("asked_by")),
                name="shredding_takes_two",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.incident_id}: {self.done_at or self.asked_at}"

    def percent_purged(self) -> int:
        """Returns how much of the table of people the purge has examined, from 0 to 100.

        Primary keys are spread evenly over all possible values, so the last one shows the share.
        """
        return 100 if self.purged_at else (100 * self.position.int >> 128) if self.position else 0
