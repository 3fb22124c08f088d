"""A bound on how many requests of a process may do the same expensive work at the same moment.

A rate limit counts by network, so visitors with many networks could hold every thread and both
cores. Work within the bound leaves the other threads to people who sign in.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class FewAtOnce:
    """The right to do one kind of work: for `most` threads of this process."""

    def __init__(self, most: int) -> None:
        self._free = threading.BoundedSemaphore(most)

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Context manager: gives whether a place was free, and holds it. It waits for none."""
        is_free = self._free.acquire(blocking=False)
        try:
            yield is_free
        finally:
            if is_free:
                self._free.release()
