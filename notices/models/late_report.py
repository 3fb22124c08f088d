"""Late reports: bounces and complaints about deliveries of closed notices."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from notices.models.delivery import Delivery
from notices.models.notice import Notice


class LateReport(models.Model):
    """A bounce or complaint that does not change its delivery. It is stored beside the ledger,
    because a closed ledger is final and digested.
    """

    class Kind(models.TextChoices):
        BOUNCE = "bounce", _("bounced after the notice was closed")
        COMPLAINT = "complaint", _("called spam by its reader")
        UNCLEAR = "unclear", _("not clear whether the address is bad: a person decides")

    delivery = models.ForeignKey(
        Delivery,
        verbose_name=_("delivery"),
        on_delete=models.CASCADE,
        related_name="late_reports",
    )
    notice = models.ForeignKey(  # the delivery's: millions of deliveries need not be joined
        Notice, verbose_name=_("notice"), on_delete=models.CASCADE, related_name="+", db_index=False
    )
    kind = models.CharField(_("kind"), max_length=9, choices=Kind.choices)
    server_reply = models.CharField(_("the server's words"), max_length=500, blank=True)
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("late report")
        verbose_name_plural = _("late reports")
        indexes = [  # of the desk's list and its filters
            models.Index(fields=["notice", "id"], name="late_reports_of_notice"),
            models.Index(fields=["kind", "id"], name="late_reports_of_kind"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["delivery", "kind"], name="late_report_once")
        ]

    def __str__(self) -> str:
        return f"{self.delivery_id} {self.kind}"
