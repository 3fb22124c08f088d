"""Records of unmasked values that users saw."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents.models.affected_person import AffectedPerson


class Reveal(models.Model):
    """The record that a user saw the unmasked values of an affected person."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        User, verbose_name=_("user"), on_delete=models.SET_NULL, null=True, related_name="reveals"
    )
    person = models.ForeignKey(
        AffectedPerson,
        verbose_name=_("affected person"),
        on_delete=models.CASCADE,
        related_name="reveals",
    )
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("reveal")
        verbose_name_plural = _("reveals")

    def __str__(self) -> str:
        return f"{self.person_id} {timezone.localtime(self.at):%Y-%m-%d %H:%M}"
