"""Alert numbers: the number to which a user's alerts go by text message, too."""

from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User, VerifiedPhone


class AlertNumberQuerySet(models.QuerySet["AlertNumber"]):
    """Alert numbers by whether they are in use."""

    def live(self) -> "AlertNumberQuerySet":
        """Selects the numbers that are still proven by the user who chose them.

        A number that a later owner proved belongs to another account then.
        """
        return self.filter(phone__user=F("user"))


class AlertNumber(models.Model):
    """The number of one user for alerts. Which alerts they are is in the alert subscriptions.

    The row is deleted when the user ends the text messages, and with the number or the account.
    """

    user = models.OneToOneField(
        User, verbose_name=_("user"), on_delete=models.CASCADE, related_name="alert_number"
    )
    phone = models.ForeignKey(VerifiedPhone, on_delete=models.CASCADE, related_name="+")
    chosen_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = AlertNumberQuerySet.as_manager()

    class Meta:
        verbose_name = _("number for alerts")
        verbose_name_plural = _("numbers for alerts")

    def __str__(self) -> str:
        return str(self.pk)
