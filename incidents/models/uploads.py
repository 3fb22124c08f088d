"""Files sent through the desk."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents.models.batches import ExposureFile
from incidents.models.incidents import Incident


class Upload(models.Model):
    """A smaller file sent through the desk, and what a worker makes of it; see incidents.uploads.

    Its bytes stand sealed in pieces, so that no disk of a web server holds them and a worker may
    run on another machine.
    """

    class State(models.TextChoices):
        TO_CHECK = "to_check", _("waiting to be checked")
        CHECKING = "checking", _("being checked")
        CHECKED = "checked", _("checked: nothing is loaded yet")
        TO_IMPORT = "to_import", _("waiting to be imported")
        IMPORTING = "importing", _("being imported")
        IMPORTED = "imported", _("imported")
        REFUSED = "refused", _("refused")
        DISCARDED = "discarded", _("thrown away")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="uploads"
    )
    by = models.ForeignKey(
        User, verbose_name=_("uploaded by"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    name = models.CharField(_("file"), max_length=255)
    size = models.PositiveBigIntegerField(_("bytes"))
    sha256 = models.CharField("SHA-256", max_length=64)
    mapping = models.TextField(_("mapping"))
    encoding = models.CharField(_("encoding"), max_length=20, blank=True)
    state = models.CharField(
        _("state"), max_length=9, choices=State.choices, default=State.TO_CHECK
    )
    # One line of importing's; it names lines and columns, never a cell's value.
    refusal = models.TextField(_("why it was refused"), blank=True)
    rows_read = models.PositiveBigIntegerField(_("rows read"), default=0)
    rows_taken = models.PositiveBigIntegerField(_("rows taken"), default=0)
    rows_rejected = models.PositiveBigIntegerField(_("rows rejected"), default=0)
    first_rejects = models.JSONField(
        _("first rejects"), default=list, help_text="[line, reason], as the check found them."
    )
    file = models.ForeignKey(
        ExposureFile,
        verbose_name=_("imported file"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
    )
    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("uploaded file")
        verbose_name_plural = _("uploaded files")
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["state", "changed_at"], name="upload_by_state")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_moving(self) -> bool:
        """Whether a worker has it, or will."""
        state = self.State
        return self.state in (state.TO_CHECK, state.CHECKING, state.TO_IMPORT, state.IMPORTING)


class UploadPiece(models.Model):
    """Some of an upload's bytes, or of the rows an import of it rejected, sealed."""

    class Kind(models.TextChoices):
        CONTENT = "content"
        REJECTS = "rejects"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="pieces")
    kind = models.CharField(max_length=7, choices=Kind.choices)
    number = models.PositiveIntegerField()
    ciphertext = models.BinaryField()

    class Meta:
        verbose_name = _("piece of an uploaded file")
        verbose_name_plural = _("pieces of uploaded files")
        constraints = [
            models.UniqueConstraint(fields=["upload", "kind", "number"], name="upload_piece_once")
        ]

    def __str__(self) -> str:
        return f"{self.upload_id} {self.kind} {self.number}"
