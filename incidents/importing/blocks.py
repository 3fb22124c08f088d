"""Cuts a file into blocks of whole rows, so that worker processes can prepare them in parallel.

The format (incidents.importing.formats) decides where a row ends. A block holds whole rows only. A
fault that refuses the file is raised after the blocks of the rows before it were yielded.
"""

from collections.abc import Iterator
from typing import NamedTuple

from incidents.importing import formats, reading
from incidents.importing.formats import base
from incidents.importing.formats.base import Format
from incidents.importing.reading import File, ImportRefusedError, Source

BLOCK_BYTES = 1 << 19  # the least size of a block, decompressed


class FileBlock(NamedTuple):
    """Consecutive rows of a file."""

    line: int  # the number of its first physical line; the first line of the file is 1
    data: bytes  # the decompressed bytes of the file
    position: int  # how many bytes on disk were read so far


def blocks_of(source: Source) -> Iterator[FileBlock]:
    """Yields the blocks of a file in file order, without its header.

    Raises ImportRefusedError where a fault is found, and at the end if the file has changed.
    """
    form = formats.of(source)
    blocks = cut(source.file, form, at_least=BLOCK_BYTES)
    has_header = form.has_header and source.has_header
    yield from _without_header(blocks, form) if has_header else blocks
    reading.refuse_changed(source)


def cut(file: File, form: Format, *, at_least: int) -> Iterator[FileBlock]:
    """Yields all rows of a file, with the header, in blocks of `at_least` bytes or more.

    The last block may be smaller. Raises ImportRefusedError.
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
    """Returns start and end of the first row that is not blank; (0, 0) if all rows are blank."""
    breaks = len(data) - len(data.lstrip(b"\r\n"))
    begin = data.rfind(b"\n", 0, breaks) + 1
    return (begin, form.end_of_first_row(data, begin)) if begin < len(data) else (0, 0)


class _Cutter:
    """Collects whole rows in `rows`. `_rest` holds the start of a row that has not ended yet."""

    def __init__(self, name: str, form: Format) -> None:
        self._name, self._format = name, form
        self._line, self._rest, self._is_begun = 1, b"", False
        self.rows = bytearray()

    def take(self, window: bytes) -> None:
        """Adds the next bytes of the file.

        Raises ImportRefusedError for a NUL byte or a row longer than MAX_ROW_BYTES.
        """
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
        """Adds the row after the last line break, if there is one.

        Raises ImportRefusedError if the file ends inside a row.
        """
        if not self._rest:
            return
        rest, self._rest = self._rest + b"\n", b""
        end = self._format.end_of_rows(rest)
        self.rows += rest[:end]
        if end < len(rest):
            raise reading.unclosed_quote(self._name, self._next_line())

    def block(self, position: int) -> FileBlock:
        """Returns the collected rows as a block, and starts to collect the next one."""
        block = FileBlock(self._line, bytes(self.rows), position)
        self._line += block.data.count(b"\n")
        self.rows.clear()
        return block

    def _next_line(self) -> int:
        """Returns the number of the line after all bytes that were added."""
        return self._line + self.rows.count(b"\n") + self._rest.count(b"\n")

    def _end_of_rows_that_fit(self, data: bytes, end: int) -> int:
        """Returns `end`, or 0 if the first row in `data` is longer than MAX_ROW_BYTES.

        Only a row that began in an earlier window can be too long, because a window (READ_BYTES)
        is smaller than the longest row that is allowed.
        """
        if not end or len(self._rest) + reading.READ_BYTES <= base.MAX_ROW_BYTES:
            return end
        return end if self._format.end_of_first_row(data) <= base.MAX_ROW_BYTES else 0
