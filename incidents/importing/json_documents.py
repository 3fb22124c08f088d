"""Converts JSON documents, such as one array of objects, into JSON Lines.

The document is read as a stream: only one object is in memory. The line of an object is its number
in the document, the first being 1.
"""

import json
import re
from collections.abc import Iterator

from incidents.importing import reading
from incidents.importing.encodings import texts_of
from incidents.importing.formats.base import MAX_ROW_BYTES
from incidents.importing.reading import File, ImportRefusedError, refusing_read_errors
from incidents.importing.refusals import RefusalMessages
from incidents.importing.spools import Spool

_TOKEN = re.compile(r'["{}\[\]]')
_REST_OF_STRING = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_WRAPPER = re.compile(r'\{\s*"[^"]*"\s*:\s*[\[{]')
# Line breaks become tabs: blanks between values, and an error inside a string, as JSON demands.
_BREAKS = str.maketrans("\r\n", "\t\t")
_NEXT = re.compile(r"[ \t]*,?[ \t]*\{")  # another object on the same line
_BETWEEN = re.compile(r"[\s,]*")


def is_document(start: str) -> bool:
    """Returns whether text that begins so is an array, or objects that are not one on each line.

    `start` is the beginning of the file, without leading blanks.
    """
    if start.startswith("["):
        return start[1:].lstrip()[:1] in ("{", "]", "[", '"', "/")
    if not re.match(r'\{\s*["}]', start):
        return False
    first_line = start.partition("\n")[0].rstrip()
    return _NEXT.match(start, _end_of_first(start)) is not None or (
        "\n" in start and not first_line.endswith("}")
    )


def _end_of_first(start: str) -> int:
    """Returns the position after the object that the text begins with; its length if it is cut."""
    try:
        return json.JSONDecoder().raw_decode(start)[1]
    except (ValueError, RecursionError):
        return len(start)


def converted(file: File, encoding: str) -> File:
    """Returns the objects of the document, one a line, in UTF-8. Raises ImportRefusedError."""
    with refusing_read_errors(file):
        spool = Spool()
        for text in objects_in(texts_of(file, encoding), file.path.name):
            spool.write(text.translate(_BREAKS).encode("utf-8", "surrogatepass") + b"\n")
    return File(file.path, "", spool, is_converted=True)


def objects_in(texts: Iterator[str], name: str) -> Iterator[str]:
    """Yields the text of each object of a document.

    Raises ImportRefusedError if the document is cut short, is no sequence of objects, or has an
    object that is longer than MAX_ROW_BYTES.
    """
    scanner = _Scanner(name)
    for text in texts:
        yield from scanner.objects_in(text)
    scanner.end()


class _Scanner:
    """Finds where the objects of a document begin and end, without parsing them."""

    def __init__(self, name: str) -> None:
        self._name, self._text, self._number = name, "", 1
        # Where the current object begins, and how far the text was scanned.
        self._begin = self._at = self._depth = 0
        self._is_in_string = self._is_begun = self._is_array = self._is_ended = False

    def objects_in(self, text: str) -> Iterator[str]:
        """Yields the objects that end in the next piece of the document."""
        self._text = self._text[self._begin :] + text
        self._at -= self._begin
        self._begin = 0
        while self._ends_object():
            yield self._text[self._begin : self._at]
            self._begin = self._at
            self._number += 1
        if len(self._text) - self._begin > MAX_ROW_BYTES:
            if _WRAPPER.match(self._text, self._begin):
                raise self._refused(RefusalMessages.WRAPPED)
            raise reading.row_too_long(self._name, self._number)

    def _ends_object(self) -> bool:
        """Goes on to the end of the next object; returns False if it is not in the text."""
        if not self._depth:
            self._skip_between()
        while found := self._next_token():
            self._at = found.end()
            if self._leaves_object(self._text[self._at - 1]):
                return True
        return False

    def _next_token(self) -> re.Match[str] | None:
        """Returns the end of the string, or outside of one the next quote or bracket."""
        if self._is_in_string:
            return _REST_OF_STRING.match(self._text, self._at)
        return _TOKEN.search(self._text, self._at)

    def _skip_between(self) -> None:
        """Moves to the next object: over blanks, commas and the brackets of the array."""
        self._skip_blanks()
        if not self._is_begun and self._next():
            self._is_begun, self._is_array = True, self._next() == "["
            if self._is_array:
                self._begin += 1
                self._skip_blanks()
        if self._is_array and self._next() == "]":
            self._is_array, self._is_ended = False, True
            self._begin += 1
            self._skip_blanks()
        if self._next() and (self._is_ended or self._next() != "{"):
            raise self._refused(RefusalMessages.NOT_OBJECTS)
        self._at = self._begin

    def _skip_blanks(self) -> None:
        found = _BETWEEN.match(self._text, self._begin)
        self._begin = found.end() if found else self._begin

    def _next(self) -> str:
        return self._text[self._begin : self._begin + 1]

    def _leaves_object(self, sign: str) -> bool:
        """Counts a quote or a bracket; returns whether the outermost object ends with it."""
        if sign == '"':
            self._is_in_string = not self._is_in_string
        elif not self._is_in_string:
            self._depth += 1 if sign in "{[" else -1
            return self._depth == 0
        return False

    def end(self) -> None:
        """Raises ImportRefusedError if the document ends inside an object or its array."""
        if self._is_array or self._begin < len(self._text):
            raise self._refused(RefusalMessages.JSON_CUT)

    def _refused(self, why: RefusalMessages) -> ImportRefusedError:
        return ImportRefusedError(why.stored(file=self._name, line=self._number))
