"""Files that were refused while no scope version was open."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from incidents.models.incident import Incident


class RefusedFile(models.Model):
    """A file that an import refused while every scope version was closed.

    It opens no version, because a closed scope must not become uncertain by a wrong mapping. The
    next version that opens takes it as a failed file, so that it closes only once the file is
    loaded or written off.
    """

    incident = models.ForeignKey(
        Incident,
        verbose_name=_("incident"),
        on_delete=models.CASCADE,
        related_name="refused_files",
        db_index=False,
    )
    name = models.CharField(_("file"), max_length=255)
    sha256 = models.CharField("SHA-256", max_length=64)
    sheet = models.CharField(max_length=255, default="", editable=False)  # "" for the only one
    size = models.PositiveBigIntegerField(_("bytes"))
    mapping = models.TextField(_("mapping"))
    refused_at = models.DateTimeField(_("refused"), auto_now_add=True)

    class Meta:
        verbose_name = _("refused file")
        verbose_name_plural = _("refused files")
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "sha256", "sheet"], name="refused_file_once"
            )
        ]

    def __str__(self) -> str:
        return self.name
