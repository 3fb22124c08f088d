"""Six digits by mail, and what happens when they come back. Sign-in and step-up share this.

Nothing in here asks whether an address belongs to a user. So a known and an unknown address get
the same answer after the same work, without anybody having to balance two branches.

Guesses are counted for each code, so no stranger can spend somebody else's. What bounds guessing
as a whole is how many codes can be asked for: docs/decisions/0007-limits-on-codes.md.
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
# Spaces, dashes, dots, and what cannot be seen but is copied along.
_NOT_DIGITS = re.compile(r"[\s\-\u2010-\u2015\u2212.,·\u200b-\u200f\u2060\ufeff]")


class Purpose(StrEnum):
    """What a code opens; also the key of its state in the session."""

    SIGN_IN = "sign_in_code"
    STEP_UP = "step_up_code"


class TooManyRequestsError(Exception):
    """One address or one network asked or guessed too often."""


class NoMoreCodesError(Exception):
    """Enough codes were sent in this session; the newest still works."""


class CodeNotSentError(Exception):
    """The mail server did not take the mail, or the counters are out of reach."""


class CodeExpiredError(Exception):
    """The code is too old. A new one can be sent to the same address."""


class CodeSpentError(Exception):
    """That was the last try. The visitor starts again."""


class CodeUsedError(Exception):
    """Another request with the same code came first."""


def clean_code(text: str) -> str | None:
    """The six digits in `text` however they were pasted, or None if it is not a code."""
    digits = _NOT_DIGITS.sub("", unicodedata.normalize("NFKC", text))
    return digits if re.fullmatch(rf"[0-9]{{{DIGITS}}}", digits) else None


class EmailedCode:
    """A code sent to one address. The visitor's session keeps it as a keyed hash."""

    def __init__(self, request: HttpRequest, purpose: Purpose, state: dict[str, Any]) -> None:
        self.request = request
        self.purpose = purpose
        self.state = state
        self.max_attempts: int = settings.SIGN_IN_CODE_TRIES
        self.timeout: int = settings.SIGN_IN_CODE_MINUTES * 60  # seconds

    @classmethod
    def begin(cls, request: HttpRequest, purpose: Purpose, *, email: str, next_url: str) -> Self:
        """Sends a first code to `email` (normalised); the visitor goes on to `next_url` with it.

        Raises TooManyRequestsError or CodeNotSentError; then nothing is pending.
        """
        process = cls(request, purpose, {"email": email, "next": next_url, "resend_count": 0})
        process.send()
        return process

    @classmethod
    def pending(cls, request: HttpRequest, purpose: Purpose) -> Self | None:
        """The code this visitor was sent, expired or not, or None."""
        state = request.session.get(purpose)
        return cls(request, purpose, state) if state else None

    @property
    def email(self) -> str:
        """Where the code went."""
        return str(self.state["email"])

    @property
    def next_url(self) -> str:
        """Where the visitor wanted to go; empty if nowhere in particular."""
        return str(self.state["next"])

    def go_on_to(self, next_url: str) -> None:
        """Changes where the visitor goes with the code; empty leaves it."""
        if next_url:
            self.state["next"] = next_url
            self.persist()

    @property
    def tries_left(self) -> int:
        """How many guesses this code still takes."""
        return int(self.max_attempts - self.state["failed_attempts"])

    def send(self) -> None:
        """Sends a new code; the one before it is worthless from now on."""
        self._count_ask()
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        salt = secrets.token_urlsafe(16)
        try:
            # Kept longer than the code: without its counter a code is worth nothing.
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
        """A new code to the same address, a limited number of times in one session.

        Raises NoMoreCodesError after that, and what `begin` raises.
        """
        if self.state["resend_count"] >= settings.SIGN_IN_CODE_RESENDS:
            raise NoMoreCodesError
        self.state["resend_count"] += 1
        self.send()

    def raise_if_expired(self) -> None:
        """Raises CodeExpiredError once settings.SIGN_IN_CODE_MINUTES have passed."""
        if time.time() - self.state["at"] > self.timeout:
            raise CodeExpiredError

    def accepts(self, code: str) -> bool:
        """Spends one try. True once, for the right code, in one of any number of requests.

        Raises CodeExpiredError, CodeUsedError, TooManyRequestsError, or CodeSpentError at the
        last wrong try. The count is kept outside the session, so that many requests at once get
        no more guesses than one after the other.
        """
        self.raise_if_expired()
        usage = _count(self.request, "guess")
        tries = self._spend_try()
        is_right = constant_time_compare(self._digest(code), self.state["digest"])
        if is_right and tries <= self.max_attempts:
            _take_back(usage)
            self._use()
            self.abort()
            return True
        if tries >= self.max_attempts:
            self.abort()
            raise CodeSpentError
        self.state["failed_attempts"] = tries
        self.persist()
        return False

    def persist(self) -> None:
        """Writes the state back to the session."""
        self.request.session[self.purpose] = self.state

    def abort(self) -> None:
        """Forgets the code."""
        self.request.session.pop(self.purpose, None)

    def _count_ask(self) -> None:
        if self.purpose == Purpose.STEP_UP:  # strangers know the address; they cannot spend these
            _count(self.request, "ask_step_up", f"user:{self.request.user.pk}")
            return
        # In this order: what one network is refused is not counted for the others.
        _count(self.request, "ask", f"{rate_limits.network_of(self.request)} {self.email}")
        _count(self.request, "ask_anywhere", self.email)

    def _spend_try(self) -> int:
        """Which try this is; counted in Redis in one step. Raises CodeExpiredError if unknown."""
        try:
            return int(cache.incr(self._key("tries", self.state["salt"])))
        except ValueError:  # Redis was emptied
            raise CodeExpiredError from None
        except RedisError as error:
            raise CodeNotSentError from error

    def _use(self) -> None:
        key = self._key("used", self.state["salt"])
        try:
            is_first = cache.add(key, True, timeout=2 * self.timeout)
        except RedisError as error:
            raise CodeNotSentError from error
        if not is_first:
            raise CodeUsedError

    def _key(self, name: str, salt: str) -> str:
        """A key in Redis for this one code; it names nobody."""
        bound = f"{self.purpose}:{self.email}:{salt}"
        mac = salted_hmac("accounts.codes.key", bound, algorithm="sha256").hexdigest()
        return f"accounts.codes:{name}:{mac}"

    def _digest(self, code: str) -> str:
        bound = f"{self.purpose}:{self.email}:{self.state['salt']}:{code}"
        return salted_hmac("accounts.codes", bound, algorithm="sha256").hexdigest()


def _count(request: HttpRequest, action: str, key: str = "") -> rate_limits.Usage:
    """Counts one more `action` for this network and this key against settings.CODE_RATES.

    The key is hashed with the portal's secret key, so that Redis holds no address. Raises
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


def _take_back(usage: rate_limits.Usage) -> None:
    """A right code is not counted as a guess. Raises CodeNotSentError."""
    try:
        usage.roll_back()
    except RedisError as error:
        raise CodeNotSentError from error
