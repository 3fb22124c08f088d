"""A fresh code before something that a forgotten open session must not do.

allauth's own reauthentication lets users pass who have neither a password nor a second factor,
and that is every customer here.
"""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from accounts import proofs
from accounts.models import User
from accounts.proofs import Proof

View = Callable[..., HttpResponseBase]


def record_step_up(request: HttpRequest, user: User) -> None:
    """Records that `user`, who is signed in to this session, has just proved to read their mail.

    allauth does not count it as a reauthentication: for staff that would open the recovery codes
    without the second factor.
    """
    proofs.record(request, user, Proof.STEP_UP_CODE)


def is_stepped_up(request: HttpRequest) -> bool:
    """Whether a code of step-up was entered in the last settings.STEP_UP_MINUTES minutes."""
    return _is_fresh(request, Proof.STEP_UP_CODE)


def has_fresh_code(request: HttpRequest) -> bool:
    """As is_stepped_up, but the code of a sign-in counts too."""
    return is_stepped_up(request) or _is_fresh(request, Proof.SIGN_IN_CODE)


def step_up_required(view: View) -> View:
    """Redirects to `step_up` first, and back by GET: the data of a POST is not kept."""
    return _unless(is_stepped_up, view)


def fresh_code_required(view: View) -> View:
    """As step_up_required; a sign-in in the last minutes is enough too."""
    return _unless(has_fresh_code, view)


def _is_fresh(request: HttpRequest, proof: Proof) -> bool:
    seconds = proofs.seconds_since(request, proof)
    return seconds is not None and seconds < settings.STEP_UP_MINUTES * 60


def _unless(is_proven: Callable[[HttpRequest], bool], view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not is_proven(request):
            return redirect_to_login(request.get_full_path(), login_url=reverse("step_up"))
        return view(request, *args, **kwargs)

    return guarded
