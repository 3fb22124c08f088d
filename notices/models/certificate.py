"""Certificates: the record of a PDF that shows one customer what leaked of them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from foundations.languages import CODE_LENGTH, portal_languages
from incidents.models import Incident


class Certificate(models.Model):
    """One issued certificate. A trigger makes it immutable, and it is unreadable without its code.

    `lookup` and the key of `ciphertext` are derived from the code, which only the certificate's
    holder has. The row names no person, so a reader of the database alone learns nothing about any
    customer.
    """

    lookup = models.UUIDField(unique=True, editable=False)
    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.PROTECT, related_name="certificates"
    )
    language = models.CharField(_("language"), max_length=CODE_LENGTH, choices=portal_languages)
    issued_at = models.DateTimeField(_("issued"), editable=False)
    sha256 = models.CharField("SHA-256", max_length=64, editable=False)
    # The certificate's content, encrypted: see notices.proof.certificates.
    ciphertext = models.BinaryField(editable=False)

    class Meta:
        verbose_name = _("certificate")
        verbose_name_plural = _("certificates")

    def __str__(self) -> str:
        return f"{self.incident} {self.pk}"
