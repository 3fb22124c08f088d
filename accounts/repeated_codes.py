"""The answer to a right sign-in code that a browser posts twice, as a double click does.

The first request uses the code up and begins a session. The browser may show the answer to the
second request only, and drop the first with its cookie. So the second gets the same answer: the
same session and the same redirect. It must come from the same session as the first, with the same
code, within ANSWER_SECONDS.

The first request gives the session a new key before it has an answer, so it says before that it has
begun. A second request that no longer finds the session then waits for the answer.
"""

import contextlib
import time

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.crypto import constant_time_compare, salted_hmac
from redis.exceptions import RedisError

from accounts.typed_codes import clean_code
from foundations.sessions import session_key_of

ANSWER_SECONDS = 30
# The longest wait for the end of the first request, and the pause between two looks.
_WAIT_SECONDS, _PAUSE_SECONDS = 5.0, 0.05
_BEGUN: list[str] = []  # in place of the session's key and the URL


def begin(request: HttpRequest) -> None:
    """Records that the answer to a right code is being made. Does nothing without Redis."""
    _store(request, _BEGUN)


def remember(request: HttpRequest, response: HttpResponse) -> None:
    """Stores the answer to a right code, for a second request with the same code.

    Only a redirect is stored. Does nothing without Redis.
    """
    if not isinstance(response, HttpResponseRedirect):
        _store(request, None)
        return
    request.session.save()  # the second request may come before this one has ended
    _store(request, [str(request.session.session_key), response.url])


def answer_after_the_first(request: HttpRequest) -> HttpResponse | None:
    """Returns what `answer` returns, after the first request has ended or _WAIT_SECONDS."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while (found := answer(request, deadline)) is None and time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)
    return found


def answer(request: HttpRequest, deadline: float = 0.0) -> HttpResponse | None:
    """Returns the answer that a first request with this code got, or None.

    Waits for a first request that has begun, until `deadline` of the monotonic clock, or for
    _WAIT_SECONDS. Another code deletes the answer, so that the code cannot be guessed.
    """
    deadline = deadline or time.monotonic() + _WAIT_SECONDS
    while (known := _known(request)) == _BEGUN and time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)
    return _repeat(request, known[0], known[1]) if known else None


def _store(request: HttpRequest, known: list[str] | None) -> None:
    name = _name(request)
    if name is None:
        return
    with contextlib.suppress(RedisError):
        if known is None:
            cache.delete(name)
        else:
            cache.set(name, [_code_mac(request), *known], timeout=ANSWER_SECONDS)


def _known(request: HttpRequest) -> list[str] | None:
    """Returns what is stored of a first request with this code: _BEGUN, or its key and URL."""
    name = _name(request)
    try:
        found = cache.get(name) if name else None
        if not found:
            return None
        mac, *known = found
        if not constant_time_compare(mac, _code_mac(request)):
            cache.delete(name)
            return None
    except RedisError:
        return None
    return list(known)


def _repeat(request: HttpRequest, session_key: str, url: str) -> HttpResponse:
    response = HttpResponseRedirect(url)
    request.session = type(request.session)(session_key)  # the ended one would delete the cookie
    ends_with_browser = request.session.get_expire_at_browser_close()
    response.set_cookie(
        settings.SESSION_COOKIE_NAME,
        session_key,  # SignedSessionMiddleware signs it
        path=settings.SESSION_COOKIE_PATH,
        max_age=None if ends_with_browser else settings.SESSION_COOKIE_AGE,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def _name(request: HttpRequest) -> str | None:
    """Returns the key in Redis for the session of the request's cookie, or None."""
    session_key = session_key_of(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    return f"repeated-code:{_mac(session_key)}" if session_key else None


def _code_mac(request: HttpRequest) -> str:
    return _mac(clean_code(request.POST.get("code", "")[:100]) or "")


def _mac(text: str) -> str:
    return salted_hmac("repeated code", text, algorithm="sha256").hexdigest()
