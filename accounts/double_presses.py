"""Recognises the second press of a button that sends a code mail.

Without it two mails go out and only the newer code works. Both requests go on: the second one waits
for the mail of the first. Requests belong together if they have the same purpose and address, and
come from one network address and one kind of browser within SECONDS. A session cannot connect them,
because the first press on the home page has none yet. While Redis is away, each press counts as the
first.
"""

from contextlib import suppress

from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError

from foundations import caching, rate_limits
from foundations.keyed_hashes import keyed_hash

SECONDS = 10


def claim(request: HttpRequest, button: str, salt: str) -> caching.Entry | None:
    """Returns the entry that the first press of `button` stores, with the salt of its code.

    The second press finds it. Returns None for a client without `User-Agent`, which is no browser.
    """
    if not request.META.get("HTTP_USER_AGENT"):
        return None
    return _name(request, button), salt, SECONDS


def forget(request: HttpRequest, *buttons: str) -> None:
    """Lets the next press of each button count as the first: no mail waits for its code."""
    with suppress(RedisError):
        cache.delete_many([_name(request, button) for button in buttons])


def _name(request: HttpRequest, button: str) -> str:
    browser = request.META.get("HTTP_USER_AGENT", "")
    bound = f"{button}\n{rate_limits.network_of(request)}\n{browser}"
    return f"double-press:{keyed_hash('double press', bound)}"
