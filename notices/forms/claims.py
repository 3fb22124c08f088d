"""The form by which a customer claims data with the code of a message."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from accounts.contacts import readable_contact
from accounts.models import User
from incidents.address_claims import try_claim
from notices.claims import message_of_code

# One text for each refusal: it must not say which of the two was right.
REFUSED = gettext_lazy(
    "This does not match, or it cannot be claimed here. Check both answers. If they are right, "
    "write to the company: a person there decides."
)
_NOT_STORED = {"autocomplete": "off", "spellcheck": "false"}


class ClaimForm(forms.Form):
    """The code of a message, a second fact, and for which contact of the user they count."""

    code = forms.CharField(
        label=gettext_lazy("The code of the message or letter"),
        help_text=gettext_lazy("Twelve characters, such as 7QK2-X9ND-4HTB."),
        max_length=40,
        widget=forms.TextInput(attrs=_NOT_STORED),
    )
    fact = forms.CharField(
        label=gettext_lazy("What the message does not show"),
        help_text=gettext_lazy(
            "For a mail or a letter: the last four digits of the mobile number that the company "
            "has of you. For a text message: your whole e-mail address there. A name is not enough."
        ),
        max_length=320,
        widget=forms.TextInput(attrs=_NOT_STORED),
    )
    contact = forms.ChoiceField(
        label=gettext_lazy("For which of your addresses or numbers"), widget=forms.RadioSelect
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        own = [*user.verified_emails(), *user.verified_phones()]
        field = self.fields["contact"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = [(one, readable_contact(one)) for one in own]
        field.initial = next(iter(own), None)

    def act(self) -> bool:
        """Claims the data. Returns False, with one and the same error in the form, if refused."""
        data = self.cleaned_data
        message = message_of_code(data["code"])
        if try_claim(self.user, message, contact=data["contact"], answer=data["fact"]):
            return True
        self.add_error("code", REFUSED)
        return False
