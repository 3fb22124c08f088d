"""The answer to a right sign-in code that a browser posts twice, as a double click does.

The first request uses the code up and begins a session. The browser may show the answer to the
second request only, and drop the first with its cookie. So the second gets the same answer: the
same session and the same redirect. It must come from the same session as the first, with the same
code, within ANSWER_SECONDS.
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


def remember(request: HttpRequest, response: HttpResponse) -> None:
    """Stores the answer to a right code, for a second request with the same code.

    Does nothing if the answer is not a redirect, or if Redis cannot be reached.
    """
    name = _name(request)
    if name is None or not isinstance(response, HttpResponseRedirect):
        return
    request.session.save()  # the second request may come before this one has ended
    known = [_code_mac(request), request.session.session_key, response.url]
    with contextlib.suppress(RedisError):
        cache.set(name, known, timeout=ANSWER_SECONDS)


def answer_after_the_first(request: HttpRequest) -> HttpResponse | None:
    """Returns what `answer` returns, after the first request has ended or _WAIT_SECONDS."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while (found := answer(request)) is None and time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)
    return found


def answer(request: HttpRequest) -> HttpResponse | None:
    """Returns the answer that a first request with this code got, or None.

    Another code deletes the answer, so that the code cannot be guessed.
    """
    name = _name(request)
    try:
        known = cache.get(name) if name else None
        if known and not constant_time_compare(known[0], _code_mac(request)):
            cache.delete(name)
            known = None
    except RedisError:
        known = None
    return _repeat(request, known[1], known[2]) if known else None


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
