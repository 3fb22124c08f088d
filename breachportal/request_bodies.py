"""Middleware that limits whose bodies are read, and how large they are."""

import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.team.desk_sessions import is_of_team
from foundations.slow_bodies import leave_unread

# The pages whose bodies nginx passes on as they arrive, so that no file is on its disk.
UNBUFFERED = re.compile(r"/admin/(?:incidents/upload/add|offers/offer/\d+/codes)/", re.ASCII)
# nginx finds the location of a path without these, but passes the path on as it came. A body for
# such a path may therefore come from an unbuffered location. No page has such a path.
_UNTIDY = re.compile(r"//|/\.\.?(/|$)|\n")


def limit_uploads(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that answers 413 for a body that is too large or has no stated length.

    The limit is settings.DATA_UPLOAD_MAX_MEMORY_SIZE in bytes. Django's own limit does not count
    files, and would write any amount of them to the disk. One page of the desk accepts files, up to
    settings.UPLOAD_MAX_BYTES more; see uploads_by_importers.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        is_chunked = bool(request.META.get("HTTP_TRANSFER_ENCODING"))
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if request.path == settings.UPLOAD_PATH:
            most += settings.UPLOAD_MAX_BYTES
        if is_chunked or _length(request) > most:
            return _too_large()
        return get_response(request)

    return middleware


def uploads_by_importers(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that answers 413 for a large body of a user who may not upload.

    The pages of files that nginx does not buffer answer others than the response team as if they
    had sent no body: a few slow bodies of strangers could hold all the slots of slow_bodies.

    Does not read the body. It must come after the authentication middleware, because it needs the
    user. The check of the CSRF token is the first to read a body.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        is_large = _length(request) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        user = request.user
        if is_large and not (user.is_staff and user.has_perm("incidents.add_upload")):
            return _too_large()
        is_unbuffered = UNBUFFERED.fullmatch(request.path) or _UNTIDY.search(request.path)
        if is_unbuffered and _length(request) and not is_of_team(request):
            leave_unread(request)
            response = get_response(request)
            response.headers["Connection"] = "close"
            return response
        return get_response(request)

    return middleware


def _too_large() -> HttpResponse:
    return HttpResponse("413 Content Too Large", status=413, content_type="text/plain")


def _length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0  # Django reads no body then
