"""Sign-in codes: eight digits that are sent by e-mail or text message, and checked.

Sign-in, step-up and the proof of a further contact use them. A contact is a normalised e-mail
address or a number in E.164.

The code here never looks up whether a contact belongs to a user. Therefore a known and an unknown
one get the same answer after the same work.

Tries are counted for each code, so that a stranger cannot use up the tries of another person. If an
address has received many mails, a new request sends none: the browser then accepts the newest code
that was mailed to the address. So strangers cannot keep an owner out; see `code_limits` and
docs/decisions/0027-limits-on-codes.md. A code that a newer mail replaced opens nothing and uses no
try.
"""

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Self

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.translation import get_language
from redis.exceptions import RedisError

from accounts import (
    code_limits,
    code_mails,
    code_states,
    code_texts,
    double_presses,
    pending_codes,
)
from accounts.code_limits import CodePermit
from accounts.code_queue import CarrierError, CodeLane, CodeMessage, QueueFullError
from accounts.contacts import is_phone
from accounts.pending_codes import Purpose
from accounts.typed_codes import DIGITS
from foundations import caching
from foundations.keyed_hashes import keyed_hash
from foundations.rate_limits import Along

MOST_REPLACED = 2  # earlier codes of an address that the session still recognises
_NO_CODE = {"salt": "", "digest": ""}

# Each function gets the contact of a code that was entered rightly: its owner reads what is sent to
# it. The apps above this one add theirs in AppConfig.ready.
WHEN_ENTERED: list[Callable[[str], None]] = []


class ResendLimitError(Exception):
    """The session may not request another code; the newest code still works."""


class CodeNotSentError(Exception):
    """The mail server or gateway did not accept it, too many codes wait, or Redis went away."""


class CodeExpiredError(Exception):
    """The code is too old. The visitor can request a new one to the same address."""


class CodeTriesExhaustedError(Exception):
    """The last try was wrong. The visitor must start again."""


class CodeReplacedError(Exception):
    """The code is from an earlier mail than the newest that this browser requested."""


class CodeUsedError(Exception):
    """Another request with the same code was accepted before."""


class SentCode:
    """A code that was sent to one contact. The visitor's session stores a keyed hash of it."""

    def __init__(self, request: HttpRequest, purpose: Purpose, state: dict[str, Any]) -> None:
        self.request = request
        self.purpose = purpose
        self.state = state
        self.max_attempts: int = settings.SIGN_IN_CODE_TRIES
        self.timeout: int = settings.SIGN_IN_CODE_MINUTES * 60  # seconds

    @classmethod
    def begin(cls, request: HttpRequest, purpose: Purpose, *, contact: str, next_url: str) -> Self:
        """Sends a first code to `contact` and returns it.

        The right code leads the visitor to `next_url`. Raises code_limits.TooManyRequestsError or
        CodeNotSentError; the session then has no pending code of this call.
        """
        process = cls(request, purpose, {"contact": contact, "next": next_url, "resend_count": 0})
        process.send()
        return process

    @classmethod
    def pending(cls, request: HttpRequest, purpose: Purpose) -> Self | None:
        """Returns the code that was sent to this visitor, expired or not, or None.

        It is the code of the posted field `email`, so that each tab of a browser goes on with its
        own contact; without that field it is the newest.
        """
        state = pending_codes.state_of(request, purpose, request.POST.get("email", ""))
        return cls(request, purpose, state) if state else None

    @property
    def contact(self) -> str:
        """The address or number to which the code was sent."""
        return str(self.state["contact"])

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

    @property
    def next_mail_seconds(self) -> int:
        """The seconds until a new mail may be sent, if the last request sent none; else 0."""
        return max(0, int(self.state.get("next_mail_at", 0) - time.time()))

    def send(self) -> bool:
        """Sends a new code, which makes the code before it invalid, and returns True.

        Returns False if the contact gets no code now. The code of this browser stays valid then,
        and the newest one that was sent to the contact is valid here, too. Raises
        code_limits.TooManyRequestsError or CodeNotSentError.
        """
        button = self._buttons[min(1, self.state["resend_count"])]
        salt, code = secrets.token_urlsafe(16), f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        along = Along(double_presses.claim(self.request, button, salt), self._states_of(salt, code))
        is_sent = False
        try:
            replaced = self._replaced_by_next_mail()  # before Redis stores the newest code
            permit = self._permit(along)
            is_sent = bool(permit.claimed) or self._send_new(permit, salt, code, replaced)
        except BaseException:
            _mark_failed(self._key("failed", salt), self.timeout)  # for the second press
            raise
        finally:
            if not is_sent:
                double_presses.forget(self.request, button)
        if permit.claimed:
            self._wait_for_mail_of(permit.claimed)
        return is_sent

    @property
    def _buttons(self) -> tuple[str, str]:
        """The names of the button that begins and of the one that sends a new code."""
        return f"{self.purpose}:first:{self.contact}", f"{self.purpose}:again:{self.contact}"

    def _send_new(
        self, permit: CodePermit, salt: str, code: str, replaced: list[list[str]]
    ) -> bool:
        """Sends the code and returns True, or False if the contact gets none now."""
        if permit.wait_seconds:
            self._accept_newest()
            self.state["next_mail_at"] = time.time() + permit.wait_seconds
            self.persist()
            return False
        self.state |= {
            "salt": salt,
            "digest": self._digest(code, salt),
            "at": time.time(),
            "failed_attempts": 0,
            "replaced": replaced,
            "is_in_database": permit.is_in_database,
        }
        if permit.is_in_database:
            self._states.set_each(self._states_of(salt, code))
        self._hand_over(permit.lane, code, salt)
        self.state.pop("next_mail_at", None)
        self.state.pop("mail_salt", None)
        self.persist()
        return True

    def _states_of(self, salt: str, code: str) -> list[caching.Entry]:
        """Returns the counter of tries of a new code, and the code as the newest of the contact."""
        newest = {"salt": salt, "digest": self._digest(code, salt)}
        return [self._counter(salt), (self._key("newest", ""), newest, self.timeout)]

    def _counter(self, salt: str) -> caching.Entry:
        # It lives longer than the code, because a code without counter is invalid.
        return self._key("tries", salt), 0, 2 * self.timeout

    def _replaced_by_next_mail(self) -> list[list[str]]:
        """Returns [salt, digest] of the last codes mailed to this browser, the newest first."""
        before = pending_codes.state_of(self.request, self.purpose, self.contact) or {}
        codes = [[before["salt"], before["digest"]]] if before.get("digest") else []
        if mail_salt := before.get("mail_salt"):  # requested by the first of two presses
            states = code_states.states(is_in_database=before["is_in_database"])
            with suppress(RedisError):
                newest = states.get(self._key("newest", ""), _NO_CODE)
                codes = [list(newest.values()), *codes] if newest["salt"] == mail_salt else codes
        return [*codes, *before.get("replaced", [])][:MOST_REPLACED]

    def _wait_for_mail_of(self, first: str) -> None:
        """Lets this browser use the code that the first press of the button requested."""
        self._accept_newest()
        self.state["mail_salt"] = first
        self.persist()

    def _permit(self, along: Along) -> CodePermit:
        step_up = self.purpose == Purpose.STEP_UP
        permit = code_limits.permit_step_up if step_up else code_limits.permit_code
        return permit(self.request, self.contact, along)

    def _hand_over(self, lane: CodeLane, code: str, salt: str) -> None:
        """Gives the code to the queue of mails or texts. Raises CodeNotSentError."""
        message = CodeMessage(
            to=self.contact,
            code=code,
            language=get_language() or settings.LANGUAGE_CODE,
            lane=lane,
            on_failure=partial(_mark_failed, self._key("failed", salt), 2 * self.timeout),
        )
        try:
            (code_texts if is_phone(self.contact) else code_mails).send(message)
        except (CarrierError, QueueFullError) as error:
            raise CodeNotSentError from error

    def _begin_tries(self, salt: str) -> None:
        """Stores the counter of tries: in the database if Redis is away."""
        self.state["is_in_database"] = code_states.redis_is_away()
        try:
            self._states.set_each([self._counter(salt)])
        except RedisError:
            code_states.note_redis_away()
            self.state["is_in_database"] = True
            self._states.set_each([self._counter(salt)])

    @property
    def _states(self) -> code_states.CodeStates:
        return code_states.states(is_in_database=self.state.get("is_in_database", False))

    def _accept_newest(self) -> None:
        """Lets this browser use the newest code of the address."""
        if "salt" not in self.state:
            salt = secrets.token_urlsafe(16)
            self._begin_tries(salt)
            self.state |= {"salt": salt, "digest": "", "failed_attempts": 0}
        self.state["at"] = time.time()

    def send_again(self) -> bool:
        """Sends a new code to the same address; returns what `send` returns.

        Raises ResendLimitError after settings.SIGN_IN_CODE_RESENDS times, and
        code_limits.TooManyRequestsError or CodeNotSentError as `send` does.
        """
        if self.state["resend_count"] >= settings.SIGN_IN_CODE_RESENDS:
            raise ResendLimitError
        self.state["resend_count"] += 1
        return self.send()

    def raise_if_not_sent(self) -> None:
        """Raises CodeNotSentError if the mail server did not accept the mail.

        It is not known of a code that was made while Redis was away: the thread that sends has no
        database connection.
        """
        if self.state.get("is_in_database"):
            return
        try:
            salt = self.state.get("mail_salt") or self.state["salt"]
            has_failed = cache.get(self._key("failed", salt))
        except RedisError as error:
            raise CodeNotSentError from error
        if has_failed:
            self.abort()
            raise CodeNotSentError

    def raise_if_expired(self) -> None:
        """Raises CodeExpiredError once settings.SIGN_IN_CODE_MINUTES have passed."""
        if time.time() - self.state["at"] > self.timeout:
            raise CodeExpiredError

    def accepts(self, code: str) -> bool:
        """Uses one try and returns whether `code` is right.

        Returns True at most once, even if many requests bring the right code. Redis or the database
        counts the tries, and not the session, so that parallel requests get no additional tries.

        Raises CodeExpiredError, CodeUsedError, code_limits.TooManyRequestsError, CodeNotSentError
        if Redis went away since the code was sent, or CodeTriesExhaustedError at the last wrong
        try. Raises CodeReplacedError, without using a try, for a code of an earlier mail.
        """
        self.raise_if_expired()
        if self._is_replaced(code):
            raise CodeReplacedError
        try:
            tries = self._count_try()
            salt = self._salt_of(code)
            if salt and tries <= self.max_attempts:
                self._mark_used(salt)
                code_limits.credit_right_code(self.request, self.contact)
                double_presses.forget(self.request, *self._buttons)
                self.abort()
                for act in WHEN_ENTERED:
                    act(self.contact)
                return True
            code_limits.count_wrong_guess(self.request)
        except RedisError as error:
            code_states.note_redis_away()
            raise CodeNotSentError from error
        if tries >= self.max_attempts:
            self.abort()
            raise CodeTriesExhaustedError
        self.state["failed_attempts"] = tries
        self.persist()
        return False

    def _is_replaced(self, code: str) -> bool:
        """Returns whether `code` is one that a newer mail replaced, and so opens nothing."""
        if constant_time_compare(self._digest(code), self.state["digest"]):
            return False  # the same eight digits were drawn again
        replaced = self.state.get("replaced", [])
        return any(constant_time_compare(self._digest(code, salt), old) for salt, old in replaced)

    def _salt_of(self, code: str) -> str:
        """Returns the salt of the code that `code` is: this browser's or the newest; "" if none."""
        own, digest = str(self.state["salt"]), self._digest(code)
        if constant_time_compare(digest, self.state["digest"]):
            return own
        if "next_mail_at" not in self.state and "mail_salt" not in self.state:
            return ""
        code_limits.count_guess_of_newest(self.request, self.contact)
        newest = self._states.get(self._key("newest", ""), _NO_CODE)
        is_right = constant_time_compare(self._digest(code, newest["salt"]), newest["digest"])
        return str(newest["salt"]) if is_right else ""

    def persist(self) -> None:
        """Writes the state to the session, as the newest."""
        pending_codes.keep(self.request, self.purpose, self.state)

    def abort(self) -> None:
        """Removes the code from the session."""
        pending_codes.forget(self.request, self.purpose, self.contact)

    def _count_try(self) -> int:
        """Returns the number of this try, from 1. It is counted in one atomic step.

        Raises CodeExpiredError if the counter is missing, and RedisError.
        """
        try:
            return int(self._states.incr(self._key("tries", self.state["salt"])))
        except ValueError:  # Redis was emptied
            raise CodeExpiredError from None

    def _mark_used(self, salt: str) -> None:
        """Marks the code as used. Raises CodeUsedError if another request did, and RedisError."""
        if not self._states.add(self._key("used", salt), True, timeout=2 * self.timeout):
            raise CodeUsedError

    def _key(self, name: str, salt: str) -> str:
        """Returns a key of a state of this code. It is a keyed hash and contains no address."""
        bound = f"{self.purpose}:{self.contact}:{salt}"
        return f"accounts.codes:{name}:{keyed_hash('accounts.codes.key', bound)}"

    def _digest(self, code: str, salt: str = "") -> str:
        bound = f"{self.purpose}:{self.contact}:{salt or self.state['salt']}:{code}"
        return keyed_hash("accounts.codes", bound)


def _mark_failed(key: str, seconds: int) -> None:
    """Records that a mail was not sent, for the page that waits for its code."""
    with suppress(RedisError):
        cache.set(key, True, timeout=seconds)
