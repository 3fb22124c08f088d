"""What the pages that take a code have in common: their context, and the answers to refusals."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts import codes
from accounts.code_limits import TooManyRequestsError
from accounts.codes import SentCode
from accounts.contacts import is_phone, readable_contact
from accounts.ended_sessions import View
from accounts.forms import CodeForm
from accounts.pending_codes import Purpose
from accounts.typed_contacts import is_like_a_number
from foundations.rate_limits import too_many_requests
from foundations.unbroken import breakable

_REFUSALS: dict[type[Exception], tuple[str, int]] = {
    codes.ResendLimitError: ("accounts/resend_limit.html", 429),
    codes.CodeNotSentError: ("accounts/code_not_sent.html", 503),
    codes.CodeExpiredError: ("accounts/code_expired.html", 410),
    codes.CodeTriesExhaustedError: ("accounts/code_tries_exhausted.html", 403),
}
_RETRY_SECONDS = 60  # in the header Retry-After


def explain_refusals(
    purpose: Purpose, *, start: str, enter: str, resend: str
) -> Callable[[View], View]:
    """Returns a decorator that answers an exception of `codes` with its page.

    `start`, `enter` and `resend` are the names of the URLs to which the page links: to begin again,
    to enter the code and to request a new one.
    """

    def decorator(view: View) -> View:
        @wraps(view)
        def explained(request: HttpRequest) -> HttpResponseBase:
            try:
                return view(request)
            except codes.CodeUsedError:  # the user pressed the button twice
                return redirect(start)
            except TooManyRequestsError as error:
                refused = {"reason": error.reason, "try_again": _kept_form(request)}
                return too_many_requests(request, error.wait_seconds, refused)
            except tuple(_REFUSALS) as error:
                template, status = _REFUSALS[type(error)]
                context: dict[str, Any] = {
                    "start_url": reverse(start),
                    "code_url": reverse(enter),
                    "again_url": reverse(resend),
                    "minutes": settings.SIGN_IN_CODE_MINUTES,
                    "contact": request.POST.get("email", ""),
                    "is_by_text": _is_about_number(request, purpose),
                    "try_again": _kept_form(request),
                }
                response = render(request, template, context, status=status)
                if status in (429, 503):
                    response["Retry-After"] = str(_RETRY_SECONDS)
                return response

        return explained

    return decorator


def _is_about_number(request: HttpRequest, purpose: Purpose) -> bool:
    """Returns whether the posted contact, or the one whose code is pending, is a number."""
    process = SentCode.pending(request, purpose)
    contact = process.contact if process else request.POST.get("email", "")
    return is_phone(contact) or is_like_a_number(contact)


def _kept_form(request: HttpRequest) -> list[tuple[str, str]]:
    """Returns the fields that were posted, for a form that posts them again."""
    names = ("email", "is_as_typed", "next", "code")
    return [(name, request.POST[name]) for name in names if name in request.POST]


def posted(request: HttpRequest) -> QueryDict | None:
    """Returns the posted fields, or None for another method: what a form is made with."""
    return request.POST if request.method == "POST" else None


def code_page(process: SentCode, form: CodeForm) -> dict[str, Any]:
    """Returns the context of a page on which a code is entered."""
    wait = process.next_mail_seconds
    return {
        "form": form,
        "contact": process.contact,
        "shown_contact": breakable(readable_contact(process.contact)),
        "is_by_text": form.is_by_text,
        "wait": wait,
        "wait_minutes": -(-wait // 60),
    }
