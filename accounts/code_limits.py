"""The limits on sign-in codes: who gets a code now, and how fast; see settings.CODE_RATES.

No limit refuses a visitor because of the network, because a mobile carrier puts a town behind one
address. A network with many unanswered codes only waits behind others. An address that received
many mails gets no new one for a while; its newest code works then. Decision 0027 has the numbers.

Text messages have limits of their own, which are lower, and a budget for each day (decision 0056).

While Redis is away, the database counts, and a quarter of each rate is left; decision 0034.
"""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from redis.exceptions import RedisError

from accounts import code_states, code_texts, known_devices
from accounts.code_queue import CodeLane
from accounts.contacts import is_phone
from accounts.desk_alarms import BUDGET_RUNS_OUT, BUDGET_USED_UP
from foundations import rate_limits
from foundations.rate_limits import NOTHING, Along, CountStep, Usage

ALARM = "accounts.code_limits.alarm"
TEXT_ALARM = "accounts.code_limits.text_alarm"
ALARM_SECONDS = 15 * 60  # for which the desk shows it
LOG_SECONDS = 60  # between two lines in the log
CREDIT = 2  # a right code takes back its request and one wrong guess
EVERY_ADDRESS = "*"
SCOPE = "accounts"  # of the counts
USED_UP, RUNS_OUT = "used up", "runs out"  # states of the alarm of text messages
STRICTER = 4  # the part of a rate that is left while Redis is away

logger = logging.getLogger(__name__)


Limit = tuple[str, str]  # the name in settings.CODE_RATES, and the counted key


class CodeStream(NamedTuple):
    """The limits of the codes by mail, or of those by text message."""

    prefix: str  # of the names of the limits of one address or number
    network: Limit
    all: Limit
    suspicious: Limit
    alarm: str  # the key in Redis

    @property
    def of_known_device(self) -> list[Limit]:
        """The limits of the whole portal that count for a known device, too."""
        return [self.all] if self is TEXTS else []


MAILS = CodeStream(
    "",
    ("network", ""),
    ("all_mails", EVERY_ADDRESS),
    ("suspicious_mails", EVERY_ADDRESS),
    ALARM,
)
TEXTS = CodeStream(
    "text_",
    ("text_network", ""),
    ("all_texts", EVERY_ADDRESS),
    ("suspicious_texts", EVERY_ADDRESS),
    TEXT_ALARM,
)


class LimitCounts(NamedTuple):
    """The usage of each limit that a request was counted against, up to the first used-up one."""

    steps: list[CountStep]
    usages: list[Usage]
    claimed: str = ""  # the value of the claim, if another request holds it; nothing was counted
    is_in_database: bool = False  # Redis is away, so it stored nothing along with the counts

    @property
    def wait_seconds(self) -> int:
        """The seconds until the used-up limit lets a request pass; 0 if all limits did."""
        return self.usages[-1].wait_seconds

    @property
    def used_up(self) -> str:
        """The name of the used-up limit; "" if all limits let the request pass."""
        return self.steps[len(self.usages) - 1].action if self.wait_seconds else ""


@dataclass(frozen=True)
class CodePermit:
    """Whether a code may be sent now, and in which lane.

    If it may, Redis has stored what the caller wanted stored along with the counts, unless
    `is_in_database`.
    """

    lane: CodeLane = CodeLane.USUAL
    wait_seconds: int = 0  # until the next code to this address or number; 0: now
    claimed: str = ""  # the value of the caller's claim, if another request holds it
    is_in_database: bool = False  # Redis is away


class TooManyRequestsError(Exception):
    """A limit is used up. It names the reason, and the seconds until it lets a request pass."""

    def __init__(self, reason: str | Promise, wait_seconds: int) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.wait_seconds = wait_seconds


def permit_code(request: HttpRequest, contact: str, along: Along = NOTHING) -> CodePermit:
    """Returns whether a code may be sent to `contact` at this visitor's request.

    Raises TooManyRequestsError if the portal sends no more codes at all to such visitors now.
    """
    stream = _stream_of(contact)
    permit = _permit(request, contact, stream, along)
    if stream is TEXTS and not (permit.wait_seconds or permit.claimed):
        _warn_of_budget(request)
    return permit


def _permit(request: HttpRequest, contact: str, stream: CodeStream, along: Along) -> CodePermit:
    if device := known_devices.device_name(request, contact):
        own = (f"{stream.prefix}ask_known", f"{device} {contact}")
        counts = _count(request, own, *stream.of_known_device, along=along)
        if counts.used_up == stream.all[0]:
            raise _too_many_codes(stream, counts)
        return _permit_by(counts, CodeLane.KNOWN_DEVICE)
    of_contact = _limits_of_contact(request, contact, stream)
    counts = _count(request, *of_contact, stream.network, stream.all, along=along)
    along = along._replace(claim=None)  # this request holds it, or ends here
    if counts.used_up in [name for name, _key in of_contact]:
        if wait := _wait_of_contact(request, contact, counts, stream):
            return CodePermit(wait_seconds=wait)
        counts = _count(request, stream.network, stream.all, along=along)
    lane = CodeLane.USUAL
    if counts.used_up == stream.network[0]:
        lane = CodeLane.SUSPICIOUS
        counts = _count(request, stream.suspicious, stream.all, along=along)
    if counts.used_up:
        raise _too_many_codes(stream, counts)
    return _permit_by(counts, lane)


def _permit_by(counts: LimitCounts, lane: CodeLane) -> CodePermit:
    return CodePermit(lane, counts.wait_seconds, counts.claimed, counts.is_in_database)


def permit_step_up(request: HttpRequest, contact: str, along: Along = NOTHING) -> CodePermit:
    """Counts a step-up code of the signed-in user, so that no stranger can use up the limit.

    Raises TooManyRequestsError.
    """
    stream = _stream_of(contact)
    own = ("ask_step_up", f"user:{request.user.pk}")
    counts = _count(request, own, *stream.of_known_device, along=along)
    if counts.used_up == stream.all[0]:
        raise _too_many_codes(stream, counts)
    if counts.wait_seconds:
        raise TooManyRequestsError(MANY_CODES, counts.wait_seconds)
    return _permit_by(counts, CodeLane.KNOWN_DEVICE)


@contextmanager
def account_text(text: str) -> Iterator[None]:
    """Counts a text message about an account, which no visitor asks for; the block sends it.

    One that costs as much as two codes counts as two. If the block raises an error, the counts are
    given back, unless Redis is away. Raises TooManyRequestsError if the budget has not enough left;
    then nothing is counted.
    """
    no_visitor = HttpRequest()  # the budget counts no network
    counted: list[Usage] = []
    try:
        for _code in range(code_texts.codes_for_price_of(text)):
            counts = _count(no_visitor, TEXTS.all)
            counted += counts.usages
            if counts.used_up:
                raise TooManyRequestsError(NO_MORE_TEXTS, counts.wait_seconds)
            counted += _warn_of_budget(no_visitor)
        yield
    except Exception:
        _give_back(counted)
        raise


def _give_back(counted: Iterable[Usage]) -> None:
    with suppress(RedisError):
        for usage in counted:
            usage.roll_back()


def count_guess_of_newest(request: HttpRequest, email: str) -> None:
    """Counts a guess at a code that was mailed at another browser's request.

    Raises TooManyRequestsError.
    """
    from_site = ("guess_newest", _from_site(request, email))
    if wait := _count(request, from_site, ("guess_newest_anywhere", email)).wait_seconds:
        raise TooManyRequestsError(MANY_GUESSES, wait)


def count_wrong_guess(request: HttpRequest) -> None:
    """Makes the network more suspicious."""
    _count(request, MAILS.network)


def credit_right_code(request: HttpRequest, contact: str) -> None:
    """Makes the network less suspicious. Does nothing while Redis is away.

    A right code by text message takes back one request for one: numbers of a thief can answer, too.
    """
    name = _stream_of(contact).network[0]
    number = 1 if is_phone(contact) else CREDIT
    rates = settings.CODE_RATES[name]
    with suppress(RedisError):
        rate_limits.give_back(request, scope=SCOPE, action=name, rates=rates, number=number)


def has_alarm() -> bool:
    """Returns whether a limit on the mails of the portal was used up in the last ALARM_SECONDS."""
    return _state_of(ALARM) is not None


def text_alarm() -> str:
    """Returns what the desk has to know of the budget of text messages; "" for nothing."""
    state = _state_of(TEXT_ALARM)
    if state is None:
        return ""
    return str(BUDGET_USED_UP if state == USED_UP else BUDGET_RUNS_OUT)


def _state_of(alarm: str) -> object:
    try:
        return cache.get(alarm)
    except RedisError:
        code_states.note_redis_away()
        return None


def _stream_of(contact: str) -> CodeStream:
    return TEXTS if is_phone(contact) else MAILS


def _limits_of_contact(request: HttpRequest, contact: str, stream: CodeStream) -> list[Limit]:
    network = f"{rate_limits.network_of(request)} {contact}"
    return [
        (f"{stream.prefix}ask", network),
        (f"{stream.prefix}ask_site", _from_site(request, contact)),
        (f"{stream.prefix}ask_anywhere", contact),
    ]


def _wait_of_contact(
    request: HttpRequest, contact: str, counts: LimitCounts, stream: CodeStream
) -> int:
    """Returns the seconds until the contact may get a code at this visitor's request; 0: now.

    `counts` are those of the request, which used up a limit of the contact. A refused request does
    not count. After the limit for all networks together, one code is still sent from time to time,
    so that its owner always receives a code that works.
    """
    wait = counts.wait_seconds
    if counts.used_up == f"{stream.prefix}ask_anywhere":
        wait = _count(request, (f"{stream.prefix}ask_rarely", contact)).wait_seconds
    if wait:
        _give_back(counts.usages)
    return wait


def _from_site(request: HttpRequest, email: str) -> str:
    return f"{rate_limits.site_of(request)} {email}"


def _too_many_codes(stream: CodeStream, counts: LimitCounts) -> TooManyRequestsError:
    """Returns the error for a used-up limit of the whole portal. Logs it, for the desk as well.

    The desk shows that the budget of text messages is used up until a part of it is free again.
    """
    kind = "texts" if stream is TEXTS else "mails"
    seconds = max(ALARM_SECONDS, counts.wait_seconds) if stream is TEXTS else ALARM_SECONDS
    with suppress(RedisError):
        if cache.add(f"{stream.alarm}.logged", True, timeout=LOG_SECONDS):
            logger.error("code %s are refused: the limit %s is used up", kind, counts.used_up)
        cache.set(stream.alarm, USED_UP, timeout=seconds)
    is_busy = counts.used_up == stream.all[0]
    if stream is TEXTS:
        return TooManyRequestsError(NO_MORE_TEXTS, counts.wait_seconds)
    reason = BUSY_PORTAL if is_busy else SUSPICIOUS_NETWORK
    return TooManyRequestsError(reason, counts.wait_seconds)


def _warn_of_budget(request: HttpRequest) -> list[Usage]:
    """Counts a text message, and shows on the desk when most of the budget of a day is used up."""
    counts = _count(request, ("texts_before_warning", EVERY_ADDRESS))
    if counts.used_up:
        with suppress(RedisError):
            if cache.add(TEXT_ALARM, RUNS_OUT, timeout=ALARM_SECONDS):
                per_cent = code_texts.WARNING_PER_CENT
                logger.warning("%s %% of today's codes by text message are used up", per_cent)
    return counts.usages


def _count(request: HttpRequest, *limits: Limit, along: Along = NOTHING) -> LimitCounts:
    """Counts one request against limits of settings.CODE_RATES, up to the first used-up one.

    The names of the counts contain keyed hashes, so that Redis holds no address. The database
    stores nothing `along` with the counts.
    """
    steps = [CountStep(action, _rates(action), key) for action, key in limits]
    return count_steps(request, SCOPE, steps, along)


def count_steps(
    request: HttpRequest, scope: str, steps: list[CountStep], along: Along = NOTHING
) -> LimitCounts:
    """Counts one request for actions in their order, up to the first used-up rate.

    While Redis is away, the database counts, a quarter of each rate is left, and nothing is stored
    `along`. `scope` separates the counts of different callers.
    """
    if not code_states.redis_is_away():
        try:
            attempt = rate_limits.attempt_in_order(request, scope=scope, steps=steps, along=along)
        except RedisError:
            code_states.note_redis_away()
        else:
            code_states.note_redis_answers()
            return LimitCounts(steps, attempt.usages, attempt.claimed or "")
    usages = []
    for step in steps:
        usages.append(_count_in_database(request, scope, step))
        if usages[-1].wait_seconds:
            break
    return LimitCounts(steps, usages, is_in_database=True)


def _rates(action: str) -> str:
    """Returns the rates of a limit: those of settings.CODE_RATES, or of the budget of texts."""
    rates = settings.CODE_RATES
    return str(rates[action] if action in rates else code_texts.rates_of_budget()[action])


def _count_in_database(request: HttpRequest, scope: str, step: CountStep) -> Usage:
    """Counts one action against a quarter of its rates.

    The windows are of fixed length, so the most in any window of a rate is half of the rate.
    """
    usage = Usage()
    for rate in rate_limits.parse_rates(step.rates):
        name = rate_limits.name_of_count(request, scope, step.action, rate, step.key)
        number, wait = code_states.count(name, seconds=rate.seconds, weight=step.weight)
        if number > max(1, rate.amount // STRICTER):
            usage.wait_seconds = wait
            break
    return usage


MANY_CODES = _("You have requested several codes in a short time.")
MANY_GUESSES = _("Several wrong codes were entered.")
BUSY_PORTAL = _("More codes are being requested right now than we can send.")
SUSPICIOUS_NETWORK = _(
    "More codes are being requested right now than we can send, and very many of them from the "
    "network that you use. You may share it with many others."
)
NO_MORE_TEXTS = _(
    "More codes by text message are being requested right now than we can send. Use your e-mail "
    "address if the company knows it."
)
