"""Recognises the second press of a button that sends a code mail.

Without it two mails go out and only the newer code works. Both requests go on: the second one waits
for the mail of the first. Requests belong together if they have the same purpose and address, and
come from one network address and one kind of browser within SECONDS. A session cannot connect them,
because the first press on the home page has none yet.
"""

from contextlib import suppress

from django.core.cache import cache
from django.http import HttpRequest
from redis.exceptions import RedisError

from foundations import rate_limits
from foundations.keyed_hashes import keyed_hash

SECONDS = 10


def salt_of_first(request: HttpRequest, button: str, salt: str) -> str:
    """Returns `salt` if this is the first press of `button`, else the salt of the first press.

    It is one atomic step. A client without `User-Agent` is not recognised, because it is no
    browser; and while Redis is away, each press counts as the first.
    """
    if not request.headers.get("User-Agent"):
        return salt
    name = _name(request, button)
    try:
        is_first = cache.add(name, salt, timeout=SECONDS)
        return salt if is_first else str(cache.get(name) or salt)
    except RedisError:
        return salt


def forget(request: HttpRequest, *buttons: str) -> None:
    """Lets the next press of each button count as the first: no mail waits for its code."""
    with suppress(RedisError):
        cache.delete_many([_name(request, button) for button in buttons])


def _name(request: HttpRequest, button: str) -> str:
    browser = request.headers.get("User-Agent", "")
    bound = f"{button}\n{rate_limits.network_of(request)}\n{browser}"
    return f"double-press:{keyed_hash('double press', bound)}"
