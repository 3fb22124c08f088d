"""The waiting room before the sign-in page: an orderly queue while more come than can be served.

Each visitor takes a ticket, a number. The highest admitted number rises by
settings.SIGN_INS_PER_SECOND each second, and never further than BURST_SECONDS ahead of the last
ticket. While fewer visitors come, each ticket is therefore admitted at once, and nothing of the
room is seen. The ticket is in a signed cookie, so that a visitor keeps the place, also with a
closed browser tab and without JavaScript.

If Redis cannot be reached, visitors are admitted: its other limits decide then.
"""

import logging
import time
from collections.abc import Callable
from functools import lru_cache, wraps
from math import ceil
from typing import NamedTuple

import redis
from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from foundations import latency
from foundations.page_parts import FormResponse, Gate
from foundations.rate_limits import Rate, name_of_count, parse_rates
from foundations.redis_scripts import KeptScript

COOKIE = "waiting_room"
ADMITTED = "admitted"  # takes the place of a ticket in the cookie
ADMITTED_SECONDS = 30 * 60  # for the form, the code and a second try
TICKET_SECONDS = 2 * 60 * 60
BURST_SECONDS = 10
RELOAD_SECONDS = 20
MOST_CHARACTERS = 400  # of a cookie; a longer one is none of ours
_SALT = "accounts: waiting room"
_PLACE = "_place_in_waiting_room"  # the attribute of a request
_KEY = "breachportal:waiting-room"

# Without a bound, one program could take so many tickets that no other visitor is admitted for
# hours. Tickets of a network above its bound are of the second queue, which is as orderly, and
# admits this share of the rate besides.
SECOND_SHARE = 0.25
_SECOND = "~"  # the first character of the name of a second queue

# Returns {ticket, highest admitted ticket, queue}. KEYS: the queue, the second queue, and the
# counts of waiting tickets of the visitor's networks. ARGV: rate per second, burst, ticket, its
# queue, the seconds for which both are stored, the share and the mark of the second queue, then the
# amount and the seconds of each count. The queue is a name that Redis forgets with the numbers. A
# ticket of another queue is replaced.
_TAKE = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local function look(number)
    local share, mark = 1, ''
    if number == 2 then share, mark = tonumber(ARGV[6]), ARGV[7] end
    local rate, burst = tonumber(ARGV[1]) * share, tonumber(ARGV[2]) * share
    local stored = redis.call('HMGET', KEYS[number], 'issued', 'admitted', 'at', 'queue')
    local issued, admitted = tonumber(stored[1] or 0), tonumber(stored[2] or burst)
    local queue = stored[4] or mark .. clock[1] .. '-' .. clock[2]
    local passed = math.max(0, now - tonumber(stored[3] or now))
    admitted = math.min(issued + burst, admitted + passed * rate)
    local ticket, is_new = tonumber(ARGV[3]), false
    if ticket == 0 or ARGV[4] ~= queue then
        issued = issued + 1
        ticket, is_new = issued, true
    end
    return {KEYS[number], issued, admitted, queue, ticket, is_new}
end
local place = look(string.sub(ARGV[4], 1, 1) == ARGV[7] and 2 or 1)
if place[6] then
    place = look(1)
    if place[5] > math.floor(place[3]) then
        local is_over = false
        for number = 3, #KEYS do
            local taken = redis.call('INCR', KEYS[number])
            if taken == 1 then redis.call('EXPIRE', KEYS[number], ARGV[2 * number + 3]) end
            is_over = is_over or taken > tonumber(ARGV[2 * number + 2])
        end
        if is_over then place = look(2) end
    end
end
redis.call('HSET', place[1], 'issued', place[2], 'admitted', string.format('%.6f', place[3]),
    'at', string.format('%.6f', now), 'queue', place[4])
redis.call('EXPIRE', place[1], ARGV[5])
return {place[5], math.floor(place[3]), place[4]}
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
        share = SECOND_SHARE if self.queue.startswith(_SECOND) else 1
        return ceil(max(1, self.ahead) / (settings.SIGN_INS_PER_SECOND * share) / 60)


def with_waiting_room(view: View) -> View:
    """Returns the view behind the waiting room. A user who is signed in does not wait."""

    @wraps(view)
    def entered(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated or not settings.SIGN_INS_PER_SECOND:
            return view(request)
        place = _place_of(request)
        if place and place.ahead >= 0:
            return _waiting_page(request, place)
        response = view(request)
        if isinstance(response, FormResponse):
            response.page.gate = Gate(COOKIE, admit)
        if not _is_admitted(request):
            _let_in(response)
        return response

    return entered


def admit(request: HttpRequest, response: HttpResponse) -> bool:
    """Returns whether a visitor who is not signed in need not wait, and sets the cookie if so.

    A visitor who has to wait has a place then, which `with_waiting_room` shows for this request.
    """
    if not settings.SIGN_INS_PER_SECOND or _is_admitted(request):
        return True
    place = _place_of(request)
    if place and place.ahead >= 0:
        return False
    _let_in(response)
    return True


def _is_admitted(request: HttpRequest) -> bool:
    """Returns whether the visitor has been admitted before, and still is."""
    return _cookie_of(request) == ADMITTED


def _cookie_of(request: HttpRequest) -> str:
    """Returns ADMITTED, "<ticket> <queue>", or "" for a visitor without a valid cookie."""
    value, until = _read(request.COOKIES.get(COOKIE, "")[:MOST_CHARACTERS], settings.SECRET_KEY)
    return value if time.time() < until else ""


@lru_cache(maxsize=1_000)
def _read(cookie: str, _secret: str) -> tuple[str, int]:
    """Returns the value of a cookie, and the time until which it is valid; ("", 0) for a forgery.

    It is kept, because all visitors who are admitted in one second have the same cookie.
    """
    try:
        value, until = signing.loads(cookie, salt=_SALT)
        return str(value), int(until)
    except (signing.BadSignature, ValueError, TypeError):
        return "", 0


def _let_in(response: HttpResponse) -> None:
    admission = _admission(int(time.time()) + ADMITTED_SECONDS, settings.SECRET_KEY)
    _set_cookie(response, admission, seconds=ADMITTED_SECONDS)


@lru_cache(maxsize=1)
def _admission(until: int, _secret: str) -> str:
    return signing.dumps([ADMITTED, until], salt=_SALT)


def _place_of(request: HttpRequest) -> Place | None:
    """Returns the place of a visitor who is not admitted yet; None for another, or without Redis.

    It is read once a request, because each reading without a ticket takes one.
    """
    known = request.__dict__
    if _PLACE not in known:
        held = _cookie_of(request)
        known[_PLACE] = None if held == ADMITTED else _place(held, _counts_of(request))
    place: Place | None = known[_PLACE]
    return place


def _counts_of(request: HttpRequest) -> dict[str, Rate]:
    """Returns the bounds of the waiting tickets of the visitor's networks, by the names of counts.

    The names hold the networks as keyed hashes.
    """
    return {
        name_of_count(request, "accounts", "waiting_room", rate, ""): rate
        for rate in parse_rates(settings.CODE_RATES["waiting_room"])
    }


def _place(held: str, counts: dict[str, Rate]) -> Place | None:
    """Returns the visitor's place, with a new ticket if `held` is none; None without Redis."""
    ticket, _space, queue = held.partition(" ")
    rate = settings.SIGN_INS_PER_SECOND
    bounds = [number for each in counts.values() for number in (each.amount, each.seconds)]
    of_queues: list[str | float] = [rate, rate * BURST_SECONDS, ticket or 0, queue, TICKET_SECONDS]
    take = KeptScript(latency.client(), _TAKE)
    try:
        number, admitted, queue = take(
            keys=[_KEY, f"{_KEY}:second", *counts],
            args=[*of_queues, SECOND_SHARE, _SECOND, *bounds],
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
    held = [f"{place.ticket} {place.queue}", int(time.time()) + TICKET_SECONDS]
    _set_cookie(response, signing.dumps(held, salt=_SALT), seconds=TICKET_SECONDS)
    return response


def _set_cookie(response: HttpResponse, value: str, *, seconds: int) -> None:
    response.set_cookie(
        COOKIE,
        value,
        max_age=seconds,
        httponly=True,
        samesite="Lax",
        secure=settings.IS_HTTPS,
    )
