"""Learns how many messages a destination takes in a time, and how long it greylists.

A 4xx that speaks of a rate rests its destination, for a minute at first and twice as long each time
in a row. Later messages go at the mean rate that the destination took since the first refusal, the
rests included; that rate converges for limits by minute and by hour. Each minute without a refusal
raises it by a tenth. The workers share the rates in Redis. Each counts its own acceptances only, so
the first rate is too low rather than too high.
"""

import contextlib
import json
import re
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import cast

import redis

from foundations import latency
from notices.returned_mail.phrases import shape_pattern

KEY = "notices:learned_rates"  # a hash {destination: LearnedRate as JSON}
READ_SECONDS = 1.0
FIRST_REST, LONGEST_REST = 60.0, 3600.0  # seconds
SHARE = 0.9  # of the mean rate that was taken
SLOWEST = 1 / 60  # messages a second
GROWTH = 1.1  # in a minute without a refusal
KEPT_SECONDS = 86_400
GREYLISTED = timedelta(minutes=5)  # where the reply names no time
_RATE, _GREYLIST = shape_pattern("rate"), shape_pattern("greylist")
_TIME = re.compile(r"\b(\d{1,4}) ?(s|sec|seconds?|m|min|minutes?|초|분)(?![a-z])", re.IGNORECASE)


@dataclass
class LearnedRate:
    """What is known about one destination; all times in seconds since the epoch."""

    per_second: float
    accepted: int  # since `since`
    since: float
    rest: float
    rest_until: float

    def current(self, now: float) -> float:
        """Returns the messages a second that are sent now."""
        minutes = max(0.0, now - self.rest_until) / 60
        return float(self.per_second * GROWTH ** min(minutes, 100))


class LearnedRates:
    """The learned rates of all destinations, as one worker knows them."""

    def __init__(self) -> None:
        self._rates: dict[str, LearnedRate] = {}
        self._accepted: defaultdict[str, int] = defaultdict(int)
        self._since = time.time()
        self._read_at = 0.0

    def count_acceptance(self, destination: str) -> None:
        """Counts a message that the destination accepted."""
        self._accepted[destination] += 1

    def rest_seconds(self, destination: str) -> float:
        """Returns how long nothing is sent to the destination; 0 if it does not rest."""
        self._read()
        known = self._rates.get(destination)
        return min(max(known.rest_until - time.time(), 0.0), LONGEST_REST) if known else 0.0

    def per_second(self, destination: str) -> float | None:
        """Returns the messages a second to the destination, by all workers; None: no limit."""
        known = self._rates.get(destination)
        return known.current(time.time()) if known else None

    def record_refusal(
        self, destination: str, *, rest: float = FIRST_REST, share: float = SHARE
    ) -> bool:
        """Lets the destination rest for `rest` seconds or longer, and lowers its rate to `share` of
        its mean. Does nothing while it rests, because the reply then belongs to a message that was
        on its way, and returns False.
        """
        if self.rest_seconds(destination):
            return False
        now, known = time.time(), self._rates.get(destination)
        is_again = known is not None and now - known.rest_until < 2 * known.rest
        if known and is_again:
            rest = max(rest, min(known.rest * 2, LONGEST_REST))
        since = known.since if known else self._since
        accepted = self._accepted.pop(destination, 0) + (known.accepted if known else 0)
        mean = accepted / max(now + rest - since, FIRST_REST)
        per_second = max(mean * share, SLOWEST)
        learned = LearnedRate(per_second, accepted, since, rest, now + rest)
        self._rates[destination] = learned
        with contextlib.suppress(redis.RedisError):
            latency.client().hset(KEY, destination, json.dumps(asdict(learned)))
        return True

    def _read(self) -> None:
        if time.monotonic() < self._read_at:
            return
        self._read_at = time.monotonic() + READ_SECONDS
        self._rates |= learned_rates()


def learned_rates() -> dict[str, LearnedRate]:
    """Returns the shared rates by destination; {} without Redis."""
    try:
        stored = cast("dict[bytes, bytes]", latency.client().hgetall(KEY))
    except redis.RedisError:
        return {}
    rates = {name.decode(): LearnedRate(**json.loads(text)) for name, text in stored.items()}
    oldest = time.time() - KEPT_SECONDS
    return {name: rate for name, rate in rates.items() if rate.since > oldest}


def names_a_rate(reply: str) -> bool:
    """Returns whether a temporary refusal speaks of the number of our messages in a time."""
    return bool(_RATE.search(reply))


def greylist_wait(reply: str) -> timedelta | None:
    """Returns the wait that a greylisting reply asks for, from half a minute to an hour; None for
    another reply.
    """
    if not _GREYLIST.search(reply):
        return None
    if not (found := _TIME.search(reply)):
        return GREYLISTED
    seconds = int(found[1]) * (60 if found[2][0].lower() in "m분" else 1)
    return timedelta(seconds=min(max(seconds, 30), 3600))
