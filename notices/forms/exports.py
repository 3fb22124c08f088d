"""The desk's form for the proof of a notice, and for the list of people it did not reach."""

from typing import Any, NamedTuple

from django import forms
from django.utils.translation import gettext_lazy

from notices.engine.audiences import NOT_REACHED
from notices.models import Delivery

FORMATS = [("csv", "CSV"), ("jsonl", "JSON Lines")]


class PeopleList(NamedTuple):
    """A list of people in some delivery states; `name` is the name of its file."""

    name: str
    states: list[Delivery.State]


PEOPLE_LISTS = {
    "not-reached": PeopleList("not-reached", NOT_REACHED),
    "in-doubt": PeopleList("in-doubt", [Delivery.State.IN_DOUBT]),
}


class ExportForm(forms.Form):
    """Which people, in which file format, and whether with names and addresses."""

    whom = forms.ChoiceField(
        label=gettext_lazy("Whom"),
        choices=[
            ("not-reached", gettext_lazy("those not reached")),
            ("in-doubt", gettext_lazy("those of whom nobody knows")),
        ],
        initial="not-reached",
        required=False,
    )
    format = forms.ChoiceField(label=gettext_lazy("Format"), choices=FORMATS)
    is_opened = forms.BooleanField(
        label=gettext_lazy("With names and addresses, opened"),
        required=False,
        help_text=gettext_lazy("Recorded with your name. The file is yours to keep safe."),
    )

    def __init__(self, *args: Any, may_open: bool, is_proof: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_open:
            del self.fields["is_opened"]
        if is_proof:  # the proof has all people
            del self.fields["whom"]

    def clean_whom(self) -> PeopleList:
        """Returns the chosen list; the people not reached if none was chosen."""
        return PEOPLE_LISTS[self.cleaned_data["whom"] or "not-reached"]
