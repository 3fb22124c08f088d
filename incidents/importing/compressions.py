"""Reads gzip, zstd and ZIP files as streams, within bounded memory.

A compression is a string: the names of its layers, the outermost first, such as "gzip" or
"gzip+gzip"; "" for a plain file.
"""

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import IO, Any, BinaryIO

import zstandard

PLAIN, GZIP, ZSTD, ZIP = "", "gzip", "zstd", "zip"
# A file has at most this many layers. No program writes more than two.
MOST_LAYERS = 3
SUFFIXES = {".gz": GZIP, ".zst": ZSTD}
_MAGIC = {b"\x1f\x8b": GZIP, b"\x28\xb5\x2f\xfd": ZSTD}
# The exceptions that reading raises when the data is truncated or damaged.
DAMAGED = (
    gzip.BadGzipFile,
    EOFError,
    zlib.error,
    zstandard.ZstdError,
    zipfile.BadZipFile,
    NotImplementedError,  # a ZIP file of a version that the zipfile module does not know
)
# Members of a ZIP file that are no content: what macOS and Windows add.
_ADDED = ("__MACOSX/", ".DS_Store", "Thumbs.db", "desktop.ini")
_BUFFER_BYTES = 1 << 20
# A dump is compressed to about a fifth, a log that repeats one line to about a hundredth. A
# decompression bomb expands a thousandfold or more. Up to _LITTLE_BYTES no ratio is checked.
MOST_EXPANSION, _LITTLE_BYTES = 300, 1 << 26
# How many compressed bytes are decompressed at once. Zstd can pack a block of 128 KiB into four
# bytes, so these few bytes may already yield several MiB.
_FEED_BYTES = 1 << 8
_MOST_WINDOW_BYTES = 1 << 27  # the largest window that `zstd --long` makes


class BombError(Exception):
    """A compressed file expands to far more than the rows of a dump could."""


def found_in(start: bytes) -> str:
    """Returns the compression of a file that begins with these bytes: GZIP, ZSTD or PLAIN."""
    return next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), PLAIN)


def added(compression: str, layer: str) -> str:
    """Returns the compression of a file that has this layer inside `compression`."""
    return f"{compression}+{layer}" if compression else layer


def members(raw: io.BufferedReader) -> list[zipfile.ZipInfo]:
    """Returns the files in a ZIP file, without directories and without what systems add.

    Raises one of DAMAGED.
    """
    with zipfile.ZipFile(raw) as archive:
        return [
            member
            for member in archive.infolist()
            if not member.is_dir()
            and not member.filename.startswith(_ADDED)
            and not member.filename.endswith(_ADDED)
            and not PurePosixPath(member.filename).name.startswith("._")
        ]


@contextmanager
def inside(raw: io.BufferedReader, compression: str) -> Iterator[io.BufferedReader]:
    """Context manager: yields a buffered stream of the decompressed bytes of `raw`.

    Of a ZIP file, it is the first member. Reading from the stream raises one of DAMAGED, or
    BombError.
    """
    stream: Any = raw
    for layer in compression.split("+") if compression else ():
        # GzipFile.readline() runs Python code for each byte; a buffer in between avoids that.
        stream = io.BufferedReader(_Watched(raw, _LAYERS[layer](stream)), _BUFFER_BYTES)
    yield stream


def _open_member(raw: io.BufferedReader) -> IO[bytes]:
    [member, *_] = members(raw)
    return zipfile.ZipFile(raw).open(member)


class _Watched(io.RawIOBase):
    """A stream that raises BombError when it yields too many bytes for what was read from `raw`."""

    def __init__(self, raw: io.BufferedReader, stream: Any) -> None:
        self._raw, self._stream, self._total = raw, stream, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fills the buffer and returns the number of bytes; 0 at the end of the file."""
        size: int = self._stream.readinto(buffer)
        self._total += size
        if self._total > max(_LITTLE_BYTES, MOST_EXPANSION * self._raw.tell()):
            raise BombError
        return size


class _Zstd(io.RawIOBase):
    """A stream of decompressed zstd data that raises EOFError if the file is truncated.

    The stream reader of the library does not report a truncated file.
    """

    def __init__(self, raw: BinaryIO) -> None:
        self._raw, self._unread, self._output = raw, b"", memoryview(b"")
        self._begin_frame()

    def _begin_frame(self) -> None:
        decompressor = zstandard.ZstdDecompressor(max_window_size=_MOST_WINDOW_BYTES)
        self._frame, self._is_in_frame = decompressor.decompressobj(), False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fills the buffer and returns the number of bytes; 0 at the end of the file."""
        while not self._output:
            compressed = self._unread or self._raw.read(_FEED_BYTES)
            self._unread = b""
            if not compressed:
                if self._is_in_frame:
                    raise EOFError
                return 0
            self._decompress(compressed)
        target = memoryview(buffer)
        size = min(len(target), len(self._output))
        target[:size], self._output = self._output[:size], self._output[size:]
        return size

    def _decompress(self, compressed: bytes) -> None:
        self._is_in_frame = True
        self._output = memoryview(self._frame.decompress(compressed))
        if self._frame.eof:
            self._unread = self._frame.unused_data
            self._begin_frame()


_LAYERS: dict[str, Callable[[Any], Any]] = {
    GZIP: lambda stream: gzip.GzipFile(fileobj=stream),
    ZSTD: _Zstd,
    ZIP: _open_member,
}
