"""Passkeys as the second factor of the response team, in place of an authenticator app.

The browser makes a key for this portal's host only, so a page of another host gets nothing from
it. A passkey does not replace the code by e-mail. allauth does the ceremony (WebAuthn, W3C); these
forms bind each passkey to its user and refuse what a browser never sends.
"""

from typing import Any, cast

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from allauth.mfa.webauthn.views import AddWebAuthnView, RemoveWebAuthnView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from tink import TinkError

from accounts import proofs
from accounts.models import User
from accounts.proofs import Proof
from accounts.second_factor import company_factor_first, end_other_sessions, staff_only
from accounts.second_factor_secrets import decrypt_for, encrypt_for
from accounts.step_up import fresh_code_required

_BOUND = "bound_to_user"  # a key beside those of WebAuthn in the stored credential
# What the parsing of a response that no browser made may raise.
_MALFORMED = (AttributeError, KeyError, TypeError, ValueError)


class AddPasskeyForm(AddWebAuthnForm):
    """The name of a new passkey, and what the browser made; see settings.MFA_FORMS."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name of the passkey")
        self.fields["name"].max_length = 100

    def clean(self) -> dict[str, Any]:
        """Checks the credential, and binds it to the user with the master keyset.

        A person who can write to the database could otherwise copy an own passkey to the row of
        another user. Refuses what is not a browser's response.
        """
        try:
            cleaned: dict[str, Any] = super().clean()
            if credential := cleaned.get("credential"):
                credential[_BOUND] = encrypt_for(self.user.pk, str(credential["id"]))
        except _MALFORMED:
            raise get_adapter().validation_error("incorrect_code") from None
        return cleaned


class BoundCredential:
    """The check of a passkey when it is used."""

    def clean_credential(self) -> Authenticator:
        """Returns the authenticator. Refuses one that was made for another user."""
        try:
            authenticator: Authenticator = super().clean_credential()  # type: ignore[misc]
            credential = authenticator.data["credential"]
            is_bound = decrypt_for(authenticator.user_id, credential[_BOUND]) == credential["id"]
        except (*_MALFORMED, TinkError):
            raise get_adapter().validation_error("incorrect_code") from None
        if not is_bound:
            raise get_adapter().validation_error("incorrect_code")
        return authenticator


class PasskeyForm(BoundCredential, AuthenticateWebAuthnForm):
    """The second step of a sign-in, with a passkey."""


class PasskeyAgainForm(BoundCredential, ReauthenticateWebAuthnForm):
    """The second step of a user who is already signed in, with a passkey."""


@method_decorator([staff_only, company_factor_first, fresh_code_required], name="dispatch")
class SetUpPasskeyView(AddWebAuthnView):
    """allauth's set-up of a passkey. A completed set-up counts as a verification."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Records the proof, so that the recovery codes and the desk need no further step."""
        response: HttpResponse = super().form_valid(form)
        proofs.record(self.request, cast("User", self.request.user), Proof.NEW_APP)
        return response


@method_decorator(staff_only, name="dispatch")
class RemovePasskeyView(RemoveWebAuthnView):
    """allauth's removal of a passkey. It ends the user's other sessions."""

    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form: Any) -> HttpResponse:
        """Removes the passkey, and ends the sessions that it may have opened."""
        response: HttpResponse = super().form_valid(form)
        end_other_sessions(self.request, cast("User", self.request.user))
        return response


def passkeys_of(request: HttpRequest) -> HttpResponse:
    """Shows the passkeys of the signed-in user."""
    kind = Authenticator.Type.WEBAUTHN
    found = Authenticator.objects.filter(user=cast("User", request.user), type=kind)
    return render(request, "mfa/webauthn/authenticator_list.html", {"authenticators": found})
