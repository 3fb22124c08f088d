"""The forms of tickets on the desk."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from incidents.encryption import EncryptionError
from notices.ledger_messages import translate_ledger_message
from tickets import correspondence
from tickets.answer_periods import AnswerPeriod
from tickets.correspondence import ChangedMeanwhileError, NotExtendedError
from tickets.forms import PlainTextField
from tickets.models import Ticket
from tickets.shipped_templates import PLACEHOLDER


class AnswerForm(forms.Form):
    """An answer to the customer by support."""

    text = PlainTextField(label=gettext_lazy("Answer"), rows=8)
    # The number of messages on the page, so that no answer misses one that came meanwhile.
    read = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, ticket: Ticket, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ticket, self.by = ticket, by

    def clean_text(self) -> str:
        """Returns the text. Refuses one in which a place of a template is left."""
        text = str(self.cleaned_data["text"])
        if PLACEHOLDER in text:
            raise ValidationError(_("Replace each […] with your own words."))
        return text

    def act(self) -> bool:
        """Stores the answer. Returns False, with an error in the form, if that is impossible."""
        text, read = self.cleaned_data["text"], self.cleaned_data["read"]
        if self.ticket.user_id is None:
            gone = _("The customer closed the account: no answer reaches them.")
            self.add_error("text", gone)
            return False
        try:
            correspondence.answer(self.ticket, text=text, by=self.by, read=read)
        except ChangedMeanwhileError:
            meanwhile = _("A message came meanwhile. Read it, then send your answer again.")
            self.add_error("text", meanwhile)
        except EncryptionError as error:
            self.add_error("text", translate_ledger_message(str(error)))
        return not self.errors


class ExtensionForm(forms.Form):
    """More time for the answer, by a law of the incident, with the reason for the customer."""

    law = forms.ChoiceField(label=gettext_lazy("Law that protects this customer"))
    text = PlainTextField(label=gettext_lazy("Reason that the customer reads"), rows=4)

    def __init__(self, *args: Any, ticket: Ticket, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **{"prefix": "extension", **kwargs})
        self.ticket, self.by = ticket, by
        # By jurisdiction, so that a page from before a change of the laws names the same one.
        self.periods = {each.jurisdiction: each for each in correspondence.extensions_of(ticket)}
        law: Any = self.fields["law"]
        choices = [(name, _choice(period, ticket)) for name, period in self.periods.items()]
        law.choices = choices if len(choices) == 1 else [("", "---------"), *choices]

    def act(self) -> bool:
        """Extends the time. Returns False, with an error in the form, if that is impossible."""
        period = self.periods[self.cleaned_data["law"]]
        reason = self.cleaned_data["text"]
        try:
            correspondence.extend(self.ticket, period=period, reason=reason, by=self.by)
        except NotExtendedError:
            self.add_error(None, _("The time can no longer be extended."))
        except EncryptionError as error:
            self.add_error("text", translate_ledger_message(str(error)))
        return not self.errors


def _choice(period: AnswerPeriod, ticket: Ticket) -> str:
    """Returns the extension in words, such as "GDPR, article 12(3): 2 months more, until ..."."""
    if period.extension is None:
        return ""
    return _("%(law)s: %(words)s more, until %(day)s") % {
        "law": period.law,
        "words": period.extension.words,
        "day": date_format(period.extension.after(ticket.due_on)),
    }


class NoteForm(forms.Form):
    """An internal note by support."""

    text = PlainTextField(label=gettext_lazy("Internal note"), rows=4)

    def __init__(self, *args: Any, ticket: Ticket, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **{"prefix": "note", **kwargs})
        self.ticket, self.by = ticket, by

    def act(self) -> bool:
        """Stores the note. Returns False, with an error in the form, if that is impossible."""
        try:
            correspondence.note(self.ticket, text=self.cleaned_data["text"], by=self.by)
        except EncryptionError as error:
            self.add_error("text", translate_ledger_message(str(error)))
        return not self.errors


class FindTicketForm(forms.Form):
    """The look-up of a ticket by the number that a customer reads out."""

    number = forms.CharField(label=gettext_lazy("Number of a ticket"), max_length=30)

    def clean_number(self) -> Ticket:
        """Returns the ticket. Reads numbers as people type them."""
        ticket = Ticket.objects.with_number(self.cleaned_data["number"])
        if ticket is None:
            raise ValidationError(_("No ticket has this number."))
        return ticket
