"""Passkeys of customers: a sign-in and a step-up without a code. A code always works, too.

The browser makes the key for this portal's host only, keeps it, and asks its owner for a
fingerprint, a face or a PIN each time. Members of the response team have passkeys as a second
factor instead; see accounts.team.passkeys and docs/decisions/0072.
"""

from functools import wraps
from typing import Any, cast

from allauth.account.utils import get_next_redirect_url
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import LoginWebAuthnForm
from allauth.mfa.webauthn.internal import auth
from django import forms
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import sign_in
from accounts.audit import sign_ins
from accounts.ended_sessions import View, sign_in_required
from accounts.models import User
from accounts.second_factor import end_other_sessions
from accounts.step_up import fresh_code_required, record_step_up
from accounts.team.passkeys import AddPasskeyForm, BoundCredential
from accounts.waiting_room import with_waiting_room
from foundations.rate_limits import limited
from foundations.typed_numbers import number_of

MOST_PASSKEYS = 10  # of one user
MOST_CHARACTERS = 100  # of a name


class AddOwnPasskeyForm(AddPasskeyForm):
    """The name of a new passkey of a customer, and what the browser made."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = gettext_lazy("What you call it")


class NameForm(forms.Form):
    """A new name of a passkey."""

    name = forms.CharField(max_length=MOST_CHARACTERS)


class SignInPasskeyForm(BoundCredential, LoginWebAuthnForm):
    """A sign-in with a passkey: the browser's answer names the user."""


class StepUpPasskeyForm(SignInPasskeyForm):
    """A step-up with a passkey of the signed-in user."""

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user


def passkeys_of(user: User) -> Any:
    """Returns the passkeys of a user, the oldest first."""
    kind = Authenticator.Type.WEBAUTHN
    return Authenticator.objects.filter(user_id=user.pk, type=kind).order_by("pk")


def customers_only(view: View) -> View:
    """Decorates a page for customers. Raises Http404 for members of the response team."""

    @sign_in_required()
    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if cast("User", request.user).is_or_was_on_team():
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@require_http_methods(["GET", "HEAD", "POST"])
@customers_only
def passkeys(request: HttpRequest) -> HttpResponse:
    """Lists the passkeys of the customer, and renames one on POST."""
    user = cast("User", request.user)
    if request.method == "POST":
        _rename(request, user)
        return redirect("passkeys")
    context = {
        "passkeys": passkeys_of(user),
        "may_add": _may_add(user),
        "most_characters": MOST_CHARACTERS,
    }
    return render(request, "accounts/passkeys.html", context)


def _rename(request: HttpRequest, user: User) -> None:
    form = NameForm(request.POST)
    # With a lock, because `data` also holds the counter of signatures, which a sign-in raises.
    with transaction.atomic():
        chosen = get_object_or_404(passkeys_of(user).select_for_update(), pk=_key(request))
        if form.is_valid():
            chosen.data["name"] = form.cleaned_data["name"]
            chosen.save(update_fields=["data"])


@require_http_methods(["GET", "HEAD", "POST"])
@customers_only
@fresh_code_required
def add_passkey(request: HttpRequest) -> HttpResponse:
    """Makes a passkey. It needs a fresh code, so that an open browser is not enough.

    A user with a number only has none: the number can pass to another person, and the passkey would
    stay with the person who made it.
    """
    user = cast("User", request.user)
    if not _may_add(user):
        return redirect("passkeys")
    form = AddOwnPasskeyForm(request.POST if request.method == "POST" else None, user=user)
    if form.is_valid():
        if _add(user, form.cleaned_data):
            messages.success(
                request, _("Your passkey is set up. You can sign in with it from now on.")
            )
        return redirect("passkeys")
    options = {"creation_options": auth.begin_registration(user, passwordless=True)}
    context = {"form": form, "js_data": options}
    return render(request, "accounts/add_passkey.html", context)


def _may_add(user: User) -> bool:
    return bool(user.email) and passkeys_of(user).count() < MOST_PASSKEYS


def _add(user: User, made: dict[str, Any]) -> bool:
    """Stores a passkey. Returns False if the user may have no more.

    With a lock, because other browsers may add one, remove the last address, or accept an
    invitation to the team at this moment.
    """
    with transaction.atomic():
        locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if locked.is_or_was_on_team() or not _may_add(locked):
            return False
        auth.WebAuthn.add(locked, made["name"], made["credential"])
    return True


@require_http_methods(["POST"])
@customers_only
@fresh_code_required
def remove_passkey(request: HttpRequest) -> HttpResponse:
    """Removes a passkey, and ends the other sessions: it may have opened one of them."""
    user = cast("User", request.user)
    get_object_or_404(passkeys_of(user), pk=_key(request)).delete()
    end_other_sessions(request, user)
    messages.success(request, _("Removed. Your other devices are signed out."))
    return redirect("passkeys")


def _key(request: HttpRequest) -> int:
    return number_of(request.POST.get("passkey", ""))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@limited("passkey", methods=["POST"])
@with_waiting_room
def sign_in_with_passkey(request: HttpRequest) -> HttpResponse:
    """Signs a customer in with a passkey, in place of a code."""
    next_url = get_next_redirect_url(request) or ""
    if request.user.is_authenticated:
        return redirect(next_url or settings.LOGIN_REDIRECT_URL)
    form = SignInPasskeyForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        user = form.cleaned_data["credential"].user
        if not user.is_or_was_on_team():
            return sign_in.complete_with_passkey(request, user, next_url=next_url)
        sign_ins.refuse(user, "passkey on the page of customers")
        form.add_error("credential", _("Members of the response team sign in with a code."))
    return _use_page(request, form, next_url, "accounts/passkey_sign_in.html")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@customers_only
@limited("passkey", methods=["POST"])
def step_up_with_passkey(request: HttpRequest) -> HttpResponse:
    """Takes a passkey of the signed-in customer in place of a step-up code."""
    user, next_url = cast("User", request.user), get_next_redirect_url(request) or ""
    form = StepUpPasskeyForm(request.POST if request.method == "POST" else None, user=user)
    if form.is_valid():
        record_step_up(request, user)
        return redirect(next_url or "account")
    return _use_page(request, form, next_url, "accounts/passkey_step_up.html")


def _use_page(request: HttpRequest, form: forms.Form, next_url: str, name: str) -> HttpResponse:
    # Without the list of the user's passkeys: the browser offers those that it keeps.
    options = {"request_options": auth.begin_authentication(user=None)}
    return render(request, name, {"form": form, "js_data": options, "next_url": next_url})
