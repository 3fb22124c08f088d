"""The desk's form for the timeline of an incident."""

from datetime import date, timedelta

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from incidents.forms import EARLIEST_YEAR, FactsForm


class TimelineEntryForm(FactsForm):
    """A dated fact. It has happened, so its day is not in the future anywhere on earth."""

    def clean_happened_on(self) -> date:
        """Rejects a day after tomorrow, because zones differ, and one that is a slip."""
        day: date = self.cleaned_data["happened_on"]
        if day > timezone.localdate() + timedelta(days=1):
            raise forms.ValidationError(_("This day is in the future."))
        if day.year < EARLIEST_YEAR:
            raise forms.ValidationError(_("This day is too long ago."))
        return day
