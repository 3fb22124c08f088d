"""Session cookies that a copy of the database does not reveal.

Django's cookie is the key of the session's row, and allauth's list of a user's sessions holds that
key again. A reader of a backup could therefore use any session until it expires. Here the cookie is
that key signed with the secret key, so that the rows alone are useless.
"""

from django.conf import settings
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.signing import BadSignature, Signer, b64_encode
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from foundations.keyed_hashes import keyed_digest

_SALT = "session cookie"


def cookie_of(session_key: str) -> str:
    """Returns the value of the cookie for the session with this key.

    It is the value of Django's `Signer`, which derives the key again for each cookie.
    """
    return f"{session_key}:{b64_encode(keyed_digest(f'{_SALT}signer', session_key)).decode()}"


def session_key_of(cookie: str | None) -> str | None:
    """Returns the key of the session's row, or None if the cookie's signature is not valid."""
    if not cookie:
        return None
    try:
        return _signer().unsign(cookie)
    except BadSignature:
        return None


def _signer() -> Signer:
    return Signer(salt=_SALT)


class SignedSessionMiddleware(SessionMiddleware):
    """Django's SessionMiddleware with signed cookies; the rows stay unsigned."""

    def process_request(self, request: HttpRequest) -> None:
        """Sets `request.session` to the cookie's session, or to an empty one."""
        cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        request.session = self.SessionStore(session_key_of(cookie))

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Signs the cookie, unless the response deletes it.

        Only a request that ended the session deletes the cookie. A browser that posted twice could
        otherwise lose the cookie of the session that its first request began. If the session ended
        during the request, the visitor is redirected to the sign-in, which passes on who is signed
        in; Django would answer 400.
        """
        name = settings.SESSION_COOKIE_NAME
        try:
            response = super().process_response(request, response)
        except SessionInterrupted:
            response = redirect(settings.LOGIN_URL)
        cookie = response.cookies.get(name)
        if cookie and cookie.value:
            response.cookies[name] = cookie_of(cookie.value)
        elif cookie and not request.session.modified:
            del response.cookies[name]
        return response
