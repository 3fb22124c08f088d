"""The waiting room before the sign-in page: an orderly queue while more come than can be served.

Each visitor takes a ticket, a number. The highest admitted number rises by
settings.SIGN_INS_PER_SECOND each second, and never further than BURST_SECONDS ahead of the last
ticket. While fewer visitors come, each ticket is therefore admitted at once, and nothing of the
room is seen. The ticket is in a signed cookie, so that a visitor keeps the place, also with a
closed browser tab and without JavaScript.

If Redis cannot be reached, visitors are admitted: its other limits decide then.
"""

import logging
from collections.abc import Callable
from functools import wraps
from math import ceil
from typing import NamedTuple

import redis
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from foundations import latency

COOKIE = "waiting_room"
ADMITTED = "admitted"  # takes the place of a ticket in the cookie
ADMITTED_SECONDS = 30 * 60  # for the form, the code and a second try
TICKET_SECONDS = 2 * 60 * 60
BURST_SECONDS = 10
RELOAD_SECONDS = 20
_SALT = "accounts: waiting room"
_KEY = "breachportal:waiting-room"

# Returns {ticket, highest admitted ticket, queue}. ARGV: rate per second, burst, ticket, its queue.
# The queue is a name that Redis forgets with the numbers. A ticket of another queue is replaced.
_TAKE = """
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local stored = redis.call('HMGET', KEYS[1], 'issued', 'admitted', 'at', 'queue')
local issued, admitted = tonumber(stored[1] or 0), tonumber(stored[2] or burst)
local queue = stored[4] or clock[1] .. '-' .. clock[2]
admitted = math.min(issued + burst, admitted + math.max(0, now - tonumber(stored[3] or now)) * rate)
local ticket = tonumber(ARGV[3])
if ticket == 0 or ARGV[4] ~= queue then
    issued = issued + 1
    ticket = issued
end
redis.call('HSET', KEYS[1], 'issued', issued, 'admitted', string.format('%.6f', admitted),
    'at', string.format('%.6f', now), 'queue', queue)
redis.call('EXPIRE', KEYS[1], ARGV[5])
return {ticket, math.floor(admitted), queue}
"""

logger = logging.getLogger(__name__)
View = Callable[[HttpRequest], HttpResponse]


class Place(NamedTuple):
    """A visitor's place in the queue."""

    ticket: int
    queue: str
    ahead: int  # visitors who are admitted first; below 0: this visitor is admitted

    @property
    def minutes(self) -> int:
        """The minutes until the visitor is admitted, at least 1."""
        return ceil(max(1, self.ahead) / settings.SIGN_INS_PER_SECOND / 60)


def with_waiting_room(view: View) -> View:
    """Returns the view behind the waiting room. A user who is signed in does not wait."""

    @wraps(view)
    def entered(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated or not settings.SIGN_INS_PER_SECOND:
            return view(request)
        held = _cookie_of(request)
        place = None if held == ADMITTED else _place(held)
        if place and place.ahead >= 0:
            return _waiting_page(request, place)
        response = view(request)
        if held != ADMITTED:
            _set_cookie(response, ADMITTED, seconds=ADMITTED_SECONDS)
        return response

    return entered


def _cookie_of(request: HttpRequest) -> str:
    """Returns ADMITTED, "<ticket> <queue>", or "" for a visitor without a valid cookie."""
    text = request.COOKIES.get(COOKIE, "")
    try:
        value, seconds = signing.loads(text, salt=_SALT, max_age=TICKET_SECONDS)
        signing.loads(text, salt=_SALT, max_age=seconds)
    except (signing.BadSignature, ValueError, TypeError):
        return ""
    return str(value)


def _place(held: str) -> Place | None:
    """Returns the visitor's place, with a new ticket if `held` is none; None without Redis."""
    ticket, _space, queue = held.partition(" ")
    rate = settings.SIGN_INS_PER_SECOND
    take = latency.client().register_script(_TAKE)
    try:
        number, admitted, queue = take(
            keys=[_KEY], args=[rate, rate * BURST_SECONDS, ticket or 0, queue, TICKET_SECONDS]
        )
    except redis.RedisError:
        logger.error("Redis is away: the waiting room is open")
        return None
    return Place(int(number), queue.decode(), int(number) - int(admitted) - 1)


def _waiting_page(request: HttpRequest, place: Place) -> HttpResponse:
    """Returns the page with the place and the minutes. It keeps a form that was posted."""
    names = ("email", "is_as_typed", "next")
    posted = [(name, request.POST[name]) for name in names if name in request.POST]
    context = {"place": place, "posted": posted, "reload_seconds": RELOAD_SECONDS}
    response = render(request, "accounts/waiting_room.html", context)
    _set_cookie(response, f"{place.ticket} {place.queue}", seconds=TICKET_SECONDS)
    return response


def _set_cookie(response: HttpResponse, value: str, *, seconds: int) -> None:
    response.set_cookie(
        COOKIE,
        signing.dumps([value, seconds], salt=_SALT),
        max_age=seconds,
        httponly=True,
        samesite="Lax",
        secure=settings.IS_HTTPS,
    )
