"""Test addresses: where a test of a notice is sent."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from foundations.languages import CODE_LENGTH, portal_languages
from notices.models.notice import Notice


class TestAddress(models.Model):
    """An address of a test, in one language; encrypted like the contact of an affected person."""

    __test__ = False  # pytest must not collect this class

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    notice = models.ForeignKey(
        Notice, verbose_name=_("notice"), on_delete=models.CASCADE, related_name="test_addresses"
    )
    language = models.CharField(_("language"), max_length=CODE_LENGTH, choices=portal_languages)
    # Ciphertext like AffectedPerson.contact, without a name.
    contact = models.BinaryField(editable=False)

    class Meta:
        verbose_name = _("test address")
        verbose_name_plural = _("test addresses")

    def __str__(self) -> str:
        return str(self.pk)
