"""Data classes on the desk."""

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
        """Makes the slug read-only, because mapping files and the import name a class by it."""
        return ["slug"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: DataClass | None = None) -> bool:
        """Returns False: exposures store the ids of classes in an array, without a foreign key."""
        return False
