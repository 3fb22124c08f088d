"""Transports that ask and are answered: providers' APIs for mail, gateways for text messages.

A request names some messages, its answer says what became of each. Requests run in a few threads;
the loop, the ledger and the order of things are those of every transport (transport.Transport).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Self

from notices.engine.transport import (
    Outcome,
    Reply,
    Result,
    SenderRefusedError,
    ServerUnavailableError,
)
from notices.ledger_messages import LedgerMessages
from notices.message_filling import OutgoingMessage
from notices.models import DoubtCause

# What a request answers: one reply to each of its messages, by delivery.
Answers = Mapping[int, Reply]
Ask = Callable[[Sequence[OutgoingMessage]], Answers]
Split = Callable[[Sequence[OutgoingMessage]], list[list[OutgoingMessage]]]


class RequestUnavailableError(Exception):
    """The request did not reach the provider, or it asks to come back later: nothing was sent."""


class AccountRefusedError(Exception):
    """The provider will not serve us at all (credentials, account): nothing was sent."""


class UnansweredError(Exception):
    """The request was handed over and no answer came: its messages are in doubt, for that cause."""

    def __init__(self, words: str, doubt_cause: DoubtCause) -> None:
        super().__init__(words)
        self.doubt_cause = doubt_cause


def as_one(messages: Sequence[OutgoingMessage]) -> list[list[OutgoingMessage]]:
    """Any message may go with any other."""
    return [list(messages)]


class RequestTransport:
    """Asks `ask` with up to `batch` messages at a time, in `threads` threads.

    `split` says which messages may go in a request together; `close` is called at the end, when no
    request runs any more.
    """

    def __init__(
        self,
        ask: Ask,
        *,
        batch: int,
        threads: int,
        split: Split = as_one,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._ask, self._batch, self._threads, self._split = ask, batch, threads, split
        self._close = close
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="request")
        self._held: dict[int, OutgoingMessage] = {}
        self._asked: dict[Future[Answers], list[OutgoingMessage]] = {}
        self._outcomes: list[Outcome] = []
        self._trouble: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown()
        self._close()

    def room(self) -> int:
        """As many as fill the threads that have nothing to ask."""
        idle = self._threads - len(self._asked)
        return max(0, idle * self._batch - len(self._held))

    def hand_over(self, message: OutgoingMessage) -> None:
        """Keeps it until it may begin."""
        self._held[message.delivery_id] = message

    def wait(self, seconds: float) -> None:
        """Until an answer came. Raises ServerAwayError and ServerRefusesUsError."""
        if self._asked and not self._outcomes:
            wait(self._asked, timeout=seconds, return_when=FIRST_COMPLETED)
        for future in [one for one in self._asked if one.done()]:
            self._take(future, self._asked.pop(future))
        if self._trouble is not None and not self._asked:
            trouble, self._trouble = self._trouble, None
            raise trouble

    def _take(self, future: Future[Answers], messages: list[OutgoingMessage]) -> None:
        """One outcome for each message of the request, whatever the provider forgot to say."""
        try:
            answers = future.result()
            otherwise = Reply(
                Result.IN_DOUBT, LedgerMessages.NOT_NAMED.stored(), DoubtCause.NOT_NAMED
            )
        except RequestUnavailableError as error:
            answers, otherwise = {}, Reply(Result.NOT_SENT, str(error))
            self._trouble = ServerUnavailableError(str(error))
        except AccountRefusedError as error:
            answers, otherwise = {}, Reply(Result.NOT_SENT, str(error))
            self._trouble = SenderRefusedError(str(error))
        except UnansweredError as error:
            answers, otherwise = {}, Reply(Result.IN_DOUBT, str(error), error.doubt_cause)
        except Exception as error:  # noqa: BLE001  after the request began, anything is doubt
            words, answers = type(error).__name__, {}
            otherwise = Reply(Result.IN_DOUBT, words, DoubtCause.REQUEST_FAILED)
        for message in messages:
            reply = answers.get(message.delivery_id, otherwise)
            self._outcomes.append(Outcome(message, reply))

    def outcomes(self) -> list[Outcome]:
        """What was answered since the last call."""
        found, self._outcomes = self._outcomes, []
        return found

    def ready(self) -> list[OutgoingMessage]:
        """All that are held: a request needs no preparation. None while there is trouble."""
        return [] if self._trouble else list(self._held.values())

    def begin(self, messages: Collection[OutgoingMessage]) -> None:
        """Asks; from now on nobody can take them back."""
        begun = [self._held.pop(message.delivery_id) for message in messages]
        for group in self._split(begun):
            for start in range(0, len(group), self._batch):
                part = group[start : start + self._batch]
                self._asked[self._pool.submit(self._ask, part)] = part

    def withdraw(self, delivery_ids: Collection[int]) -> None:
        """Forgets messages that have not begun."""
        for delivery_id in delivery_ids:
            self._held.pop(delivery_id, None)
