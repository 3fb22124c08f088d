"""The desk's forms for letters: their export for a print house, and reports about them."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from notices import letter_reports
from notices.letter_export import ENCODINGS, PrintOrder
from notices.letter_reports import LetterReportError, LetterReportKind
from notices.models import Notice

LETTERS, NOT_PRINTABLE, QR_CODES = "letters", "not-printable", "qr-codes"


class LetterExportForm(forms.Form):
    """Which of the two files, in which encoding, and what a person decides about its rows."""

    file = forms.ChoiceField(
        label=gettext_lazy("File"),
        choices=[
            (LETTERS, gettext_lazy("letters, for the print house")),
            (NOT_PRINTABLE, gettext_lazy("people without a letter, with the reason")),
            (QR_CODES, gettext_lazy("QR codes of the letters exported and not posted (.tar)")),
        ],
        help_text=gettext_lazy(
            "Recorded with your name. The first two have names and addresses: delete each once it "
            "is handed over. The QR codes are images without either, named by the letter’s code."
        ),
    )
    encoding = forms.ChoiceField(
        label=gettext_lazy("Encoding"),
        choices=[(name, name.upper()) for name in ENCODINGS],
        help_text=gettext_lazy(
            "CP949 is for Korean print houses that read no UTF-8. People whose name or address it "
            "cannot hold are in the second file, which is always in UTF-8."
        ),
    )
    is_again = forms.BooleanField(
        label=gettext_lazy("Also the letters that were exported before and not posted"),
        required=False,
        help_text=gettext_lazy("Only if the earlier file was lost: a person could get two."),
    )
    takes_first = forms.BooleanField(
        label=gettext_lazy("Take the first of several addresses"),
        required=False,
        help_text=gettext_lazy(
            "Where no date shows which address is the latest. It may be that of another person, "
            "such as the recipient of a parcel."
        ),
    )

    def order(self) -> PrintOrder:
        """Returns what the valid form asks for."""
        data = self.cleaned_data
        return PrintOrder(data["encoding"], data["is_again"], data["takes_first"])


class LetterReportForm(forms.Form):
    """A file of letter codes, and what happened to these letters on a day."""

    kind = forms.ChoiceField(
        label=gettext_lazy("These letters were"), choices=LetterReportKind.choices
    )
    day = forms.DateField(label=gettext_lazy("On"), widget=forms.DateInput(attrs={"type": "date"}))
    report = forms.FileField(
        label=gettext_lazy("CSV file of letter codes"),
        help_text=gettext_lazy(
            "One code a line; for returned letters the reason may follow. It needs no names and "
            "no addresses."
        ),
    )

    def __init__(self, *args: Any, notice: Notice, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.notice = notice

    def record(self) -> int | None:
        """Records the report. Returns how many letters changed; None, with errors in the form, if
        nothing was recorded.
        """
        if not self.is_valid():
            return None
        kind, day = LetterReportKind(self.cleaned_data["kind"]), self.cleaned_data["day"]
        try:
            data = self.cleaned_data["report"].read()
            report = letter_reports.read_report(data, kind=kind, day=day)
            return letter_reports.record(self.notice, report)
        except LetterReportError as error:
            for problem in error.problems:
                self.add_error(None, problem)
            return None
