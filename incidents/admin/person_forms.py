"""The forms of the response desk for marks of people."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from incidents.models import AffectedPerson, PersonMark


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
