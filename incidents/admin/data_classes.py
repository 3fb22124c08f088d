"""Kinds of data."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from incidents.models import DataClass


@admin.register(DataClass)
class DataClassAdmin(admin.ModelAdmin):
    list_display = ["slug", "name_en", "name_ko", "hibp_name", "sensitivity", "masking"]
    list_filter = ["sensitivity", "masking"]
    search_fields = ["slug", "name_en", "name_ko", "hibp_name"]
    show_full_result_count = False

    def get_readonly_fields(self, request: HttpRequest, obj: DataClass | None = None) -> Any:
        """Mapping files and the import know a class by its slug."""
        return ["slug"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: DataClass | None = None) -> bool:
        """Exposures name it by number, and no constraint could stop this."""
        return False
