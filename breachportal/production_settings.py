"""The settings that production requires, and the values that are unsafe there."""

import os

from django.core.exceptions import ImproperlyConfigured

from breachportal.environment import number, text, words
from foundations.private_urls import is_private

REQUIRED_IN_PRODUCTION = {
    "SECRET_KEY": "a long random string",
    "ALLOWED_HOSTS": "the portal's host names, separated by commas",
    "MASTER_KEYSET": "what `python -m foundations.make_secret master-keyset` prints (or its file)",
    "PORTAL_URL": "the address customers type, such as https://notice.example.com",
    "DATABASE_URL": "postgresql://user:password@host/database",
    "REDIS_URL": "rediss://:password@host:6379/0",
    "EMAIL_HOST": "the SMTP server that takes the mails",
    "DEFAULT_FROM_EMAIL": "the sender, such as Example <notice@example.com>",
}
SECRET_KEY_LENGTH = 32
SECRET_KEY_SIGNS = 8  # distinct characters
PLACEHOLDERS = ("change-me", "changeme", "change me", "django-insecure", "for development only")


def require_for_production() -> None:
    """Checks the settings that production requires.

    Raises ImproperlyConfigured. The message names every missing setting or, if none is missing,
    every unsafe one. It contains no secret.
    """
    missing = [
        f"  {name}: {meaning}"
        for name, meaning in REQUIRED_IN_PRODUCTION.items()
        if not (os.environ.get(name) or os.environ.get(f"{name}_FILE"))
    ]
    if missing:
        raise ImproperlyConfigured(
            "breachportal does not start in production without:\n"
            + "\n".join(missing)
            + "\nFor a trial on this machine set BREACHPORTAL_MODE=development."
        )
    if unsafe := _unsafe_in_production():
        raise ImproperlyConfigured(
            "breachportal does not start in production with:\n" + "\n".join(unsafe)
        )


def _unsafe_in_production() -> list[str]:
    unsafe = []
    secret, url = text("SECRET_KEY"), text("PORTAL_URL")
    if len(secret) < SECRET_KEY_LENGTH or len(set(secret)) < SECRET_KEY_SIGNS:
        unsafe.append(f"  SECRET_KEY: it needs {SECRET_KEY_LENGTH} random characters or more")
    elif any(word in secret.lower() for word in PLACEHOLDERS):
        unsafe.append("  SECRET_KEY: it is a placeholder; it needs to be random")
    if not url.lower().startswith("https://"):
        unsafe.append(f"  PORTAL_URL: {url!r} does not begin with https://")
    if "*" in words("ALLOWED_HOSTS"):
        unsafe.append("  ALLOWED_HOSTS: it names every host with *; name the portal's")
    if number("TRUSTED_PROXY_COUNT", 0):
        unsafe.append(
            "  TRUSTED_PROXY_COUNT: it trusts X-Forwarded-For, which WSGI cannot distinguish from"
            " X_Forwarded_For; let a proxy send the address alone, and set TRUSTED_ADDRESS_HEADER"
        )
    if words("TRUSTED_PROXY_HEADER") and not words("TRUSTED_ADDRESS_HEADER"):
        unsafe.append(
            "  TRUSTED_ADDRESS_HEADER: it is unset, but TRUSTED_PROXY_HEADER names a proxy; all"
            " visitors would count as one"
        )
    gateway = text("SMS_GATEWAY_URL")
    if gateway and not is_private(gateway, encrypted="https"):
        unsafe.append("  SMS_GATEWAY_URL: numbers and the token would go unencrypted; use https://")
    return unsafe
