"""Work on all cores: processes that are handed bytes and hand bytes back.

They are started afresh, not forked (a fork would carry the database's connections along), and know
no database: what they are given is all they can reach.
"""

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import current_process, get_context, parent_process
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
_EACH = 2  # pieces under way for each process: one in work, one waiting


class WorkerLostError(Exception):
    """A worker process was ended from outside; mostly there was not enough memory."""


class Workers:
    """Applies functions to many pieces, in order; memory stays flat."""

    def __init__(self, pool: ProcessPoolExecutor | None, count: int) -> None:
        self._pool, self._most = pool, count * _EACH

    def map(self, function: Callable[[T], R], pieces: Iterable[T]) -> Iterator[R]:
        """The results in the order of the pieces. Raises WorkerLostError.

        The function must be importable, and so must whatever the pieces consist of.
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
            raise WorkerLostError("a worker process was ended; is there enough memory?") from None


@contextmanager
def workers(count: int) -> Iterator[Workers]:
    """So many processes, starting up meanwhile; with 0, this process does the work.

    So it does where processes may have no children, such as in a task of Celery.
    """
    if not count or current_process().daemon:
        yield Workers(None, 0)
        return
    pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_begin)
    try:
        for _ in range(count):
            pool.submit(os.getpid)
        yield Workers(pool, count)
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ |= {"DATABASE_URL": "postgresql:///unused", "REDIS_URL": "redis://unused"}
    import django

    django.setup()


def _end_with_parent() -> None:
    """A killed parent leaves no orphans behind."""
    if parent := parent_process():
        parent.join()
        os._exit(1)
