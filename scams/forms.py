"""What people ask on the page "is this message from us?". No field keeps what was typed."""

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.contacts import is_usable_email, normalise_email
from incidents.models import Incident
from scams import message_check, pasted_text
from scams.models import ReportedMessage, ScamReport

TOO_LONG = gettext_lazy("This is too long. Leave out what is not part of the message.")


class TooManyReportsError(Exception):
    """So many came within an hour that no more are taken now."""


def _text_area(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, "autocomplete": "off", "spellcheck": "false"})


class MessageCheckForm(forms.Form):
    """A code, a whole message, a sender, a link or a number."""

    text = forms.CharField(
        label=gettext_lazy("The code, or the whole message"),
        help_text=gettext_lazy(
            "A sender, a number or a link will do, too. We keep nothing of what you enter here."
        ),
        max_length=pasted_text.MOST_CHARACTERS,
        strip=False,
        error_messages={
            "required": gettext_lazy("Enter the code, or paste the message."),
            "max_length": TOO_LONG,
        },
        widget=_text_area(6),
    )

    def answer(self) -> message_check.Answer:
        """What we say to it."""
        return message_check.answer_for(self.cleaned_data["text"])


class ScamReportForm(forms.Form):
    """Shows us a message that pretends to be from us."""

    text = forms.CharField(
        label=gettext_lazy("What it says"),
        help_text=gettext_lazy(
            "Take out what is about you, such as your name. Of a call, write what was said."
        ),
        max_length=5_000,
        error_messages={
            "required": gettext_lazy("Paste the message, or write what was said."),
            "max_length": TOO_LONG,
        },
        widget=_text_area(6),
    )
    channel = forms.ChoiceField(
        label=gettext_lazy("How it came"), choices=ScamReport.Channel.choices
    )
    sender = forms.CharField(
        label=gettext_lazy("From which number, address or account (optional)"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    contact = forms.CharField(
        label=gettext_lazy("Your e-mail address, if we may ask you about it (optional)"),
        max_length=254,
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"}),
    )
    # Not shown to people; programs that fill in every field give themselves away by it.
    website = forms.CharField(required=False, widget=forms.TextInput(attrs={"tabindex": "-1"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "report_%s")
        super().__init__(*args, **kwargs)

    def clean_text(self) -> str:
        """PostgreSQL and Tink take anything, but nothing may hide in it from who reads it."""
        return _shown(self.cleaned_data["text"])

    def clean_sender(self) -> str:
        """As the text."""
        return _shown(self.cleaned_data["sender"])

    def clean_contact(self) -> str:
        """Empty, or an address one can write to."""
        email = normalise_email(self.cleaned_data["contact"])
        if email and not is_usable_email(email):
            raise ValidationError(_("Enter a whole e-mail address, such as name@example.com."))
        return email

    def save(self) -> None:
        """Seals and keeps the report; does nothing for a program's. Raises TooManyReportsError."""
        if self.cleaned_data["website"]:
            return
        incident = reported_to()
        if incident is None:
            return
        last_hour = timezone.now() - timedelta(hours=1)
        lately = ScamReport.objects.filter(reported_at__gte=last_hour)
        if lately.count() >= settings.SCAM_REPORTS_PER_HOUR:
            raise TooManyReportsError
        data = self.cleaned_data
        report = ScamReport(incident=incident, channel=data["channel"])
        told = ReportedMessage(text=data["text"], sender=data["sender"], contact=data["contact"])
        report.encrypt_report(
            told, about=message_check.first_unknown_trace(f"{told.text}\n{told.sender}")
        )
        report.save()


def reported_to() -> Incident | None:
    """The incident that reports are kept with; None if there is none, or its keysets are gone."""
    return Incident.objects.public().filter(shredded_at__isnull=True).first()


def _shown(text: str) -> str:
    """Without characters that nobody sees, or that turn the direction of what follows."""
    return "".join(sign for sign in text if sign == "\n" or pasted_text.is_visible(sign))
