"""Bounds how long, and how many, sign-ins of one process wait for the company's provider.

A provider that hangs would otherwise hold every thread of the web processes.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from accounts.company_sign_on.providers import SignOnError

T = TypeVar("T")

SECONDS = 8.0  # for all answers of one step of a sign-in
MOST_AT_ONCE = 4  # steps of one process that wait at the same time

_places = threading.BoundedSemaphore(MOST_AT_ONCE)


class ProviderBusyError(SignOnError):
    """The provider is slow, or too many sign-ins wait for it already."""


def within_limits(act: Callable[[], T]) -> T:
    """Returns what `act` returns, which talks to the provider and uses no database.

    Raises what `act` raises, and ProviderBusyError after SECONDS, or at once while MOST_AT_ONCE
    acts run. An act that takes longer keeps its place until it ends.
    """
    if not _places.acquire(blocking=False):
        raise ProviderBusyError("too many sign-ins wait for the provider")
    outcome: Future[T] = Future()
    threading.Thread(target=_run, args=(act, outcome), daemon=True).start()
    try:
        return outcome.result(timeout=SECONDS)
    except TimeoutError as error:
        raise ProviderBusyError("the provider did not answer in time") from error


def _run(act: Callable[[], T], outcome: Future[T]) -> None:
    try:
        outcome.set_result(act())
    except Exception as error:  # noqa: BLE001  # the waiting thread raises it
        outcome.set_exception(error)
    finally:
        _places.release()
