"""Forms of the desk for the suppression list: look an address up, add it, lift its entry."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.contacts import is_usable_email, normalise_email, normalise_phone
from accounts.models import User
from incidents.encryption import EncryptionError
from notices.ledger_messages import translate_ledger_message
from notices.models import Notice, Suppression
from notices.returned_mail import suppression_list

Channel = Notice.Channel
BY_HAND = [Suppression.Source.STRANGER, Suppression.Source.REQUEST]


def _address_field() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("E-mail address or phone number"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "vTextField"}),
    )


class AddressForm(forms.Form):
    """An address as somebody gives it; it is looked up or added, and kept nowhere."""

    address = _address_field()

    def clean_address(self) -> str:
        """The one spelling; `channel` is what it belongs to."""
        typed: str = self.cleaned_data["address"]
        email = normalise_email(typed)
        if is_usable_email(email):
            self.channel = Channel.EMAIL.value
            return email
        if phone := normalise_phone(typed):
            self.channel = "sms"
            return phone
        raise forms.ValidationError(_("This is neither an e-mail address nor a phone number."))


class SuppressionForm(AddressForm, forms.ModelForm):
    """Adds an address, with a reason."""

    class Meta:
        model = Suppression
        fields = ["incident", "source", "reason"]

    field_order = ["address", "incident", "source", "reason"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = dict(Suppression.Source.choices)
        self.fields["source"] = forms.ChoiceField(
            label=_("Why"),
            # Nothing is chosen beforehand: one of them keeps a notice back that the law demands.
            choices=[
                ("", "---------"),
                *((source.value, labels[source.value]) for source in BY_HAND),
            ],
            help_text=_(
                "An address that belongs to somebody else gets no notice at all; a request ends "
                "alerts only, because nobody can waive a notice that the law demands."
            ),
        )

    def clean(self) -> dict[str, Any]:
        """Finds the address's index, and refuses it where it stands already."""
        cleaned: dict[str, Any] = super().clean() or {}
        if "address" not in cleaned:
            return cleaned
        incident, self.instance.channel = cleaned.get("incident"), self.channel
        try:
            self.instance.index = suppression_list.index_in(
                self.channel, cleaned["address"], incident
            )
        except EncryptionError as error:
            self.add_error("incident", translate_ledger_message(str(error)))
            return cleaned
        live = Suppression.objects.live()
        same = {"index": self.instance.index, "channel": self.channel, "incident": incident}
        if live.filter(**same).exists():
            self.add_error("address", _("This address is on the list already."))
        return cleaned


class LiftForm(forms.Form):
    """Lets an address be written to again."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )

    def __init__(self, *args: Any, entry: Suppression, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entry, self.by = entry, by

    def lift(self) -> bool:
        """False, with the reason in the form, if it was lifted before."""
        if not self.is_valid():
            return False
        if suppression_list.lift(self.entry, by=self.by, reason=self.cleaned_data["reason"]):
            return True
        self.add_error(None, _("This entry was lifted before."))
        return False
