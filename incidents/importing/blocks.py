"""Cuts a file into blocks of whole rows, for processes that work side by side.

Cutting must be exact and cheap: a line without a quote is a row, and only where a quote stands is
the csv module asked where that row ends. So what it finds is what `reading.rows` would find.
"""

import csv
from collections.abc import Iterator
from typing import NamedTuple

from incidents.importing import reading
from incidents.importing.reading import MAX_ROW_BYTES, Source

BLOCK_BYTES = 1 << 19
_MARK = b"\xef\xbb\xbf"


class FileBlock(NamedTuple):
    """Some rows of a file that follow on each other."""

    line: int  # its first physical line
    data: bytes  # as in the file, decompressed
    position: int  # bytes on disk read so far


def blocks_of(source: Source) -> Iterator[FileBlock]:
    """The rows after the header, in file order. Raises ImportRefusedError at the place."""
    cutter = _Cutter(source)
    windows = reading.Windows(source)
    for window in windows:
        cutter.take(window)
        if len(cutter.rows) >= BLOCK_BYTES:
            yield cutter.block(windows.position)
    cutter.end()
    if cutter.rows:
        yield cutter.block(windows.position)
    reading.refuse_changed(source)


class _Cutter:
    """Collects whole rows; `_rest` is what does not end yet."""

    def __init__(self, source: Source) -> None:
        self._source, self._is_csv = source, source.format == reading.CSV
        self._line, self._rest, self._is_begun, self._is_in_header = 1, b"", False, self._is_csv
        self.rows = bytearray()

    def take(self, window: bytes) -> None:
        """Takes the next bytes of the file."""
        if b"\0" in window:
            before = self._lines_before(window[: window.index(b"\0")])
            raise reading.nul_byte(self._source.name, before)
        if not self._is_begun:
            self._is_begun, window = True, window.removeprefix(_MARK)
        data = self._rest + window if self._rest else window
        end = self._end_of_rows(data)
        self._check_first_row(data, end)
        self._keep(data[:end])
        self._rest = data[end:]

    def end(self) -> None:
        """Takes what stands behind the last line break."""
        if self._rest:
            rest, self._rest = self._rest + b"\n", b""
            end = self._end_of_rows(rest)
            if end < len(rest):
                raise reading.unclosed_quote(self._source.name, self._lines_before(rest[:end]))
            self._keep(rest)

    def block(self, position: int) -> FileBlock:
        """Hands out what was collected."""
        block = FileBlock(self._line, bytes(self.rows), position)
        self._line += block.data.count(b"\n")
        self.rows.clear()
        return block

    def _keep(self, rows: bytes) -> None:
        if self._is_in_header and rows:
            rows = self._without_header(rows)
        self.rows += rows

    def _without_header(self, rows: bytes) -> bytes:
        """The rows behind the first one that is not blank."""
        lines = _Feed(rows, 0)
        for cells in csv.reader(lines, strict=True):
            if cells:
                self._is_in_header = False
                break
        self._line += rows.count(b"\n", 0, lines.position)
        return rows[lines.position :]

    def _lines_before(self, rest: bytes) -> int:
        """The line that follows on what was kept and on `rest`."""
        kept = self.rows.count(b"\n") + self._rest.count(b"\n")
        return self._line + kept + rest.count(b"\n")

    def _check_first_row(self, data: bytes, end: int) -> None:
        """Only a row that began in an earlier window can be too long, or what is left of one."""
        is_too_long = len(data) - end > MAX_ROW_BYTES
        if end and len(self._rest) + reading.READ_BYTES > MAX_ROW_BYTES:
            is_too_long |= self._end_of_first_row(data) > MAX_ROW_BYTES
            end = 0 if self._end_of_first_row(data) > MAX_ROW_BYTES else end
        if is_too_long:
            self._rest = b""
            raise reading.row_too_long(self._source.name, self._lines_before(data[:end]))

    def _end_of_first_row(self, data: bytes) -> int:
        line_end = data.find(b"\n") + 1
        if not self._is_csv or b'"' not in data[:line_end]:
            return line_end
        return _end_of_quoted(data, 0) or len(data)

    def _end_of_rows(self, data: bytes) -> int:
        """Where the last whole row ends; 0 if none does."""
        if not self._is_csv:
            return data.rfind(b"\n") + 1
        begin = 0
        while (quote := data.find(b'"', begin)) >= 0:
            begin = data.rfind(b"\n", begin, quote) + 1 or begin
            end = _end_of_quoted(data, begin)
            if not end:
                return begin
            begin = end
        return data.rfind(b"\n", begin) + 1 or begin


class _Feed(Iterator[str]):
    """Whole lines for the csv module, one by one."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data, self.position, self.is_dry = data, position, False

    def __next__(self) -> str:
        end = self._data.find(b"\n", self.position) + 1
        if not end:
            self.is_dry = True
            raise StopIteration
        line = self._data[self.position : end]
        self.position = end
        return line.decode("latin-1")


def _end_of_quoted(data: bytes, begin: int) -> int:
    """Where the row that begins at `begin` ends; 0 if it does not end in `data`."""
    lines = _Feed(data, begin)
    try:
        next(csv.reader(lines, strict=True), None)
    except csv.Error:
        if not lines.is_dry:
            return lines.position  # no row, but an end: the next line begins afresh
    return 0 if lines.is_dry else lines.position
