"""The codes of an authenticator app (TOTP, RFC 6238), with the parameters that apps assume."""

import base64
import secrets

from allauth.mfa import app_settings
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

PERIOD_SECONDS: int = app_settings.TOTP_PERIOD
_SECRET_BYTES = 20  # RFC 4226 recommends 160 bits


def new_secret() -> str:
    """Returns a random secret in base32, as apps accept it."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def code_at(secret: str, seconds: float) -> str:
    """Returns the code that an app with `secret` shows at `seconds` since the epoch."""
    key = base64.b32decode(secret, casefold=True)
    # Every app supports SHA-1. HMAC does not depend on collision resistance.
    totp = TOTP(key, app_settings.TOTP_DIGITS, SHA1(), PERIOD_SECONDS)  # noqa: S303
    return totp.generate(int(seconds)).decode()
