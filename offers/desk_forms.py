"""The forms of offers on the desk."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from foundations.localized_fields import LocalizedTextFormField
from incidents.encryption import EncryptionError
from incidents.forms import FactsForm
from notices.ledger_messages import translate_ledger_message
from offers import pool
from offers.models import Offer

LINES_SHOWN = 20  # of each fault


class OfferForm(FactsForm):
    """An offer. What its codes depend on stays as it is once it has codes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and self.instance.codes.exists():
            for name in ("incident", "has_codes"):
                if name in self.fields:
                    self.fields[name].disabled = True

    def clean(self) -> dict[str, Any]:
        """Rejects an audience without its notice, a day that has passed, and a half reason."""
        cleaned = super().clean()
        incident, notice = cleaned.get("incident"), cleaned.get("notice")
        if cleaned.get("audience") == Offer.Audience.NOTICE:
            if notice is None:
                self.add_error("notice", _("Choose the notice."))
            elif notice.version.statement.incident != incident:
                self.add_error("notice", _("This notice is about another incident."))
        elif notice is not None:
            self.add_error("notice", _("The offer is not for those whom a notice reached."))
        day = cleaned.get("ends_on")
        is_new = "ends_on" in self.changed_data
        if day and incident and is_new and day < timezone.now().astimezone(incident.zone).date():
            self.add_error("ends_on", _("This day has passed."))
        self._reject_half_reason(cleaned)
        return cleaned

    def _reject_half_reason(self, cleaned: dict[str, Any]) -> None:
        reason, field = cleaned.get("withdrawn_reason"), self.fields.get("withdrawn_reason")
        if reason and isinstance(field, LocalizedTextFormField):
            for problem in field.missing(reason, self.needed_languages(cleaned)):
                self.add_error("withdrawn_reason", problem)


class CodesForm(forms.Form):
    """A file of codes for the pool of an offer."""

    file = forms.FileField(
        label=gettext_lazy("File of codes"),
        help_text=gettext_lazy(
            "Text in UTF-8 with one code a line, or CSV. A code has 4 to 64 letters, digits, "
            "dots, hyphens or underscores, and begins with a letter or digit. At most 2.5 MB: "
            "100,000 codes of 23 characters, or 37,000 of 64."
        ),
    )
    column = forms.CharField(
        label=gettext_lazy("Column of the codes"),
        required=False,
        max_length=100,
        help_text=gettext_lazy("Its name in the first line of a CSV file. Empty: one code a line."),
    )

    def __init__(self, *args: Any, offer: Offer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer = offer

    def act(self) -> int | None:
        """Adds the codes of the file. Returns how many; None, with errors, if it adds none."""
        if not self.is_valid():
            return None
        file, column = self.cleaned_data["file"], self.cleaned_data["column"]
        if file.size > pool.MOST_BYTES:
            self.add_error("file", _too_large())
            return None
        try:
            codes = pool.read_codes(file.read(), column)
            if len(codes) > pool.MOST_CODES:
                self.add_error("file", _too_large())
                return None
            return pool.add_codes(self.offer, codes)
        except pool.CodeFileError:
            wrong = _(
                "It is no text in UTF-8, or no CSV file with this column once in its first line."
            )
            self.add_error("file", wrong)
        except pool.CodeFaults as found:
            for problem in _problems(found.faults):
                self.add_error("file", problem)
        except EncryptionError as error:
            self.add_error("file", translate_ledger_message(str(error)))
        return None


def _too_large() -> str:
    return _(
        "A file may hold at most 100,000 codes and 2.5 MB. Import the others with another file."
    )


def _problems(faults: Sequence[tuple[int, str]]) -> Iterator[str]:
    """Yields one sentence for each kind of fault, with the lines. No sentence holds a code."""
    yield _("Nothing was imported.")
    for kind, found in groupby(sorted(faults, key=lambda each: each[1]), lambda each: each[1]):
        lines = [line for line, _kind in found]
        shown = ", ".join(map(str, lines[:LINES_SHOWN])) + (" …" if lines[LINES_SHOWN:] else "")
        words = {
            "blank": ngettext(
                "%(n)s line is blank: %(lines)s", "%(n)s lines are blank: %(lines)s", len(lines)
            ),
            "odd": ngettext(
                "%(n)s line is no code: %(lines)s", "%(n)s lines are no code: %(lines)s", len(lines)
            ),
            "heading": _(
                "Line %(lines)s looks like the heading of a column: write it into “Column of the "
                "codes”. If it is a code, put another line first."
            ),
            "twice": ngettext(
                "%(n)s line repeats a code of the file: %(lines)s",
                "%(n)s lines repeat a code of the file: %(lines)s",
                len(lines),
            ),
            "stored": ngettext(
                "%(n)s line holds a code that the pool has already: %(lines)s",
                "%(n)s lines hold a code that the pool has already: %(lines)s",
                len(lines),
            ),
        }
        yield words[kind] % {"n": len(lines), "lines": shown}
