"""The encrypted content of uploads."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from incidents.models.upload import Upload


class UploadPiece(models.Model):
    """An encrypted piece of an upload's bytes, of its profile, or of its rejected rows."""

    class Kind(models.TextChoices):
        CONTENT = "content"
        REJECTS = "rejects"
        PROFILE = "profile"

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
