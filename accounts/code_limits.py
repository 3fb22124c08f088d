"""The limits on sign-in codes: who gets a mail now, and how fast; see settings.CODE_RATES.

No limit refuses a visitor because of the network, because a mobile carrier puts a town behind one
address. A network with many unanswered codes only waits behind others. An address that received
many mails gets no new one for a while; its newest code works then. Decision 0027 has the numbers.

While Redis is away, the database counts, and a quarter of each rate is left; decision 0034.
"""

import logging
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from redis.exceptions import RedisError

from accounts import code_states, known_devices
from foundations import rate_limits
from foundations.rate_limits import CountStep, Usage

ALARM = "accounts.code_limits.alarm"
ALARM_SECONDS = 15 * 60  # for which the desk shows it
LOG_SECONDS = 60  # between two lines in the log
CREDIT = 2  # a right code takes back its request and one wrong guess
EVERY_ADDRESS = "*"
SCOPE = "accounts"  # of the counts
STRICTER = 4  # the part of a rate that is left while Redis is away

logger = logging.getLogger(__name__)


class CodeLane(IntEnum):
    """The order in which waiting code mails are sent."""

    KNOWN_DEVICE = 0
    USUAL = 1
    SUSPICIOUS = 2


Limit = tuple[str, str]  # the name in settings.CODE_RATES, and the counted key
_NETWORK: Limit = ("network", "")
_ALL_MAILS: Limit = ("all_mails", EVERY_ADDRESS)
_SUSPICIOUS_MAILS: Limit = ("suspicious_mails", EVERY_ADDRESS)


class LimitCounts(NamedTuple):
    """The usage of each limit that a request was counted against, up to the first used-up one."""

    steps: list[CountStep]
    usages: list[Usage]

    @property
    def wait_seconds(self) -> int:
        """The seconds until the used-up limit lets a request pass; 0 if all limits did."""
        return self.usages[-1].wait_seconds

    @property
    def used_up(self) -> str:
        """The name of the used-up limit; "" if all limits let the request pass."""
        return self.steps[len(self.usages) - 1].action if self.wait_seconds else ""


@dataclass(frozen=True)
class MailPermit:
    """Whether a code mail may be sent now, and in which lane."""

    lane: CodeLane = CodeLane.USUAL
    wait_seconds: int = 0  # until the next mail to this address; 0: now


class TooManyRequestsError(Exception):
    """A limit is used up. It names the reason, and the seconds until it lets a request pass."""

    def __init__(self, reason: str | Promise, wait_seconds: int) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.wait_seconds = wait_seconds


def permit_mail(request: HttpRequest, email: str) -> MailPermit:
    """Returns whether a code may be mailed to `email` at this visitor's request.

    Raises TooManyRequestsError if the portal sends no more mails at all to such visitors now.
    """
    if device := known_devices.device_name(request, email):
        counts = _count(request, ("ask_known", f"{device} {email}"))
        return MailPermit(CodeLane.KNOWN_DEVICE, counts.wait_seconds)
    counts = _count(request, *_limits_of_address(request, email), _NETWORK, _ALL_MAILS)
    if counts.used_up.startswith("ask"):
        if wait := _wait_of_address(request, email, counts):
            return MailPermit(wait_seconds=wait)
        counts = _count(request, _NETWORK, _ALL_MAILS)
    lane = CodeLane.USUAL
    if counts.used_up == "network":
        lane = CodeLane.SUSPICIOUS
        counts = _count(request, _SUSPICIOUS_MAILS, _ALL_MAILS)
    if counts.used_up:
        raise _too_many_mails(counts)
    return MailPermit(lane)


def permit_step_up(request: HttpRequest) -> None:
    """Counts a step-up code of the signed-in user, so that no stranger can use up the limit.

    Raises TooManyRequestsError.
    """
    if wait := _count(request, ("ask_step_up", f"user:{request.user.pk}")).wait_seconds:
        raise TooManyRequestsError(MANY_CODES, wait)


def count_guess_of_newest(request: HttpRequest, email: str) -> None:
    """Counts a guess at a code that was mailed at another browser's request.

    Raises TooManyRequestsError.
    """
    from_site = ("guess_newest", _from_site(request, email))
    if wait := _count(request, from_site, ("guess_newest_anywhere", email)).wait_seconds:
        raise TooManyRequestsError(MANY_GUESSES, wait)


def count_wrong_guess(request: HttpRequest) -> None:
    """Makes the network more suspicious."""
    _count(request, _NETWORK)


def credit_right_code(request: HttpRequest) -> None:
    """Makes the network less suspicious. Does nothing while Redis is away."""
    rates = settings.CODE_RATES["network"]
    with suppress(RedisError):
        rate_limits.give_back(request, scope=SCOPE, action="network", rates=rates, number=CREDIT)


def has_alarm() -> bool:
    """Returns whether a limit for the whole portal was used up in the last ALARM_SECONDS."""
    try:
        return cache.get(ALARM) is not None
    except RedisError:
        code_states.note_redis_away()
        return False


def _limits_of_address(request: HttpRequest, email: str) -> list[Limit]:
    network = f"{rate_limits.network_of(request)} {email}"
    return [("ask", network), ("ask_site", _from_site(request, email)), ("ask_anywhere", email)]


def _wait_of_address(request: HttpRequest, email: str, counts: LimitCounts) -> int:
    """Returns the seconds until the address may get a mail at this visitor's request; 0: now.

    `counts` are those of the request, which used up a limit of the address. A refused request does
    not count. After the limit for all networks together, one mail is still sent from time to time,
    so that its owner always receives a code that works.
    """
    wait = counts.wait_seconds
    if counts.used_up == "ask_anywhere":
        wait = _count(request, ("ask_rarely", email)).wait_seconds
    if wait:
        with suppress(RedisError):
            for usage in counts.usages:
                usage.roll_back()
    return wait


def _from_site(request: HttpRequest, email: str) -> str:
    return f"{rate_limits.site_of(request)} {email}"


def _too_many_mails(counts: LimitCounts) -> TooManyRequestsError:
    """Returns the error for a used-up limit of the whole portal. Logs it, for the desk as well."""
    with suppress(RedisError):
        if cache.add(f"{ALARM}.logged", True, timeout=LOG_SECONDS):
            logger.error("code mails are refused: the limit %s is used up", counts.used_up)
        cache.set(ALARM, True, timeout=ALARM_SECONDS)
    reason = BUSY_PORTAL if counts.used_up == "all_mails" else SUSPICIOUS_NETWORK
    return TooManyRequestsError(reason, counts.wait_seconds)


def _count(request: HttpRequest, *limits: Limit) -> LimitCounts:
    """Counts one request against limits of settings.CODE_RATES, up to the first used-up one.

    Each key is hashed with the portal's secret key, so that Redis contains no address.
    """
    steps = [CountStep(action, settings.CODE_RATES[action], _hash(key)) for action, key in limits]
    if not code_states.redis_is_away():
        try:
            usages = rate_limits.attempt_in_order(request, scope=SCOPE, steps=steps)
        except RedisError:
            code_states.note_redis_away()
        else:
            code_states.note_redis_answers()
            return LimitCounts(steps, usages)
    usages = []
    for step in steps:
        usages.append(_count_in_database(request, step))
        if usages[-1].wait_seconds:
            break
    return LimitCounts(steps, usages)


def _hash(key: str) -> str:
    return salted_hmac("accounts.codes.rates", key, algorithm="sha256").hexdigest()


def _count_in_database(request: HttpRequest, step: CountStep) -> Usage:
    """Counts one action against a quarter of its rates.

    The windows are of fixed length, so the most in any window of a rate is half of the rate.
    """
    usage = Usage()
    for rate in rate_limits.parse_rates(step.rates):
        name = rate_limits.name_of_count(request, SCOPE, step.action, rate, step.key)
        number, wait = code_states.count(name, seconds=rate.seconds)
        if number > max(1, rate.amount // STRICTER):
            usage.wait_seconds = wait
            break
    return usage


MANY_CODES = _("You have requested several codes in a short time.")
MANY_GUESSES = _("Several wrong codes were entered for this address.")
BUSY_PORTAL = _("More codes are being requested right now than we can send.")
SUSPICIOUS_NETWORK = _(
    "More codes are being requested right now than we can send, and very many of them from the "
    "network that you use. You may share it with many others."
)
