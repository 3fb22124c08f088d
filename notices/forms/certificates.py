"""The forms for certificates: to get one, and to check whether one is genuine."""

from typing import Any

from django import forms
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from accounts.models import User
from foundations.languages import portal_languages
from incidents.models import Incident
from notices.proof import certificates


class CertificateForm(forms.Form):
    """The form by which a user gets a certificate in one language."""

    language = forms.ChoiceField(
        label=gettext_lazy("Language of the certificate"), choices=portal_languages
    )

    def __init__(self, *args: Any, user: User, incident: Incident, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["language"] = get_language()
        self.user, self.incident = user, incident

    def issue(self) -> certificates.IssuedCertificate | None:
        """Issues the certificate. Returns None if no data of the user leaked.

        Raises EncryptionError.
        """
        language = self.cleaned_data["language"]
        return certificates.issue(self.user, self.incident, language=language)


class CertificateCodeForm(forms.Form):
    """The form that asks for the code of a certificate."""

    code = forms.CharField(
        label=gettext_lazy("Certificate code"),
        help_text=gettext_lazy("Five groups of four letters and digits, beside the QR code."),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_code(self) -> str:
        """Finds the certificate with the code and sets `checked`; refuses an unknown code."""
        typed: str = self.cleaned_data["code"]
        self.checked = certificates.find_certificate(typed)
        if self.checked is None:
            raise forms.ValidationError(
                _(
                    "We issued no certificate with this code. Compare it with the paper, one "
                    "character at a time."
                )
            )
        return typed
