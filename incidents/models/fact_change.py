"""Changes of public facts, which two people make together."""

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents import facts
from incidents.models.incident import Incident
from incidents.models.proposal import Proposal, ProposalQuerySet


class FactChangeQuerySet(ProposalQuerySet["FactChange"]):
    """Changes of facts by state and subject."""

    def of(self, row: models.Model) -> "FactChangeQuerySet":
        """Returns the changes of the facts of one row."""
        return self.filter(model=row._meta.label_lower, object_id=row.pk)


class FactChange(Proposal):
    """New public facts: one person proposes them, another one confirms them.

    The rows are the record of every change, with the values that it replaced. See incidents.facts.
    """

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="+", null=True
    )
    model = models.CharField(max_length=100, editable=False)  # the label, "incidents.incident"
    object_id = models.BigIntegerField(null=True, editable=False)  # null: a new row
    title = models.CharField(_("what changes"), max_length=300, editable=False)
    changes = models.JSONField(editable=False)  # a facts.Difference
    reason = models.TextField(_("reason"), blank=True)

    objects = FactChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change of public facts")
        verbose_name_plural = _("changes of public facts")
        ordering = ["-proposed_at"]
        permissions = [("confirm_factchange", _("Can confirm changes of public facts"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True, confirmed_at__isnull=True)
                | Q(confirmed_at__isnull=False) & ~Q(confirmed_by=F("proposed_by")),
                name="facts_confirmed_by_a_second_person",
            ),
            models.UniqueConstraint(
                fields=["model", "object_id"],
                condition=Q(confirmed_at__isnull=True, withdrawn_at__isnull=True),
                name="one_waiting_change_of_facts",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def confirm(self, by: User) -> bool:
        """Writes the new facts, and records `by` as the second person.

        Returns False, and changes nothing, if the change no longer waits or `by` proposed it.
        Raises FactsOutdatedError if the facts are no longer those that it replaces.
        """
        with transaction.atomic():
            rows = FactChange.objects.waiting().select_for_update(of=("self",))
            found = rows.exclude(proposed_by=by).filter(pk=self.pk).first()
            if found is None:
                return False
            # A fact that two people change has been public, also if nothing recorded when.
            unrecorded = Incident.objects.filter(pk=found.incident_id or 0, first_public_at=None)
            unrecorded.update(first_public_at=timezone.now())
            facts.apply_difference(found._locked_row(), found.changes)
            found.confirmed_by, found.confirmed_at = by, timezone.now()
            found.save(update_fields=["confirmed_by", "confirmed_at"])
        return True

    def _locked_row(self) -> models.Model:
        """Returns the row, locked until the end of the transaction; an unsaved one if it is new."""
        model, key = facts.subject_model(self.model), self.object_id
        if key is None:
            return model()
        # `no_key`, because a running import locks the incident's row with FOR KEY SHARE through
        # its foreign keys until it is loaded. A plain FOR UPDATE would wait for that.
        rows = model._default_manager.select_for_update(no_key=True)
        row = rows.filter(pk=key).first()
        if row is None:
            raise facts.FactsOutdatedError
        return row
