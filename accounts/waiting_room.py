"""The waiting room before the sign-in page: an orderly queue while more come than can be served.

Each visitor takes a ticket, a number. The highest admitted number rises by
settings.SIGN_INS_PER_SECOND each second, and never further than BURST_SECONDS ahead of the last
ticket. While fewer visitors come, each ticket is therefore admitted at once, and nothing of the
room is seen. Visitors of crowded networks have a second queue, within the same rate. The ticket is
in a signed cookie, so that a visitor keeps the place, also with a closed browser tab and without
JavaScript.

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
# hours. Tickets of a network above its bound are of the second queue. It admits at a rate that the
# first queue does not use, once that has its burst again, and at least this share of the rate. The
# share begins when the first queue has admitted all who came before the second's oldest ticket.
SECOND_SHARE = 0.25
_SECOND = "~"  # the first character of the queue's name in the tickets of the second queue

# Returns {ticket, visitors ahead of it, name of its queue, admissions until its turn}: the last at
# the whole rate, if no visitors come. Below 0 ahead: the ticket is admitted. KEYS: the room, and
# the counts of waiting tickets of the visitor's networks. ARGV: rate per second, burst, ticket, its
# queue, the seconds for which both are stored, the share and the mark of the second queue, then the
# amount and the seconds of each count. The queue is a name that Redis forgets with the numbers. A
# ticket of another queue is replaced.
_TAKE = """
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local rate, burst, share, mark = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[6]), ARGV[7]
local stored = redis.call('HMGET', KEYS[1],
    'issued', 'admitted', 'at', 'queue', 'second', 'second_waiting', 'after')
local issued, admitted = tonumber(stored[1] or 0), tonumber(stored[2] or burst)
local queue = stored[4] or clock[1] .. '-' .. clock[2]
local second, second_waiting = tonumber(stored[5] or 0), tonumber(stored[6] or 0)
local after = tonumber(stored[7] or 0)

local function rounded(number) return tonumber(string.format('%.6f', number)) end
local passed = math.max(0, now - tonumber(stored[3] or now)) * rate
local alone = math.min(passed, math.max(0, after - admitted))
local both = passed - alone
local unused = both - (math.max(0, issued + burst - admitted) - alone)
local given = math.min(second_waiting, math.max(both * share, unused))
admitted = math.min(issued + burst, rounded(admitted + passed - given))
second_waiting = rounded(second_waiting - given)

local ticket, is_second = tonumber(ARGV[3]), ARGV[4] == mark .. queue
if ticket == 0 or not (is_second or ARGV[4] == queue) then
    ticket, is_second = issued + 1, false
    if ticket > math.floor(admitted) then
        for number = 2, #KEYS do
            local taken = redis.call('INCR', KEYS[number])
            if taken == 1 then redis.call('EXPIRE', KEYS[number], ARGV[2 * number + 5]) end
            if taken > tonumber(ARGV[2 * number + 4]) then
                is_second = true
                break
            end
        end
    end
    if is_second then
        if second_waiting == 0 then after = issued end
        second, second_waiting = second + 1, second_waiting + 1
        ticket = second
    else
        issued = ticket
    end
end
redis.call('HSET', KEYS[1], 'issued', issued, 'admitted', string.format('%.6f', admitted),
    'at', string.format('%.6f', now), 'queue', queue, 'second', second,
    'second_waiting', string.format('%.6f', second_waiting), 'after', after)
redis.call('EXPIRE', KEYS[1], ARGV[5])

alone = math.max(0, after - admitted)
if is_second then
    local ahead = ticket - math.floor(second - second_waiting) - 1
    local first = math.max(0, issued + burst - admitted)
    local turns = alone + math.min(ahead / share, ahead + first - alone)
    return {ticket, ahead, mark .. queue, math.ceil(turns)}
end
local ahead = ticket - math.floor(admitted) - 1
local later = math.max(0, ahead - alone)
local turns = ahead - later + math.min(later / (1 - share), later + second_waiting)
return {ticket, ahead, queue, math.ceil(turns)}
"""

logger = logging.getLogger(__name__)
View = Callable[[HttpRequest], HttpResponse]


class Place(NamedTuple):
    """A visitor's place in one of the two queues."""

    ticket: int
    queue: str
    ahead: int  # visitors of the queue who are admitted first; below 0: this visitor is admitted
    turns: int  # visitors of both queues who are admitted first, if no further ones come

    @property
    def minutes(self) -> int:
        """The minutes until the visitor is admitted, at least 1."""
        return ceil(max(1, self.turns) / settings.SIGN_INS_PER_SECOND / 60)


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
        number, ahead, queue, turns = take(
            keys=[_KEY, *counts],
            args=[*of_queues, SECOND_SHARE, _SECOND, *bounds],
        )
    except redis.RedisError:
        logger.error("Redis is away: the waiting room is open")
        return None
    return Place(int(number), queue.decode(), int(ahead), int(turns))


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
