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

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from redis.exceptions import RedisError

from accounts import code_states, known_devices
from foundations import rate_limits

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
        wait = _count(request, "ask_known", f"{device} {email}").wait_seconds
        return MailPermit(CodeLane.KNOWN_DEVICE, wait)
    if wait := _wait_of_address(request, email):
        return MailPermit(wait_seconds=wait)
    lane = CodeLane.USUAL
    if _count(request, "network").wait_seconds:
        lane = CodeLane.SUSPICIOUS
        _raise_if_used_up(request, "suspicious_mails", SUSPICIOUS_NETWORK)
    _raise_if_used_up(request, "all_mails", BUSY_PORTAL)
    return MailPermit(lane)


def permit_step_up(request: HttpRequest) -> None:
    """Counts a step-up code of the signed-in user, so that no stranger can use up the limit.

    Raises TooManyRequestsError.
    """
    wait = _count(request, "ask_step_up", f"user:{request.user.pk}").wait_seconds
    if wait:
        raise TooManyRequestsError(MANY_CODES, wait)


def count_guess_of_newest(request: HttpRequest, email: str) -> None:
    """Counts a guess at a code that was mailed at another browser's request.

    Raises TooManyRequestsError.
    """
    steps = (("guess_newest", _from_site(request, email)), ("guess_newest_anywhere", email))
    for action, key in steps:
        if wait := _count(request, action, key).wait_seconds:
            raise TooManyRequestsError(MANY_GUESSES, wait)


def count_wrong_guess(request: HttpRequest) -> None:
    """Makes the network more suspicious."""
    _count(request, "network")


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
        return False


def _wait_of_address(request: HttpRequest, email: str) -> int:
    """Returns the seconds until the address may get a mail at this visitor's request; 0: now.

    A refused request does not count. After the limit for all networks together, one mail is still
    sent from time to time, so that its owner always receives a code that works.
    """
    network = f"{rate_limits.network_of(request)} {email}"
    counted = []
    for action, key in (("ask", network), ("ask_site", _from_site(request, email))):
        counted.append(_count(request, action, key))
        if counted[-1].wait_seconds:
            return _refused(counted)
    counted.append(_count(request, "ask_anywhere", email))
    if counted[-1].wait_seconds:
        counted.append(_count(request, "ask_rarely", email))
        return _refused(counted) if counted[-1].wait_seconds else 0
    return 0


def _refused(counted: list[rate_limits.Usage]) -> int:
    with suppress(RedisError):
        for usage in counted:
            usage.roll_back()
    return counted[-1].wait_seconds


def _from_site(request: HttpRequest, email: str) -> str:
    return f"{rate_limits.site_of(request)} {email}"


def _raise_if_used_up(request: HttpRequest, action: str, reason: Promise) -> None:
    wait = _count(request, action, EVERY_ADDRESS).wait_seconds
    if not wait:
        return
    with suppress(RedisError):
        if cache.add(f"{ALARM}.logged", True, timeout=LOG_SECONDS):
            logger.error("code mails are refused: the limit %s is used up", action)
        cache.set(ALARM, True, timeout=ALARM_SECONDS)
    raise TooManyRequestsError(reason, wait)


def _count(request: HttpRequest, action: str, key: str = "") -> rate_limits.Usage:
    """Counts one `action` against settings.CODE_RATES.

    The key is hashed with the portal's secret key, so that Redis contains no address.
    """
    key = salted_hmac("accounts.codes.rates", key, algorithm="sha256").hexdigest()
    rates = settings.CODE_RATES[action]
    if not code_states.redis_is_away():
        try:
            return rate_limits.attempt(request, scope=SCOPE, action=action, rates=rates, key=key)
        except RedisError:
            code_states.note_redis_away()
            logger.error("Redis is away: the database counts sign-in codes")
    return _count_in_database(request, action, key)


def _count_in_database(request: HttpRequest, action: str, key: str) -> rate_limits.Usage:
    """Counts one `action` against a quarter of its rates.

    The windows are of fixed length, so the most in any window of a rate is half of the rate.
    """
    usage = rate_limits.Usage()
    for rate in rate_limits.parse_rates(settings.CODE_RATES[action]):
        name = rate_limits.name_of_count(request, SCOPE, action, rate, key)
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
