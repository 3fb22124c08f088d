"""The model of sign-ins on devices that are new to an account."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.browsers import readable_device
from accounts.due_mails import DueMail, may_be_tried


class NewDeviceQuerySet(models.QuerySet["NewDevice"]):
    """Sign-ins on new devices by what is to do."""

    def to_mail(self) -> "NewDeviceQuerySet":
        """Returns the rows whose users have an address and got no mail about them yet."""
        waiting = self.filter(may_be_tried(), mailed_at=None)
        return waiting.filter(user__email__isnull=False, user__is_active=True)


class NewDevice(DueMail):
    """The record of a sign-in on a device that was new to the account."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="new_devices"
    )
    browser = models.CharField(max_length=30, blank=True)
    system = models.CharField(max_length=30, blank=True)
    at = models.DateTimeField(default=timezone.now, db_index=True)  # read by the purge
    mailed_at = models.DateTimeField(null=True)

    objects = NewDeviceQuerySet.as_manager()

    class Meta:
        default_permissions = ()  # no page of the desk shows it
        ordering = ["-at"]
        indexes = [
            # read by the task that sends the mails
            models.Index(
                fields=["at"], condition=models.Q(mailed_at=None), name="new_device_mails_due"
            ),
        ]

    def __str__(self) -> str:
        return readable_device(self.browser, self.system)
