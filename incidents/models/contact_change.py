"""Changes of an incident's official contacts."""

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents.models.incident import Incident


class ContactChangeQuerySet(models.QuerySet["ContactChange"]):
    """Changes of contacts by state."""

    def waiting(self) -> "ContactChangeQuerySet":
        """Returns the changes that are neither confirmed nor withdrawn."""
        return self.filter(confirmed_at__isnull=True, withdrawn_at__isnull=True)


class ContactChange(models.Model):
    """New official contacts of a public incident: one person proposes them, another confirms them.

    Customers compare a call with the contacts to recognise a scam. One person alone must not be
    able to send all customers to another number. The rows are the record of every change, with
    the contacts before it.
    """

    FIELDS = ("contact_phone", "contact_email", "official_contacts_ko", "official_contacts_en")

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="+"
    )
    contact_phone = models.CharField(_("telephone"), max_length=50, blank=True)
    contact_email = models.EmailField(_("e-mail"), blank=True)
    official_contacts_ko = models.TextField(_("official contacts (Korean)"), blank=True)
    official_contacts_en = models.TextField(_("official contacts (English)"), blank=True)
    reason = models.TextField(_("reason"), help_text=_("Why they change, for who confirms it."))
    # {field: text}: the contacts that the confirmation replaced. Empty until then.
    before = models.JSONField(default=dict, editable=False)
    proposed_by = models.ForeignKey(
        User, verbose_name=_("proposed by"), on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField(_("proposed"), auto_now_add=True)
    confirmed_by = models.ForeignKey(
        User, verbose_name=_("confirmed by"), on_delete=models.PROTECT, related_name="+", null=True
    )
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)

    objects = ContactChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change of contacts")
        verbose_name_plural = _("changes of contacts")
        ordering = ["-proposed_at"]
        permissions = [("confirm_contactchange", _("Can confirm changes of contacts"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True, confirmed_at__isnull=True)
                | Q(confirmed_at__isnull=False) & ~Q(confirmed_by=F("proposed_by")),
                name="contacts_confirmed_by_a_second_person",
            ),
            models.UniqueConstraint(
                fields=["incident"],
                condition=Q(confirmed_at__isnull=True, withdrawn_at__isnull=True),
                name="one_waiting_change_of_contacts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.incident} {self.proposed_at:%Y-%m-%d}"

    def confirm(self, by: User) -> bool:
        """Writes the new contacts to the incident, and records `by` as the second person.

        Returns False, and changes nothing, if the change no longer waits or `by` proposed it.
        """
        with transaction.atomic():
            rows = ContactChange.objects.waiting().select_for_update(of=("self",))
            change = rows.select_related("incident").exclude(proposed_by=by).filter(pk=self.pk)
            if (found := change.first()) is None:
                return False
            # `no_key`, because a running import locks the incident's row with FOR KEY SHARE through
            # its foreign keys until it is loaded. A plain FOR UPDATE would wait for that.
            incident = Incident.objects.select_for_update(no_key=True).get(pk=found.incident_id)
            found.before = {name: getattr(incident, name) for name in self.FIELDS}
            for name in self.FIELDS:
                setattr(incident, name, getattr(found, name))
            incident.save(update_fields=self.FIELDS)
            found.confirmed_by, found.confirmed_at = by, timezone.now()
            found.save(update_fields=["before", "confirmed_by", "confirmed_at"])
        return True

    def withdraw(self) -> bool:
        """Withdraws the proposal. Returns False if it is confirmed or withdrawn already."""
        waiting = ContactChange.objects.waiting().filter(pk=self.pk)
        return bool(waiting.update(withdrawn_at=timezone.now()))
