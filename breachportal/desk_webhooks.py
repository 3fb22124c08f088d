"""Reads the webhooks that the response team may choose, from the setting DESK_WEBHOOKS."""

import re

from django.core.exceptions import ImproperlyConfigured

from breachportal.environment import json_object
from foundations.private_urls import is_private
from foundations.webhooks import KINDS, Webhook

SECRET_LENGTH = 16
FIELDS = {"kind", "url", "secret"}


def webhooks(name: str = "DESK_WEBHOOKS") -> dict[str, Webhook]:
    """Returns the webhooks by name: {"ops": {"kind": "slack", "url": "https://…", "secret": "…"}}.

    Raises ImproperlyConfigured, without any value, because URL and secret are secrets.
    """
    return {key: _webhook(name, key, value) for key, value in json_object(name).items()}


def _webhook(name: str, key: str, value: object) -> Webhook:
    if not re.fullmatch(r"[\w-]{1,40}", key):
        raise ImproperlyConfigured(f"{name}: a webhook's name has letters, digits, - and _ only.")
    if not isinstance(value, dict) or set(value) != FIELDS:
        raise ImproperlyConfigured(f"{name}: {key} needs kind, url and secret, and nothing else.")
    if not all(isinstance(each, str) for each in value.values()) or value["kind"] not in KINDS:
        raise ImproperlyConfigured(f"{name}: the kind of {key} is not one of {', '.join(KINDS)}.")
    if not (value["url"].startswith(("http://", "https://")) and _is_safe(value["url"])):
        raise ImproperlyConfigured(f"{name}: the url of {key} must begin with https://.")
    if len(value["secret"]) < SECRET_LENGTH:
        raise ImproperlyConfigured(
            f"{name}: the secret of {key} needs {SECRET_LENGTH} characters or more."
        )
    return Webhook(name=key, **value)


def _is_safe(url: str) -> bool:
    try:
        return is_private(url, encrypted="https")
    except ValueError:
        return False
