"""The model of messages about the account, as they were sent, which the user reads again."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from foundations.languages import CODE_LENGTH


class SentMail(models.Model):
    """The text of one mail or text message to a user about the account. One with a code is none.

    The text is kept as it was sent, because a later version of the portal has other templates.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sent_mails"
    )
    subject = models.TextField()
    text = models.TextField()
    language = models.CharField(max_length=CODE_LENGTH)
    code = models.CharField(max_length=14)  # the message code, which the text holds as well
    is_text = models.BooleanField(default=False)  # a text message
    sent_at = models.DateTimeField(default=timezone.now, db_index=True)  # read by the purge

    class Meta:
        default_permissions = ()  # no page of the desk shows it
        ordering = ["-sent_at", "-pk"]

    def __str__(self) -> str:
        return self.code
