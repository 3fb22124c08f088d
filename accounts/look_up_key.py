"""The model of look-up keys: with one, a customer's program asks about the customer's addresses.

The database has a keyed hash of each key, never the key. See docs/decisions/0070.
"""

from base64 import urlsafe_b64encode
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.due_mails import DueMail, may_be_tried
from foundations.keyed_hashes import keyed_digest, keyed_digests

PREFIX = "bpk_"  # so that scanners for secrets recognise a key in a file
LASTS = timedelta(days=30)
USE_IS_KEPT_FOR = timedelta(minutes=10)  # before the time of a use is written again
MOST_CHARACTERS = 60  # of a name
_PURPOSE = "accounts.look-up-key"
_LONGEST = 200  # characters of a header that can be a key


def secret_of(user_id: int, name: str, form: str) -> str:
    """Returns the secret of the key that a user makes with this name on a form.

    `form` is a random text of 32 bytes in the form, and is not stored: without it the secret cannot
    be made again. The second press of a button finds the key of the first one with it.
    """
    digest = keyed_digest(f"{_PURPOSE}.secret", f"{user_id}\n{form}\n{name}")
    return PREFIX + urlsafe_b64encode(digest).decode().rstrip("=")


def digest_of(secret: str) -> bytes:
    """Returns the hash of a secret, which is stored in its place."""
    return keyed_digest(_PURPOSE, secret)


class LookUpKeyQuerySet(models.QuerySet["LookUpKey"]):
    """Keys by what they open, and by what is to do."""

    def with_secret(self, secret: str) -> "LookUpKeyQuerySet":
        """Returns the key with this secret, also if it ended."""
        return self.filter(digest__in=keyed_digests(_PURPOSE, secret[:_LONGEST]))

    def valid(self) -> "LookUpKeyQuerySet":
        """Returns the keys that open the look-up now: those of customers who may sign in."""
        owners = {"user__is_active": True, "user__is_staff": False, "user__is_superuser": False}
        return self.filter(revoked_at=None, expires_at__gt=timezone.now(), **owners)

    def of(self, secret: str) -> "LookUpKey | None":
        """Returns the valid key with this secret and its user, or None.

        An unknown, an expired and a revoked key need the same query.
        """
        return self.valid().with_secret(secret).select_related("user").first()

    def end(self) -> int:
        """Revokes the keys at once. Returns how many were not revoked before."""
        return self.filter(revoked_at=None).update(revoked_at=timezone.now())

    def to_mail(self) -> "LookUpKeyQuerySet":
        """Returns the keys about which their users got no mail yet, also revoked ones."""
        waiting = self.filter(may_be_tried(), mailed_at=None)
        return waiting.filter(user__email__isnull=False, user__is_active=True)


class LookUpKey(DueMail):
    """The right of one program to ask in which incidents the addresses of its user leaked.

    A row stays after its end, so that its mail is sent and the user's copy names it.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="look_up_keys"
    )
    name = models.CharField(max_length=MOST_CHARACTERS)
    digest = models.BinaryField(max_length=32, unique=True, editable=False)
    made_at = models.DateTimeField(default=timezone.now, db_index=True)  # read by the purge
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)  # to USE_IS_KEPT_FOR
    mailed_at = models.DateTimeField(null=True)

    objects = LookUpKeyQuerySet.as_manager()

    class Meta:
        default_permissions = ()  # no page of the desk shows it
        ordering = ["-made_at", "-pk"]
        indexes = [
            # read by the task that sends the mails
            models.Index(
                fields=["made_at"],
                condition=models.Q(mailed_at=None),
                name="look_up_key_mails_due",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def record_use(self) -> None:
        """Records the time of a use, at most once in USE_IS_KEPT_FOR: reading stays cheap."""
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at >= USE_IS_KEPT_FOR:
            LookUpKey.objects.filter(pk=self.pk).update(last_used_at=now)
