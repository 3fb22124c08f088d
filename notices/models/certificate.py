"""Certificates: what a person was told of their own data, for anybody they show it to."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from incidents.models import Incident


class Certificate(models.Model):
    """One certificate that was handed out. Immutable (a trigger), and unreadable without its code.

    `lookup` and the key of `sealed` both come from the code, which only the certificate's holder
    has: the row names nobody, and whoever has the database alone learns nothing of anyone.
    """

    lookup = models.UUIDField(unique=True, editable=False)
    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.PROTECT, related_name="certificates"
    )
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    issued_at = models.DateTimeField(_("issued"), editable=False)
    sha256 = models.CharField("SHA-256", max_length=64, editable=False)
    # What stands on it: see notices.proof.certificates.Stated.
    ciphertext = models.BinaryField(editable=False)

    class Meta:
        verbose_name = _("certificate")
        verbose_name_plural = _("certificates")

    def __str__(self) -> str:
        return f"{self.incident} {self.pk}"
