"""Converts text that cannot be read as it is into UTF-8 with a line feed after each row.

Concerned are other encodings, lines that end with a carriage return only, and a first line that
only tells a spreadsheet the separator (`sep=;`). Each line keeps its number.
"""

import re

from incidents.importing.encodings import READ_AS_THEY_ARE, decoder_of, texts_of
from incidents.importing.file_kinds import first_bytes
from incidents.importing.reading import File, refusing_read_errors
from incidents.importing.spools import Spool

_SAMPLE_BYTES = 1 << 20
_SEPARATOR_LINE = re.compile(r'\s*"?sep=([^"\r\n])"?\r?(?=\n)', re.IGNORECASE)
_LONGEST_SEPARATOR_LINE = 64
_QUOTED = re.compile(r'"[^"]*(?:"|$)')  # a cell may have line feeds where rows end otherwise


def separator_line(start: str) -> str:
    """Returns the separator that the first line names for spreadsheets, or ""."""
    found = _SEPARATOR_LINE.match(start.replace("\r", "\n"))
    return found[1] if found else ""


def converted(file: File, encoding: str) -> tuple[File, str]:
    """Returns the file as readable text, and the separator that its first line names, or "".

    It is the same file if its text can be read as it is. Raises ImportRefusedError.
    """
    start = first_bytes(file, _SAMPLE_BYTES)
    text = decoder_of(encoding).decode(start)
    separator = separator_line(text[:_LONGEST_SEPARATOR_LINE])
    has_returns_only = "\r" in text.rstrip("\r") and "\n" not in _QUOTED.sub("", text)
    if encoding in READ_AS_THEY_ARE and not has_returns_only and not separator:
        return file, ""
    with refusing_read_errors(file):
        spool = Spool()
        _write(file, encoding, spool, has_separator_line=bool(separator))
    return File(file.path, "", spool, is_converted=True), separator


def _write(file: File, encoding: str, spool: Spool, *, has_separator_line: bool) -> None:
    rest, is_first = "", True
    for piece in texts_of(file, encoding):
        text = rest + piece
        rest = "\r" if text.endswith("\r") else ""
        text = _with_line_feeds(text[: len(text) - len(rest)])
        if is_first and has_separator_line:
            text = text[text.find("\n") :]
        is_first = False
        spool.write(text.encode("utf-8", "surrogatepass"))
    spool.write(_with_line_feeds(rest).encode())


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
