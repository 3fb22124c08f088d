"""The reminders of steps that a user asked for."""

from datetime import timedelta
from typing import Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.due_mails import DueMail, may_be_tried
from accounts.models import User
from incidents.models.incident import Incident

REMIND_AFTER = (timedelta(days=3), timedelta(days=10))  # since the user asked; the page names them


class StepReminderQuerySet(models.QuerySet["StepReminder"]):
    """Reminders by what is to do."""

    def due(self) -> "StepReminderQuerySet":
        """Returns the reminders whose next mail is due."""
        due = self.filter(may_be_tried(), due_at__lte=timezone.now())
        return due.filter(user__email__isnull=False, user__is_active=True)


class StepReminder(DueMail):
    """The wish of a user to be reminded of the steps of an incident. To end it deletes the row.

    `due_at` is None after the last mail.
    """

    user = models.ForeignKey(
        User, verbose_name=_("user"), on_delete=models.CASCADE, related_name="step_reminders"
    )
    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="+"
    )
    asked_at = models.DateTimeField(default=timezone.now)
    mails = models.PositiveSmallIntegerField(default=0)  # entries of REMIND_AFTER that are over
    due_at = models.DateTimeField(null=True, db_index=True)

    objects = StepReminderQuerySet.as_manager()

    class Meta:
        default_permissions = ()  # no page of the desk shows it
        constraints = [
            models.UniqueConstraint(fields=["user", "incident"], name="one_reminder_of_steps")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.incident_id}"


def after_mail(mails: int) -> dict[str, Any]:
    """Returns the columns of the rows that had `mails` mails, after the next one."""
    is_last = mails + 1 == len(REMIND_AFTER)
    due_at = None if is_last else models.F("asked_at") + REMIND_AFTER[mails + 1]
    return {"mails": mails + 1, "due_at": due_at}
