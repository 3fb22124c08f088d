"""The transport over HTTP requests: providers' APIs for mail, gateways for SMS.

A request carries some messages, and its answer holds the result of each. Requests run in a few
threads. The send loop and the journal are those of every transport (transport.Transport).
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

# A request's replies by delivery id.
Answers = Mapping[int, Reply]
SendRequest = Callable[[Sequence[OutgoingMessage]], Answers]
Split = Callable[[Sequence[OutgoingMessage]], list[list[OutgoingMessage]]]


class RequestUnavailableError(Exception):
    """The request did not reach the provider, or the provider asks us to retry later. Nothing was
    sent.
    """


class AccountRefusedError(Exception):
    """The provider refuses our account or its credentials. Nothing was sent."""


class UnansweredError(Exception):
    """The request was submitted and no answer arrived. Its messages are in doubt, for
    `doubt_cause`.
    """

    def __init__(self, reason: str, doubt_cause: DoubtCause) -> None:
        super().__init__(reason)
        self.doubt_cause = doubt_cause


def in_one_request(messages: Sequence[OutgoingMessage]) -> list[list[OutgoingMessage]]:
    """Returns all messages as one group: any of them may share a request."""
    return [list(messages)]


class RequestTransport:
    """A transport that calls `send_request` with up to `batch` messages at a time, in `threads`
    threads.

    `split` groups the messages that may share a request. `close` is called at the end, when no
    request is running any more.
    """

    def __init__(
        self,
        send_request: SendRequest,
        *,
        batch: int,
        threads: int,
        split: Split = in_one_request,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self._send_request, self._split, self._close = send_request, split, close
        self._batch, self._threads = batch, threads
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="request")
        self._submitted: dict[int, OutgoingMessage] = {}
        self._running: dict[Future[Answers], list[OutgoingMessage]] = {}
        self._outcomes: list[Outcome] = []
        self._problem: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._pool.shutdown()
        self._close()

    def capacity(self) -> int:
        """Returns the number of messages that fill the idle threads."""
        idle = self._threads - len(self._running)
        return max(0, idle * self._batch - len(self._submitted))

    def submit(self, message: OutgoingMessage) -> None:
        """Stores the message until it is started."""
        self._submitted[message.delivery_id] = message

    def wait(self, seconds: float) -> None:
        """Waits until an answer arrives, `seconds` at most. Raises ServerUnavailableError and
        SenderRefusedError.
        """
        if self._running and not self._outcomes:
            wait(self._running, timeout=seconds, return_when=FIRST_COMPLETED)
        for future in [future for future in self._running if future.done()]:
            self._collect(future, self._running.pop(future))
        if self._problem is not None and not self._running:
            problem, self._problem = self._problem, None
            raise problem

    def _collect(self, future: Future[Answers], messages: list[OutgoingMessage]) -> None:
        """Adds one outcome for each message of the request. A message that the answer does not name
        is in doubt.
        """
        try:
            answers = future.result()
            default = Reply(
                Result.IN_DOUBT, LedgerMessages.NOT_NAMED.stored(), DoubtCause.NOT_NAMED
            )
        except RequestUnavailableError as error:
            answers, default = {}, Reply(Result.NOT_SENT, str(error))
            self._problem = ServerUnavailableError(str(error))
        except AccountRefusedError as error:
            answers, default = {}, Reply(Result.NOT_SENT, str(error))
            self._problem = SenderRefusedError(str(error))
        except UnansweredError as error:
            answers, default = {}, Reply(Result.IN_DOUBT, str(error), error.doubt_cause)
        except Exception as error:  # noqa: BLE001  any error now leaves a doubt
            answers = {}
            default = Reply(Result.IN_DOUBT, type(error).__name__, DoubtCause.REQUEST_FAILED)
        for message in messages:
            reply = answers.get(message.delivery_id, default)
            self._outcomes.append(Outcome(message, reply))

    def outcomes(self) -> list[Outcome]:
        """Returns the outcomes since the last call."""
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    def ready(self) -> list[OutgoingMessage]:
        """Returns all submitted messages, because a request needs no preparation; none while there
        is a problem.
        """
        return [] if self._problem else list(self._submitted.values())

    def start(self, messages: Collection[OutgoingMessage]) -> None:
        """Sends the requests. The messages cannot be withdrawn from now on."""
        started = [self._submitted.pop(message.delivery_id) for message in messages]
        for group in self._split(started):
            for offset in range(0, len(group), self._batch):
                part = group[offset : offset + self._batch]
                self._running[self._pool.submit(self._send_request, part)] = part

    def withdraw(self, delivery_ids: Collection[int]) -> None:
        """Removes submitted messages that were not started."""
        for delivery_id in delivery_ids:
            self._submitted.pop(delivery_id, None)
