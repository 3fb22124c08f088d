"""The forms for sign-in, second factor and account, and the form of a user on the desk."""

import logging
import re
from collections.abc import Sequence
from typing import Any

from allauth.mfa import app_settings as mfa_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.usersessions.models import UserSession
from django import forms
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError
from django.db.models.deletion import Collector
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from tink import TinkError

from accounts import code_texts
from accounts.audit import sign_ins
from accounts.codes import CodeReplacedError, SentCode
from accounts.contacts import is_phone
from accounts.domain_typos import suggested_address
from accounts.models import User
from accounts.typed_codes import clean_code
from accounts.typed_contacts import SeveralNumbersError, read_contact
from foundations.languages import account_languages, portal_languages

logger = logging.getLogger(__name__)
_EARLIER_CODE = _(
    "This code is from an earlier mail. We have sent a newer one since: enter the code from the "
    "newest mail. This did not count as a try."
)
_EARLIER_CODE_BY_TEXT = _(
    "This code is from an earlier text message. We have sent a newer one since: enter the code "
    "from the newest message. This did not count as a try."
)


class ContactForm(forms.Form):
    """The e-mail address or number with which a sign-in begins.

    The field keeps the name `email`, by which browsers fill it in. It takes numbers only if codes
    by text message are offered.
    """

    email = forms.CharField(
        label=_("Your e-mail address"),
        max_length=320,
        error_messages={"required": _("Enter your e-mail address.")},
        widget=forms.EmailInput(
            attrs={"autocomplete": "email", "inputmode": "email", "spellcheck": "false"}
        ),
    )
    # The visitor was asked about the domain and answered that the address is right.
    is_as_typed = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.numbers: Sequence[str] = ()  # the readings of a number, to ask which one is meant
        self.takes_numbers = code_texts.are_offered()
        if self.takes_numbers:
            field = self.fields["email"]
            field.label = _("Your e-mail address or mobile number")
            field.error_messages["required"] = _("Enter your e-mail address or mobile number.")
            # Not type="email": a browser would call a number a mistake.
            attrs = {**field.widget.attrs, "autocapitalize": "none"}
            field.widget = forms.TextInput(attrs)

    def clean_email(self) -> str:
        """Returns the normalised address, or the number in E.164. Checks the spelling only."""
        try:
            return read_contact(self.cleaned_data["email"], takes_numbers=self.takes_numbers)
        except SeveralNumbersError as error:
            self.numbers = error.numbers
            raise

    @property
    def suggestion(self) -> str:
        """The address that was probably meant, to ask about; "" if there is nothing to ask."""
        contact = self.cleaned_data["email"]
        if self.cleaned_data["is_as_typed"] or is_phone(contact):
            return ""
        return suggested_address(contact)


class CodeForm(forms.Form):
    """The sign-in code that the user received by e-mail or text message."""

    code = forms.CharField(
        label=_("The eight digits from the mail"),
        max_length=100,
        error_messages={"required": _("Enter the eight digits from the mail.")},
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "numeric",
                "spellcheck": "false",
                "class": "code-input",
            }
        ),
    )

    def __init__(self, data: Any = None, *, process: SentCode) -> None:
        super().__init__(data)
        self.process = process
        self.is_by_text = is_phone(process.contact)
        if self.is_by_text:
            self.fields["code"].label = _("The eight digits from the text message")
            required = _("Enter the eight digits from the text message.")
            self.fields["code"].error_messages["required"] = required

    def clean_code(self) -> str:
        """Returns the code. Uses a try, unless an earlier mail holds the code.

        Exceptions of SentCode.accepts pass through to the view.
        """
        code = clean_code(self.cleaned_data["code"])
        if code is None:
            raise ValidationError(_("The code has eight digits. Enter all of them."))
        try:
            is_right = self.process.accepts(code)
        except CodeReplacedError:
            earlier = _EARLIER_CODE_BY_TEXT if self.is_by_text else _EARLIER_CODE
            raise ValidationError(earlier) from None
        if not is_right:
            raise ValidationError(self._wrong(self.process.tries_left))
        return code

    def _wrong(self, tries: int) -> str:
        """Returns the sentence about a wrong code, with the tries that are left."""
        if self.is_by_text:
            text = ngettext(
                "This is not the code in our newest text message. You have %(tries)d try left.",
                "This is not the code in our newest text message. You have %(tries)d tries left.",
                tries,
            )
        else:
            text = ngettext(
                "This is not the code in our newest mail. You have %(tries)d try left.",
                "This is not the code in our newest mail. You have %(tries)d tries left.",
                tries,
            )
        return text % {"tries": tries}


class SignInCodeForm(CodeForm):
    """The code that signs a user in, and whether the device is another person's."""

    is_borrowed = forms.BooleanField(
        label=_("This is not my device"),
        help_text=_(
            "You are signed out when the browser is closed, and after 15 minutes at the latest."
        ),
        required=False,
    )


class _AppCodeField:
    """The code field of allauth's forms for the second step, with our label and keyboard.

    It accepts each code once. allauth remembers a used code for 30 seconds but accepts it for
    longer.
    """

    fields: dict[str, forms.Field]
    user: User
    code_label = _("Six digits from your authenticator app, or a recovery code")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        attrs = {"autocomplete": "one-time-code", "inputmode": "numeric", "class": "code-input"}
        self.fields["code"].label = self.code_label
        self.fields["code"].widget = forms.TextInput(attrs=attrs)

    def clean_code(self) -> str:
        """Returns the code. Refuses a used code as long as allauth would accept it."""
        try:
            code: str = super().clean_code()  # type: ignore[misc]
        except (TinkError, Authenticator.MultipleObjectsReturned):
            # Copied from the row of another user, or encrypted under another master keyset.
            logger.error("a second factor of user %s cannot be decrypted", self.user.pk)
            raise get_adapter().validation_error("incorrect_code") from None
        periods = 2 * settings.MFA_TOTP_TOLERANCE + 1
        used = f"{self.user.pk}:{_without_punctuation(code)}"
        mac = salted_hmac("accounts.app_code_used", used, algorithm="sha256").hexdigest()
        if not cache.add(
            f"accounts.app_code_used:{mac}", True, timeout=periods * mfa_settings.TOTP_PERIOD
        ):
            sign_ins.refuse(self.user, "used code of the second factor")
            raise get_adapter().validation_error("incorrect_code")
        return code


def _without_punctuation(code: str) -> str:
    """Returns one spelling for all texts that allauth reads as the same code."""
    return re.sub(r"[\W_]", "", code).lower()


class SetUpAppForm(_AppCodeField, ActivateTOTPForm):
    """The first code from a new authenticator app; see settings.MFA_FORMS."""

    code_label = _("Six digits from your authenticator app")


class SecondStepForm(_AppCodeField, AuthenticateForm):
    """The second step of a sign-in."""


class SecondStepAgainForm(_AppCodeField, ReauthenticateForm):
    """The second step of a user who is already signed in."""


class LanguageForm(forms.ModelForm):
    """The language of pages and mails."""

    language = forms.ChoiceField(label=_("Language of pages and mails"), choices=portal_languages)

    class Meta:
        model = User
        fields = ["language"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.is_staff:
            self.fields["language"].choices = account_languages()  # type: ignore[attr-defined]


class EndSessionsForm(forms.Form):
    """Ends one of the user's other sessions; all of them and the look-up keys if none is chosen."""

    session = forms.ModelChoiceField(queryset=UserSession.objects.none(), required=False)

    def __init__(self, data: Any = None, *, user: User, current_key: str | None) -> None:
        super().__init__(data)
        self.user = user
        self.others = UserSession.objects.filter(user=user).exclude(session_key=current_key)
        self.fields["session"].queryset = self.others  # type: ignore[attr-defined]

    def save(self) -> None:
        """Signs the user out in those sessions at once."""
        chosen = self.cleaned_data["session"]
        for session in [chosen] if chosen else self.others:
            session.end()
        if not chosen:
            self.user.look_up_keys.end()


class CloseAccountForm(forms.Form):
    """The confirmation before an account is deleted."""

    sure = forms.BooleanField(
        label=_("Yes, delete my account on this portal"),
        error_messages={"required": _("Tick the box if you want to delete your account.")},
    )

    def __init__(self, data: Any = None, *, user: User) -> None:
        super().__init__(data)
        self.user = user

    def clean(self) -> dict[str, Any]:
        """Refuses staff and users who published or approved something.

        Records of that name the user, so the row must stay.
        """
        if _is_on_record(self.user):
            raise ValidationError(
                _("You are on the response team. Ask an administrator to close this account.")
            )
        return super().clean() or {}

    @transaction.atomic
    def save(self) -> None:
        """Ends all sessions of the user and deletes the user."""
        for session in UserSession.objects.filter(user=self.user):
            session.end()
        self.user.delete()


def _is_on_record(user: User) -> bool:
    """Returns whether the user is or was on the team, or a protected row refers to the user."""
    if user.is_or_was_on_team():
        return True
    try:
        Collector(using="default").collect([user])
    except ProtectedError:
        return True
    return False
