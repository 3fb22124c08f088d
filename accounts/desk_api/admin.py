"""The tokens of the desk's API on the desk. Superusers make, see and revoke them."""

from datetime import timedelta
from functools import partial
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.admin_site import desk_path, staff_of
from accounts.desk_api.tokens import ApiToken
from accounts.desk_look_ups import ActReasonForm
from accounts.desk_tasks import TaskOverError
from accounts.models import User
from accounts.step_up import step_up_required
from foundations.typed_numbers import number_of

LONGEST_DAYS, USUAL_DAYS = 366, 90


class ApiTokenForm(forms.ModelForm):
    """What a new token is for, and how long it is valid."""

    days = forms.IntegerField(
        label=_("valid for days"), initial=USUAL_DAYS, min_value=1, max_value=LONGEST_DAYS
    )

    class Meta:
        model = ApiToken
        fields = ("label", "days", "reads_audit")

    def make(self, by: User) -> tuple[ApiToken, str]:
        """Stores the token, and returns it with its secret, which is not stored."""
        token = self.save(commit=False)
        token.made_by = by
        token.expires_at = timezone.now() + timedelta(days=self.cleaned_data["days"])
        secret = token.set_new_secret()
        token.save()
        return token, secret


class ApiTokenAdmin(admin.ModelAdmin):
    """The tokens. A new one is shown once, after a fresh code; none is changed or deleted."""

    list_display = ("label", "made_by", "made_at", "expires_at", "last_used_on", "state")
    list_select_related = ("made_by",)
    fields = (
        "label",
        "reads_audit",
        "made_by",
        "made_at",
        "expires_at",
        "revoked_at",
        "last_used_on",
    )
    change_form_template = "accounts/desk/api_token.html"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return staff_of(request).is_superuser

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("state"))
    def state(self, obj: ApiToken) -> Any:
        if obj.revoked_at:
            return _("revoked")
        if obj.expires_at <= timezone.now():
            return _("expired")
        is_valid = obj.made_by.is_active and obj.made_by.is_superuser
        return _("valid") if is_valid else _("ended: its maker is no superuser any more")

    def get_urls(self) -> list[URLPattern]:
        own = partial(desk_path, self)
        return [
            own("add/", self.add, "add"),
            own("<int:pk>/revoke/", require_POST(self.revoke), "revoke"),
            *super().get_urls(),
        ]

    def add(self, request: HttpRequest) -> HttpResponseBase:
        """Asks for a fresh code, then for the token. Raises PermissionDenied."""
        self._require_superuser(request)
        return step_up_required(self.make)(request)

    def make(self, request: HttpRequest) -> HttpResponse:
        """Asks what the token is for, then shows its secret once."""
        form = ApiTokenForm(request.POST or None)
        context = {
            **self.admin_site.each_context(request),
            "title": _("New API token"),
            "opts": self.opts,
            "form": form,
        }
        if request.method == "POST" and form.is_valid():
            token, secret = form.make(staff_of(request))
            self.log_addition(request, token, [{"added": {}}])
            context |= {"token": token, "secret": secret, "portal_url": settings.PORTAL_URL}
        response = TemplateResponse(request, "accounts/desk/new_api_token.html", context)
        response["Cache-Control"] = "no-store"
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Shows the button that revokes the token, while it is valid."""
        number = number_of(object_id)
        is_valid = ApiToken.objects.valid().filter(pk=number).exists()
        buttons = {"may_revoke": is_valid, "reason_form": ActReasonForm()}
        context = {**(extra_context or {}), **buttons}
        return super().change_view(request, object_id, form_url, context)

    def revoke(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ends the token after a reason. Raises PermissionDenied for all but superusers."""
        self._require_superuser(request)
        token, form = get_object_or_404(ApiToken, pk=pk), ActReasonForm(request.POST)
        if not form.is_valid() and not token.revoked_at:
            form.show_errors(request)
            return redirect("admin:accounts_apitoken_change", pk)
        if not token.revoke():
            token.refresh_from_db()
            at = token.revoked_at
            raise TaskOverError(token, _("Revoked already"), at=at, act="Revoked.")
        self.log_change(request, token, form.cleaned_data["reason"])
        self.log_change(request, token, str(_("Revoked.")))
        messages.success(request, _("The token opens nothing from now on."))
        return redirect("admin:accounts_apitoken_change", pk)

    def _require_superuser(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied
