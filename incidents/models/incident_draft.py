"""The answers of a person who records a new incident by the guide."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User


class IncidentDraft(models.Model):
    """The answers that a person has given so far, as the pages posted them.

    They are in the database and not in the session, so that a sign-out loses nothing. The row is
    deleted when the incident is recorded. See incidents.guide.
    """

    by = models.OneToOneField(
        User, verbose_name=_("user"), on_delete=models.CASCADE, related_name="incident_draft"
    )
    answers = models.JSONField(_("answers"), default=dict)  # {question: {field: [text, …]}}
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("draft of an incident")
        verbose_name_plural = _("drafts of incidents")

    def __str__(self) -> str:
        return f"{self.by_id} {self.changed_at:%Y-%m-%d}"
