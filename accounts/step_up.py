"""Step-up: a fresh code before an action for which an old open session is not enough.

allauth's own reauthentication accepts users without password and second factor, and here that is
every customer.
"""

from collections.abc import Callable
from functools import wraps
from typing import cast

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from accounts import proofs
from accounts.ended_sessions import View, sign_in_required
from accounts.models import User
from accounts.proofs import Proof

# To install an app or to fetch a security key; as long as an idle session of the desk lasts.
SET_UP_MINUTES = 30


def record_step_up(request: HttpRequest, user: User) -> None:
    """Records that the signed-in `user` has just entered a step-up code.

    It is not recorded as a reauthentication of allauth, because staff could then see the recovery
    codes without the second factor.
    """
    proofs.record(request, user, Proof.STEP_UP_CODE)


def is_stepped_up(request: HttpRequest) -> bool:
    """Returns whether the user entered a step-up code in the last settings.STEP_UP_MINUTES."""
    return _is_fresh(request, Proof.STEP_UP_CODE)


def has_fresh_code(request: HttpRequest) -> bool:
    """Returns whether the user gave a step-up or sign-in code in the last STEP_UP_MINUTES.

    A passkey counts as a code.
    """
    of_sign_in = (Proof.SIGN_IN_CODE, Proof.SIGN_IN_PASSKEY)
    return is_stepped_up(request) or any(_is_fresh(request, proof) for proof in of_sign_in)


def step_up_required(view: View) -> View:
    """Decorates a view that needs a step-up code in the last settings.STEP_UP_MINUTES.

    Redirects to the page `step_up` first. That page redirects back with GET, so the data of a POST
    is lost.
    """
    return _unless(is_stepped_up, view)


def fresh_code_required(view: View) -> View:
    """Decorates a view as `step_up_required` does, but also accepts a recent sign-in code."""
    return _unless(has_fresh_code, view)


def fresh_code_to_open(page: Proof) -> Callable[[View], View]:
    """Decorates the set-up of a second factor: the page needs a fresh code to open.

    `page` is the proof that this page was opened. Its form is taken for SET_UP_MINUTES, and that of
    no other page. Else a person who installs an app first would have to enter another code, and
    then to scan another key.
    """

    def may_set_up(request: HttpRequest) -> bool:
        is_open = _is_fresh(request, page, minutes=SET_UP_MINUTES)
        return has_fresh_code(request) or (request.method == "POST" and is_open)

    def decorated(view: View) -> View:
        @wraps(view)
        def recording(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if has_fresh_code(request):
                proofs.record(request, cast("User", request.user), page)
            return view(request, *args, **kwargs)

        return _unless(may_set_up, recording)

    return decorated


def _is_fresh(request: HttpRequest, proof: Proof, *, minutes: int = 0) -> bool:
    """Returns whether the user gave `proof` within these minutes, by default STEP_UP_MINUTES."""
    seconds = proofs.seconds_since(request, proof)
    return seconds is not None and seconds < (minutes or settings.STEP_UP_MINUTES) * 60


def _unless(is_proven: Callable[[HttpRequest], bool], view: View) -> View:
    @sign_in_required()
    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not is_proven(request):
            return redirect_to_login(request.get_full_path(), login_url=reverse("step_up"))
        return view(request, *args, **kwargs)

    return guarded
