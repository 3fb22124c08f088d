"""Header fields of mails, folded so that every reader decodes the text that was given.

`email.message` folds between words and leaves a space next to an encoded word, which decoders drop
(RFC 2047, 6.2). Here a text that needs encoding is one run of encoded words, spaces included.
"""

import re
from base64 import b64encode
from collections.abc import Iterable
from email.utils import parseaddr

LINE = 76  # characters of a line with encoded words (RFC 2047, 2); without the line end
WORD_BYTES = 45  # of text in an encoded word: 60 in base64, 72 with its delimiters of 12
_PLAIN = re.compile(r"(?! )[ -~]*(?<! )")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+( [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_ADDRESS = re.compile(r"[!#-'*+/-9=?A-Z^-~.-]+@[A-Za-z0-9.-]+")


def text_header(name: str, text: str) -> bytes:
    """Returns the header field of an unstructured text, with its line end.

    Raises ValueError for a text with a line break.
    """
    _refuse_line_breaks(name, text)
    if _is_plain(text) and len(name) + 2 + len(text) <= LINE:
        return f"{name}: {text}\r\n".encode()
    words = _encoded_words(text, first_line=LINE - len(name) - 2)
    return f"{name}: {_joined(words)}\r\n".encode()


def address_header(name: str, mailbox: str) -> bytes:
    """Returns the header field of one mailbox, `Name <address>` or `address`, with its line end.

    Raises ValueError if it is no such mailbox or its address has other characters than ASCII.
    """
    _refuse_line_breaks(name, mailbox)
    display, address = parseaddr(mailbox)
    if not _ADDRESS.fullmatch(address):
        raise ValueError(f"{name}: no mailbox with an address in ASCII")
    if not display:
        return f"{name}: {address}\r\n".encode()
    if _is_plain(display) and len(name) + 4 + len(display) <= LINE - display.count('"') - 2:
        words = [display if _PLAIN_NAME.fullmatch(display) else _quoted(display)]
    else:
        words = _encoded_words(display, first_line=LINE - len(name) - 2)
    return f"{name}: {_joined([*words, f'<{address}>'])}\r\n".encode()


def is_plain_address(address: str) -> bool:
    """Returns whether a header can hold the address as it is, in one line."""
    return len(address) <= LINE - len("To: ") and bool(_ADDRESS.fullmatch(address))


def _refuse_line_breaks(name: str, text: str) -> None:
    if "\r" in text or "\n" in text:
        raise ValueError(f"{name}: a line break")


def _is_plain(text: str) -> bool:
    return bool(_PLAIN.fullmatch(text)) and "=?" not in text


def _quoted(display: str) -> str:
    return '"' + re.sub(r'([\\"])', r"\\\1", display) + '"'


def _joined(words: Iterable[str]) -> str:
    return "\r\n ".join(words)


def _encoded_words(text: str, *, first_line: int) -> list[str]:
    """Returns encoded words of whole characters. The first one fits in `first_line` characters."""
    room = (first_line - 12) // 4 * 3
    words, current = [], b""
    for sign in text:
        encoded = sign.encode()
        if len(current) + len(encoded) > room:
            words.append(current)
            current, room = b"", WORD_BYTES
        current += encoded
    return [f"=?utf-8?b?{b64encode(word).decode()}?=" for word in [*words, current]]
