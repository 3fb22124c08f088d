"""A fresh code before something that a forgotten open session must not do.

allauth's own reauthentication lets users pass who have neither a password nor a second factor,
and that is every customer here.
"""

import time
from collections.abc import Callable
from functools import wraps

from allauth.account.internal.flows.login import get_authentication_records, record_authentication
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from accounts.models import User

View = Callable[..., HttpResponseBase]


def record_step_up(request: HttpRequest, user: User) -> None:
    """Notes that `user`, signed in to this session, has just proven to read their mail.

    Not as allauth's `reauthenticated`: for staff that would open the recovery codes without the
    second factor.
    """
    record_authentication(request, user, method="code", step_up=True)


def is_stepped_up(request: HttpRequest) -> bool:
    """Whether a code asked for by step-up came back in the last settings.STEP_UP_MINUTES."""
    return any(entry.get("step_up") for entry in _fresh_codes(request))


def has_fresh_code(request: HttpRequest) -> bool:
    """As is_stepped_up, but the code of a sign-in just now counts too."""
    return bool(_fresh_codes(request))


def step_up_required(view: View) -> View:
    """Sends the visitor to `step_up` first, and back by GET: what was posted is not kept."""
    return _unless(is_stepped_up, view)


def fresh_code_required(view: View) -> View:
    """As step_up_required, satisfied by a sign-in of the last minutes."""
    return _unless(has_fresh_code, view)


def _fresh_codes(request: HttpRequest) -> list[dict[str, object]]:
    user = request.user if request.user.is_authenticated else None
    oldest = time.time() - settings.STEP_UP_MINUTES * 60
    return [
        entry
        for entry in get_authentication_records(request, user)
        if entry["method"] == "code" and entry["at"] > oldest
    ]


def _unless(is_proven: Callable[[HttpRequest], bool], view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not is_proven(request):
            return redirect_to_login(request.get_full_path(), login_url=reverse("step_up"))
        return view(request, *args, **kwargs)

    return guarded
