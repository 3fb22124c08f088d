"""A pool of worker processes, to use all cores. Each gets pickled arguments and returns results.

The processes are spawned and not forked, because a fork would copy the database connections. They
get the settings of the caller, without those of servers, because computing the settings takes half
of the time of a start. They cannot reach the database or Redis: a function can use its arguments
only.
"""

import atexit
import gc
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import current_process, get_context, parent_process
from multiprocessing.util import Finalize
from typing import Any, TypeVar

T = TypeVar("T")
R = TypeVar("R")
_SERVERS = ("DATABASE_URL", "REDIS_URL")  # variables of the environment
_WITHHELD = {
    *("DATABASES", "CACHES", "REDIS_URL", "CELERY_BROKER_URL"),
    "WHITENOISE_ADD_HEADERS_FUNCTION",  # a function, which would import the web application
}
_GARBAGE_THRESHOLD = 100_000  # new objects
_PIECES_PER_PROCESS = 2  # submitted at the same time: one in work, one waiting


class WorkerLostError(Exception):
    """A worker process was ended from outside, in most cases because memory was short."""


class Workers:
    """The processes of a pool. Memory does not grow with the number of pieces."""

    def __init__(self, pool: ProcessPoolExecutor | None, count: int) -> None:
        self._pool, self._most = pool, count * _PIECES_PER_PROCESS

    def map(self, function: Callable[[T], R], pieces: Iterable[T]) -> Iterator[R]:
        """Yields the results of `function` in the order of `pieces`. Raises WorkerLostError.

        The function must be importable, and the pieces and results must be picklable.
        """
        if self._pool is None:
            yield from map(function, pieces)
            return
        waiting = deque[Future[R]]()
        try:
            for piece in pieces:
                waiting.append(self._pool.submit(function, piece))
                if len(waiting) > self._most:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            _stop_sending(self._pool)
            raise WorkerLostError("a worker process was ended; is there enough memory?") from None


def _stop_sending(pool: ProcessPoolExecutor) -> None:
    """Ends a thread of a broken pool that sends a piece which no process will read.

    Python before 3.11.5 waits for that thread without end (CPython issue 94777); Debian 12 has
    3.11.2. Later versions close this end themselves, and closing it twice does no harm.
    """
    queue = getattr(pool, "_call_queue", None)
    if queue is not None:
        queue._reader.close()


@contextmanager
def workers(count: int, *, know_models: bool = True) -> Iterator[Workers]:
    """Context manager: yields a pool of `count` processes, which start in the background.

    Without `know_models` they start in half of the time, and cannot import models.
    With a count of 0, and in a process that may have no children such as a Celery worker, the
    calling process does the work itself.
    """
    if not count or current_process().daemon:
        yield Workers(None, 0)
        return
    pool = ProcessPoolExecutor(
        count,
        mp_context=get_context("spawn"),
        initializer=_begin,
        initargs=(_told_settings(know_models=know_models),),
    )
    try:
        with _without_interrupts():
            for _ in range(count):
                pool.submit(os.getpid)
        yield Workers(pool, count)
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Context manager: holds Ctrl-C back until the block ends.

    A process that starts in the block holds it back too. Otherwise it would print a traceback if
    Ctrl-C came before `_begin`, or if this process ended before it had sent the process its task.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _told_settings(*, know_models: bool) -> dict[str, Any]:
    """Returns the settings that worker processes get; none in a program without Django."""
    if "DJANGO_SETTINGS_MODULE" not in os.environ:
        return {}
    from django.conf import settings

    names = {name for name in dir(settings) if name.isupper()} - _WITHHELD
    told = {name: getattr(settings, name) for name in names}
    return told | {"INSTALLED_APPS": settings.WORKER_PROCESS_APPS if know_models else []}


def _begin(told: dict[str, Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends this process
    # Imports make many objects that stay; to look for garbage among them takes a tenth of a start.
    gc.set_threshold(_GARBAGE_THRESHOLD)
    # Freeing everything at the end takes a third of the time of a start.
    Finalize(None, _end_quickly, exitpriority=0)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    for name in _SERVERS:
        os.environ.pop(name, None)
        os.environ.pop(f"{name}_FILE", None)
    if not told:
        return  # a program without Django, such as benchmarks.make_export
    from django.apps import apps
    from django.conf import settings
    from django.utils.log import configure_logging

    if not settings.configured:  # by the program, which this process imports
        settings.configure(**told)
    # What django.setup does, without the URLs: they take a tenth of the time of a start.
    configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
    apps.populate(settings.INSTALLED_APPS)


def _end_quickly() -> None:
    """Lets this process end without freeing anything, unless an error ends it."""
    if sys.exc_info()[0] is None:
        atexit.register(os._exit, 0)


def _end_with_parent() -> None:
    """Ends this process when its parent ends, so that a killed parent leaves no orphans."""
    if parent := parent_process():
        parent.join()
        os._exit(1)
