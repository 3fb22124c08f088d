"""Users and their phones. A user has no user name and no password, but an e-mail address.

The user signs in with a code that is sent to that address.
"""

from typing import Any, cast

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import PermissionsMixin
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.contacts import normalise_email


class UserManager(BaseUserManager["User"]):
    """Creates users with a verified address: a code or the operator has proven it."""

    def create_user(self, email: str, **fields: Any) -> "User":
        """Creates a user with `email` as the verified, primary address. Returns the user."""
        user = self.model(email=normalise_email(email), **fields)
        user.set_unusable_password()
        with transaction.atomic(using=self._db):
            user.save(using=self._db)
            EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
        return user

    def for_proven_email(self, email: str, *, language: str | None) -> "User":
        """Returns the user of `email`, and creates one if there is none.

        `email` is normalised, and the caller has just verified it. `language` is for a new user
        only. Two browsers may prove the same new address at the same time; both get the same user.
        """
        known = EmailAddress.objects.filter(email=email, verified=True).select_related("user")
        if address := known.first():
            return cast("User", address.user)
        new = {"language": language or settings.LANGUAGE_CODE, "password": make_password(None)}
        with transaction.atomic(using=self._db):
            # ON CONFLICT DO NOTHING, because PostgreSQL logs the address of a failed INSERT.
            self.bulk_create([self.model(email=email, **new)], ignore_conflicts=True)
            user = self.get(email=email)
            proven = EmailAddress(user=user, email=email, verified=True, primary=True)
            EmailAddress.objects.bulk_create([proven], ignore_conflicts=True)
            of_user = EmailAddress.objects.filter(user=user, email=email)
            of_user.update(verified=True, primary=True)
        return user

    def create_superuser(self, email: str, **fields: Any) -> "User":
        """Creates a superuser for the command `createsuperuser`.

        The superuser sets up the second factor at the first sign-in.
        """
        fields.pop("password", None)  # the command passes one, but users have no password
        return self.create_user(email, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who can sign in: a customer, or with `is_staff` a member of the response team."""

    email = models.EmailField(_("e-mail address"), unique=True)
    language = models.CharField(
        _("language"), max_length=2, choices=settings.LANGUAGES, default=settings.LANGUAGE_CODE
    )
    is_staff = models.BooleanField(_("response team"), default=False)
    is_active = models.BooleanField(_("may sign in"), default=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    objects = UserManager()

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")

    def __str__(self) -> str:
        return self.email

    def verified_emails(self) -> list[str]:
        """Returns the normalised addresses that the user has verified."""
        addresses = EmailAddress.objects.filter(user=self, verified=True)
        return [normalise_email(address.email) for address in addresses]

    def verified_phones(self) -> list[str]:
        """Returns the numbers in E.164 that the user has verified."""
        return list(self.phones.values_list("number", flat=True))


class VerifiedPhone(models.Model):
    """A phone number that a user has verified. One number belongs to one user."""

    user = models.ForeignKey(
        User, verbose_name=_("user"), on_delete=models.CASCADE, related_name="phones"
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
        return self.number
