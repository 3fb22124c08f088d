"""Public pages as this process last rendered them: a nation may ask for one at the same time.

A page is kept for settings.PUBLIC_PAGE_SECONDS and then rendered anew, whatever happened meanwhile.
So nothing has to say what a page depends on, no edit can be forgotten, and no process shows words
older than that. Publishing forgets them at once in its own process (`forget`).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, ResponseHeaders
from django.utils.cache import get_conditional_response, set_response_etag
from django.utils.http import http_date
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

P = ParamSpec("P")
# Caches in front answer for a minute, go on answering while they fetch anew, and if we are away.
DAY = 60 * 60 * 24  # seconds
CACHE_CONTROL = f"public, max-age=60, stale-while-revalidate=600, stale-if-error={DAY}"
MOST_PAGES = 1_000  # of some 20 KB each; there are not as many addresses, if nobody invents any
RENDERING_SECONDS = 5  # in which the others of this process answer with the page as it was
UNSEEN_SECONDS = 30 * DAY  # after which it is forgotten since when a page reads as it does


class NotPublicError(RuntimeError):
    """A public page looked at who is asking, or set a cookie: a mistake in the view's code."""


def public_page(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """A view whose answer depends on its path alone; the middleware below keeps it.

    Raises NotPublicError rather than answer if the view or its template touched the session, the
    user, the CSRF token or the query: a cache would hand one person's page to everyone.
    """

    @require_safe
    @wraps(view)
    def page(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        request.__dict__.pop("GET", None)  # what Django itself read of it
        response = view(request, *args, **kwargs)
        if "GET" in request.__dict__:
            raise NotPublicError(f"{request.path} looked at its query")
        if request.session.accessed or request.META.get("CSRF_COOKIE_NEEDS_UPDATE"):
            raise NotPublicError(f"{request.path} looked at the session or the CSRF token")
        if response.cookies or response.has_header("Vary"):
            raise NotPublicError(f"{request.path} sets a cookie or varies")
        response.headers["Cache-Control"] = CACHE_CONTROL
        return response

    return page


@dataclass
class Page:
    """A rendered page and its headers, ready to be sent to anybody."""

    content: bytes
    headers: ResponseHeaders  # of every answer alike: this middleware is the outermost
    etag: str
    modified_at: int  # seconds since the epoch
    rendered_at: float = field(default_factory=time.monotonic)
    fresh_until: float = 0.0

    def answer(self, request: HttpRequest) -> HttpResponseBase | None:
        """The page, or 304 if that is what the reader has already."""
        response = HttpResponse(self.content)
        response.headers = self.headers
        meta = request.META
        if "HTTP_IF_NONE_MATCH" in meta or "HTTP_IF_MODIFIED_SINCE" in meta:
            return get_conditional_response(request, self.etag, self.modified_at, response)
        return response


_pages: dict[str, Page] = {}
_forgotten = 0  # how often; a page whose rendering began before the last time is not kept


def forget() -> None:
    """What this process publishes shows in its next answer."""
    global _forgotten
    _forgotten += 1
    _pages.clear()


def public_pages(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponseBase | None]:
    """Answers with a page that is kept, else keeps what `public_page` marked so.

    Only the path decides: a public page does not look at its query, so inventing one is no way to
    have it rendered each time. If rendering fails, the page stands as it was, for a day: a notice
    does not vanish with the database.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase | None:
        is_redirected = settings.SECURE_SSL_REDIRECT and not request.is_secure()
        if is_redirected or request.method not in ("GET", "HEAD"):
            return get_response(request)
        kept, now = _pages.get(request.path), time.monotonic()
        if kept is None:
            return _rendered(request, get_response)
        request.get_host()  # as every other request: an unknown host is refused
        if now < kept.fresh_until:
            return kept.answer(request)
        kept.fresh_until = now + RENDERING_SECONDS
        return _rendered(request, get_response)

    return middleware


def _rendered(
    request: HttpRequest, get_response: Callable[[HttpRequest], HttpResponse]
) -> HttpResponseBase | None:
    path, forgotten = request.path, _forgotten
    response = get_response(request)
    kept = _pages.get(path)
    if kept and response.status_code >= 500 and time.monotonic() < kept.rendered_at + DAY:
        return kept.answer(request)
    if response.status_code != 200 or response.get("Cache-Control") != CACHE_CONTROL:
        _pages.pop(path, None)
        return response
    page = _page(path, response)
    _keep(path, page)
    if forgotten != _forgotten:  # published while this was rendered
        _pages.pop(path, None)
    return page.answer(request)


def _page(path: str, response: HttpResponse) -> Page:
    set_response_etag(response)
    etag = response["ETag"]
    modified_at = _modified_at(path, etag)
    response["Last-Modified"] = http_date(modified_at)
    return Page(response.content, response.headers, etag, modified_at)


def _keep(path: str, page: Page) -> None:
    if len(_pages) >= MOST_PAGES:
        _pages.clear()
    page.fresh_until = page.rendered_at + settings.PUBLIC_PAGE_SECONDS
    _pages[path] = page


def _modified_at(path: str, etag: str) -> int:
    """When the page was first seen to read as it does now, by any process.

    Without Redis it is now: a reader then gets once more what they have, never what is outdated.
    """
    key, now = f"public-page:{path}", int(time.time())
    try:
        known_etag, since = cache.get(key, ("", now))
        if known_etag == etag:
            return int(since)
        cache.set(key, (etag, now), UNSEEN_SECONDS)
    except RedisError:
        pass
    return now
