"""The budget of each account for its pages: what they may cost in a time.

It is counted in units of about 20 ms of processor time, by the kind of page, because one account
that asks for pages without end would hold a core (docs/security.md has the measured costs). A
person does not reach it. The customers of a network share a budget, too. A network above it is
crowded, not refused: each of its customers has a narrower budget then, because accounts are free.
While Redis is away, the database counts, and a quarter is left; decision 0126.

A process counts by itself first, and asks Redis only about an account or network that took more
than a share in this minute: an exchange with Redis takes 1 to 3 ms, and "my data" takes 10.
"""

import threading
import time
from collections import Counter

from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import code_limits, code_states
from accounts.code_limits import LimitCounts
from foundations.language_switch import typed_text
from foundations.rate_limits import (
    CountStep,
    network_of,
    rates_of,
    short_texts,
    too_many_requests,
)

SCOPE = "pages"  # of the counts
OWN, NETWORK, IN_CROWD, DESK = "own_pages", "own_pages_network", "own_pages_in_crowd", "desk_pages"
# In units, by the name of the URL; other pages of customers cost 1, others of the desk 6.
COSTS = {"my_messages": 4, "alerts": 2, "add_passkey": 2, "ask": 2, "ticket": 2}
COSTS_OF_POSTS = {"my_copy": 6, "certificate": 5}
DESK_COST, COSTS_ON_DESK = 6, {"index": 16}
# It ends the other sessions of an account. A thief with one of them could use up the account's
# budget and keep its owner from it, so each session has an own budget for this page.
OF_ONE_SESSION = "sessions"
# In units a minute: what a process grants without Redis to one account, and to one network.
SHARE, SHARE_OF_NETWORK = 20, 300
_WINDOW_SECONDS = 60
_COUNTED = "_is_page_counted"  # the attribute of a request

MANY_PAGES = _("Very many pages were opened with your account in a short time.")
MANY_OF_NETWORK = _(
    "Very many pages were opened from your network in a short time, so each account gets fewer for "
    "a while. You may share the network with others."
)


class ProcessCounts:
    """What accounts and networks took of this process in the current minute, in units."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._units: Counter[str] = Counter()
        self._window = 0

    def take(self, key: str, cost: int) -> int:
        """Counts `cost`, and returns what `key` took in this minute."""
        window = int(time.monotonic() // _WINDOW_SECONDS)
        with self._lock:
            if window != self._window:
                self._window, self._units = window, Counter()
            self._units[key] += cost
            return self._units[key]


_taken = ProcessCounts()


def refusal_of_own_page(request: HttpRequest) -> HttpResponse | None:
    """Counts a page of a signed-in user once; returns the answer 429 if it may not be shown now."""
    if not _is_first_count(request):
        return None
    cost, whose = _cost_of(request), _whose(request)
    of_account, of_network = _taken.take(whose, cost), _taken.take(network_of(request), cost)
    if of_account <= SHARE and of_network <= SHARE_OF_NETWORK:
        return None
    steps = [_step(OWN, whose, cost)]
    if not code_states.redis_is_away():  # all customers of a carrier would write the same row
        steps.append(_step(NETWORK, "", cost))
    counts = code_limits.count_steps(request, SCOPE, steps)
    if counts.used_up == NETWORK:
        steps = [_step(IN_CROWD, whose, cost)]
        return _refusal(request, code_limits.count_steps(request, SCOPE, steps), MANY_OF_NETWORK)
    return _refusal(request, counts, MANY_PAGES)


def refusal_of_desk_page(request: HttpRequest) -> HttpResponse | None:
    """Counts a page of the desk once; returns the answer 429 if it may not be shown now."""
    if not _is_first_count(request):
        return None
    match = request.resolver_match
    cost = COSTS_ON_DESK.get((match and match.url_name) or "", DESK_COST)
    if _taken.take(_user(request), cost) <= SHARE:
        return None
    counts = code_limits.count_steps(request, SCOPE, [_step(DESK, _user(request), cost)])
    return _refusal(request, counts, MANY_PAGES)


def _is_first_count(request: HttpRequest) -> bool:
    """Returns whether the request is not counted yet, and marks it: decorators of views nest."""
    known = request.__dict__
    is_counted = known.get(_COUNTED, False)
    known[_COUNTED] = True
    return not is_counted


def _cost_of(request: HttpRequest) -> int:
    match = request.resolver_match
    name = (match and match.url_name) or ""
    of_post = COSTS_OF_POSTS.get(name) if request.method == "POST" else None
    return of_post or COSTS.get(name, 1)


def _whose(request: HttpRequest) -> str:
    match = request.resolver_match
    if match and match.url_name == OF_ONE_SESSION:
        return f"session:{request.session.session_key}"
    return _user(request)


def _user(request: HttpRequest) -> str:
    return f"user:{request.user.pk}"


def _step(action: str, key: str, cost: int) -> CountStep:
    return CountStep(action, rates_of(action), key, cost)


def _refusal(
    request: HttpRequest, counts: LimitCounts, reason: str | Promise
) -> HttpResponse | None:
    if not counts.wait_seconds:
        return None
    context = {"reason": reason, "try_again": short_texts(request, typed_text(request))}
    return too_many_requests(request, counts.wait_seconds, context)
