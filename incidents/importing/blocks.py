"""Cuts a file into blocks of whole rows, for processes that work side by side.

Where a row ends is the format's to say (incidents.importing.formats). Only whole rows are handed
out, and a fault that refuses the file is raised behind the rows before it.
"""

from collections.abc import Iterator
from typing import NamedTuple

from incidents.importing import formats, reading
from incidents.importing.formats import base
from incidents.importing.formats.base import Format
from incidents.importing.reading import File, ImportRefusedError, Source

BLOCK_BYTES = 1 << 19


class FileBlock(NamedTuple):
    """Some rows of a file that follow on each other."""

    line: int  # its first physical line
    data: bytes  # as in the file, decompressed
    position: int  # bytes on disk read so far


def blocks_of(source: Source) -> Iterator[FileBlock]:
    """Yields the rows after the header, in file order. Raises ImportRefusedError at the place."""
    form = formats.named(source.format)
    blocks = cut(source.file, form, at_least=BLOCK_BYTES)
    yield from _without_header(blocks, form) if form.has_header else blocks
    reading.refuse_changed(source)


def cut(file: File, form: Format, *, at_least: int) -> Iterator[FileBlock]:
    """Yields all rows of a file, the header too, in blocks of at least so many bytes.

    The last block is smaller. Raises ImportRefusedError.
    """
    cutter, windows = _Cutter(file.path.name, form), reading.Windows(file)
    fault = None
    try:
        for window in windows:
            cutter.take(window)
            if len(cutter.rows) >= at_least:
                yield cutter.block(windows.position)
        cutter.end()
    except ImportRefusedError as error:
        fault = error
    if cutter.rows:
        yield cutter.block(windows.position)
    if fault:
        raise fault


def first_row(file: File, form: Format) -> FileBlock | None:
    """Returns the first row of a file that is not blank. Raises ImportRefusedError."""
    for block in cut(file, form, at_least=1):
        begin, end = _first_row(block.data, form)
        if end:
            line = block.line + block.data.count(b"\n", 0, begin)
            return FileBlock(line, block.data[begin:end], block.position)
    return None


def _without_header(blocks: Iterator[FileBlock], form: Format) -> Iterator[FileBlock]:
    for block in blocks:
        _, end = _first_row(block.data, form)
        if not end:
            continue
        if rest := block.data[end:]:
            line = block.line + block.data.count(b"\n", 0, end)
            yield FileBlock(line, rest, block.position)
        break
    yield from blocks


def _first_row(data: bytes, form: Format) -> tuple[int, int]:
    """Returns where the first row that is not blank begins and ends; (0, 0) if all are blank."""
    breaks = len(data) - len(data.lstrip(b"\r\n"))
    begin = data.rfind(b"\n", 0, breaks) + 1
    return (begin, form.end_of_first_row(data, begin)) if begin < len(data) else (0, 0)


class _Cutter:
    """Collects whole rows; `_rest` is what does not end yet."""

    def __init__(self, name: str, form: Format) -> None:
        self._name, self._format = name, form
        self._line, self._rest, self._is_begun = 1, b"", False
        self.rows = bytearray()

    def take(self, window: bytes) -> None:
        """Takes the next bytes of the file. Raises ImportRefusedError."""
        if not self._is_begun:
            self._is_begun, window = True, window.removeprefix(reading.MARK)
        nul = window.find(b"\0")
        self._take(window if nul < 0 else window[:nul])
        if nul >= 0:
            raise reading.nul_byte(self._name, self._next_line())

    def _take(self, window: bytes) -> None:
        data = self._rest + window if self._rest else window
        end = self._format.end_of_rows(data)
        fits = self._end_of_rows_that_fit(data, end)
        self.rows += data[:fits]
        self._rest = data[end:]
        if fits < end or len(self._rest) > base.MAX_ROW_BYTES:
            self._rest = b""
            raise reading.row_too_long(self._name, self._next_line())

    def end(self) -> None:
        """Takes what stands behind the last line break. Raises ImportRefusedError."""
        if not self._rest:
            return
        rest, self._rest = self._rest + b"\n", b""
        end = self._format.end_of_rows(rest)
        self.rows += rest[:end]
        if end < len(rest):
            raise reading.unclosed_quote(self._name, self._next_line())

    def block(self, position: int) -> FileBlock:
        """Hands out what was collected."""
        block = FileBlock(self._line, bytes(self.rows), position)
        self._line += block.data.count(b"\n")
        self.rows.clear()
        return block

    def _next_line(self) -> int:
        """The line that follows on what was taken."""
        return self._line + self.rows.count(b"\n") + self._rest.count(b"\n")

    def _end_of_rows_that_fit(self, data: bytes, end: int) -> int:
        """Returns `end`, or 0 if the first row is too long.

        Only a row that began in an earlier window can be: a window is smaller than a row may be.
        """
        if not end or len(self._rest) + reading.READ_BYTES <= base.MAX_ROW_BYTES:
            return end
        return end if self._format.end_of_first_row(data) <= base.MAX_ROW_BYTES else 0
