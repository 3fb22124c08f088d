"""Signed session cookies for Django's test client, which makes sessions without a request."""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.test.client import ClientMixin

from foundations.sessions import cookie_of, session_key_of

_clients: Any = ClientMixin
_login = _clients._login


def teach_test_clients() -> None:
    """Changes the class of all test clients in this process. Call it once."""
    _clients._login = _signed_login
    _clients.session = property(_session)


def _signed_login(self: Any, *arguments: Any, **options: Any) -> None:
    _login(self, *arguments, **options)
    name = settings.SESSION_COOKIE_NAME
    self.cookies[name] = cookie_of(self.cookies[name].value)


def _session(self: Any) -> Any:
    store, name = import_module(settings.SESSION_ENGINE).SessionStore, settings.SESSION_COOKIE_NAME
    if cookie := self.cookies.get(name):
        return store(session_key_of(cookie.value))
    session = store()
    session.save()
    self.cookies[name] = cookie_of(session.session_key)
    return session
