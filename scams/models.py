"""What people report: messages that pretend to be from us."""

import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from incidents.encryption import SCAM_REPORT
from incidents.models import Incident
from statements.models import Statement


class ScamReportQuerySet(models.QuerySet["ScamReport"]):
    """Reports by what is to be done with them."""

    def waiting(self) -> "ScamReportQuerySet":
        """Nobody has decided about them yet."""
        return self.filter(state__in=[ScamReport.State.NEW, ScamReport.State.SEEN])

    def like(self, report: "ScamReport") -> "ScamReportQuerySet":
        """Those that name the same link or number, itself included."""
        if report.same is None:
            return self.filter(pk=report.pk)
        return self.filter(incident=report.incident_id, same=report.same)

    def outdated(self) -> "ScamReportQuerySet":
        """Older than settings.SCAM_REPORT_DAYS."""
        oldest = timezone.now() - timedelta(days=settings.SCAM_REPORT_DAYS)
        return self.filter(reported_at__lt=oldest)


@dataclass(frozen=True)
class ReportedMessage:
    """What somebody wrote in a report."""

    text: str
    sender: str
    contact: str


class ScamReport(models.Model):
    """A suspicious message that somebody showed us. What they wrote is sealed."""

    class Channel(models.TextChoices):
        SMS = "sms", _("Text message")
        CALL = "call", _("Phone call")
        EMAIL = "email", _("E-mail")
        MESSENGER = "messenger", _("Messenger")
        WEBSITE = "website", _("Website")
        OTHER = "other", _("Something else")

    class State(models.TextChoices):
        NEW = "new", _("new")
        SEEN = "seen", _("looked at")
        WARNED = "warned", _("turned into a warning")
        DISMISSED = "dismissed", _("dismissed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="scam_reports"
    )
    reported_at = models.DateTimeField(_("reported"), default=timezone.now, db_index=True)
    channel = models.CharField(_("came as"), max_length=9, choices=Channel.choices)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.NEW)
    # {"t": text, "s": sender, "c": contact of whoever reports}
    ciphertext = models.BinaryField(editable=False)
    # The blind index of the link, address or number it names first; null if it names none.
    same = models.UUIDField(_("same link or number"), null=True, editable=False)
    warning = models.ForeignKey(
        Statement,
        verbose_name=_("warning"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="scam_reports",
        editable=False,
    )

    objects = ScamReportQuerySet.as_manager()

    class Meta:
        verbose_name = _("scam report")
        verbose_name_plural = _("scam reports")
        ordering = ["-reported_at"]
        indexes = [
            # the desk's "how many others name the same"
            models.Index(fields=["incident", "same"], name="same_scam")
        ]

    def __str__(self) -> str:
        return f"{self.incident} {str(self.pk)[:8]}"

    def encrypt_report(self, told: ReportedMessage, *, about: str) -> None:
        """Seals what somebody wrote; `about` is the link or number it names first, or empty.

        Raises KeysetShreddedError, and SealingError.
        """
        cipher = self.incident.cipher()
        words = {"t": told.text, "s": told.sender, "c": told.contact}
        self.ciphertext = cipher.encrypt(words, person=self.pk, purpose=SCAM_REPORT)
        self.same = cipher.blind_index("scam", about) if about else None

    def decrypt_report(self) -> ReportedMessage:
        """What somebody wrote. Raises KeysetShreddedError, and SealingError."""
        cipher = self.incident.cipher()
        words = cipher.decrypt(self.ciphertext, person=self.pk, purpose=SCAM_REPORT)
        return ReportedMessage(text=words["t"], sender=words["s"], contact=words["c"])
