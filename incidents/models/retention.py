"""How long an incident's data is kept: plans, legal holds, and the record of each deletion."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents.models.incident import Incident
from incidents.models.proposal import Proposal, ProposalQuerySet


class RetentionDecisionQuerySet(ProposalQuerySet["RetentionDecision"]):
    """Decisions by state and kind."""

    def confirmed(self) -> "RetentionDecisionQuerySet":
        """Returns the decisions that a second person has confirmed, the newest first."""
        return self.filter(confirmed_at__isnull=False).order_by("-confirmed_at", "-pk")

    def plans(self) -> "RetentionDecisionQuerySet":
        """Returns the retention plans."""
        return self.filter(kind=RetentionDecision.Kind.PLAN)

    def of_holds(self) -> "RetentionDecisionQuerySet":
        """Returns the legal holds and their releases."""
        return self.exclude(kind=RetentionDecision.Kind.PLAN)


class RetentionDecision(Proposal):
    """What two people decide about an incident's data: the plan, a legal hold, or its release.

    The newest confirmed plan is in force. While a hold is, no deletion runs. Days are those of
    the incident's time zone. Database triggers keep the rows. See incidents.retention.
    """

    class Kind(models.TextChoices):
        PLAN = "plan", _("retention plan")
        HOLD = "hold", _("legal hold")
        RELEASE = "release", _("release of the legal hold")

    incident = models.ForeignKey(
        Incident,
        verbose_name=_("incident"),
        on_delete=models.PROTECT,
        related_name="retention_decisions",
    )
    kind = models.CharField(_("kind"), max_length=7, choices=Kind.choices)
    values_on = models.DateField(_("values are deleted on"), null=True)
    contacts_on = models.DateField(_("contacts are deleted on"), null=True)
    # Null: without an end.
    proof_until = models.DateField(_("proof is kept until"), null=True)

    objects = RetentionDecisionQuerySet.as_manager()

    class Meta:
        verbose_name = _("retention decision")
        verbose_name_plural = _("retention decisions")
        ordering = ["-proposed_at"]
        permissions = [("confirm_retentiondecision", _("Can confirm retention decisions"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True, confirmed_at__isnull=True)
                | Q(confirmed_at__isnull=False) & ~Q(confirmed_by=F("proposed_by")),
                name="retention_confirmed_by_a_second_person",
            ),
            models.CheckConstraint(
                condition=Q(kind="plan", values_on__isnull=False, contacts_on__isnull=False)
                & Q(contacts_on__gte=F("values_on"))
                & (Q(proof_until__isnull=True) | Q(proof_until__gte=F("contacts_on")))
                | ~Q(kind="plan")
                & Q(values_on__isnull=True, contacts_on__isnull=True, proof_until__isnull=True),
                name="retention_plan_has_dates_in_order",
            ),
            models.UniqueConstraint(
                fields=["incident"],
                condition=Q(confirmed_at__isnull=True, withdrawn_at__isnull=True),
                name="one_waiting_retention_decision",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.incident}: {self.get_kind_display()}"

    def confirm(self, by: User) -> bool:
        """Records `by` as the second person.

        Returns False, and changes nothing, if the proposal no longer waits or `by` made it.
        """
        waiting = RetentionDecision.objects.waiting().exclude(proposed_by=by).filter(pk=self.pk)
        return bool(waiting.update(confirmed_by=by, confirmed_at=timezone.now()))


class DataDeletion(models.Model):
    """The record of one step of a retention plan: what was destroyed, when, by whom, which key.

    `started_by` is null if the worker began it on its day. A trigger refuses changes once it is
    done.
    """

    class Step(models.TextChoices):
        VALUES = "values", _("values")
        CONTACTS = "contacts", _("contacts")

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.PROTECT, related_name="deletions"
    )
    step = models.CharField(_("step"), max_length=8, choices=Step.choices)
    plan = models.ForeignKey(
        RetentionDecision, verbose_name=_("retention plan"), on_delete=models.PROTECT
    )
    started_by = models.ForeignKey(
        User, verbose_name=_("started by"), on_delete=models.PROTECT, null=True, related_name="+"
    )
    started_at = models.DateTimeField(_("started"), auto_now_add=True)
    # Progress: the rows of people up to this primary key are deleted.
    position = models.UUIDField(null=True, editable=False)
    people = models.PositiveBigIntegerField(_("people"), default=0)
    rows = models.PositiveBigIntegerField(_("rows"), default=0)
    # SHA-256 of the wrapped data keyset that held the key, in hex, and the ids of its keys.
    key_digest = models.CharField(_("digest of the destroyed key"), max_length=64)
    key_ids = models.JSONField(_("ids of the destroyed keys"), default=list)
    done_at = models.DateTimeField(_("done"), null=True)

    class Meta:
        verbose_name = _("deletion of data")
        verbose_name_plural = _("deletions of data")
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "step"], name="one_deletion_of_each_step"),
            models.CheckConstraint(
                condition=Q(key_digest__regex="^[0-9a-f]{64}$"), name="deletion_names_its_key"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.incident_id}: {self.step}"
