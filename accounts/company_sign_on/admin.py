"""The company accounts on the desk: who sees them, and how a superuser removes a connection."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.admin_site import desk_path, staff_of
from accounts.company_sign_on import connections
from accounts.company_sign_on.identities import CompanyIdentity
from accounts.desk_look_ups import ActReasonForm
from accounts.desk_tasks import TaskOverError
from accounts.team.admin import require_superuser
from foundations.typed_numbers import number_of


class CompanyIdentityAdmin(admin.ModelAdmin):
    """The company accounts, also the removed ones: the list is the record of all."""

    actions = None
    change_form_template = "accounts/desk/company_identity.html"
    list_display = ("user", "issuer", "bound_at", "removed_at", "removed_by", "allowed_at")
    list_select_related = ("user", "removed_by")
    fields = (
        *("user", "issuer", "subject", "bound_at", "removed_by", "removed_at"),
        *("allowed_by", "allowed_at", "mailed_at"),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        page = desk_path(self, "<int:pk>/remove/", require_POST(self.remove), "remove")
        again = desk_path(self, "<int:pk>/allow/", require_POST(self.allow), "allow")
        return [page, again, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Adds what the user may do."""
        number = number_of(object_id)
        rows = CompanyIdentity.objects.filter(pk=number)
        may_act = staff_of(request).is_superuser
        buttons = {
            "may_remove": may_act and rows.connected().exists(),
            "may_allow": may_act and rows.barred().exists(),
            "reason_form": ActReasonForm(),
        }
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), **buttons}
        )

    def remove(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Removes the connection after a reason. Raises PermissionDenied for all but superusers."""
        require_superuser(request)
        identity = get_object_or_404(CompanyIdentity.objects.select_related("user"), pk=pk)
        form = ActReasonForm(request.POST)
        if not form.is_valid() and CompanyIdentity.objects.connected().filter(pk=pk).exists():
            form.show_errors(request)
            return redirect("admin:accounts_companyidentity_change", pk)
        if not connections.remove(request, identity, staff_of(request)):
            identity.refresh_from_db()
            by, at = identity.removed_by, identity.removed_at
            raise TaskOverError(identity, _("Removed already"), by=by, at=at)
        done = _("Removed. The member is signed out and gets a mail.")
        self.log_change(request, identity, f"{done} {form.cleaned_data['reason']}")
        messages.success(request, done)
        return redirect("admin:accounts_companyidentity_change", pk)

    def allow(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Lets the connection be made again. Raises PermissionDenied for all but superusers."""
        require_superuser(request)
        identity = get_object_or_404(CompanyIdentity, pk=pk)
        if not connections.allow_again(identity, staff_of(request)):
            by, at = identity.allowed_by, identity.allowed_at
            what = _("Allowed already") if at else _("This connection is not removed")
            raise TaskOverError(identity, what, by=by, at=at)
        done = _("Allowed. The member can connect a company account again.")
        self.log_change(request, identity, str(done))
        messages.success(request, done)
        return redirect("admin:accounts_companyidentity_change", pk)
