"""The memory of processes, looked at from the outside."""

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress

import psutil

MEBIBYTE = 2**20


class Memory:
    """Looks at processes again and again while `with` lasts, and keeps the biggest of each kind."""

    def __init__(self, *, seconds: float, **kinds: Callable[[], Iterable[float]]) -> None:
        """`seconds` between looks; each kind has a function that gives its processes' sizes."""
        self._seconds, self._kinds = seconds, kinds
        # In MiB, one a look at which there was a process.
        self.sizes: dict[str, list[float]] = {kind: [] for kind in kinds}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopped.set()
        self._thread.join()

    def peak(self, kind: str) -> float:
        """The biggest that was seen; 0 if none was."""
        return max(self.sizes[kind], default=0.0)

    def _watch(self) -> None:
        while not self._stopped.wait(self._seconds):
            for kind, look in self._kinds.items():
                with suppress(psutil.Error):
                    if found := list(look()):
                        self.sizes[kind].append(max(found))


def resident(process: psutil.Process) -> float:
    """In MiB; 0 for a process that is gone."""
    with suppress(psutil.Error):
        return float(process.memory_info().rss) / MEBIBYTE
    return 0.0


def private(process: psutil.Process) -> float:
    """In MiB, without the buffers that PostgreSQL's processes share."""
    with suppress(psutil.Error):
        memory = process.memory_info()
        return float(memory.rss - memory.shared) / MEBIBYTE
    return 0.0
