"""The model of phone numbers that users have verified."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.contacts import readable_contact

if TYPE_CHECKING:
    from accounts.models import User

# Carriers give a number to another person some time after its owner gave it up: in the US after 45
# days at the earliest (47 CFR 52.15), in Korea after 90 since April 2023. A younger proof shows
# that the owner is still the same.
NUMBER_STAYS_FOR = timedelta(days=45)


class VerifiedPhone(models.Model):
    """A phone number that a user has verified. One number belongs to one user."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        related_name="phones",
    )
    number = models.CharField(_("number"), max_length=16, unique=True, help_text="E.164")
    verified_at = models.DateTimeField(_("verified"), default=timezone.now)

    class Meta:
        verbose_name = _("verified phone")
        verbose_name_plural = _("verified phones")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(number__regex=r"^\+[1-9][0-9]{5,14}$"), name="phone_is_e164"
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)  # the desk's log keeps it

    @property
    def readable(self) -> str:
        """The number as people write it, in groups of digits."""
        return readable_contact(self.number)

    @classmethod
    def prove(cls, number: str, user: "User") -> None:
        """Gives `number`, which the user has just proven, to the user. In an earlier account the
        row is deleted, with all that was chosen for the number there.
        """
        cls.objects.filter(number=number).exclude(user=user).delete()
        proven = {"user": user, "verified_at": timezone.now()}
        cls.objects.update_or_create(number=number, defaults=proven)
