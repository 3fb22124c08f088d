"""Temporary files that hold a converted file while it is imported.

Such a file holds personal data in the clear. It has no name on the disk (O_TMPFILE, or unlinked as
soon as it is created), so the system deletes it when the process ends, also after kill -9. It lies
in the file system of `var/import`.
"""

import io
import os
import tempfile
from typing import Any

from django.conf import settings


class Spool:
    """A temporary file without a name. It is written once, and then read by several readers.

    It exists as long as this object. In another process, a pickled spool is None: only the process
    that converts a file reads it.
    """

    def __init__(self) -> None:
        directory = settings.VAR / "import"
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=directory, buffering=1 << 18)  # noqa: SIM115
        self.size = 0  # in bytes

    def __reduce__(self) -> tuple[Any, ...]:
        return _nothing, ()

    def write(self, data: bytes) -> None:
        """Appends the data. Raises OSError, for example if the disk is full."""
        self._file.write(data)
        self.size += len(data)

    def fileno(self) -> int:
        """Returns the descriptor of the open file, for a child process."""
        return self._file.fileno()

    def open(self) -> io.BufferedReader:
        """Returns a new stream of the content, with a position of its own."""
        self._file.flush()
        return io.BufferedReader(_Reader(self))


class _Reader(io.RawIOBase):
    def __init__(self, spool: Spool) -> None:
        self._spool, self._position = spool, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = os.preadv(self._spool.fileno(), [buffer], self._position)
        self._position += size
        return size

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._spool.size}
        self._position = base[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position


def _nothing() -> None:
    return None
