"""Adds each sign-in to the user's list of sessions, in one statement.

allauth's own receiver looks at every session of the user first, with a statement or two for each.
The page of the list does that when it is shown, and an hourly task does (`session_purge`), so a
sign-in need not.
"""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.signals import user_logged_in
from allauth.usersessions.models import UserSession
from allauth.usersessions.signals import on_user_logged_in
from django.db import connection
from django.http import HttpRequest

from accounts.models import User

_RECORD = """
INSERT INTO usersessions_usersession AS known
    (user_id, ip, user_agent, session_key, created_at, last_seen_at, data)
VALUES (%s, %s, %s, %s, now(), now(), '{}')
ON CONFLICT (session_key) DO UPDATE SET user_id = excluded.user_id, ip = excluded.ip,
    user_agent = excluded.user_agent, last_seen_at = excluded.last_seen_at
"""


def connect() -> None:
    """Lets `record` take the place of allauth's receiver."""
    user_logged_in.disconnect(on_user_logged_in)
    user_logged_in.connect(record)


def record(request: HttpRequest, user: User, **_signal: Any) -> None:
    """Records the session in which `user` has just signed in, with the network and the browser."""
    if not request.session.session_key:
        request.session.save()
    most = UserSession._meta.get_field("user_agent").max_length
    browser = request.headers.get("User-Agent", "")[:most]
    address = get_adapter().get_client_ip(request)
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, [user.pk, address, browser, request.session.session_key])
