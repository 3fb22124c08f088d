"""Imported files of a scope version."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from incidents.models.exposure_batch import ExposureBatch
from incidents.models.incident import Incident


class ExposureFile(models.Model):
    """One imported file of a batch, and how many of its rows were taken or rejected."""

    class State(models.TextChoices):
        LOADING = "loading", _("loading")
        LOADED = "loaded", _("loaded")
        FAILED = "failed", _("failed")
        WITHDRAWN = "withdrawn", _("withdrawn")

    id = models.AutoField(primary_key=True)
    batch = models.ForeignKey(
        ExposureBatch,
        verbose_name=_("scope version"),
        on_delete=models.CASCADE,
        related_name="files",
    )
    # Repeats batch.incident for the constraint that an incident loads a file only once, also in
    # another batch.
    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="+"
    )
    name = models.CharField(_("file"), max_length=255)
    sha256 = models.CharField("SHA-256", max_length=64)
    # Of the text, without compression, byte order mark and kind of line breaks. Two files with the
    # same text are the same file.
    content_sha256 = models.CharField(max_length=64, default="", editable=False)
    # The sheet of a spreadsheet: each is a file of its own. A failed one is only settled by the
    # sheet of the same name, unless its workbook had no other.
    sheet = models.CharField(max_length=255, default="", editable=False)
    has_other_sheets = models.BooleanField(default=False, editable=False)
    # The file whose rejected rows this reject file holds, corrected. Null: it is no reject file.
    corrects = models.ForeignKey(
        "self",
        verbose_name=_("corrects"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="corrections",
    )
    size = models.PositiveBigIntegerField(_("bytes"))
    encoding = models.CharField(_("encoding"), max_length=20)
    mapping = models.TextField(_("mapping"), help_text=_("As it was used."))
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.LOADING)
    rows_read = models.PositiveBigIntegerField(_("rows read"), default=0)
    rows_taken = models.PositiveBigIntegerField(_("rows taken"), default=0)
    rows_rejected = models.PositiveBigIntegerField(_("rows rejected"), default=0)
    started_at = models.DateTimeField(_("started"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)

    class Meta:
        verbose_name = _("imported file")
        verbose_name_plural = _("imported files")
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="loaded")
                | Q(rows_read=F("rows_taken") + F("rows_rejected"), finished_at__isnull=False),
                name="every_row_taken_or_rejected",
            ),
            models.UniqueConstraint(
                fields=["incident", "sha256", "sheet"],
                condition=~Q(state__in=["failed", "withdrawn"]),
                name="file_loaded_once",
            ),
            models.UniqueConstraint(
                fields=["incident", "content_sha256"],
                condition=~Q(state__in=["failed", "withdrawn"]) & ~Q(content_sha256=""),
                name="content_loaded_once",
            ),
        ]

    def __str__(self) -> str:
        return self.name
