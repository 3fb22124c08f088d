"""The answer to a form that is sent after its session ended.

Nothing is changed. The visitor reads why, signs in, and comes back to the page of the form. A form
without personal data can have its choices kept, for the page to show them ticked again.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.utils import get_next_redirect_url
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts import page_budgets

View = Callable[..., HttpResponseBase]
KEPT_SECONDS = 60 * 60
_KEY = "accounts_kept_choices"
_SESSION_ENDED = _(
    "Your sign-in had ended, so nothing was changed. Sign in again, and you come back to where you "
    "were."
)
Choices = dict[str, list[str]]


def sign_in_required(
    *, page: str = "", keep: Callable[[QueryDict], Choices] | None = None
) -> Callable[[View], View]:
    """Returns a decorator for a view that needs a signed-in user.

    A user who used up the budget for own pages gets 429 (accounts.page_budgets).

    Other visitors sign in and come back: to the posted field `next`, or to the URL named `page`, or
    to the view's own URL. `page` is needed if the view answers POST only. `keep` returns the
    choices of the posted form that are kept for `kept_choices`. They must contain nothing personal,
    because another person may sign in next.
    """

    def decorator(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.user.is_authenticated:
                refusal = page_budgets.refusal_of_own_page(request)
                return refusal or view(request, *args, **kwargs)
            back = reverse(page) if page else request.get_full_path()
            if request.method == "POST":
                back = get_next_redirect_url(request) or back
                messages.warning(request, _SESSION_ENDED)
            if request.method == "POST" and keep:
                request.session[_KEY] = {"at": time.time(), "choices": keep(request.POST)}
            return redirect_to_login(back)

        return guarded

    return decorator


def kept_choices(request: HttpRequest) -> Choices | None:
    """Returns the choices that were kept of a form in the last KEPT_SECONDS."""
    kept = request.session.get(_KEY)
    if not kept or time.time() - kept["at"] > KEPT_SECONDS:
        return None
    return dict(kept["choices"])


def forget_choices(request: HttpRequest) -> None:
    """Forgets the kept choices, because the form was sent again."""
    request.session.pop(_KEY, None)
