"""Messages that support sent once more to one person."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.due_mails import DueMail, may_be_tried
from notices.models.delivery import Delivery


class ResendQuerySet(models.QuerySet["Resend"]):
    """Requests to send a message again, by state."""

    def due(self) -> "ResendQuerySet":
        """Selects the requests whose mail has to leave now, the oldest first."""
        return self.filter(may_be_tried(), sent_at=None, refused="").order_by("pk")


class Resend(DueMail):
    """One message of a notice that a member of the team had sent again to its person.

    It is beside the ledger, as a letter is, because a closed ledger is final.
    """

    delivery = models.ForeignKey(
        Delivery,
        verbose_name=_("delivery"),
        on_delete=models.PROTECT,
        related_name="resends",
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("asked by"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    reason = models.CharField(_("reason"), max_length=200)
    sent_at = models.DateTimeField(_("accepted"), null=True)
    # A stored message: why it did not leave after all, such as a mark set since.
    refused = models.CharField(max_length=500, blank=True)

    objects = ResendQuerySet.as_manager()

    class Meta:
        verbose_name = _("message sent again")
        verbose_name_plural = _("messages sent again")
        default_permissions = ("add", "view")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(sent_at=None) | models.Q(refused=""), name="resent_or_refused"
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=models.Q(sent_at=None, refused=""), name="resends_due"
            ),
            # of the bound of one person in a day
            models.Index(fields=["asked_by", "asked_at"], name="resends_of_staff"),
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id} {timezone.localtime(self.asked_at):%Y-%m-%d}"
