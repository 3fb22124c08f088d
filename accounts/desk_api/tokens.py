"""The tokens of the desk's API. The database has a hash of each token, never the token."""

import hashlib
import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

PREFIX = "bpd_"  # so that scanners for secrets recognise a token in a file
_BYTES = 32
_LONGEST = 200  # characters of a header that can be a token


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Tokens by whether they open the API."""

    def valid(self) -> "ApiTokenQuerySet":
        """Returns the tokens that are neither revoked nor expired, and whose maker is a superuser.

        Who leaves the team may know the secret.
        """
        tokens = self.filter(made_by__is_active=True, made_by__is_superuser=True)
        return tokens.filter(revoked_at__isnull=True, expires_at__gt=timezone.now())

    def of(self, secret: str) -> "ApiToken | None":
        """Returns the valid token with this secret, or None."""
        if not secret.startswith(PREFIX) or len(secret) > _LONGEST:
            return None
        return self.valid().filter(digest=_digest(secret)).first()


class ApiToken(models.Model):
    """The right of one program to read the desk's API until a day.

    A row stays after its end, so that the audit trail and the list of tokens remain readable.
    """

    label = models.CharField(
        _("name"), max_length=80, help_text=_("The program that uses it, and its team.")
    )
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    reads_audit = models.BooleanField(
        _("may read the audit trail"),
        default=False,
        help_text=_("The trail names members of the team and has old and new values."),
    )
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("made by"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    made_at = models.DateTimeField(_("made"), auto_now_add=True)
    expires_at = models.DateTimeField(_("valid until"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)
    last_used_on = models.DateField(_("last used"), null=True, editable=False)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-made_at"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.label

    def set_new_secret(self) -> str:
        """Sets the hash of a new secret, and returns the secret. The caller saves."""
        secret = PREFIX + secrets.token_urlsafe(_BYTES)
        self.digest = _digest(secret)
        return secret

    def record_use(self) -> None:
        """Records the day of the use; it writes once a day, so that reading stays cheap."""
        today = timezone.now().date()
        if self.last_used_on != today:
            ApiToken.objects.filter(pk=self.pk).update(last_used_on=today)

    def revoke(self) -> bool:
        """Revokes the token at once. Returns False if it was revoked before."""
        waiting = ApiToken.objects.filter(pk=self.pk, revoked_at__isnull=True)
        return bool(waiting.update(revoked_at=timezone.now()))


def _digest(secret: str) -> bytes:
    """Returns the hash. The secret has 256 random bits, so that no slow hash is needed."""
    return hashlib.sha256(secret.encode()).digest()
