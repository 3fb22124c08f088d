"""Scam reports: visitors' reports of messages in our name."""

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
    """Queries of scam reports."""

    def waiting(self) -> "ScamReportQuerySet":
        """Returns the reports about which no person has decided."""
        return self.filter(state__in=[ScamReport.State.NEW, ScamReport.State.SEEN])

    def like(self, report: "ScamReport") -> "ScamReportQuerySet":
        """Returns the reports that name the same link, address or number, including `report`."""
        if report.same is None:
            return self.filter(pk=report.pk)
        return self.filter(incident=report.incident_id, same=report.same)

    def expired(self) -> "ScamReportQuerySet":
        """Returns the reports older than settings.SCAM_REPORT_DAYS."""
        oldest = timezone.now() - timedelta(days=settings.SCAM_REPORT_DAYS)
        return self.filter(reported_at__lt=oldest)


@dataclass(frozen=True)
class ReportedMessage:
    """The decrypted content of a report: the message, its sender, and the visitor's contact."""

    text: str
    sender: str
    contact: str


class ScamReport(models.Model):
    """A visitor's report of a message in our name. Its content is encrypted."""

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
        Incident,
        verbose_name=_("incident"),
        on_delete=models.CASCADE,
        related_name="scam_reports",
        db_index=False,
    )
    reported_at = models.DateTimeField(_("reported"), default=timezone.now)
    channel = models.CharField(_("came as"), max_length=9, choices=Channel.choices)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.NEW)
    # the encryption of {"t": text, "s": sender, "c": contact of the visitor}
    ciphertext = models.BinaryField(editable=False)
    # the blind index of the first link, address or number it names; null if it names none
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
            # for the desk's count of reports of the same
            models.Index(fields=["incident", "same"], name="same_scam"),
            # the desk's list and its filters
            models.Index(fields=["reported_at", "id"], name="scams_by_time"),
            models.Index(fields=["state", "reported_at", "id"], name="scams_of_state"),
            models.Index(fields=["channel", "reported_at", "id"], name="scams_of_channel"),
            models.Index(fields=["incident", "reported_at", "id"], name="scams_of_incident"),
        ]

    def __str__(self) -> str:
        return f"{self.incident} {str(self.pk)[:8]}"

    def encrypt_report(self, content: ReportedMessage, *, about: str) -> None:
        """Encrypts the content of the report into the row, without saving it.

        `about` is the first trace it names that is not ours, or "" (see
        message_check.first_unknown_trace). Raises KeysetShreddedError or EncryptionError.
        """
        cipher = self.incident.cipher()
        values = {"t": content.text, "s": content.sender, "c": content.contact}
        self.ciphertext = cipher.encrypt(values, person=self.pk, purpose=SCAM_REPORT)
        self.same = cipher.blind_index("scam", about) if about else None

    def decrypt_report(self) -> ReportedMessage:
        """Returns the content of the report. Raises KeysetShreddedError or EncryptionError."""
        cipher = self.incident.cipher()
        values = cipher.decrypt(self.ciphertext, person=self.pk, purpose=SCAM_REPORT)
        return ReportedMessage(text=values["t"], sender=values["s"], contact=values["c"])
