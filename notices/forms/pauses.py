"""The desk's forms for the automatic pause: a notice's own limits, and bounces to take back."""

import math
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from notices import taken_back
from notices.engine.guards import Limits, default_limits
from notices.models import Notice

FIELDS = {
    "bounce": "pause_bounce_percent",
    "refusal": "pause_refusal_percent",
    "complaint": "pause_complaint_percent",
}


def _percent(label: Any) -> forms.FloatField:
    return forms.FloatField(label=label, required=False, min_value=0.01, max_value=100)


class LimitsForm(forms.Form):
    """The form of a notice's own limits for the automatic pause. Running workers read them."""

    bounce = _percent(gettext_lazy("Bounces that pause the notice or stop a destination (%)"))
    refusal = _percent(gettext_lazy("Refusals of us that stop a destination (%)"))
    complaint = _percent(gettext_lazy("Complaints that stop a destination (%)"))

    def __init__(self, *args: Any, notice: Notice, **kwargs: Any) -> None:
        own = {name: getattr(notice, column) for name, column in FIELDS.items()}
        kwargs["initial"] = own
        super().__init__(*args, **kwargs)
        self.notice = notice
        for name, usual in vars(default_limits(notice)).items():
            self.fields[name].help_text = _("Empty: %(percent)s.") % {"percent": f"{usual:g}"}

    def clean(self) -> dict[str, Any]:
        """Refuses what is not a finite number."""
        cleaned: dict[str, Any] = super().clean() or {}
        for name, value in cleaned.items():
            if value is not None and not math.isfinite(value):
                self.add_error(name, _("Enter a number."))
        return cleaned

    def save(self) -> Limits:
        """Stores the limits. Returns those that apply now."""
        values = {column: self.cleaned_data[name] for name, column in FIELDS.items()}
        Notice.objects.filter(pk=self.notice.pk).update(**values)
        usual = vars(default_limits(self.notice))
        return Limits(**{name: self.cleaned_data[name] or usual[name] for name in FIELDS})


class TakeBackForm(forms.Form):
    """The form that takes back all bounces with one reply."""

    reply = forms.CharField(widget=forms.HiddenInput, max_length=500, strip=False)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=300,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )

    def take_back(self, notice: Notice, *, by: User) -> int:
        """Takes the bounces back. Returns how many; 0, with an error in the form, if it is invalid
        or there were none.
        """
        if not self.is_valid():
            return 0
        reply, reason = self.cleaned_data["reply"], self.cleaned_data["reason"]
        changed = taken_back.take_back(notice, reply, by=by, reason=reason)
        if not changed:
            self.add_error(None, _("Nothing was done: the notice is in another state now."))
        return changed
