"""Kept parts: what pages show to every visitor alike, as this process last rendered it.

A public page is cached as a whole (`page_cache`). A private page is rendered for each request, but
its foot is the same for all visitors. It is kept for settings.PUBLIC_PAGE_SECONDS, as public pages
are, and cleared with them. So no page with a form asks the database for the newest incident.

The page on which a sign-in begins is the same for all new visitors, but for the CSRF token in its
form. It is kept as a whole with a placeholder, which each visitor's token replaces. The page on
which the code is entered differs in the address as well, which has placeholders, too.

A visitor without cookies of their own gets the first of these pages from the middleware
`form_pages`, before any other work.

Of a page of a signed-in user the frame is kept: all around its content. It differs in the token,
the title, and whom the foot names as signed in. A part that depends on few values is kept under
these values (`kept_text`).
"""

import secrets
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, ResponseHeaders
from django.middleware.csrf import CsrfViewMiddleware
from django.shortcuts import render
from django.template import Context, Library
from django.template.loader import get_template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from foundations.csrf_tokens import token_of
from foundations.language_switch import typed_text
from foundations.unbroken import breakable

register = Library()
MOST_PARTS = 1_000
# The whole context of a part. It has no user, session or request, so a part shows nothing of them.
_NAMES = ("incident", "newest_incident", "portal_host", "portal_url")


class Gate(NamedTuple):
    """Decides who may have a kept page now, such as the waiting room.

    `admit` gets the request and the response. It returns whether the visitor may have it, and may
    set the cookie named `cookie`, and no other.
    """

    cookie: str
    admit: Callable[[HttpRequest, HttpResponse], bool]


@dataclass
class KeptPage:
    """A page as bytes, with placeholders where the pages of visitors differ."""

    content: bytes
    fresh_until: float
    headers: ResponseHeaders = field(default_factory=lambda: ResponseHeaders({}))  # complete
    gate: Gate | None = None

    def with_token(self, token: str) -> bytes:
        """Returns the content with this token in its forms."""
        return self.content.replace(_TOKEN, token.encode())

    @property
    def cookies(self) -> set[str]:
        """The cookies with which and for which the page is the same."""
        return {settings.CSRF_COOKIE_NAME, *([self.gate.cookie] if self.gate else [])}


class FormResponse(HttpResponse):
    """A page of `render_form_page` that is the same for all new visitors but for the token."""

    def __init__(self, page: KeptPage, token: str) -> None:
        super().__init__(page.with_token(token))
        self.page = page


_parts: dict[tuple[str, str | None, object], tuple[float, SafeString]] = {}
# By path, which names the language, template, and what else makes it differ.
_pages: dict[tuple[Hashable, ...], KeptPage] = {}
_first_pages: dict[str, KeptPage] = {}  # of them those that `form_pages` answers with, by path
_TOKEN = secrets.token_urlsafe(32).encode()  # the placeholder of the CSRF token in kept pages
_OWN = secrets.token_urlsafe(32)  # the beginning of the placeholders of a visitor's own values
_MESSAGES = "messages"  # the cookie of django.contrib.messages


@register.simple_tag(takes_context=True)
def kept_part(context: Context, template: str) -> SafeString:
    """Renders `template` with _NAMES of the page's context, or returns it as it was kept.

    It is kept by language and by the page's incident.
    """
    key = (template, get_language(), getattr(context.get("incident"), "pk", None))
    fresh_until, text = _parts.get(key, (0.0, SafeString()))
    now = time.monotonic()
    if now < fresh_until:
        return text
    engine = context.template.engine  # type: ignore[union-attr]  # set while a template renders
    values = Context({name: context.get(name) for name in _NAMES})
    text = engine.get_template(template).render(values)
    if len(_parts) >= MOST_PARTS:
        _parts.clear()
    _parts[key] = now + settings.PUBLIC_PAGE_SECONDS, text
    return text


@register.simple_tag(takes_context=True)
def kept_text(context: Context, template: str, **values: Hashable) -> SafeString:
    """Renders `template` with `values` and the CSRF token, or returns it as it was kept for them.

    The values are the whole context of the template, so a text is never older than they are. They
    may be of the visitor, but must not name the visitor or hold data that leaked.
    """
    text = _text_for(template, get_language() or "", tuple(values.items()))
    return SafeString(text.replace(_TOKEN.decode(), str(context["csrf_token"])))


@lru_cache(maxsize=MOST_PARTS)
def _text_for(template: str, _language: str, values: tuple[tuple[str, Hashable], ...]) -> str:
    return get_template(template).render({**dict(values), "csrf_token": _TOKEN.decode()})


def render_form_page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """Renders a page with a form; for a new visitor, returns it as it was kept, with a new token.

    `context` must hold nothing of the visitor if the request is a GET without a query. A visitor
    with a session or a message gets a page of their own.
    """
    if not _is_new_visitor(request):
        return render(request, template, context)
    return FormResponse(_kept_page(request, template, context), token_of(request))


def render_own_page(
    request: HttpRequest, template: str, context: dict[str, Any], own: Sequence[str]
) -> HttpResponse:
    """Renders a page with a form, or returns it as it was kept, with this visitor's own values.

    `own` are the names of those texts in `context` that differ between visitors. The template may
    only print them, escaped. `context` must hold nothing else of the visitor. A visitor who is
    signed in or has a message, and a request with a query, get a page of their own.
    """
    if not _is_like_others(request):
        return render(request, template, context)
    placeholders = {name: f"{_OWN}.{name}." for name in own}
    text = _kept_page(request, template, context | placeholders).with_token(token_of(request))
    return HttpResponse(_replaced(text, {placeholders[name]: context[name] for name in own}))


@dataclass(frozen=True)
class _SignedInUser:
    """A user whom the foot of a kept frame names."""

    email: str
    shown_contact: str
    is_authenticated: bool = True


def render_framed(
    request: HttpRequest, template: str, content: SafeString, context: dict[str, Any], *, title: str
) -> HttpResponse:
    """Renders the page of a signed-in user around `content`, or takes the frame as it was kept.

    The template prints `content` and `title`. `context` is what else its frame shows: rows, and
    values that can be hashed; it must hold nothing of the user. A user who has a message, and a
    request with a query, get a frame of their own.
    """
    user: Any = request.user
    own = {"title": title, "content": content}
    if not _is_plain_get(request) or len(get_messages(request)):
        return render(request, template, context | own)
    places = {name: f"{_OWN}.{name}." for name in (*own, "email", "contact")}
    anyone = _SignedInUser(user.email and places["email"], places["contact"])
    shown = [(name, getattr(value, "pk", value)) for name, value in context.items()]
    frame = _kept_page(
        request, template, {**context, **places, "user": anyone}, bool(user.email), *shown
    )
    texts = {places["title"]: title, places["email"]: breakable(user.email or "")}
    if not user.email:
        texts[places["contact"]] = breakable(user.shown_contact)
    text = _replaced(frame.with_token(token_of(request)), texts)
    return HttpResponse(text.replace(places["content"].encode(), content.encode()))


def _replaced(text: bytes, values: dict[str, Any]) -> bytes:
    """Returns the text with each value in place of its placeholder, escaped unless it is HTML."""
    for placeholder, value in values.items():
        text = text.replace(placeholder.encode(), conditional_escape(value).encode())
    return text


def _kept_page(
    request: HttpRequest, template: str, context: dict[str, Any], *kinds: Hashable
) -> KeptPage:
    """Returns the page with placeholders; `kinds` are what makes it differ from others here."""
    key, now = (request.path, template, *kinds), time.monotonic()
    page = _pages.get(key)
    if page is None or now >= page.fresh_until:
        content = render(request, template, {**context, "csrf_token": _TOKEN.decode()}).content
        page = KeptPage(content, now + settings.PUBLIC_PAGE_SECONDS)
        if len(_pages) >= MOST_PARTS:
            _pages.clear()
        _pages[key] = page
    return page


def form_pages(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware that answers with the page of a FormResponse of before, with a new CSRF token.

    It answers a GET without a query and without cookies but those of the token, the language and
    the page's gate, if the gate admits the visitor. A response that sets another cookie than those
    of the token and the gate is not kept. Other middleware has completed the headers, so it must
    come before nearly all of it.
    """
    csrf = CsrfViewMiddleware(get_response)

    def middleware(request: HttpRequest) -> HttpResponseBase:
        page = _first_pages.get(request.path)
        if page and time.monotonic() < page.fresh_until and _may_get(request, page):
            request.get_host()  # raises DisallowedHost for an unknown host
            response = HttpResponse()
            response.headers = page.headers  # complete: nothing changes them any more
            if page.gate is None or page.gate.admit(request, response):
                csrf.process_request(request)
                response.content = page.with_token(token_of(request))
                return csrf.process_response(request, response)
        answer = get_response(request)
        if isinstance(answer, FormResponse) and _may_keep(request, answer):
            answer.page.headers = answer.headers
            _first_pages[request.path] = answer.page
        return answer

    return middleware


def _may_keep(request: HttpRequest, answer: FormResponse) -> bool:
    return _may_get(request, answer.page) and answer.cookies.keys() <= answer.page.cookies


def _may_get(request: HttpRequest, page: KeptPage) -> bool:
    return (
        request.method == "GET"
        and not request.META.get("QUERY_STRING")
        and may_answer_from_memory(request)
        and request.COOKIES.keys() <= page.cookies | {settings.LANGUAGE_COOKIE_NAME}
    )


def may_answer_from_memory(request: HttpRequest) -> bool:
    """Returns whether a kept response may answer: to GET or HEAD, without a redirect to HTTPS."""
    is_redirected = settings.SECURE_SSL_REDIRECT and not request.is_secure()
    return not is_redirected and request.method in ("GET", "HEAD")


def _is_new_visitor(request: HttpRequest) -> bool:
    own = {settings.SESSION_COOKIE_NAME, _MESSAGES}
    return _is_plain_get(request) and not (own & request.COOKIES.keys())


def _is_like_others(request: HttpRequest) -> bool:
    is_signed_in = request.user.is_authenticated
    return _is_plain_get(request) and not is_signed_in and not len(get_messages(request))


def _is_plain_get(request: HttpRequest) -> bool:
    return (
        request.method == "GET"
        and typed_text(request) is None
        and not request.META.get("QUERY_STRING")
    )


def forget() -> None:
    """Clears the kept parts and pages of this process."""
    _parts.clear()
    _pages.clear()
    _first_pages.clear()
