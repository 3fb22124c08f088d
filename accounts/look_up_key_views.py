"""The pages on which a customer makes and ends look-up keys, for programs of their own."""

from secrets import token_urlsafe
from typing import cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts import look_up_keys
from accounts.customer_passkeys import customers_only
from accounts.look_up_key import LASTS, MOST_CHARACTERS
from accounts.models import User
from accounts.step_up import fresh_code_required
from foundations.post_only import post_only
from foundations.rate_limits import limited
from foundations.typed_numbers import number_of


class LookUpKeyForm(forms.Form):
    """The name of a new key."""

    name = forms.CharField(
        label=gettext_lazy("Name of the key"),
        help_text=gettext_lazy("For example the program that uses it."),
        max_length=MOST_CHARACTERS,
        error_messages={"required": gettext_lazy("Enter a name for the key.")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    # Random: two presses of the button send the same one. A request without it is one press.
    form = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)


@require_safe
@customers_only
def keys(request: HttpRequest) -> HttpResponse:
    """Lists the valid keys of the customer."""
    user = cast("User", request.user)
    context = {
        "keys": user.look_up_keys.valid(),
        "may_make": look_up_keys.may_make(user),
        "days": LASTS.days,
    }
    return render(request, "accounts/look_up_keys.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@customers_only
@fresh_code_required
@limited("look_up_key", methods=["POST"], by_user=True, typed=["name", "form"])
def new_key(request: HttpRequest) -> HttpResponse:
    """Asks for a name and makes a key. The answer shows its secret, this once.

    The second press shows the same key.
    """
    user, fresh = cast("User", request.user), token_urlsafe(32)
    posted = request.POST if request.method == "POST" else None
    form = LookUpKeyForm(posted, initial={"form": fresh})
    if not form.is_valid():
        if not look_up_keys.may_make(user):
            return redirect("look_up_keys")
        return render(request, "accounts/new_look_up_key.html", {"form": form})
    asked = form.cleaned_data
    try:
        key, secret = look_up_keys.make(user, asked["name"], asked["form"] or fresh)
    except look_up_keys.NoKeyError:
        return redirect("look_up_keys")
    context = {"key": key, "secret": secret, "base_address": f"{settings.PORTAL_URL}/api/v3/"}
    return render(request, "accounts/made_look_up_key.html", context)


@post_only(page="look_up_keys")
@customers_only
def end_key(request: HttpRequest) -> HttpResponse:
    """Ends one key at once. It needs no fresh code, so that one press is enough."""
    number = number_of(request.POST.get("key", ""))
    if not number:
        raise Http404
    cast("User", request.user).look_up_keys.filter(pk=number).end()
    messages.success(request, _("Ended. The key opens nothing from now on."))
    return redirect("look_up_keys")
