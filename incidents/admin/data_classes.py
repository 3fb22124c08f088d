"""Data classes on the desk."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language, gettext_lazy

from foundations.languages import account_languages, own_name, portal_codes
from incidents.admin.facts_admin import FactsAdmin, proposal_link
from incidents.forms import DataClassForm
from incidents.models import DataClass, Incident


@admin.register(DataClass)
class DataClassAdmin(FactsAdmin):
    """The data classes. The pages of every incident show their names, masking and steps.

    No class is deleted: exposures store the ids of classes in an array, without a foreign key.
    """

    form = DataClassForm
    change_form_template = "incidents/desk/change_form.html"
    list_display = ["slug", "named", "lacking", "hibp_name", "sensitivity", "masking"]
    list_filter = ["sensitivity", "masking"]
    search_fields = ["slug", "hibp_name", *(f"name__{code}" for code, _ in account_languages())]
    show_full_result_count = False

    @admin.display(description=gettext_lazy("name"))
    def named(self, obj: DataClass) -> str:
        """Shows the name in the portal's languages, and in that of the page."""
        codes = dict.fromkeys([*portal_codes(), get_language() or ""])
        return " / ".join(filter(None, map(obj.name.get, codes)))

    @admin.display(description=gettext_lazy("no texts in"))
    def lacking(self, obj: DataClass) -> str:
        """Shows the portal's languages whose readers get a text of the class in another one."""
        missing = {
            code: own_name(code)
            for text in (obj.name, obj.unit, obj.actions)
            if text
            for code in text.missing(portal_codes())
        }
        return ", ".join(missing[code] for code in portal_codes() if code in missing)

    def get_readonly_fields(self, request: HttpRequest, obj: DataClass | None = None) -> Any:
        """Makes the slug read-only, because mapping files and the import name a class by it."""
        return ["slug"] if obj else []

    def takes_two(self, row: DataClass) -> bool:
        """Returns whether the class exists and an incident has been public."""
        return row.pk is not None and Incident.objects.been_public().exists()

    def incident_of(self, row: DataClass) -> None:
        """Returns None: the facts of a class belong to all incidents."""

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        tools = proposal_link(request, self.get_object(request, object_id))
        return super().change_view(
            request, object_id, form_url, {**(extra_context or {}), "tools": tools}
        )
