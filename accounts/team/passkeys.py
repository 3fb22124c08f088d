"""Passkeys as the second factor of the response team, in place of an authenticator app.

The browser makes a key for this portal's host only, so a page of another host gets nothing from
it. A passkey does not replace the code by e-mail. allauth does the ceremony (WebAuthn, W3C); these
forms bind each passkey to its user, refuse what a browser never sends, and a key whose counter does
not rise. See docs/decisions/0113.
"""

import hashlib
import struct
from typing import Any, cast

from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from allauth.mfa.webauthn.views import AddWebAuthnView, RemoveWebAuthnView
from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from fido2.utils import websafe_decode
from fido2.webauthn import AuthenticatorData, CollectedClientData, RegistrationResponse
from tink import TinkError

from accounts import proofs
from accounts.audit import sign_ins
from accounts.models import User
from accounts.proofs import Proof
from accounts.second_factor import company_factor_first, end_other_sessions, staff_only
from accounts.second_factor_secrets import BOUND_TO_USER, decrypt_for, encrypt_for
from accounts.step_up import fresh_code_to_open
from foundations.own_origin import own_origins

# An answer of a browser has some hundred bytes, with a certificate of the maker some thousand. The
# time to parse CBOR grows with the square of the length.
MOST_CHARACTERS = 16_000
# The key of the number of signatures in a stored credential. The audit trail leaves it out.
_COUNTER = "counter"
# What the parsing of a response that no browser made may raise. RuntimeError: too many levels, or a
# kind of key that is not supported.
_MALFORMED = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError),
    *(TypeError, ValueError, struct.error),
)


def _refusal() -> ValidationError:
    error: ValidationError = get_adapter().validation_error("incorrect_code")
    return error


class CredentialField(forms.JSONField):
    """What a browser made, as JSON of a bounded length. A refused one is not shown again."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        """Returns the parsed JSON. Raises ValidationError."""
        if len(value or "") > MOST_CHARACTERS:
            raise _refusal()
        try:
            return super().to_python(value)
        except (RecursionError, ValueError):
            raise _refusal() from None

    def bound_data(self, data: Any, initial: Any) -> Any:  # noqa: ARG002
        """Returns what an empty form shows."""
        return initial


def _refuse_other_page(client_data: CollectedClientData) -> None:
    """Raises ValidationError unless a page of this portal asked the browser, in no frame.

    The library accepts subdomains and other ports of the portal's host, too.
    """
    is_own = client_data.origin in own_origins(context.request)
    if not is_own or client_data.cross_origin:
        raise _refusal()


def _bound(user_pk: int, credential: dict[str, Any]) -> str:
    """Returns what is encrypted for the user: the digest of the whole key, and whose it is."""
    made = str(credential["response"]["attestationObject"])
    return hashlib.sha256(f"{user_pk} {made}".encode()).hexdigest()


class AddPasskeyForm(AddWebAuthnForm):
    """The name of a new passkey, and what the browser made; see settings.MFA_FORMS."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["credential"] = CredentialField()
        self.fields["name"].label = _("Name of the passkey")
        self.fields["name"].max_length = 100

    def clean(self) -> dict[str, Any]:
        """Checks the credential, and binds it to the user with the master keyset.

        A person who can write to the database could otherwise put the key of an own passkey into
        the row of another user. Refuses what is not a browser's response to a page of this portal.
        Of the response only the key is stored.
        """
        try:
            cleaned: dict[str, Any] = super().clean()
            if made := cleaned.get("credential"):
                cleaned["credential"] = self._checked(RegistrationResponse.from_dict(made))
        except _MALFORMED:
            raise _refusal() from None
        return cleaned

    def _checked(self, made: RegistrationResponse) -> dict[str, Any]:
        _refuse_other_page(made.response.client_data)
        data = made.response.attestation_object.auth_data
        if data.credential_data is None or data.credential_data.public_key.ALGORITHM is None:
            raise _refusal()  # of a kind with which no signature can be checked
        stored = dict(RegistrationResponse(raw_id=made.raw_id, response=made.response))
        stored["response"] = dict(stored["response"])
        bound = encrypt_for(self.user.pk, _bound(self.user.pk, stored))
        return {**stored, BOUND_TO_USER: bound, _COUNTER: data.counter}


class BoundCredential:
    """The check of a passkey when it is used."""

    fields: dict[str, forms.Field]
    cleaned_data: dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["credential"] = CredentialField()

    def clean_credential(self) -> Authenticator:
        """Returns the authenticator. Refuses one that was made for another user, an answer to
        another page, and a counter that did not rise.
        """
        answer = self.cleaned_data["credential"]
        try:
            authenticator: Authenticator = super().clean_credential()  # type: ignore[misc]
            _refuse_other_page(_decoded(CollectedClientData, answer, "clientDataJSON"))
            credential, user = authenticator.data["credential"], authenticator.user_id
            is_bound = decrypt_for(user, credential[BOUND_TO_USER]) == _bound(user, credential)
            counter = _decoded(AuthenticatorData, answer, "authenticatorData").counter
        except (*_MALFORMED, TinkError):
            raise _refusal() from None
        if not (is_bound and _has_risen(authenticator, counter)):
            raise _refusal()
        return authenticator


def _decoded(kind: Any, answer: dict[str, Any], name: str) -> Any:
    return kind(websafe_decode(answer["response"][name]))


def _has_risen(authenticator: Authenticator, counter: int) -> bool:
    """Stores the counter of signatures. Returns False, and records it, if it has not risen.

    A copy of the key signed then, or signs now (WebAuthn Level 3, 6.1.1). A key that is kept on
    several devices counts nothing: its counter is always 0.
    """
    with transaction.atomic():
        row = Authenticator.objects.select_for_update().get(pk=authenticator.pk)
        before = row.data["credential"][_COUNTER]
        if counter <= before and (counter or before):
            sign_ins.refuse(row.user, "the counter of a passkey did not rise")
            return False
        if counter:
            row.data["credential"][_COUNTER] = counter
            row.save(update_fields=["data"])
    return True


class PasskeyForm(BoundCredential, AuthenticateWebAuthnForm):
    """The second step of a sign-in, with a passkey."""


class PasskeyAgainForm(BoundCredential, ReauthenticateWebAuthnForm):
    """The second step of a user who is already signed in, with a passkey."""


@method_decorator(
    [staff_only, company_factor_first, fresh_code_to_open(Proof.PASSKEY_PAGE)], name="dispatch"
)
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
