"""Gzip and zstd, read as a stream within bounded memory."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import zstandard

PLAIN, GZIP, ZSTD = "", "gzip", "zstd"
SUFFIXES = {".gz": GZIP, ".zst": ZSTD}
_MAGIC = {b"\x1f\x8b": GZIP, b"\x28\xb5\x2f\xfd": ZSTD}
# What reading raises when the data is cut short or damaged.
DAMAGED = (gzip.BadGzipFile, EOFError, zlib.error, zstandard.ZstdError)
_BUFFER_BYTES = 1 << 20
# Dumps shrink to a fifth, logs of one line to a hundredth. A bomb makes a thousandfold and more.
MOST_EXPANSION, _LITTLE_BYTES = 300, 1 << 26
# A block of 128 KiB can be packed into four bytes, so that much is what one feeding may make.
_FEED_BYTES = 1 << 8
_MOST_WINDOW_BYTES = 1 << 27  # what `zstd --long` makes, and no more


class BombError(Exception):
    """Far more comes out of a compressed file than rows of a dump could."""


def found_in(start: bytes) -> str:
    """The compression of a file that begins with these bytes."""
    return next((kind for magic, kind in _MAGIC.items() if start.startswith(magic)), PLAIN)


@contextmanager
def inside(raw: io.BufferedReader, compression: str) -> Iterator[io.BufferedReader]:
    """The bytes inside, as a buffered stream. Reading raises one of DAMAGED, or BombError."""
    if compression == GZIP:
        with gzip.GzipFile(fileobj=raw) as stream:
            # Its own readline() goes byte by byte through Python; a buffer in between does not.
            yield io.BufferedReader(_Watched(raw, stream), _BUFFER_BYTES)
    elif compression == ZSTD:
        yield io.BufferedReader(_Watched(raw, _Zstd(raw)), _BUFFER_BYTES)
    else:
        yield raw


class _Watched(io.RawIOBase):
    """Compares what comes out with what went in."""

    def __init__(self, raw: io.BufferedReader, stream: Any) -> None:
        self._raw, self._stream, self._made = raw, stream, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fills the buffer; 0 at the end of the file."""
        size: int = self._stream.readinto(buffer)
        self._made += size
        if self._made > max(_LITTLE_BYTES, MOST_EXPANSION * self._raw.tell()):
            raise BombError
        return size


class _Zstd(io.RawIOBase):
    """The library's own stream reader says nothing when a file is cut short."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw, self._fed, self._made = raw, b"", memoryview(b"")
        self._begin_frame()

    def _begin_frame(self) -> None:
        decompressor = zstandard.ZstdDecompressor(max_window_size=_MOST_WINDOW_BYTES)
        self._frame, self._is_begun = decompressor.decompressobj(), False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fills the buffer; 0 at the end of the file."""
        while not self._made:
            fed = self._fed or self._raw.read(_FEED_BYTES)
            self._fed = b""
            if not fed:
                if self._is_begun:
                    raise EOFError
                return 0
            self._feed(fed)
        target = memoryview(buffer)
        size = min(len(target), len(self._made))
        target[:size], self._made = self._made[:size], self._made[size:]
        return size

    def _feed(self, fed: bytes) -> None:
        self._is_begun = True
        self._made = memoryview(self._frame.decompress(fed))
        if self._frame.eof:
            self._fed = self._frame.unused_data
            self._begin_frame()
