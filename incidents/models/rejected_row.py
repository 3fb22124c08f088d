"""Rejected rows of imported files, and whether they were loaded later."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from incidents.models.exposure_file import ExposureFile


class RejectedRow(models.Model):
    """One row that an import rejected: its place and the reason. It holds no cell of the row.

    It is settled once a corrected reject file with this line is loaded. Until then it is unread:
    it may name a person whom the portal does not know.
    """

    pk = models.CompositePrimaryKey("file_id", "line")
    file = models.ForeignKey(
        ExposureFile,
        verbose_name=_("imported file"),
        on_delete=models.CASCADE,
        related_name="rejected_rows",
        db_index=False,
    )
    line = models.PositiveIntegerField(_("line"))
    # One of RejectMessages, as it is stored.
    reason = models.TextField(_("reason"))
    # The reject file that held the row, corrected. The row is unread again if it is withdrawn.
    settled_by = models.ForeignKey(
        ExposureFile,
        verbose_name=_("loaded with"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,
    )

    class Meta:
        verbose_name = _("rejected row")
        verbose_name_plural = _("rejected rows")

    def __str__(self) -> str:
        return f"{self.file_id}:{self.line}"
