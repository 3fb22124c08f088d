"""Changes of public facts on the desk."""

from typing import Any

from django.contrib import admin
from django.db import IntegrityError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from incidents import facts
from incidents.admin.proposals import ConfirmationRefusedError, ProposalAdmin
from incidents.models import FactChange


@admin.register(FactChange)
class FactChangeAdmin(ProposalAdmin):
    """Changes that one person proposes and another confirms. The list is the record of all.

    The pages of the facts themselves make the proposals (FactsAdmin).
    """

    confirm_right = "incidents.confirm_factchange"
    confirmed_text = gettext_lazy("Confirmed: customers read the new facts from now on.")
    change_form_template = "incidents/desk/fact_change.html"
    list_display = ["title", "proposed_at", "proposed_by", "confirmed_by", "withdrawn_at"]
    list_filter = ["incident"]
    list_select_related = ["incident", "proposed_by", "confirmed_by"]
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def details(self, proposal: FactChange) -> dict[str, Any]:
        """Returns the old and new values."""
        model = facts.subject_model(proposal.model)
        return {"differences": list(facts.labelled(model, proposal.changes))}

    def confirm_by(self, proposal: FactChange, by: User) -> bool:
        """Confirms the change, so that the portal shows the new facts.

        Returns False if it waits no more. Raises ConfirmationRefusedError if the facts were
        changed meanwhile, or the database refuses them.
        """
        try:
            return proposal.confirm(by)
        except facts.FactsOutdatedError:
            refusal = _("The facts were changed meanwhile. Withdraw this and propose it again.")
        except IntegrityError:
            refusal = _("The database refuses these facts together. Withdraw this proposal.")
        raise ConfirmationRefusedError(refusal)
