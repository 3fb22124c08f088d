"""Folds headers of mails so that every reader gets the same text back (RFC 5322, RFC 2047).

Python's EmailMessage loses some spaces between the encoded words of a long Korean subject, and
Django begins such a header with an empty line, which some mail servers refuse.
"""

import re
from base64 import b64encode
from collections.abc import Iterator
from email.message import Message
from email.utils import parseaddr
from typing import Any

LINE_LENGTH = 76  # characters; RFC 2047 allows no more where a line has an encoded word
_MOST_OF_A_LINE = 998
_WORD = "=?utf-8?b?{}?="
_PLAIN = re.compile(r"[ -~]*")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")


def folded_text(name: str, text: str) -> str:
    """Returns the value of an unstructured header such as Subject, with CRLF where a line ends.

    Control characters and line breaks become spaces. A decoder returns the text with single spaces.
    """
    text = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", text).split())
    words = text.split(" ")
    is_plain = _PLAIN.fullmatch(text) and "=?" not in text
    if is_plain and max(map(len, words)) < _MOST_OF_A_LINE - len(name) - 2:
        return _joined(words, first=LINE_LENGTH - len(name) - 2)
    return "\r\n ".join(_encoded_words(text, first=LINE_LENGTH - len(name) - 2))


def folded_address(name: str, mailbox: str) -> str:
    """Returns the value of a header with one mailbox, such as From: `Name <local@domain>`."""
    display, address = parseaddr(mailbox)
    display = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", display).split())
    if not display:
        return address
    if _ATOMS.fullmatch(display) and "=?" not in display:
        words = [*display.split(" "), f"<{address}>"]
        return _joined(words, first=LINE_LENGTH - len(name) - 2)
    if _PLAIN.fullmatch(display) and "=?" not in display:
        quoted = re.sub(r'(["\\])', r"\\\1", display)
        return _joined([f'"{quoted}"', f"<{address}>"], first=LINE_LENGTH - len(name) - 2)
    words = [*_encoded_words(display, first=LINE_LENGTH - len(name) - 2), f"<{address}>"]
    return "\r\n ".join(words)


def replace_headers(message: "Message[Any, Any]", headers: dict[str, str]) -> None:
    """Replaces headers of a message of Django with values that are folded already."""
    for name, value in headers.items():
        del message[name]
        Message.__setitem__(message, name, value.replace("\r\n", "\n"))


def _joined(words: list[str], *, first: int) -> str:
    """Joins words by spaces and folds before a word. `first` is the space on the first line."""
    value, left = "", first
    for word in words:
        if value and len(word) + 1 > left:
            value, left = f"{value}\r\n {word}", LINE_LENGTH - 1 - len(word)
        else:
            value += f" {word}" if value else word
            left -= len(word) + bool(value)
    return value


def _encoded_words(text: str, *, first: int) -> Iterator[str]:
    """Yields encoded words. Each one holds whole characters, because it is decoded by itself."""
    room, piece = _bytes_for(first), b""
    for character in text:
        encoded = character.encode(errors="replace")
        if len(piece) + len(encoded) > room:
            yield _WORD.format(b64encode(piece).decode())
            room, piece = _bytes_for(LINE_LENGTH - 1), b""
        piece += encoded
    yield _WORD.format(b64encode(piece).decode())


def _bytes_for(characters: int) -> int:
    return (min(characters, 75) - len(_WORD.format(""))) // 4 * 3
