"""The memory of processes, sampled from another thread."""

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress

import psutil

MEBIBYTE = 2**20


class Memory:
    """A context manager that samples the sizes of processes of several kinds."""

    def __init__(self, *, seconds: float, **kinds: Callable[[], Iterable[float]]) -> None:
        """Takes a sample every `seconds`. The function of a kind returns its processes' sizes."""
        self._seconds, self._kinds = seconds, kinds
        # The size of the largest process in MiB, for each sample with a process.
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
        """Returns the largest sample in MiB, or 0 if there is none."""
        return max(self.sizes[kind], default=0.0)

    def _watch(self) -> None:
        while not self._stopped.wait(self._seconds):
            for kind, sizes_of in self._kinds.items():
                with suppress(psutil.Error):
                    if found := list(sizes_of()):
                        self.sizes[kind].append(max(found))


def resident(process: psutil.Process) -> float:
    """Returns the resident memory in MiB, or 0 for a process that has ended."""
    with suppress(psutil.Error):
        return float(process.memory_info().rss) / MEBIBYTE
    return 0.0


def private(process: psutil.Process) -> float:
    """Returns the memory in MiB without the buffers that PostgreSQL's processes share.

    Returns 0 for a process that has ended.
    """
    with suppress(psutil.Error):
        memory = process.memory_info()
        return float(memory.rss - memory.shared) / MEBIBYTE
    return 0.0
