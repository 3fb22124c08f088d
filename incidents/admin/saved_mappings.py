"""Saved mappings on the desk: to rename, to delete, and as a file for the command."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin_site import desk_path, person_column, require
from foundations.formatting import number
from foundations.typed_numbers import number_of
from incidents import saved_mappings
from incidents.models import SavedMapping


@admin.register(SavedMapping)
class SavedMappingAdmin(admin.ModelAdmin):
    """The saved mappings. One is saved where the columns of an upload are chosen."""

    change_form_template = "incidents/desk/change_form.html"
    list_display = ["name", "used", "by", "changed_at"]
    list_select_related = ["by"]
    shown = ("text", person_column(SavedMapping, "by"), "changed_at")
    show_full_result_count = False
    actions = None

    def get_fields(self, request: HttpRequest, obj: SavedMapping | None = None) -> Any:
        return ("name", *self.shown)

    def get_readonly_fields(self, request: HttpRequest, obj: SavedMapping | None = None) -> Any:
        return self.shown

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description=gettext_lazy("columns"))
    def used(self, obj: SavedMapping) -> str:
        """Shows how many columns have a meaning."""
        return number(len(saved_mappings.columns_of(obj)))

    @admin.display(description=gettext_lazy("mapping"))
    def text(self, obj: SavedMapping) -> SafeString:
        return format_html("<pre>{}</pre>", saved_mappings.toml_of(obj))

    def get_urls(self) -> list[URLPattern]:
        own = partial(desk_path, self)
        return [own("<int:pk>/file/", self.download, "file"), *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        tools = []
        if pk := number_of(object_id):
            address = reverse("admin:incidents_savedmapping_file", args=[pk])
            tools = [(address, _("Download it for the command"))]
        context = {**(extra_context or {}), "tools": tools}
        return super().change_view(request, object_id, form_url, context)

    def download(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Returns the mapping as a TOML file, which import_exposures reads."""
        require(request, "incidents.view_savedmapping")
        saved = get_object_or_404(SavedMapping, pk=pk)
        name = content_disposition_header(as_attachment=True, filename=f"{saved.name}.toml") or ""
        text = saved_mappings.toml_of(saved)
        headers = {"Content-Disposition": name}
        return HttpResponse(text, content_type="application/toml; charset=utf-8", headers=headers)
