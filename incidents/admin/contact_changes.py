"""Changes of official contacts on the desk."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.admin_site import desk_path, require, staff_of
from incidents.forms import ContactChangeForm
from incidents.models import ContactChange, Incident


@admin.register(ContactChange)
class ContactChangeAdmin(admin.ModelAdmin):
    """Changes that one person proposes and another confirms. The list is the record of all."""

    form = ContactChangeForm
    change_form_template = "incidents/desk/contact_change.html"
    list_display = ["incident", "proposed_at", "proposed_by", "confirmed_by", "withdrawn_at"]
    list_display_links = ["proposed_at"]
    list_filter = ["incident"]
    list_select_related = ["incident", "proposed_by", "confirmed_by"]

    def get_fields(self, request: HttpRequest, obj: ContactChange | None = None) -> Any:
        """Returns all fields for a new proposal, and only the incident for an existing one.

        The page shows the other fields of an existing proposal in a table, beside the values that
        they replace.
        """
        return ["incident"] if obj else ["incident", *ContactChange.FIELDS, "reason"]

    def has_change_permission(self, request: HttpRequest, obj: ContactChange | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ContactChange | None = None) -> bool:
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Returns the current contacts of the incident in the query, to be edited."""
        pk = request.GET.get("incident", "")
        incident = Incident.objects.filter(pk=pk).first() if pk.isdecimal() else None
        if incident is None:
            return {}
        current = {name: getattr(incident, name) for name in ContactChange.FIELDS}
        return {"incident": incident.pk, **current}

    def save_model(self, request: HttpRequest, obj: ContactChange, form: Any, change: bool) -> None:
        obj.proposed_by = staff_of(request)
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: ContactChange, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Redirects to the page of the proposal, where a second person confirms it."""
        messages.success(request, _("Proposed. Now somebody else has to confirm it."))
        return redirect("admin:incidents_contactchange_change", obj.pk)

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
        """Adds the current contacts beside the proposed ones, and what the user may do."""
        change = self.get_object(request, object_id)
        context = extra_context or {}
        if change:
            is_waiting = change.confirmed_at is None and change.withdrawn_at is None
            may_confirm = request.user.has_perm("incidents.confirm_contactchange")
            is_own = change.proposed_by_id == request.user.pk
            context = {
                **context,
                "rows": _before_and_after(change),
                "may_confirm": is_waiting and may_confirm and not is_own,
                "waits_for_another": is_waiting and is_own,
                "may_withdraw": is_waiting and (is_own or may_confirm),
            }
        return super().change_view(request, object_id, form_url, context)

    def confirm(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Confirms the change, so that the portal shows the new contacts.

        Raises PermissionDenied for the person who proposed them.
        """
        change = get_object_or_404(ContactChange, pk=pk)
        require(request, "incidents.confirm_contactchange")
        staff = staff_of(request)
        if change.proposed_by == staff:
            raise PermissionDenied(_("You proposed this; somebody else has to confirm it."))
        done = _("Confirmed: customers read the new contacts from now on.")
        return self._report(request, change, change.confirm(staff), done)

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Withdraws the proposal.

        Raises PermissionDenied for a user who neither proposed it nor may confirm it.
        """
        change = get_object_or_404(ContactChange, pk=pk)
        may_confirm = request.user.has_perm("incidents.confirm_contactchange")
        if not may_confirm and change.proposed_by != request.user:
            raise PermissionDenied(_("Only who proposed this, or may confirm it, takes it back."))
        return self._report(request, change, change.withdraw(), _("Withdrawn."))

    def _report(
        self, request: HttpRequest, change: ContactChange, is_done: bool, done: str
    ) -> HttpResponse:
        """Shows and records `done`, or shows that nothing was done. Redirects to the change."""
        if is_done:
            self.log_change(request, change, done)
            messages.success(request, done)
        else:
            messages.warning(request, _("Nothing was done: it waits no more."))
        return redirect("admin:incidents_contactchange_change", change.pk)


def _before_and_after(change: ContactChange) -> list[tuple[str, str, str]]:
    """Returns a (label, old value, new value) for each contact.

    The old value is the current one, and after the confirmation the one that was replaced.
    """
    before = change.before or {
        name: getattr(change.incident, name) for name in ContactChange.FIELDS
    }
    return [
        (
            str(getattr(ContactChange._meta.get_field(name), "verbose_name", name)),
            before[name],
            getattr(change, name),
        )
        for name in ContactChange.FIELDS
    ]
