"""The desk's page of a statement: its address and kind, its advisory, and the list of versions."""

from typing import Any

from django.contrib import admin
from django.db.models import URLField
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from accounts.admin_site import desk_path, person_column, require, staff_of
from statements import publishing
from statements.admin.frozen import FrozenOncePublished, is_frozen
from statements.admin.versions import DRAFT, TitleColumn
from statements.forms.texts import IncidentTextsFormSet
from statements.models import Advisory, Statement, StatementVersion


class AdvisoryInline(FrozenOncePublished, admin.StackedInline):
    model = Advisory
    formset = IncidentTextsFormSet
    fields = [
        "issuer",
        ("issued_on", "severity"),
        ("hotline", "original_url"),
    ]
    formfield_overrides = {URLField: {"assume_scheme": "https"}}

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not is_frozen(obj) and super().has_add_permission(request, obj)


class VersionInline(TitleColumn, admin.TabularInline):
    """The list of a statement's versions, each with a link to the page on which it is edited."""

    model = StatementVersion
    shown: Any = (
        *("number", "titled", "state", "published_at"),
        person_column(StatementVersion, "approved_by"),
    )
    fields = readonly_fields = shown
    show_change_link = True
    can_delete = False
    view_on_site = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Statement)
class StatementAdmin(FrozenOncePublished, admin.ModelAdmin):
    list_display = ["slug", "kind", "incident", "created_at"]
    list_filter = ["kind", "incident"]
    fields = ["incident", "kind", "slug", "editors"]
    readonly_fields = ["editors"]
    actions = None
    view_on_site = False

    def get_inlines(self, request: HttpRequest, obj: Statement | None) -> list[Any]:
        """Returns the inlines; only an advisory has an issuer, and a new statement has none."""
        if obj and obj.kind == Statement.Kind.ADVISORY:
            return [AdvisoryInline, VersionInline]
        return [VersionInline] if obj else []

    def get_urls(self) -> list[Any]:
        draft = desk_path(self, "<int:pk>/draft/", require_POST(self.draft_view), "draft")
        return [draft, *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: Statement, form: Any, change: bool) -> None:
        """Saves, and records the user as editor, who may then not publish the first version.

        Saving the advisory on this page counts as well.
        """
        super().save_model(request, obj, form, change)
        obj.editors.add(staff_of(request))

    def response_add(
        self, request: HttpRequest, obj: Statement, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Leads to the first version, in which the text is written."""
        if "_save" in request.POST and request.user.has_perm(DRAFT):
            return self.draft_view(request, obj.pk)
        return super().response_add(request, obj, post_url_continue)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {**(extra_context or {}), "may_draft": request.user.has_perm(DRAFT)}
        return super().change_view(request, object_id, form_url, context)

    def draft_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Opens the statement's draft. Creates it from the last version if there is none."""
        require(request, DRAFT)
        draft = publishing.draft_next(get_object_or_404(Statement, pk=pk), by=staff_of(request))
        return redirect("admin:statements_statementversion_change", draft.pk)
