"""The page cache: public pages as bytes, as this process last rendered them.

Tens of millions of people may request a page at the same time. A page is cached for
settings.PUBLIC_PAGE_SECONDS and then rendered again. Therefore the code does not track what a page
depends on, no edit is missed, and no process shows a page that is older than that while it can
render. Publishing clears the cache of its own process at once (`forget`).
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
from django.urls import Resolver404, resolve
from django.utils.cache import get_conditional_response, set_response_etag
from django.utils.http import http_date
from django.utils.translation import get_language_from_path, override
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from foundations import page_parts, replica
from foundations.database_away import DatabaseAwayResponse
from foundations.page_parts import may_answer_from_memory

P = ParamSpec("P")
# Proxies may answer for a minute, and longer while they revalidate or while the portal fails.
DAY = 60 * 60 * 24  # seconds
CACHE_CONTROL = f"public, max-age=60, stale-while-revalidate=600, stale-if-error={DAY}"
MOST_PAGES = 1_000  # about 20 KB each; there are fewer public URLs unless a client invents some
RENDERING_SECONDS = 5  # in which other threads of this process answer with the old page
AWAY_SECONDS = 2  # in which a page is not rendered again after the database did not answer
UNSEEN_SECONDS = 30 * DAY  # for which the time of a page's last change is stored


class NotPublicError(RuntimeError):
    """A public page read something of its visitor or set a cookie: a fault in the view."""


def public_page(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Decorates a view with a response that depends on its path only; `public_pages` caches it.

    The decorated view raises NotPublicError if the view or its template read the session, the user,
    the CSRF token or the query, because a cache would show the page of one person to all visitors.
    """

    @require_safe
    @wraps(view)
    def page(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        request.__dict__.pop("GET", None)  # Django's own middleware may have read it
        response = replica.read(lambda: view(request, *args, **kwargs))
        if "GET" in request.__dict__:
            raise NotPublicError(f"{request.path} looked at its query")
        if request.session.accessed or request.META.get("CSRF_COOKIE_NEEDS_UPDATE"):
            raise NotPublicError(f"{request.path} looked at the session or the CSRF token")
        if response.cookies or response.has_header("Vary"):
            raise NotPublicError(f"{request.path} sets a cookie or varies")
        response.headers["Cache-Control"] = CACHE_CONTROL
        # For the own nginx only, which removes it. A page without it is not kept there.
        response.headers["X-Accel-Expires"] = str(settings.PUBLIC_PAGE_SECONDS)
        return response

    page.__dict__["is_public_page"] = True
    return page


@dataclass
class CachedPage:
    """A rendered page with its headers, the same for every visitor."""

    content: bytes
    headers: ResponseHeaders  # complete, because this middleware is the outermost
    etag: str
    modified_at: int  # seconds since the epoch
    rendered_at: float = field(default_factory=time.monotonic)
    fresh_until: float = 0.0

    def response(self, request: HttpRequest) -> HttpResponseBase | None:
        """Returns the page, or 304 if the browser has it already."""
        response = HttpResponse(self.content)
        response.headers = self.headers
        meta = request.META
        if "HTTP_IF_NONE_MATCH" in meta or "HTTP_IF_MODIFIED_SINCE" in meta:
            return get_conditional_response(request, self.etag, self.modified_at, response)
        return response


_pages: dict[str, CachedPage] = {}
# The number of calls of `forget`. A page is not cached if its rendering began before the last call.
_forgotten = 0


def forget() -> None:
    """Clears the page cache and the kept parts of this process.

    Its next response shows what it published.
    """
    global _forgotten
    _forgotten += 1
    _pages.clear()
    page_parts.forget()
    replica.forget()


def public_pages(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponseBase | None]:
    """Middleware that answers with a cached page, and caches the pages of `public_page` views.

    The key is the path only. A public page does not read its query, so a client cannot force a
    rendering by changing the query. It does not see the visitor's cookies either: Django's own
    middleware reacts to a malformed one, so a visitor could make the rendering fail. Only while the
    database does not answer, the middleware answers with the old page, for a day at most, so that a
    notice stays readable.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase | None:
        if not may_answer_from_memory(request):
            return get_response(request)
        cached, now = _pages.get(request.path), time.monotonic()
        if cached is None:
            return _render(request, get_response)
        request.get_host()  # raises DisallowedHost for an unknown host, as for any other request
        if now < cached.fresh_until:
            return cached.response(request)
        cached.fresh_until = now + RENDERING_SECONDS
        return _render(request, get_response)

    return middleware


def _render(
    request: HttpRequest, get_response: Callable[[HttpRequest], HttpResponse]
) -> HttpResponseBase | None:
    path, forgotten = request.path, _forgotten
    _remove_cookies_from_public(request)
    response = get_response(request)
    if response.status_code != 200 or response.get("Cache-Control") != CACHE_CONTROL:
        return _kept_or(response, request)
    page = _page(path, response)
    _store(path, page)
    if forgotten != _forgotten:  # a version was published while this page was rendered
        _pages.pop(path, None)
    return page.response(request)


def _remove_cookies_from_public(request: HttpRequest) -> None:
    if "HTTP_COOKIE" in request.META and is_for_public_page(request):
        del request.META["HTTP_COOKIE"]
        request.__dict__.pop("COOKIES", None)  # Django reads it from META when it is used


def is_for_public_page(request: HttpRequest) -> bool:
    """Returns whether the path of the request is that of a public page."""
    with override(get_language_from_path(request.path_info) or settings.LANGUAGE_CODE):
        try:
            view = resolve(request.path_info).func
        except Resolver404:
            return False
    return getattr(view, "is_public_page", False)


def _kept_or(response: HttpResponse, request: HttpRequest) -> HttpResponseBase | None:
    """Returns the kept page if the database did not answer, else `response`.

    The next request renders the page again, so that a visitor whose request fails does not hold an
    old page for others. The page is dropped if its view moved it or does not find it any more; no
    other answer drops it, because a visitor can cause the others.
    """
    cached = _pages.get(request.path)
    if cached is None:
        return response
    now = time.monotonic()
    if isinstance(response, DatabaseAwayResponse) and now < cached.rendered_at + DAY:
        cached.fresh_until = now + AWAY_SECONDS
        return cached.response(request)
    cached.fresh_until = 0.0
    if response.status_code in (301, 302, 404, 410):
        _pages.pop(request.path, None)
    return response


def _page(path: str, response: HttpResponse) -> CachedPage:
    set_response_etag(response)
    etag = response["ETag"]
    modified_at = _modified_at(path, etag)
    response["Last-Modified"] = http_date(modified_at)
    return CachedPage(response.content, response.headers, etag, modified_at)


def _store(path: str, page: CachedPage) -> None:
    if len(_pages) >= MOST_PAGES:
        _pages.clear()
    page.fresh_until = page.rendered_at + settings.PUBLIC_PAGE_SECONDS
    _pages[path] = page


def _modified_at(path: str, etag: str) -> int:
    """Returns when any process first rendered the page as it is now, in seconds since the epoch.

    Returns the current time without Redis. A browser may then get a page again that it already has,
    but it never keeps an outdated one.
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
