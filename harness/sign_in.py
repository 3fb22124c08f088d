"""Ways into the portal for tests: through the real pages, or straight there."""

import re
import time

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.internal.userkit import user_id_to_str
from django.conf import settings
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import User


def newest_code() -> str:
    """The six digits of the newest mail."""
    found = re.search(r"^ +(\d{6})$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found[1]


def ask_for_code(client: Client, email: str, **fields: str):
    """Fills in the sign-in form."""
    return client.post(reverse("account_login"), {"email": email, **fields})


def enter_code(client: Client, code: str):
    """Fills in the form for the code of a sign-in."""
    return client.post(reverse("sign_in_code"), {"code": code})


def sign_in(client: Client, email: str, **fields: str):
    """All the way in, with the code from the mail."""
    ask_for_code(client, email, **fields)
    return enter_code(client, newest_code())


def wrong(code: str) -> str:
    """Six digits that are not `code`."""
    return f"{(int(code) + 1) % 10**6:06d}"


def sign_in_to_desk(client: Client, staff: User) -> None:
    """Straight to the admin: signed in, with the second factor shown in this session."""
    client.force_login(staff)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    _add_record(client, staff, {"method": "mfa", "at": time.time()})


def step_up(client: Client, user: User) -> None:
    """Straight past step-up, for a client that is signed in as `user`."""
    _add_record(client, user, {"method": "code", "at": time.time(), "step_up": True})


def _add_record(client: Client, user: User, record: dict[str, object]) -> None:
    session = client.session
    records = session.get(AUTHENTICATION_METHODS_SESSION_KEY, [])
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [*records, record]
    session["account_authentication_methods_user"] = user_id_to_str(user)
    session.save()
