"""Sign-in codes: six digits that are sent by e-mail and checked. Sign-in and step-up use them.

The code here never looks up whether an address belongs to a user. Therefore a known and an unknown
address get the same answer after the same work.

Tries are counted for each code, so that a stranger cannot use up the tries of another person. The
number of codes that can be requested limits guessing as a whole; see
docs/decisions/0007-limits-on-codes.md.
"""

import re
import secrets
import time
import unicodedata
from enum import StrEnum
from smtplib import SMTPException
from typing import Any, Self

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac
from redis.exceptions import RedisError

from accounts import emails
from foundations import rate_limits

DIGITS = 6
# Spaces, dashes, dots, and invisible characters that are copied with a code.
_NOT_DIGITS = re.compile(r"[\s\-\u2010-\u2015\u2212.,·\u200b-\u200f\u2060\ufeff]")


class Purpose(StrEnum):
    """The use of a code. The value is also the key of the code's state in the session."""

    SIGN_IN = "sign_in_code"
    STEP_UP = "step_up_code"


class TooManyRequestsError(Exception):
    """An address, a user or a network requested or tried too many codes."""


class ResendLimitError(Exception):
    """The session may not request another code; the newest code still works."""


class CodeNotSentError(Exception):
    """The mail server did not accept the mail, or Redis cannot be reached."""


class CodeExpiredError(Exception):
    """The code is too old. The visitor can request a new one to the same address."""


class CodeTriesExhaustedError(Exception):
    """The last try was wrong. The visitor must start again."""


class CodeUsedError(Exception):
    """Another request with the same code was accepted before."""


def clean_code(text: str) -> str | None:
    """Returns the six digits in `text`, without separators, or None if it is not a code."""
    digits = _NOT_DIGITS.sub("", unicodedata.normalize("NFKC", text))
    return digits if re.fullmatch(rf"[0-9]{{{DIGITS}}}", digits) else None


class EmailedCode:
    """A code that was sent to one address. The visitor's session stores a keyed hash of it."""

    def __init__(self, request: HttpRequest, purpose: Purpose, state: dict[str, Any]) -> None:
        self.request = request
        self.purpose = purpose
        self.state = state
        self.max_attempts: int = settings.SIGN_IN_CODE_TRIES
        self.timeout: int = settings.SIGN_IN_CODE_MINUTES * 60  # seconds

    @classmethod
    def begin(cls, request: HttpRequest, purpose: Purpose, *, email: str, next_url: str) -> Self:
        """Sends a first code to `email`, which is normalised, and returns it.

        The right code leads the visitor to `next_url`. Raises TooManyRequestsError or
        CodeNotSentError; the session then has no pending code of this call.
        """
        process = cls(request, purpose, {"email": email, "next": next_url, "resend_count": 0})
        process.send()
        return process

    @classmethod
    def pending(cls, request: HttpRequest, purpose: Purpose) -> Self | None:
        """Returns the code that was sent to this visitor, expired or not, or None."""
        state = request.session.get(purpose)
        return cls(request, purpose, state) if state else None

    @property
    def email(self) -> str:
        """The address to which the code was sent."""
        return str(self.state["email"])

    @property
    def next_url(self) -> str:
        """The page that follows the code; empty for the default page."""
        return str(self.state["next"])

    def set_next_url(self, next_url: str) -> None:
        """Changes the page that follows the code. Does nothing if `next_url` is empty."""
        if next_url:
            self.state["next"] = next_url
            self.persist()

    @property
    def tries_left(self) -> int:
        """The number of tries that are left for this code."""
        return int(self.max_attempts - self.state["failed_attempts"])

    def send(self) -> None:
        """Sends a new code, which makes the code before it invalid.

        Raises TooManyRequestsError or CodeNotSentError.
        """
        self._count_request()
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        salt = secrets.token_urlsafe(16)
        try:
            # The counter lives longer than the code, because a code without counter is invalid.
            cache.set(self._key("tries", salt), 0, timeout=2 * self.timeout)
            emails.send_sign_in_code(self.email, code)
        except (OSError, SMTPException, RedisError) as error:
            raise CodeNotSentError from error
        self.state["salt"] = salt
        self.state["digest"] = self._digest(code)
        self.state["at"] = time.time()
        self.state["failed_attempts"] = 0
        self.persist()

    def send_again(self) -> None:
        """Sends a new code to the same address.

        Raises ResendLimitError after settings.SIGN_IN_CODE_RESENDS times, and
        TooManyRequestsError or CodeNotSentError as `send` does.
        """
        if self.state["resend_count"] >= settings.SIGN_IN_CODE_RESENDS:
            raise ResendLimitError
        self.state["resend_count"] += 1
        self.send()

    def raise_if_expired(self) -> None:
        """Raises CodeExpiredError once settings.SIGN_IN_CODE_MINUTES have passed."""
        if time.time() - self.state["at"] > self.timeout:
            raise CodeExpiredError

    def accepts(self, code: str) -> bool:
        """Uses one try and returns whether `code` is right.

        Returns True at most once, even if many requests bring the right code. Redis counts the
        tries, and not the session, so that parallel requests get no additional tries.

        Raises CodeExpiredError, CodeUsedError, TooManyRequestsError, CodeNotSentError if Redis
        cannot be reached, or CodeTriesExhaustedError at the last wrong try.
        """
        self.raise_if_expired()
        usage = _count(self.request, "guess")
        tries = self._count_try()
        is_right = constant_time_compare(self._digest(code), self.state["digest"])
        if is_right and tries <= self.max_attempts:
            _roll_back(usage)
            self._mark_used()
            self.abort()
            return True
        if tries >= self.max_attempts:
            self.abort()
            raise CodeTriesExhaustedError
        self.state["failed_attempts"] = tries
        self.persist()
        return False

    def persist(self) -> None:
        """Writes the state to the session."""
        self.request.session[self.purpose] = self.state

    def abort(self) -> None:
        """Removes the code from the session."""
        self.request.session.pop(self.purpose, None)

    def _count_request(self) -> None:
        if self.purpose == Purpose.STEP_UP:
            # By user, so that a stranger who knows the address cannot use up the rate.
            _count(self.request, "ask_step_up", f"user:{self.request.user.pk}")
            return
        # In this order, a request that is refused for its network does not count for all networks.
        _count(self.request, "ask", f"{rate_limits.network_of(self.request)} {self.email}")
        _count(self.request, "ask_anywhere", self.email)

    def _count_try(self) -> int:
        """Returns the number of this try, from 1. Redis counts it in one atomic step.

        Raises CodeExpiredError if the counter is missing, and CodeNotSentError if Redis cannot be
        reached.
        """
        try:
            return int(cache.incr(self._key("tries", self.state["salt"])))
        except ValueError:  # Redis was emptied
            raise CodeExpiredError from None
        except RedisError as error:
            raise CodeNotSentError from error

    def _mark_used(self) -> None:
        """Marks the code as used.

        Raises CodeUsedError if another request did, and CodeNotSentError if Redis cannot be
        reached.
        """
        key = self._key("used", self.state["salt"])
        try:
            is_first = cache.add(key, True, timeout=2 * self.timeout)
        except RedisError as error:
            raise CodeNotSentError from error
        if not is_first:
            raise CodeUsedError

    def _key(self, name: str, salt: str) -> str:
        """Returns a key in Redis for this code. It is a keyed hash and contains no address."""
        bound = f"{self.purpose}:{self.email}:{salt}"
        mac = salted_hmac("accounts.codes.key", bound, algorithm="sha256").hexdigest()
        return f"accounts.codes:{name}:{mac}"

    def _digest(self, code: str) -> str:
        bound = f"{self.purpose}:{self.email}:{self.state['salt']}:{code}"
        return salted_hmac("accounts.codes", bound, algorithm="sha256").hexdigest()


def _count(request: HttpRequest, action: str, key: str = "") -> rate_limits.Usage:
    """Counts one `action` of this network and this key against settings.CODE_RATES.

    The key is hashed with the portal's secret key, so that Redis contains no address. Raises
    TooManyRequestsError if a rate is used up, and CodeNotSentError if Redis cannot be reached.
    """
    key = salted_hmac("accounts.codes.rates", key, algorithm="sha256").hexdigest()
    rates = settings.CODE_RATES[action]
    try:
        usage = rate_limits.consume(request, scope="accounts", action=action, rates=rates, key=key)
    except RedisError as error:
        raise CodeNotSentError from error
    if usage is None:
        raise TooManyRequestsError
    return usage


def _roll_back(usage: rate_limits.Usage) -> None:
    """Removes a right code from the count of guesses.

    Raises CodeNotSentError if Redis cannot be reached.
    """
    try:
        usage.roll_back()
    except RedisError as error:
        raise CodeNotSentError from error
