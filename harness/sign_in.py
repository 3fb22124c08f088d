"""Ways into the portal for tests: through the real pages, or straight there."""

import re
import secrets
import time

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import encrypt
from django.conf import settings
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.proofs import SESSION_KEY, Proof
from breachportal.demo import app_codes


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
    session = client.session
    records = session.get(AUTHENTICATION_METHODS_SESSION_KEY, [])
    shown = {"method": "mfa", "at": time.time()}
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [*records, shown]
    session["account_authentication_methods_user"] = str(staff.pk)
    session.save()


def step_up(client: Client, user: User, *, seconds_ago: float = 0) -> None:
    """Straight past step-up, for a client that is signed in as `user`."""
    session = client.session
    at = {str(Proof.STEP_UP_CODE): time.time() - seconds_ago}
    session[SESSION_KEY] = {"user": user.pk, "at": at}
    session.save()


def give_app(user: User, secret: str = "") -> str:
    """Sets an authenticator app up for `user`; returns its secret."""
    secret = secret or app_codes.new_secret()
    data = {"secret": encrypt(secret)}
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data=data)
    return secret


def give_recovery_codes(user: User) -> list[str]:
    """Makes recovery codes for `user`; returns them."""
    data = {"seed": encrypt(secrets.token_hex(40)), "used_mask": 0}
    made = Authenticator.objects.create(
        user=user, type=Authenticator.Type.RECOVERY_CODES, data=data
    )
    return list(made.wrap().get_unused_codes())
