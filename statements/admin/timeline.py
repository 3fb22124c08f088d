"""The desk's page of the timeline."""

from django.contrib import admin
from django.utils.translation import gettext_lazy

from incidents.admin.facts_admin import FactsAdmin
from incidents.models import Incident
from statements.forms.timeline import TimelineEntryForm
from statements.models import TimelineEntry


@admin.register(TimelineEntry)
class TimelineEntryAdmin(FactsAdmin):
    """The timeline entries. One of a public incident is added and changed by two people."""

    form = TimelineEntryForm
    list_display = ["happened_on", "said", "basis", "incident"]
    list_filter = ["incident", "basis"]
    fields = [
        ("incident", "happened_on", "basis"),
        "text",
        "source",
    ]

    @admin.display(description=gettext_lazy("text"))
    def said(self, row: TimelineEntry) -> str:
        """Shows the text in the active language."""
        return str(row.text)

    def takes_two(self, row: TimelineEntry) -> bool:
        """Returns whether the entry's incident has been public."""
        return row.incident.has_been_public

    def incident_of(self, row: TimelineEntry) -> Incident:
        """Returns the entry's incident."""
        return row.incident
