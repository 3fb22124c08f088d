"""Changes of public facts on the desk."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.admin_site import desk_path, require, staff_of
from incidents import facts
from incidents.models import FactChange

CONFIRM = "incidents.confirm_factchange"


@admin.register(FactChange)
class FactChangeAdmin(admin.ModelAdmin):
    """Changes that one person proposes and another confirms. The list is the record of all.

    The pages of the facts themselves make the proposals (FactsAdmin).
    """

    change_form_template = "incidents/desk/fact_change.html"
    list_display = ["title", "proposed_at", "proposed_by", "confirmed_by", "withdrawn_at"]
    list_filter = ["incident"]
    list_select_related = ["incident", "proposed_by", "confirmed_by"]
    show_full_result_count = False
    fields = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: FactChange | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: FactChange | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        own = partial(desk_path, self)
        return [
            own("<int:pk>/confirm/", require_POST(self.confirm), "confirm"),
            own("<int:pk>/withdraw/", require_POST(self.withdraw), "withdraw"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Adds the old and new values, and what the user may do."""
        change = self.get_object(request, object_id)
        context = extra_context or {}
        if change:
            may_confirm = request.user.has_perm(CONFIRM)
            is_own = change.proposed_by_id == request.user.pk
            context = {
                **context,
                "rows": list(facts.labelled(facts.subject_model(change.model), change.changes)),
                "may_confirm": change.is_waiting and may_confirm and not is_own,
                "waits_for_another": change.is_waiting and is_own,
                "may_withdraw": change.is_waiting and (is_own or may_confirm),
            }
        return super().change_view(request, object_id, form_url, context)

    def confirm(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Confirms the change, so that the portal shows the new facts.

        Raises PermissionDenied for the person who proposed them.
        """
        change = get_object_or_404(FactChange, pk=pk)
        require(request, CONFIRM)
        staff = staff_of(request)
        if change.proposed_by == staff:
            raise PermissionDenied(_("You proposed this; somebody else has to confirm it."))
        try:
            is_done = change.confirm(staff)
        except facts.FactsOutdatedError:
            refusal = _("The facts were changed meanwhile. Withdraw this and propose it again.")
        except IntegrityError:
            refusal = _("The database refuses these facts together. Withdraw this proposal.")
        else:
            done = _("Confirmed: customers read the new facts from now on.")
            return self._report(request, change, is_done, done)
        messages.error(request, refusal)
        return redirect("admin:incidents_factchange_change", change.pk)

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Withdraws the proposal.

        Raises PermissionDenied for a user who neither proposed it nor may confirm it.
        """
        change = get_object_or_404(FactChange, pk=pk)
        if not request.user.has_perm(CONFIRM) and change.proposed_by != request.user:
            raise PermissionDenied(_("Only who proposed this, or may confirm it, takes it back."))
        return self._report(request, change, change.withdraw(), _("Withdrawn."))

    def _report(
        self, request: HttpRequest, change: FactChange, is_done: bool, done: str
    ) -> HttpResponse:
        """Shows and records `done`, or shows that nothing was done. Redirects to the change."""
        if is_done:
            self.log_change(request, change, done)
            messages.success(request, done)
        else:
            messages.warning(request, _("Nothing was done: it waits no more."))
        return redirect("admin:incidents_factchange_change", change.pk)
