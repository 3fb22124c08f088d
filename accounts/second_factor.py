"""The second factor of the response team: setting it up, and knowing whether it was shown.

Customers have none: their codes open nothing but their own data, and a lost telephone would lock
them out of it.
"""

from functools import wraps
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator

from accounts.step_up import View, fresh_code_required


def was_shown(request: HttpRequest) -> bool:
    """Whether this session's user proved a second factor in this very session."""
    user = request.user if request.user.is_authenticated else None
    return any(entry["method"] == "mfa" for entry in get_authentication_records(request, user))


def is_set_up(user: Any) -> bool:
    """Whether `user` has anything that could be asked for."""
    return bool(is_mfa_enabled(user))


def staff_only(view: View) -> View:
    """404 for customers; strangers are asked to sign in."""

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
        """Records the proof, so that the recovery codes and the desk open without another."""
        response: HttpResponse = super().form_valid(form)
        authenticator = Authenticator.objects.get(
            user=self.request.user, type=Authenticator.Type.TOTP
        )
        record_authentication(
            self.request,
            self.request.user,
            method="mfa",
            id=authenticator.pk,
            type=authenticator.type,
            reauthenticated=True,
        )
        return response
