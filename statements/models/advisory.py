"""The advisory of a statement: who issues the advice, and how urgent it is."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from foundations.localized_fields import LocalizedTextField
from statements.models.statement import Statement


class Advisory(models.Model):
    """The issuer and urgency of a statement of kind advisory.

    Immutable once a version of the statement is published (a trigger).
    """

    class Severity(models.IntegerChoices):
        INFORMATION = 1, _("information")
        IMPORTANT = 2, _("important")
        URGENT = 3, _("urgent")

    statement = models.OneToOneField(
        Statement, on_delete=models.PROTECT, related_name="advisory", primary_key=True
    )
    issuer = LocalizedTextField(_("issuer"), max_length=200)
    issued_on = models.DateField(_("issued on"))
    original_url = models.URLField(_("original"), blank=True)
    hotline = models.CharField(_("hotline"), max_length=50, blank=True)
    severity = models.SmallIntegerField(_("severity"), choices=Severity.choices)

    class Meta:
        verbose_name = _("advisory")
        verbose_name_plural = _("advisories")

    def __str__(self) -> str:
        return str(self.statement)
