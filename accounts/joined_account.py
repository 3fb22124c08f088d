"""The model of accounts that were joined into another one."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.due_mails import DueMail, may_be_tried


class JoinedAccountQuerySet(models.QuerySet["JoinedAccount"]):
    """Joined accounts by what is to do."""

    def to_mail(self) -> "JoinedAccountQuerySet":
        """Returns the rows whose address got no mail yet."""
        return self.filter(may_be_tried(), mailed_at=None)


class JoinedAccount(DueMail):
    """The record that an account was joined into another, one row for each address to be told.

    The audit trail has the numbers of both accounts. The row is deleted with the account.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="joined_accounts"
    )
    # Not a key: a thief could remove the address before the mail. Empty once the mail is sent.
    email = models.EmailField(blank=True)
    at = models.DateTimeField(default=timezone.now, db_index=True)  # read by the purge
    mailed_at = models.DateTimeField(null=True)

    objects = JoinedAccountQuerySet.as_manager()

    class Meta:
        default_permissions = ()  # no page of the desk shows it
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.user_id} {self.at:%Y-%m-%d}"
