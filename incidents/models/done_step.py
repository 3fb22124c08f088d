"""The steps that a user marked as done."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents.models.incident import Incident


class DoneStep(models.Model):
    """The record that a user marked a step of "my data" as done. Undoing it deletes the row.

    It is deleted with the user's account and with the incident.
    """

    user = models.ForeignKey(
        User, verbose_name=_("user"), on_delete=models.CASCADE, related_name="done_steps"
    )
    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="+"
    )
    step = models.CharField(_("step"), max_length=16, editable=False)  # see incidents.steps
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("done step")
        verbose_name_plural = _("done steps")
        constraints = [
            models.UniqueConstraint(fields=["user", "incident", "step"], name="step_done_once")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.incident_id} {self.step}"
