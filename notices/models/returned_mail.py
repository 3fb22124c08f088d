"""Returned mail: the number of mails that came back, by day and outcome."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ReturnedMail(models.Model):
    """The number of returned mails of a day with one outcome. Their content is not stored."""

    class Outcome(models.TextChoices):
        BOUNCED = "bounced", _("a delivery is now bounced")
        LATE = "late", _("recorded beside a closed ledger")
        COMPLAINT = "complaint", _("a complaint was recorded")
        KNOWN = "known", _("about a delivery that had ended so already")
        NOT_FINAL = "not_final", _("a delay, a relay or an automatic answer")
        UNREADABLE = "unreadable", _("no report, or a malformed one")
        UNKNOWN = "unknown", _("to an address that we never gave")
        EARLY = "early", _("came before the acceptance was recorded; it comes again")
        ASIDE = "aside", _("set aside: it could not be processed")

    day = models.DateField(_("day"))
    outcome = models.CharField(_("what became of them"), max_length=10, choices=Outcome.choices)
    number = models.PositiveBigIntegerField(_("how many"), default=0)

    class Meta:
        verbose_name = _("returned mail")
        verbose_name_plural = _("returned mails")
        ordering = ["-day", "outcome"]
        constraints = [models.UniqueConstraint(fields=["day", "outcome"], name="one_count_a_day")]

    def __str__(self) -> str:
        return f"{self.day} {self.outcome}"
