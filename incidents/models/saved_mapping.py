"""Meanings of columns that the response team saved under a name."""

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.models import User


class SavedMapping(models.Model):
    """The meanings of columns under a name, for further files with the same columns.

    It holds names of columns, and no value of a row. It belongs to no incident, so it stays when
    one is purged (docs/decisions/0137-saved-mappings.md).
    """

    name = models.CharField(_("name"), max_length=80)
    # JSON of mapping_writing.Choices, as text: jsonb would not keep the order of the columns.
    choices = models.TextField()
    by = models.ForeignKey(
        User, verbose_name=_("saved by"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("saved mapping")
        verbose_name_plural = _("saved mappings")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="savedmapping_name",
                violation_error_message=_("Another mapping has this name."),
            )
        ]

    def __str__(self) -> str:
        return self.name
