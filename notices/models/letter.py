"""Letters to people whom a notice did not reach, with their states."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from notices.models.delivery import Delivery
from notices.models.notice import Notice


class Letter(models.Model):
    """The letter of one delivery: exported for the print house, posted, perhaps returned.

    It is beside the ledger, as a delivery receipt is, because a closed ledger is final. It holds
    neither name nor address; each export decrypts them again.
    """

    class Reason(models.TextChoices):
        """Why the post returned a letter."""

        MOVED = "moved", _("moved away")
        UNKNOWN = "unknown", _("not known there")
        ADDRESS = "address", _("no such address")
        REFUSED = "refused", _("refused by the recipient")
        UNCLAIMED = "unclaimed", _("not at home, or not collected")
        OTHER = "other", _("another reason, or none given")

    delivery = models.OneToOneField(
        Delivery,
        verbose_name=_("delivery"),
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="letter",
    )
    notice = models.ForeignKey(  # the delivery's: millions of deliveries need not be joined
        Notice, verbose_name=_("notice"), on_delete=models.CASCADE, related_name="+", db_index=False
    )
    exported_at = models.DateTimeField(_("last exported"))
    # Days, because a print house and the post report days.
    posted_on = models.DateField(_("posted"), null=True)
    returned_on = models.DateField(_("returned"), null=True)
    reason = models.CharField(
        _("why it was returned"), max_length=9, choices=Reason.choices, blank=True
    )

    class Meta:
        verbose_name = _("letter")
        verbose_name_plural = _("letters")
        indexes = [  # of the counts of a notice's letters, which read it alone
            models.Index(fields=["notice", "posted_on", "returned_on"], name="letters_of_notice"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(returned_on__isnull=True)
                | Q(posted_on__isnull=False, returned_on__gte=F("posted_on")),
                name="returned_letter_was_posted",
            ),
            models.CheckConstraint(
                condition=Q(returned_on__isnull=True, reason="")
                | Q(returned_on__isnull=False) & ~Q(reason=""),
                name="returned_letter_has_a_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id}"
