"""The second factor of the response team: setting it up, and knowing whether it was shown.

Customers have none: their codes open nothing but their own data, and a lost telephone would lock
them out of it.
"""

from functools import wraps
from typing import Any, cast

from allauth.account import app_settings as allauth_settings
from allauth.account.authentication import get_authentication_records
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator

from accounts import proofs
from accounts.models import User
from accounts.proofs import Proof
from accounts.step_up import View, fresh_code_required


def was_shown(request: HttpRequest) -> bool:
    """Whether the signed-in user showed a second factor in this session, or set one up in it."""
    user = request.user if request.user.is_authenticated else None
    records = get_authentication_records(request, user)
    return proofs.seconds_since(request, Proof.NEW_APP) is not None or any(
        entry["method"] == "mfa" for entry in records
    )


def was_set_up_just_now(request: HttpRequest) -> bool:
    """Whether the signed-in user set an app up so recently that allauth need not ask for it."""
    seconds = proofs.seconds_since(request, Proof.NEW_APP)
    return seconds is not None and seconds < allauth_settings.REAUTHENTICATION_TIMEOUT


def is_set_up(user: Any) -> bool:
    """Whether `user` has a second factor."""
    return bool(is_mfa_enabled(user))


def staff_only(view: View) -> View:
    """Answers customers with 404; asks visitors who are not signed in to sign in."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not request.user.is_staff:
            raise Http404
        return view(request, *args, **kwargs)

    return guarded


@method_decorator([staff_only, fresh_code_required], name="dispatch")
class SetUpView(ActivateTOTPView):
    """allauth's set-up of an authenticator app; finishing it counts as showing it.

    The code typed there comes from the device at that moment, which is all that a sign-in would
    ask for again. An old open session cannot be used for it: the mailbox has to answer first.
    """

    def form_valid(self, form: Any) -> HttpResponse:
        """Records the proof, so that the recovery codes and the desk open without another code."""
        response: HttpResponse = super().form_valid(form)
        proofs.record(self.request, cast("User", self.request.user), Proof.NEW_APP)
        return response
