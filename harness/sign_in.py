"""Sign-in for tests: through the real pages, or by writing the session directly."""

import re
import secrets
import time

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core import mail
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.proofs import SESSION_KEY, Proof
from accounts.second_factor_secrets import encrypt_for
from breachportal.demo import app_codes


def newest_code() -> str:
    """Returns the sign-in code in the newest mail."""
    found = re.search(r"^ +(\d{8})$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found, mail.outbox[-1].body
    return found[1]


def ask_for_code(client: Client, email: str, **fields: str):
    """Submits the sign-in form. Returns the response."""
    return client.post(reverse("account_login"), {"email": email, **fields})


def enter_code(client: Client, code: str):
    """Submits the form for the sign-in code. Returns the response."""
    return client.post(reverse("sign_in_code"), {"code": code})


def sign_in(client: Client, email: str, **fields: str):
    """Signs in through the pages, with the code from the mail. Returns the last response."""
    ask_for_code(client, email, **fields)
    return enter_code(client, newest_code())


def wrong(code: str) -> str:
    """Returns eight digits that differ from `code`."""
    return f"{(int(code) + 1) % 10**8:08d}"


def sign_in_to_desk(client: Client, staff: User) -> None:
    """Signs `staff` in to the desk directly, with a second factor verified in the session."""
    client.force_login(staff)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"
    session = client.session
    records = session.get(AUTHENTICATION_METHODS_SESSION_KEY, [])
    verified = {"method": "mfa", "at": time.time()}
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [*records, verified]
    session["account_authentication_methods_user"] = str(staff.pk)
    session.save()


def step_up(client: Client, user: User, *, seconds_ago: float = 0) -> None:
    """Records a step-up code directly, for a client that is signed in as `user`."""
    session = client.session
    at = {str(Proof.STEP_UP_CODE): time.time() - seconds_ago}
    session[SESSION_KEY] = {"user": user.pk, "at": at}
    session.save()


def give_app(user: User, secret: str = "") -> str:
    """Sets up an authenticator app for `user`. Returns its secret."""
    secret = secret or app_codes.new_secret()
    data = {"secret": encrypt_for(user.pk, secret)}
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data=data)
    return secret


def give_recovery_codes(user: User) -> list[str]:
    """Creates recovery codes for `user`. Returns them."""
    data = {"seed": encrypt_for(user.pk, secrets.token_hex(40)), "used_mask": 0}
    authenticator = Authenticator.objects.create(
        user=user, type=Authenticator.Type.RECOVERY_CODES, data=data
    )
    return list(authenticator.wrap().get_unused_codes())
