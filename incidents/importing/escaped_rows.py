"""Converts a CSV file with escapes, as MySQL and PostgreSQL write it, into rows.

MySQL (`SELECT … INTO OUTFILE`) and PostgreSQL (`COPY … TO`) put a backslash before a separator, a
quote or a backslash, and write a line break as a backslash with a line break or with the letter n.
NULL is a backslash with the letter N. Another letter or a digit after a backslash rejects the row:
no database writes one, so it is not certain what it stands for. Each row keeps the number of its
first line.

Sources: the MySQL manual, LOAD DATA, "Field and Line Handling"; the PostgreSQL manual, COPY, "Text
Format".
"""

import re
from collections.abc import Iterator

from incidents.importing import reading
from incidents.importing.encodings import texts_of
from incidents.importing.formats.base import MAX_ROW_BYTES, Dialect
from incidents.importing.formats.converted_rows import faulty_row_of, row_of
from incidents.importing.reading import File, refusing_read_errors
from incidents.importing.row_messages import RejectMessages
from incidents.importing.spools import Spool

_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "0": "", "Z": ""}
_UNKNOWN_ESCAPE = RejectMessages.UNKNOWN_ESCAPE.stored()
_MISPLACED_QUOTE = RejectMessages.MISPLACED_QUOTE.stored()


def converted(file: File, encoding: str, dialect: Dialect) -> File:
    """Returns the rows as a file in the format ConvertedRows. Raises ImportRefusedError."""
    with refusing_read_errors(file):
        spool = Spool()
        for row in parsed(texts_of(file, encoding), dialect, name=file.path.name):
            spool.write(row)
    return File(file.path, "", spool, is_converted=True)


def parsed(texts: Iterator[str], dialect: Dialect, *, name: str) -> Iterator[bytes]:
    """Yields the converted rows of the text. Raises ImportRefusedError."""
    cutter = _RowCutter(dialect)
    for text in texts:
        yield from cutter.rows_in(text)
        if len(cutter.rest) > MAX_ROW_BYTES:
            raise reading.row_too_long(name, cutter.line)
    yield from cutter.rows_in("\n" if cutter.rest and not cutter.rest.endswith("\n") else "")
    if cutter.rest:
        raise reading.unclosed_quote(name, cutter.line)


class _RowCutter:
    """Parses the whole rows of a text that comes in pieces. `rest` has not ended yet."""

    def __init__(self, dialect: Dialect) -> None:
        separator, escape = re.escape(dialect.separator), re.escape(dialect.escape)
        # A quote that no text can have stands for none.
        quote = re.escape(dialect.quote or "\0")
        end = rf"({separator}|\r?\n)"
        inside = rf"(?:[^{quote}{escape}]|{escape}.|{quote}{quote})*+"
        self._dialect = dialect
        self._bare, self._quoted, self._closed, self._escaped, self._escaped_in_quotes = (
            re.compile(pattern, re.DOTALL)
            for pattern in (
                rf"((?:[^{separator}{escape}\n]|{escape}.)*?){end}",
                rf"{quote}({inside}){quote}{end}",
                rf"{quote}{inside}{quote}(?=[^\r]|\r[^\n])",
                f"{escape}(.)",
                f"{escape}(.)|{quote}{quote}",
            )
        )
        self._known = re.compile(rf"(?:[^{escape}]|{escape}[\W_NnrtbfvZ0])*+", re.DOTALL)
        self._null = f"{dialect.escape}N"
        self.rest, self.line = "", 1

    def rows_in(self, text: str) -> Iterator[bytes]:
        """Yields the rows that end in the next piece of text."""
        self.rest += text
        begin = 0
        while row := self._row(begin):
            end, cells, defect = row
            raw = self.rest[begin:end]
            lines = raw.count("\n")
            if not defect and not self._known.fullmatch(raw):
                defect = _UNKNOWN_ESCAPE
            if defect:
                yield faulty_row_of(raw.rstrip("\r\n"), defect, lines=lines)
            else:
                is_blank = cells in ([""], ["."]) and not raw.strip(f"\r\n{self._dialect.escape}.")
                yield b"\n" * lines if is_blank else row_of(cells, lines=lines)
            self.line += lines
            begin = end
        self.rest = self.rest[begin:]

    def _row(self, begin: int) -> tuple[int, list[str], str] | None:
        """Returns the end, the cells and the defect of the row at `begin`; None if incomplete."""
        cells: list[str] = []
        at = begin
        while True:
            quote = self._dialect.quote
            is_quoted = bool(quote) and self.rest.startswith(quote, at)
            found = (self._quoted if is_quoted else self._bare).match(self.rest, at)
            if not found:
                return self._faulty_row(begin, at) if is_quoted else None
            cells.append(self._text(found[1], is_quoted=is_quoted))
            at = found.end()
            if found[2] != self._dialect.separator:
                return at, cells, ""

    def _faulty_row(self, begin: int, at: int) -> tuple[int, list[str], str] | None:
        """Returns the line at `begin` as a faulty row if a cell goes on after its quote."""
        end = self.rest.find("\n", begin) + 1
        return (end, [], _MISPLACED_QUOTE) if end and self._closed.match(self.rest, at) else None

    def _text(self, cell: str, *, is_quoted: bool) -> str:
        if not is_quoted and cell == self._null:
            return ""
        pattern = self._escaped_in_quotes if is_quoted else self._escaped
        return pattern.sub(self._plain, cell)

    def _plain(self, found: re.Match[str]) -> str:
        """Returns what an escape stands for; a doubled quote is one quote."""
        return _LETTERS.get(found[1], found[1]) if found[1] else self._dialect.quote
