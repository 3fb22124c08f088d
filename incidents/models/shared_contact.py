"""Contacts that an incident records for more people than its bound."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from incidents.models.incident import Incident


class SharedContact(models.Model):
    """An e-mail address or phone number of more people than Incident.shared_contact_bound.

    incidents.shared_contacts counts them when a scope version is closed or withdrawn. Such a
    contact opens no row, and gets one message of a notice. The row holds the blind index only.
    """

    class Kind(models.TextChoices):
        EMAIL = "email", _("e-mail")
        PHONE = "phone", _("phone")

    incident = models.ForeignKey(
        Incident,
        verbose_name=_("incident"),
        on_delete=models.CASCADE,
        related_name="shared_contacts",
        db_index=False,
    )
    kind = models.CharField(_("kind"), max_length=5, choices=Kind.choices)
    contact_index = models.UUIDField(editable=False)
    people = models.PositiveBigIntegerField(_("people"))

    class Meta:
        verbose_name = _("shared contact")
        verbose_name_plural = _("shared contacts")
        ordering = ["incident", "-people", "pk"]
        permissions = [("open_sharedcontact", _("Can read shared contacts, partly hidden"))]
        indexes = [  # the desk's list and its filters
            models.Index(fields=["incident", "people", "id"], name="shared_contacts_by_size"),
            models.Index(
                fields=["kind", "incident", "people", "id"], name="shared_contacts_of_kind"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "kind", "contact_index"], name="shared_contact_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.kind}: {self.people}"
