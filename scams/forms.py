"""The forms of the message check and of scam reports.

The browser is asked not to store messages and senders (autocomplete="off").
"""

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
from scams import mail_source, message_check, pasted_text
from scams.models import ReportedMessage, ScamReport

TOO_LONG = gettext_lazy("This is too long. Leave out what is not part of the message.")
NOTHING = gettext_lazy("Enter the code, paste the message, or choose the file of a mail.")
NO_MAIL = gettext_lazy(
    "This file is not a mail (.eml) of at most 1 MB. Paste what the message says instead."
)


class TooManyReportsError(Exception):
    """Raised if the last hour brought settings.SCAM_REPORTS_PER_HOUR reports."""


def _text_area(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, "autocomplete": "off", "spellcheck": "false"})


class MessageCheckForm(forms.Form):
    """The form of the message check: a code, a whole message, a sender, a link or a number; or a
    mail as a file. The browser offers all files, because phones do not know the type of .eml files.
    """

    text = forms.CharField(
        label=gettext_lazy("The code, or the whole message"),
        help_text=gettext_lazy(
            "A sender, a number or a link will do, too. We keep nothing of what you enter here."
        ),
        max_length=mail_source.MOST_CHARACTERS,
        strip=False,
        required=False,
        error_messages={"max_length": TOO_LONG},
        widget=_text_area(6),
    )
    mail = forms.FileField(
        label=gettext_lazy("Or the mail as a file (.eml)"),
        help_text=gettext_lazy("Mail programs save or download a message as such a file."),
        required=False,
        error_messages={"empty": NO_MAIL},
        widget=forms.FileInput(),
    )

    def clean_text(self) -> str:
        """Returns the text; refuses one of which a reader sees more than can be compared."""
        text: str = self.cleaned_data["text"]
        if len(mail_source.read(text).text) > pasted_text.MOST_CHARACTERS:
            raise ValidationError(TOO_LONG)
        return text

    def clean_mail(self) -> mail_source.PastedMail | None:
        """Returns what a reader sees of the file; None without one. Refuses what is no mail."""
        file = self.cleaned_data["mail"]
        if file is None:
            return None
        mail = mail_source.read_file(file.read())
        if mail is None or len(mail.text) > pasted_text.MOST_CHARACTERS:
            raise ValidationError(NO_MAIL)
        return mail

    def clean(self) -> None:
        """Refuses a form with neither a text nor a file, or with both."""
        has_text, mail = self.cleaned_data.get("text", "").strip(), self.cleaned_data.get("mail")
        if not self.errors and not has_text and mail is None:
            self.add_error("text", NOTHING)
        if has_text and mail is not None:
            self.add_error("mail", _("Enter a text or choose a file, not both."))

    def answer(self) -> message_check.Answer:
        """Returns the answer to the text or the mail."""
        if mail := self.cleaned_data["mail"]:
            return message_check.answer_for_mail(mail)
        return message_check.answer_for(self.cleaned_data["text"])

    def seen_text(self) -> str:
        """Returns the text that was entered, or what a reader sees of the mail."""
        mail: mail_source.PastedMail | None = self.cleaned_data["mail"]
        return mail.text if mail else self.cleaned_data["text"]


class ScamReportForm(forms.Form):
    """The form by which a visitor reports a message in our name."""

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
    # A honeypot: people do not see it, and programs that fill in all fields are recognised by it.
    website = forms.CharField(required=False, widget=forms.TextInput(attrs={"tabindex": "-1"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("auto_id", "%s")
        kwargs.setdefault("prefix", "report")  # the form of the check has a field `text`, too
        super().__init__(*args, **kwargs)

    def clean_text(self) -> str:
        """Returns the text without invisible characters, so that staff see all of its content."""
        return _visible(self.cleaned_data["text"])

    def clean_sender(self) -> str:
        """Returns the sender without invisible characters."""
        return _visible(self.cleaned_data["sender"])

    def clean_contact(self) -> str:
        """Returns the normalised address, or "" for none; refuses an unusable one."""
        email = normalise_email(self.cleaned_data["contact"])
        if email and not is_usable_email(email):
            raise ValidationError(_("Enter a whole e-mail address, such as name@example.com."))
        return email

    def save(self) -> None:
        """Encrypts and stores the report. Does nothing if a program filled in the honeypot.

        Raises TooManyReportsError.
        """
        if self.cleaned_data["website"]:
            return
        incident = reported_to()
        if incident is None:
            return
        last_hour = timezone.now() - timedelta(hours=1)
        recent = ScamReport.objects.filter(reported_at__gte=last_hour)
        if recent.count() >= settings.SCAM_REPORTS_PER_HOUR:
            raise TooManyReportsError
        data = self.cleaned_data
        report = ScamReport(incident=incident, channel=data["channel"])
        content = ReportedMessage(data["text"], data["sender"], data["contact"])
        about = message_check.first_unknown_trace(f"{content.text}\n{content.sender}")
        report.encrypt_report(content, about=about)
        report.save()


def reported_to() -> Incident | None:
    """Returns the incident that new reports belong to: the first public one that is not shredded.

    Returns None if there is none.
    """
    return Incident.objects.public().filter(shredded_at__isnull=True).first()


def _visible(text: str) -> str:
    """Returns the text without invisible characters, such as those that change the direction."""
    return "".join(sign for sign in text if sign == "\n" or pasted_text.is_visible(sign))
