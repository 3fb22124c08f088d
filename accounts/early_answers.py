"""The request of a code by a new visitor, answered before most other middleware.

In a surge nearly all who request a code are new: they send no session. Each of them gets the same
redirect, with a session of their own. So each process keeps the headers with which other middleware
completed the first of these answers, and leaves that middleware out for the next.

Only a plain request is answered here: the form of the sign-in page or of a public page with an
address that raises no question, a valid CSRF token or the browser's word that the form is ours, and
no wait in the waiting room. All others go the long way before a code is counted, sent or stored. So
does a refusal: the view raises its error, and is answered like any other.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, ResponseHeaders
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.translation import get_language_from_path, override

from accounts import code_texts, known_devices, waiting_room
from accounts.codes import SentCode
from accounts.contacts import is_phone
from accounts.domain_typos import suggested_address
from accounts.pending_codes import Purpose
from accounts.typed_contacts import read_contact
from foundations.own_origin import is_from_own_page
from foundations.sessions import SignedSessionMiddleware
from foundations.slow_bodies import read_bodies

LONGEST_BODY = 4_000  # octets; the form of the sign-in page is shorter
LONGEST_CONTACT = 320  # characters, as in the form
PUBLIC_FORM = "sign_in_begin"  # the name of the URL to which public pages post
_FIELDS = {"csrfmiddlewaretoken", "email", "next"}
_URLENCODED = "application/x-www-form-urlencoded"
_ERROR = "_error_of_early_answer"  # the attribute of a request
_MAY_BE_KEPT = "_is_code_sent"  # the attribute of a response

Middleware = Callable[[WSGIRequest], HttpResponseBase]


class KeptRedirect(NamedTuple):
    """The complete headers of a redirect, and whether a form without a CSRF token leads to it."""

    headers: ResponseHeaders
    is_public: bool


class _CsrfCheck(CsrfViewMiddleware):
    """Django's check without its page and its line in the log: the long way has them."""

    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:  # noqa: ARG002
        return HttpResponse(status=403)


def early_answers(get_response: Middleware) -> Middleware:
    """Middleware that begins the sign-in of a new visitor; see above.

    It must come before the middleware that it leaves out, and after what counts each answer.
    """
    kept: dict[str, KeptRedirect] = {}  # by the path that is posted to
    passed_on: Any = get_response  # these two call it for no request
    csrf, sessions = _CsrfCheck(passed_on), SignedSessionMiddleware(passed_on)

    def answer(request: WSGIRequest) -> HttpResponseBase:
        redirect, response = kept[request.path], HttpResponse(status=302)
        response.headers = redirect.headers  # complete: nothing changes them any more
        contact = _admitted(request, response, None if redirect.is_public else csrf)
        if not contact:
            return get_response(request)
        sessions.process_request(request)
        try:
            with override(get_language_from_path(request.path_info)):
                SentCode.begin(request, Purpose.SIGN_IN, contact=contact, next_url="")
            return sessions.process_response(request, response)
        except Exception as error:  # noqa: BLE001  # the view raises it
            setattr(request, _ERROR, error)
            return get_response(request)

    answer_after_body = read_bodies(answer)

    def middleware(request: WSGIRequest) -> HttpResponseBase:
        if request.method != "POST":
            return get_response(request)
        if request.path in kept and _is_plain(request):
            return answer_after_body(request)
        response = get_response(request)
        if getattr(response, _MAY_BE_KEPT, False) and request.resolver_match:
            is_public = request.resolver_match.url_name == PUBLIC_FORM
            kept[request.path] = KeptRedirect(response.headers, is_public)
        return response

    return middleware


def raise_early_error(request: HttpRequest) -> None:
    """Raises the error of an early answer, which the view of this request has to answer."""
    if error := request.__dict__.pop(_ERROR, None):
        raise error


def keep(response: HttpResponse) -> HttpResponse:
    """Marks the redirect after a code was sent, so that its headers may be kept. Returns it."""
    setattr(response, _MAY_BE_KEPT, True)
    return response


def _is_plain(request: HttpRequest) -> bool:
    """Returns whether only the body has to be looked at."""
    meta = request.META
    cookies = {
        settings.CSRF_COOKIE_NAME,
        settings.LANGUAGE_COOKIE_NAME,
        waiting_room.COOKIE,
        known_devices.COOKIE,
    }
    return (
        not meta.get("QUERY_STRING")
        and str(meta.get("CONTENT_TYPE", "")).startswith(_URLENCODED)
        and len(length := str(meta.get("CONTENT_LENGTH", ""))) <= len(str(LONGEST_BODY))
        and length.isdecimal()
        and int(length) <= LONGEST_BODY
        and "HTTP_TRANSFER_ENCODING" not in meta
        and (request.is_secure() or not settings.SECURE_SSL_REDIRECT)
        and request.COOKIES.keys() <= cookies
    )


def _admitted(request: WSGIRequest, response: HttpResponse, csrf: _CsrfCheck | None) -> str:
    """Returns the contact of the form; "" if the request waits, or is not ours or not plain.

    `csrf` is None for the form of a public page. Also returns "" if a check raises: the long way
    raises it again, where the answer gets all headers.
    """
    try:
        request.get_host()  # raises DisallowedHost
        contact = _contact_of(request)  # raises for too many fields
        is_ours = _has_token(csrf, request) if csrf else is_from_own_page(request)
        return contact if contact and is_ours and waiting_room.admit(request, response) else ""
    except Exception:  # noqa: BLE001
        return ""


def _contact_of(request: HttpRequest) -> str:
    """Returns the normalised address that the form holds; "" if the form is not a plain one."""
    form = request.POST
    typed = form.get("email", "").strip()
    if form.get("next") or not form.keys() <= _FIELDS or "\0" in typed:
        return ""
    if not 0 < len(typed) <= LONGEST_CONTACT:
        return ""
    try:
        contact = read_contact(typed, takes_numbers=code_texts.are_offered())
    except ValidationError:
        return ""
    return "" if is_phone(contact) or suggested_address(contact) else contact


def _has_token(csrf: _CsrfCheck, request: HttpRequest) -> bool:
    csrf.process_request(request)
    return csrf.process_view(request, _any_view, (), {}) is None


def _any_view() -> HttpResponse:
    """Stands for a view that is not exempt from the check."""
    return HttpResponse()
