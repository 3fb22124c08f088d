"""The model of accounts that were joined into another one."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.due_mails import DueMail, may_be_tried

TEXT_WAITS = timedelta(days=1)  # for the gateway, or for the budget of text messages
_IS_NUMBER = Q(contact__startswith="+")


class JoinedAccountQuerySet(models.QuerySet["JoinedAccount"]):
    """Joined accounts by what is to do."""

    def to_tell(self) -> "JoinedAccountQuerySet":
        """Returns the rows whose address or number got no message yet.

        A text message that did not leave for TEXT_WAITS is not sent any more.
        """
        is_late = _IS_NUMBER & Q(at__lt=timezone.now() - TEXT_WAITS)
        return self.filter(~is_late, may_be_tried(), mailed_at=None)

    def by_text(self) -> "JoinedAccountQuerySet":
        """Returns the rows of numbers."""
        return self.filter(_IS_NUMBER)

    def by_mail(self) -> "JoinedAccountQuerySet":
        """Returns the rows of addresses."""
        return self.exclude(_IS_NUMBER)


class JoinedAccount(DueMail):
    """The record that an account was joined into another, one row for each contact to be told.

    The audit trail has the numbers of both accounts. The row is deleted with the account.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="joined_accounts"
    )
    # Not a key: a thief could remove the contact before the message. Empty once that is sent.
    contact = models.CharField(max_length=254, blank=True)
    at = models.DateTimeField(default=timezone.now, db_index=True)  # read by the purge
    mailed_at = models.DateTimeField(null=True)

    objects = JoinedAccountQuerySet.as_manager()

    class Meta:
        default_permissions = ()  # no page of the desk shows it
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.user_id} {self.at:%Y-%m-%d}"
