"""The answer to a form, shown by GET: it is kept in the session for one page view.

A browser keeps a page that answered a POST in its history as that POST, and our pages are
`no-store`. So on the way back the browser has only its own page on sending the form again. Here the
browser is redirected to the URL of the form, and gets the answer there, once. After that the view
answers the GET.

An answer can hold what the portal stores nowhere in clear, such as the secret of a new key. So the
session holds it encrypted, under a key that only a cookie of the browser has. Both are deleted when
the answer is shown.

Only a browser that shows a page of ours is redirected: it says so in the headers of `own_origin`
and in `Sec-Fetch-Mode`. Programs get the answer to their POST at once. See docs/decisions/0132.
"""

import base64
import time
import zlib
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase

from foundations.database_away import DatabaseAwayResponse
from foundations.desk_pages import is_desk_page
from foundations.own_origin import is_from_own_page
from foundations.page_cache import is_for_public_page
from foundations.rate_limits import seconds_to_wait

Response = TypeVar("Response", bound=HttpResponseBase)
KEPT_SECONDS = 60
MOST_OCTETS = 256 * 1024  # of a page
COOKIE = "kept_answer"  # its value is the key of the answer
_KEY = "kept_answer"  # in the session
_NONCE = bytes(12)  # each answer has a key of its own
_IN_PLACE = "_answers_in_place"  # the attribute of a response


class KeptAnswer(NamedTuple):
    """The answer to a form, as the session holds it."""

    at: float  # seconds since the epoch
    path: str  # with the query
    status: int
    headers: list[list[str]]
    content: str  # deflated, encrypted, in base64

    def response(self, key: str) -> HttpResponse | None:
        """Returns the answer as it was made, without its cookie; None if `key` is not its key."""
        try:
            sealed = base64.b64decode(self.content)
            content = AESGCM(base64.b64decode(key)).decrypt(_NONCE, sealed, self.path.encode())
        except (ValueError, InvalidTag):
            return None
        headers = dict(self.headers)
        response = HttpResponse(zlib.decompress(content), status=self.status, headers=headers)
        response.delete_cookie(COOKIE, samesite="Lax")
        return response


def show_by_get(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that redirects a browser from the answer to its form, and then shows the answer.

    It needs the session. A redirect, a file and an answer that the browser keeps pass, and the
    pages of the desk. The browser itself keeps the page of a failure, which says nothing of a
    person and when the session may not be writable, and a public page in another language.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if not _is_shown_in_browser(request):
            return get_response(request)
        is_public = is_for_public_page(request)  # it reads no session
        if request.method == "GET":
            return (not is_public and _kept_for(request)) or get_response(request)
        is_form = request.method == "POST" and is_from_own_page(request)
        response = get_response(request)
        if is_form and (is_public or _is_failure(response)):
            return kept_by_browser(response)
        if is_form and _may_be_kept(response) and _has_room(request):
            return _kept(request, response)
        return response

    return middleware


def kept_by_browser(response: Response) -> Response:
    """Marks an answer that the browser may store, for its Back, and the portal may not."""
    response.headers["Cache-Control"] = "private, no-cache"
    setattr(response, _IN_PLACE, True)
    return response


def _is_shown_in_browser(request: HttpRequest) -> bool:
    """Returns whether a browser shows the answer as a page, which is none of the desk."""
    is_navigation = request.headers.get("Sec-Fetch-Mode") == "navigate"
    return is_navigation and not is_desk_page(request.path_info)


def _kept_for(request: HttpRequest) -> HttpResponse | None:
    """Returns the answer that is kept for this URL, and forgets it; None if there is none."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or _KEY not in request.session:
        return None
    kept = KeptAnswer(*request.session[_KEY])
    is_old = time.time() - kept.at > KEPT_SECONDS
    if kept.path != request.get_full_path() and not is_old:
        return None  # it is for another tab
    del request.session[_KEY]
    if not request.session.keys():  # it was begun for this answer
        request.session.flush()
    return None if is_old else kept.response(request.COOKIES.get(COOKIE, ""))


def _is_failure(response: HttpResponseBase) -> bool:
    """Returns whether it is the page of an exception, not the answer of a view."""
    return isinstance(response, DatabaseAwayResponse) or response.status_code == 500


def _may_be_kept(response: HttpResponseBase) -> bool:
    return (
        isinstance(response, HttpResponse)
        and not 300 <= response.status_code < 400
        and response.headers.get("Content-Type", "").startswith("text/html")
        and "Content-Disposition" not in response.headers
        and len(response.content) <= MOST_OCTETS
        and not hasattr(response, _IN_PLACE)
    )


def _has_room(request: HttpRequest) -> bool:
    """Returns whether the visitor's session may keep one more, or the network begin a session."""
    if key := request.session.session_key:
        return not seconds_to_wait(request, "kept_answer_of_session", key=f"session:{key}")
    return bool(request.session.keys()) or not seconds_to_wait(request, "kept_answer")


def _kept(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Keeps the answer and returns the redirect to it, with its key and cookies."""
    key, path = AESGCM.generate_key(256), request.get_full_path()
    sealed = AESGCM(key).encrypt(_NONCE, zlib.compress(response.content), path.encode())
    content = base64.b64encode(sealed).decode()
    headers = [[name, value] for name, value in response.headers.items()]
    request.session[_KEY] = KeptAnswer(time.time(), path, response.status_code, headers, content)
    redirect = HttpResponseRedirect(path)
    redirect.status_code = 303  # See Other: the browser asks by GET
    redirect.cookies = response.cookies
    redirect.set_cookie(
        COOKIE,
        base64.b64encode(key).decode(),
        max_age=KEPT_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return redirect
