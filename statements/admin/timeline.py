"""The desk's page of the timeline."""

from django.contrib import admin

from statements.models import TimelineEntry


@admin.register(TimelineEntry)
class TimelineEntryAdmin(admin.ModelAdmin):
    list_display = ["happened_on", "text_en", "basis", "incident"]
    list_filter = ["incident", "basis"]
    fields = [
        ("incident", "happened_on", "basis"),
        ("text_ko", "text_en"),
        ("source_ko", "source_en"),
    ]
