"""Look-ups of people on the desk: each has a reason, and the audit trail records both."""

import re
from typing import Any

from django import forms
from django.db.models import Model
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.audit import acts
from accounts.models import AuditEntry, User

MOST_CHARACTERS = 200
_NAMES_A_CUSTOMER = re.compile(r"\S@\S|(?:\d[ .()-]{0,2}){9,}")  # an address, or a long number


def typed_field(label: Any) -> forms.CharField:
    """Returns the field for what a customer gives. Browsers do not keep what is typed."""
    return forms.CharField(
        label=label,
        help_text=gettext_lazy("As the customer gives it. It is not recorded."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "vTextField"}),
    )


class LookUpReasonForm(forms.Form):
    """The reason of a look-up. The form of each look-up has it as its last field."""

    reason = forms.CharField(
        label=gettext_lazy("Reason for the look-up"),
        max_length=MOST_CHARACTERS,
        help_text=gettext_lazy(
            "Such as the number of the ticket. The audit trail keeps it with your name, so write "
            "no address or number of the customer."
        ),
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )

    def clean_reason(self) -> str:
        """Rejects a reason that holds an address or a long number: the trail keeps neither."""
        reason: str = self.cleaned_data["reason"]
        if _NAMES_A_CUSTOMER.search(reason):
            raise forms.ValidationError(_("Write no address or number of the customer here."))
        return reason


def record(form: LookUpReasonForm, *, by: User, about: type[Model], found: int) -> None:
    """Records a look-up, with its reason and the number of rows that it found, hit or not."""
    reason = form.cleaned_data["reason"]
    acts.record(AuditEntry.Kind.LOOK_UP, by=by, about=about, found=found, reason=reason)
