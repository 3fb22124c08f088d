"""The second factor of the response team: its set-up, and whether it is verified in a session.

Customers have none, because their sign-in codes give access to their own data only, and a lost
phone would lock them out.
"""

from functools import wraps
from typing import Any, cast

from allauth.account import app_settings as allauth_settings
from allauth.account.authentication import get_authentication_records
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.utils import is_mfa_enabled
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.decorators import method_decorator

from accounts import page_budgets, proofs
from accounts.audit import actors
from accounts.ended_sessions import View
from accounts.models import User
from accounts.proofs import Proof
from accounts.step_up import fresh_code_to_open
from accounts.team import desk_sessions
from foundations.desk_pages import in_desk_language


def is_second_factor_verified(request: HttpRequest) -> bool:
    """Returns whether the signed-in user gave or set up a second factor in this session.

    One that the company's provider asked for counts if the settings accept it.
    """
    user = request.user if request.user.is_authenticated else None
    records = get_authentication_records(request, user)
    of_session = (Proof.NEW_APP, Proof.COMPANY_FACTOR)
    return any(proofs.seconds_since(request, proof) is not None for proof in of_session) or any(
        entry["method"] == "mfa" for entry in records
    )


def was_set_up_just_now(request: HttpRequest) -> bool:
    """Returns whether the signed-in user set up an app within allauth's reauthentication time."""
    seconds = proofs.seconds_since(request, Proof.NEW_APP)
    return seconds is not None and seconds < allauth_settings.REAUTHENTICATION_TIMEOUT


def has_second_factor(user: Any) -> bool:
    """Returns whether `user` has a second factor."""
    return bool(is_mfa_enabled(user))


def staff_only(view: View) -> View:
    """Decorates a view for staff: customers get 404, other visitors are asked to sign in.

    It is shown in a language of the desk.
    """

    @login_required
    @in_desk_language
    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not request.user.is_staff:
            raise Http404
        if desk_sessions.has_ended(request):
            return desk_sessions.end(request)
        if refusal := page_budgets.refusal_of_own_page(request):
            return refusal
        with actors.acting(request.user):
            return view(request, *args, **kwargs)

    return guarded


def company_factor_first(view: View) -> View:
    """Decorates the set-up of a second factor of one's own.

    If the provider's factor opens the desk for the user, or did, it is needed for the first own one
    as well. Otherwise the mailbox alone would open the desk.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        user: Any = request.user
        provider = settings.COMPANY_SIGN_ON.get("staff") or {}
        # A removed one counts: a removal takes access away, and gives the mailbox none.
        is_by_company = provider.get("second_factors") and user.company_identities.exists()
        is_given = proofs.seconds_since(request, Proof.COMPANY_FACTOR) is not None
        if is_by_company and not is_given and not has_second_factor(user):
            return redirect_to_login(request.path, reverse("company_sign_on", args=["staff"]))
        return view(request, *args, **kwargs)

    return guarded


@method_decorator(
    [staff_only, company_factor_first, fresh_code_to_open(Proof.APP_PAGE)], name="dispatch"
)
class SetUpView(ActivateTOTPView):
    """allauth's set-up of an authenticator app. A completed set-up counts as a verification.

    The user types a code from the device there, and a sign-in would ask for the same. The set-up
    needs a fresh sign-in or step-up code, so that an old open session is not enough.
    """

    def form_valid(self, form: Any) -> HttpResponse:
        """Records the proof, so that the recovery codes and the desk need no further code."""
        response: HttpResponse = super().form_valid(form)
        proofs.record(self.request, cast("User", self.request.user), Proof.NEW_APP)
        return response


@method_decorator(staff_only, name="dispatch")
class RemoveView(DeactivateTOTPView):
    """allauth's removal of an authenticator app. It ends the user's other sessions."""

    def form_valid(self, form: Any) -> HttpResponse:
        """Removes the app, and ends the sessions that it may have opened."""
        response: HttpResponse = super().form_valid(form)
        end_other_sessions(self.request, cast("User", self.request.user))
        return response


def end_other_sessions(request: HttpRequest, user: User) -> None:
    """Ends all sessions of `user` except the one of `request`, and the user's look-up keys.

    A person with the lost or stolen device may be signed in in one of them.
    """
    current_key = request.session.session_key
    for session in UserSession.objects.filter(user=user).exclude(session_key=current_key):
        session.end()
    user.look_up_keys.end()
    # Django binds each session to the password, so this also ends sessions without a listed row.
    user.set_unusable_password()
    user.save(update_fields=["password"])
    if user.pk == request.user.pk:
        update_session_auth_hash(request, user)
