"""The answer to a form, shown by GET: it is kept in the session for one page view.

A browser keeps a page that answered a POST in its history as that POST, and our pages are
`no-store`. So on the way back the browser has only its own page on sending the form again. Here the
browser is redirected to the URL of the form, and gets the answer there, once. After that the view
answers the GET.

Only a browser that shows a page of ours is redirected: it says so in the headers of `own_origin`
and in `Sec-Fetch-Mode`. Programs get the answer to their POST at once. See docs/decisions/0132.
"""

import base64
import time
import zlib
from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase

from foundations.desk_pages import is_desk_page
from foundations.own_origin import is_from_own_page
from foundations.page_cache import is_for_public_page
from foundations.rate_limits import seconds_to_wait

View = Callable[..., HttpResponseBase]
Response = TypeVar("Response", bound=HttpResponseBase)
KEPT_SECONDS = 60
MOST_OCTETS = 256 * 1024  # of a page
_KEY = "kept_answer"  # in the session
_IN_PLACE = "_answers_in_place"  # the attribute of a response


class KeptAnswer(NamedTuple):
    """The answer to a form, as the session holds it."""

    at: float  # seconds since the epoch
    path: str  # with the query
    status: int
    headers: list[list[str]]
    content: str  # deflated, in base64

    def response(self) -> HttpResponse:
        """Returns the answer as it was made."""
        content = zlib.decompress(base64.b64decode(self.content))
        return HttpResponse(content, status=self.status, headers=dict(self.headers))


def show_by_get(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that redirects a browser from the answer to its form, and then shows the answer.

    It needs the session. A redirect, a file, an answer of the status 500 or more (the session may
    not be writable then) and one that is marked by `in_place` pass. So do the pages of the desk.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if not _is_shown_in_browser(request):
            return get_response(request)
        if request.method == "GET":
            return _kept_for(request) or get_response(request)
        is_form = request.method == "POST" and is_from_own_page(request)
        response = get_response(request)
        if is_form and _may_be_kept(response) and _has_room(request):
            return _kept(request, response)
        return response

    return middleware


def answered_in_place(view: View) -> View:
    """Decorates a view whose answers may not be stored, such as those with a pasted text."""

    @wraps(view)
    def answering(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return in_place(view(request, *args, **kwargs))

    return answering


def in_place(response: Response) -> Response:
    """Marks an answer to a form that may not be stored. Returns it."""
    setattr(response, _IN_PLACE, True)
    return response


def kept_by_browser(response: Response) -> Response:
    """Marks an answer that the browser may store, for its Back, and the portal may not."""
    response.headers["Cache-Control"] = "private, no-cache"
    return in_place(response)


def _is_shown_in_browser(request: HttpRequest) -> bool:
    """Returns whether the request is for a page that reads the session, and not of the desk."""
    is_navigation = request.headers.get("Sec-Fetch-Mode") == "navigate"
    is_other = is_desk_page(request.path_info) or is_for_public_page(request)
    return is_navigation and not is_other


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
    return None if is_old else kept.response()


def _may_be_kept(response: HttpResponseBase) -> bool:
    return (
        isinstance(response, HttpResponse)
        and not 300 <= response.status_code < 400
        and response.status_code < 500
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
    """Keeps the answer and returns the redirect to it, with the cookies of the answer."""
    content = base64.b64encode(zlib.compress(response.content)).decode()
    headers = [[name, value] for name, value in response.headers.items()]
    path = request.get_full_path()
    request.session[_KEY] = KeptAnswer(time.time(), path, response.status_code, headers, content)
    redirect = HttpResponseRedirect(path)
    redirect.status_code = 303  # See Other: the browser asks by GET
    redirect.cookies = response.cookies
    return redirect
