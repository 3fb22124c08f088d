"""Delivery receipts: what a gateway reports about a text message after it took the message."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from notices.models.delivery import Delivery


class DeliveryReceipt(models.Model):
    """The last report about an accepted text message. Without one it was handed over only.

    It is beside the ledger, as a late report is, because a closed ledger is final.
    """

    class State(models.TextChoices):
        DELIVERED = "delivered", _("delivered to the telephone")
        FAILED = "failed", _("not delivered to the telephone")

    delivery = models.OneToOneField(
        Delivery,
        verbose_name=_("delivery"),
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="receipt",
    )
    state = models.CharField(_("state"), max_length=9, choices=State.choices)
    words = models.CharField(_("the gateway's words"), max_length=500, blank=True)
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("delivery receipt")
        verbose_name_plural = _("delivery receipts")

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.state}"
