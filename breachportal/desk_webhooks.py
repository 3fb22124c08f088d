"""Reads the webhooks that the response team may choose, from the setting DESK_WEBHOOKS."""

import re
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from breachportal.setting_values import SIGNING_SECRET_LENGTH
from foundations.private_urls import is_private
from foundations.webhooks import KINDS, Webhook

NAME = "DESK_WEBHOOKS"
FIELDS = {"kind", "url", "secret"}


def webhooks(given: Mapping[str, Any]) -> dict[str, Webhook]:
    """Returns the webhooks by name: {"ops": {"kind": "slack", "url": "https://…", "secret": "…"}}.

    Raises ImproperlyConfigured, without any value, because URL and secret are secrets.
    """
    return {key: _webhook(key, value) for key, value in given.items()}


def _webhook(key: str, value: object) -> Webhook:
    if not re.fullmatch(r"[\w-]{1,40}", key):
        raise ImproperlyConfigured(f"{NAME}: a webhook's name has letters, digits, - and _ only.")
    if not isinstance(value, dict) or set(value) != FIELDS:
        raise ImproperlyConfigured(f"{NAME}: {key} needs kind, url and secret, and nothing else.")
    if not all(isinstance(each, str) for each in value.values()) or value["kind"] not in KINDS:
        raise ImproperlyConfigured(f"{NAME}: the kind of {key} is not one of {', '.join(KINDS)}.")
    if not (value["url"].startswith(("http://", "https://")) and _is_safe(value["url"])):
        raise ImproperlyConfigured(f"{NAME}: the url of {key} must begin with https://.")
    if len(value["secret"]) < SIGNING_SECRET_LENGTH:
        raise ImproperlyConfigured(
            f"{NAME}: the secret of {key} needs {SIGNING_SECRET_LENGTH} characters or more."
        )
    return Webhook(name=key, **value)


def _is_safe(url: str) -> bool:
    try:
        return is_private(url, encrypted="https")
    except ValueError:
        return False
