"""The forms of the response desk for the marks and the new addresses of people."""

from typing import Any

from django import forms
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts import code_texts
from accounts.contacts import is_departments, is_phone
from accounts.desk_look_ups import typed_field, without_contacts
from accounts.desk_tasks import link_to
from accounts.domain_typos import meant_domain
from accounts.models import User
from accounts.typed_contacts import read_contact
from incidents.encryption import EncryptionError
from incidents.importing.refusals import translate_refusal
from incidents.models import AddressChange, AffectedPerson, FurtherContact, PersonMark
from incidents.own_rows import is_strangers

STRANGERS = _("This address is marked as another person's. If that is wrong, lift the mark first.")
_HAS_ONE = _("The person has a new address of this kind already. End that change first.")


class MarkPersonForm(forms.ModelForm):
    """The marking of a person as deceased, a minor, restricted or corrected."""

    class Meta:
        model = PersonMark
        fields = ["kind", "reason", "note"]

    def __init__(self, *args: Any, person: AffectedPerson, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.person, self.instance.incident = person, person.incident
        self.instance.marked_by = by

    def clean_reason(self) -> str:
        """Rejects addresses and numbers, because the reason is not encrypted."""
        return without_contacts(self.cleaned_data["reason"])

    def clean_note(self) -> str:
        """Rejects addresses and numbers, because the note is not encrypted."""
        return without_contacts(self.cleaned_data["note"])

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


class _ReasonForm(forms.Form):
    """The reason of `by` for an act."""

    reason = forms.CharField(
        label=_("Reason"), max_length=500, widget=forms.TextInput(attrs={"class": "vTextField"})
    )

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by

    def clean_reason(self) -> str:
        """Rejects addresses and numbers, because the reason is not encrypted."""
        return without_contacts(self.cleaned_data["reason"])


class LiftMarkForm(_ReasonForm):
    """The lifting of a mark, with a reason."""

    def __init__(self, *args: Any, mark: PersonMark, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.mark = mark

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

        Rejects what gets no code, what is no one person's mailbox, what support marked as a
        stranger's, what the data has of the person already, and a second change.
        """
        contact = read_contact(self.cleaned_data["address"], takes_numbers=code_texts.are_offered())
        is_email = not is_phone(contact)
        if is_email:
            _check_mailbox(contact)
        change = self.change
        change.kind = FurtherContact.Kind.EMAIL if is_email else FurtherContact.Kind.PHONE
        try:
            change.set_contact(contact)
            is_marked = is_strangers(change.incident, FurtherContact.Kind(change.kind), contact)
        except EncryptionError as error:
            raise forms.ValidationError(translate_refusal(str(error))) from error
        if is_marked:
            raise forms.ValidationError(STRANGERS)
        if change.person.has_contact(change.contact_index):
            raise forms.ValidationError(_("The data has this address of the person already."))
        of_person = AddressChange.objects.open().filter(person=change.person, kind=change.kind)
        if earlier := of_person.first():
            raise forms.ValidationError(link_to(earlier, _HAS_ONE))
        return contact

    def clean_reason(self) -> str:
        """Rejects addresses and numbers, because the reason is not encrypted."""
        return without_contacts(self.cleaned_data["reason"])

    def save(self) -> AddressChange | None:
        """Stores the proposal. Returns None, with an error in the form, if another came first."""
        self.change.reason = self.cleaned_data["reason"]
        try:
            with transaction.atomic():
                self.change.save()
        except IntegrityError:
            self.add_error("address", _HAS_ONE)
            return None
        return self.change


def _check_mailbox(email: str) -> None:
    """Rejects the mailbox of a server or a department, and a mistyped domain."""
    if is_departments(email):
        raise forms.ValidationError(
            _("This mailbox is not one person's: it is of a server or a department.")
        )
    if meant := meant_domain(email.partition("@")[2]):
        raise forms.ValidationError(
            _("The domain is probably mistyped: ask whether {domain} is meant.").format(
                domain=meant
            )
        )


class EndAddressChangeForm(_ReasonForm):
    """The end of a change of address, with a reason."""

    def __init__(self, *args: Any, change: AddressChange, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.change = change

    def act(self) -> bool:
        """Ends the change. Returns False, with an error in the form, if it does not count."""
        if self.change.end(self.by, self.cleaned_data["reason"]):
            return True
        self.add_error(None, _("Nothing was done: this change does not count."))
        return False
