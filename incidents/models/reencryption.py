"""Changes of an incident's data key."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from incidents.models.incident import Incident


class Reencryption(models.Model):
    """One change of an incident's data key, and its progress; see incidents.reencryption."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting until every process knows the new key")
        RUNNING = "running", _("sealing again")
        DONE = "done", _("done: the old keys are gone")

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="reencryptions"
    )
    key_id = models.BigIntegerField(_("new key"), help_text="Tink's own number of it.")
    state = models.CharField(_("state"), max_length=7, choices=State.choices, default=State.WAITING)
    # Progress: the rows of people up to this primary key are under the new key.
    position = models.UUIDField(null=True, editable=False)
    rows = models.PositiveBigIntegerField(_("rows sealed again"), default=0)
    started_at = models.DateTimeField(_("started"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)

    class Meta:
        verbose_name = _("change of the data key")
        verbose_name_plural = _("changes of the data key")
        constraints = [
            models.UniqueConstraint(
                fields=["incident"], condition=~Q(state="done"), name="one_reencryption_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.incident_id}: {self.state}"
