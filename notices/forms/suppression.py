"""Forms of the desk for the suppression list: look up an address, add it, lift its entry."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.contacts import is_usable_email, normalise_email, normalise_phone
from accounts.desk_look_ups import LookUpReasonForm, without_contacts
from accounts.models import User
from incidents.encryption import EncryptionError
from notices.ledger_messages import translate_ledger_message
from notices.models import Notice, Suppression
from notices.models.suppression import SuppressionQuerySet
from notices.returned_mail import suppression_list

Channel = Notice.Channel
MANUAL_SOURCES = [Suppression.Source.STRANGER, Suppression.Source.REQUEST]


def _address_field() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("E-mail address or phone number"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "vTextField"}),
    )


class AddressForm(forms.Form):
    """An address or number that a person types in. It is not stored."""

    address = _address_field()

    def clean_address(self) -> str:
        """Returns the normalised address or number; sets `channel` to the channel it belongs to."""
        typed: str = self.cleaned_data["address"]
        email = normalise_email(typed)
        if is_usable_email(email):
            self.channel = Channel.EMAIL.value
            return email
        if phone := normalise_phone(typed):
            self.channel = "sms"
            return phone
        raise forms.ValidationError(_("This is neither an e-mail address nor a phone number."))


class AddressLookUpForm(AddressForm, LookUpReasonForm):
    """The look-up of an address that a person types in, with a reason."""

    field_order = ["address", "reason"]


class SuppressionForm(AddressForm, forms.ModelForm):
    """The form that adds an address, with a reason."""

    class Meta:
        model = Suppression
        fields = ["incident", "source", "reason"]

    field_order = ["address", "incident", "source", "reason"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = dict(Suppression.Source.choices)
        self.fields["source"] = forms.ChoiceField(
            label=_("Why"),
            # There is no default, because one of the sources suppresses mandatory notices, too.
            choices=[
                ("", "---------"),
                *((source.value, labels[source.value]) for source in MANUAL_SOURCES),
            ],
            help_text=_(
                "An address that belongs to another person gets no notice at all; a request ends "
                "alerts only, because nobody can waive a notice that the law demands."
            ),
        )

    def clean_reason(self) -> str:
        """Rejects addresses and numbers, because the reason is not encrypted."""
        return without_contacts(self.cleaned_data["reason"])

    def clean(self) -> dict[str, Any]:
        """Computes the address's blind index; refuses an address that is on the list already."""
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
        if self.known().exclude(source=Suppression.Source.BOUNCE).exists():
            self.add_error("address", _("This address is on the list already."))
        return cleaned

    def known(self) -> SuppressionQuerySet:
        """Returns the entry of the address, if it has one. A bounce gives way to this one."""
        new = self.instance
        return Suppression.objects.not_lifted().filter(
            index=new.index, channel=new.channel, incident=self.cleaned_data.get("incident")
        )


class LiftSuppressionForm(forms.Form):
    """The form that lifts an entry, so that notices reach its address again."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )

    def __init__(self, *args: Any, entry: Suppression, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entry, self.by = entry, by

    def clean_reason(self) -> str:
        """Rejects addresses and numbers, because the reason is not encrypted."""
        return without_contacts(self.cleaned_data["reason"])

    def lift(self) -> bool:
        """Lifts the entry. Returns False, with an error in the form, if it was lifted before."""
        if not self.is_valid():
            return False
        if suppression_list.lift(self.entry, by=self.by, reason=self.cleaned_data["reason"]):
            return True
        self.add_error(None, _("This entry was lifted before."))
        return False
