"""What holds for every request and every response."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in ("camera", "geolocation", "microphone", "payment", "usb", "browsing-topics")
)


def response_headers(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Sets the Permissions-Policy, and `no-store` on all that no view declared cacheable.

    Nearly every page of the portal holds somebody's data, so a page is private unless it says
    otherwise (statements.public.public_page).
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers["Permissions-Policy"] = PERMISSIONS_POLICY
        response.headers.setdefault("Cache-Control", "private, no-store")
        if "public" in response.headers["Cache-Control"]:
            _forget_who_asked(response)
        return response

    return middleware


def _forget_who_asked(response: HttpResponse) -> None:
    """A malformed session cookie is answered with its deletion, even where no view looked."""
    response.cookies.clear()
    varies = [name.strip() for name in response.headers.get("Vary", "").split(",")]
    kept = [name for name in varies if name and name.lower() != "cookie"]
    if kept:
        response.headers["Vary"] = ", ".join(kept)
    else:
        response.headers.pop("Vary", None)


def limit_uploads(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """413 for a body above settings.DATA_UPLOAD_MAX_MEMORY_SIZE or of unknown length.

    Django's own limit leaves files out, and would write any amount of them to the disk. One page
    of the desk takes files, up to settings.UPLOAD_MAX_BYTES; see uploads_by_importers.
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
    """413 for a large body by anybody who may not upload, before a byte of it is read.

    To stand after authentication: what reads a body first is the check of its CSRF token.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        is_large = _length(request) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        user = request.user
        if is_large and not (user.is_staff and user.has_perm("incidents.add_upload")):
            return _too_large()
        return get_response(request)

    return middleware


def _too_large() -> HttpResponse:
    return HttpResponse("413 Content Too Large", status=413, content_type="text/plain")


def _length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0  # as Django reads it: no body
