"""The desk's forms of retention decisions."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.desk_tasks import link_to
from accounts.models import User
from incidents.models import Incident, RetentionDecision
from incidents.retention import plans
from incidents.retention.plans import PlanDates, RetentionRefusedError


class RetentionForm(forms.Form):
    """The proposal of a legal hold or of its release, with a reason."""

    reason = forms.CharField(
        label=_("Reason"),
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
        help_text=_("The law, contract or order that asks for it. No data of a customer."),
    )

    def __init__(self, *args: Any, incident: Incident, kind: str, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.incident, self.kind, self.by = incident, kind, by

    def dates(self) -> PlanDates | None:
        """Returns the days of a plan; None for a hold."""
        return None

    def propose(self) -> RetentionDecision | None:
        """Records the proposal; adds an error and returns None if it is refused."""
        try:
            return plans.propose(
                self.incident,
                self.kind,
                by=self.by,
                reason=self.cleaned_data["reason"],
                dates=self.dates(),
            )
        except RetentionRefusedError as refusal:
            waiting = plans.waiting_decision(self.incident)
            self.add_error(None, link_to(waiting, refusal) if waiting else str(refusal))
            return None


class RetentionPlanForm(RetentionForm):
    """The proposal of a retention plan: a day for each step, and a reason."""

    values_on = forms.DateField(
        label=_("Delete the leaked values on"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_(
            "Addresses, orders and whatever else leaked. Customers still read which kinds of data "
            "leaked."
        ),
    )
    contacts_on = forms.DateField(
        label=_("Delete the contacts on"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_(
            "Names, e-mail addresses and phone numbers. Afterwards no customer can be found, and "
            "no notice can be sent."
        ),
    )
    proof_until = forms.DateField(
        label=_("Keep the proof until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Leave it empty to keep the proof without an end."),
    )
    field_order = ["values_on", "contacts_on", "proof_until", "reason"]

    def dates(self) -> PlanDates:
        """Returns the days of the plan."""
        cleaned = self.cleaned_data
        return PlanDates(cleaned["values_on"], cleaned["contacts_on"], cleaned["proof_until"])


def form_for(kind: str) -> type[RetentionForm]:
    """Returns the form of a kind of decision."""
    return RetentionPlanForm if kind == RetentionDecision.Kind.PLAN else RetentionForm
