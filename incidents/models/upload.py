"""Files sent through the desk."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents.models.exposure_file import ExposureFile
from incidents.models.incident import Incident


class Upload(models.Model):
    """A smaller file sent through the desk, and its check and import; see incidents.uploads.

    The database stores its bytes encrypted, in pieces (UploadPiece). So no disk of a web server
    holds them, and a worker may run on another machine.
    """

    class State(models.TextChoices):
        TO_CHECK = "to_check", _("waiting to be checked")
        CHECKING = "checking", _("being checked")
        TO_MAP = "to_map", _("waiting for its columns to be chosen")
        CHECKED = "checked", _("checked: nothing is loaded yet")
        TO_IMPORT = "to_import", _("waiting to be imported")
        IMPORTING = "importing", _("being imported")
        IMPORTED = "imported", _("imported")
        REFUSED = "refused", _("refused")
        DISCARDED = "discarded", _("thrown away")

    # A worker processes the upload in these states, or has yet to.
    MOVING = (State.TO_CHECK, State.CHECKING, State.TO_IMPORT, State.IMPORTING)

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
    mapping = models.TextField(_("mapping"), blank=True)
    encoding = models.CharField(_("encoding"), max_length=20, blank=True)
    state = models.CharField(
        _("state"), max_length=9, choices=State.choices, default=State.TO_CHECK
    )
    # A stored message in one line. It names lines and columns, and no value of a cell.
    refusal = models.TextField(_("why it was refused"), blank=True)
    rows_read = models.PositiveBigIntegerField(_("rows read"), default=0)
    rows_taken = models.PositiveBigIntegerField(_("rows taken"), default=0)
    rows_rejected = models.PositiveBigIntegerField(_("rows rejected"), default=0)
    # Staging.people_joined, as the check found it: another person imports such a file.
    people_joined = models.PositiveBigIntegerField(_("people to whom it adds"), default=0)
    first_rejects = models.JSONField(
        _("first rejects"), default=list, help_text="[line, reason], as the check found them."
    )
    findings = models.JSONField(
        _("findings"), default=list, help_text="[code, stored message], as the check found them."
    )
    accepted_reason = models.TextField(_("why the findings were accepted"), blank=True)
    file = models.ForeignKey(
        ExposureFile,
        verbose_name=_("imported file"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
    )
    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)
    # The first error of the database in this step after which it is tried again.
    first_failed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("uploaded file")
        verbose_name_plural = _("uploaded files")
        ordering = ["-created_at"]
        permissions = [("confirm_upload", _("Can import files that add to people of other files"))]
        indexes = [models.Index(fields=["state", "changed_at"], name="upload_by_state")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_moving(self) -> bool:
        """Returns whether a worker processes the upload now or has yet to process it."""
        return self.state in self.MOVING
