"""Regulator reports: drafted, then filed with an authority."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incidents.models import Incident


class RegulatorReport(models.Model):
    """A report to an authority: a draft, then filed and immutable (a trigger).

    Facts that become known later are filed in another report, which supplements the first one.
    """

    class Form(models.TextChoices):
        PIPC = "pipc", _("leak report to the PIPC or KISA (Korean)")
        GDPR = "gdpr", _("notification under GDPR Article 33 (English)")
        OTHER = "other", _("another report, without a prepared text")

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        FILED = "filed", _("filed")

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.PROTECT, related_name="reports"
    )
    duty = models.CharField(_("duty"), max_length=60)  # the id of a Duty
    form = models.CharField(_("form"), max_length=5, choices=Form.choices)
    authority = models.CharField(_("authority"), max_length=200)
    supplements = models.ForeignKey(
        "self",
        verbose_name=_("supplements"),
        on_delete=models.PROTECT,
        related_name="supplemented_by",
        null=True,
        editable=False,
    )
    number = models.PositiveSmallIntegerField(_("number"), default=1, editable=False)
    state = models.CharField(
        _("state"), max_length=5, choices=State.choices, default=State.DRAFT, editable=False
    )
    text = models.TextField(_("text"), help_text=_("A line that begins with ## is a heading."))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("created by"),
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    filed_at = models.DateTimeField(_("filed on"), null=True, editable=False)
    reference = models.CharField(
        _("the authority's reference number"), max_length=200, blank=True, editable=False
    )
    filed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("filed by"),
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        editable=False,
    )

    class Meta:
        verbose_name = _("report to an authority")
        verbose_name_plural = _("reports to authorities")
        ordering = ["incident", "duty", "number"]
        permissions = [("file_regulatorreport", _("Can record a report as filed"))]
        constraints = [
            models.UniqueConstraint(
                fields=["supplements", "number"], name="supplement_number_once"
            ),
            models.CheckConstraint(
                condition=Q(number=1, supplements__isnull=True)
                | Q(number__gt=1, supplements__isnull=False),
                name="supplements_follow_a_first_report",
            ),
            models.CheckConstraint(
                condition=Q(state="draft", filed_at__isnull=True, filed_by__isnull=True)
                | Q(state="filed", filed_at__isnull=False, filed_by__isnull=False) & ~Q(text=""),
                name="filed_at_a_time_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.incident}: {self.authority} {self.number}"

    @property
    def is_filed(self) -> bool:
        """Returns whether the report is filed and can no longer change."""
        return self.state == self.State.FILED

    @property
    def language(self) -> str:
        """Returns the language of the report's form; without a form, the incident's first one."""
        of_form = {self.Form.PIPC: "ko", self.Form.GDPR: "en"}
        return of_form.get(self.Form(self.form), self.incident.languages[0])
