"""The forms of the response desk for the marks and the new addresses of people."""

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.contacts import is_usable_email, normalise_email, normalise_phone
from accounts.desk_look_ups import typed_field
from accounts.models import User
from incidents.encryption import EncryptionError
from incidents.importing.refusals import translate_refusal
from incidents.models import AddressChange, AffectedPerson, FurtherContact, PersonMark


class MarkPersonForm(forms.ModelForm):
    """The marking of a person as deceased, a minor, restricted or corrected."""

    class Meta:
        model = PersonMark
        fields = ["kind", "reason", "note"]

    def __init__(self, *args: Any, person: AffectedPerson, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.person, self.instance.incident = person, person.incident
        self.instance.marked_by = by

    def clean(self) -> dict[str, Any]:
        """Rejects a correction without a note, and a second mark of the same kind."""
        cleaned: dict[str, Any] = super().clean() or {}
        kind = cleaned.get("kind")
        if kind == PersonMark.Kind.CORRECTED and not cleaned.get("note"):
            self.add_error("note", _("A correction needs a note, which the person reads."))
        live = PersonMark.objects.live().filter(person=self.instance.person, kind=kind)
        if live.exists():
            self.add_error("kind", _("This person has this mark already."))
        return cleaned


class LiftMarkForm(forms.Form):
    """The lifting of a mark, with a reason."""

    reason = forms.CharField(
        label=_("Reason"), max_length=500, widget=forms.TextInput(attrs={"class": "vTextField"})
    )

    def __init__(self, *args: Any, mark: PersonMark, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.mark, self.by = mark, by

    def act(self) -> bool:
        """Lifts the mark. Returns False, with an error in the form, if it was lifted before."""
        if self.mark.lift(self.by, self.cleaned_data["reason"]):
            return True
        self.add_error(None, _("This mark was lifted before."))
        return False


class NewAddressForm(forms.Form):
    """The proposal of a new address or number for a person, with the proof that the person gave."""

    address = typed_field(
        _("New e-mail address or phone number"),
        help_text=_("As the customer gives it. It is stored encrypted; no page shows it in full."),
    )
    reason = forms.CharField(
        label=_("How the person proved who they are"),
        max_length=500,
        help_text=_("Such as: called back on the number in the data, and named two past orders."),
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
    )

    def __init__(self, *args: Any, person: AffectedPerson, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.change = AddressChange(person=person, incident=person.incident, proposed_by=by)

    def clean_address(self) -> str:
        """Returns the normalised address or number.

        Rejects what is none, what the data has of the person already, and a second change.
        """
        email = normalise_email(self.cleaned_data["address"])
        is_email = is_usable_email(email)
        contact = email if is_email else normalise_phone(self.cleaned_data["address"])
        if not contact:
            raise forms.ValidationError(_("This is no e-mail address or phone number."))
        change = self.change
        change.kind = FurtherContact.Kind.EMAIL if is_email else FurtherContact.Kind.PHONE
        try:
            change.set_contact(contact)
        except EncryptionError as error:
            raise forms.ValidationError(translate_refusal(str(error))) from error
        if _has_contact(change.person, change.contact_index):
            raise forms.ValidationError(_("The data has this address of the person already."))
        if AddressChange.objects.open().filter(person=change.person, kind=change.kind).exists():
            raise forms.ValidationError(
                _("The person has a new address of this kind already. End that change first.")
            )
        return contact

    def save(self) -> AddressChange:
        """Stores the proposal."""
        self.change.reason = self.cleaned_data["reason"]
        self.change.save()
        return self.change


def _has_contact(person: AffectedPerson, index: UUID) -> bool:
    first = (person.email_index, person.phone_index)
    return index in first or person.further_contacts.filter(contact_index=index).exists()


class EndAddressChangeForm(forms.Form):
    """The end of a change of address, with a reason."""

    reason = forms.CharField(
        label=_("Reason"), max_length=500, widget=forms.TextInput(attrs={"class": "vTextField"})
    )

    def __init__(self, *args: Any, change: AddressChange, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.change, self.by = change, by

    def act(self) -> bool:
        """Ends the change. Returns False, with an error in the form, if it does not count."""
        if self.change.end(self.by, self.cleaned_data["reason"]):
            return True
        self.add_error(None, _("Nothing was done: this change does not count."))
        return False
