"""Session cookies that a copy of the database does not give away.

Django's cookie is the key of the session's row, and allauth's list of a person's browsers holds it
once more: whoever reads a backup could be anybody until it expires. Here the cookie is that key
signed with the secret key, so that the rows alone open nothing.
"""

from django.conf import settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse


def cookie_of(session_key: str) -> str:
    """What the browser of that session holds."""
    return _signer().sign(session_key)


def session_key_of(cookie: str | None) -> str | None:
    """The key of the session's row; None for a cookie that was not made here."""
    try:
        return _signer().unsign(cookie or "")
    except BadSignature:
        return None


def _signer() -> Signer:
    return Signer(salt="session cookie")


class SignedSessionMiddleware(SessionMiddleware):
    """Django's, between signed cookies and unsigned rows."""

    def process_request(self, request: HttpRequest) -> None:
        """Begins with the cookie's session, or with an empty one."""
        cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        request.session = self.SessionStore(session_key_of(cookie))

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Signs the cookie, unless it is taken away."""
        answer = super().process_response(request, response)
        cookie = answer.cookies.get(settings.SESSION_COOKIE_NAME)
        if cookie and cookie.value:
            answer.cookies[settings.SESSION_COOKIE_NAME] = cookie_of(cookie.value)
        return answer
