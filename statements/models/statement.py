"""Statements: the texts that the company publishes about an incident."""

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from incidents.models import Incident


class Statement(models.Model):
    """A text that the company publishes about an incident; its versions hold the content."""

    class Kind(models.TextChoices):
        APOLOGY = "apology", _("Apology")
        NOTICE = "notice", _("Notice")
        UPDATE = "update", _("Update")
        FAQ = "faq", _("Questions and answers")
        ADVISORY = "advisory", _("Advisory")

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.PROTECT, related_name="statements"
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind.choices)
    slug = models.SlugField(_("slug"), help_text=_("Part of its web address."))
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    # The users who edited its address, kind or advisory. The first version publishes these, so
    # none of the users may publish it.
    editors = models.ManyToManyField(
        settings.AUTH_USER_MODEL, verbose_name=_("edited by"), related_name="+", editable=False
    )

    class Meta:
        verbose_name = _("statement")
        verbose_name_plural = _("statements")
        ordering = ["incident", "created_at"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "slug"], name="statement_slug_once")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.slug}): {self.incident}"

    def get_absolute_url(self) -> str:
        """Returns the address of the page with the current version."""
        name = "advisory" if self.kind == self.Kind.ADVISORY else "statement"
        return reverse(name, args=[self.incident.slug, self.slug])

    def is_published(self) -> bool:
        """Returns whether a version is published. Address, kind and advisory are then immutable."""
        return self.versions.published().exists()
