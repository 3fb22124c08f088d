"""Random texts of which no one can guess a character: keys of sessions, secrets of CSRF tokens.

Django's `get_random_string` reads random bytes from the system for each character, which takes most
of the time of a page that is kept in memory.
"""

import secrets
from functools import lru_cache


def random_text(characters: str, length: int) -> str:
    """Returns `length` characters, each of them as likely. `characters` are ASCII, 128 at most."""
    as_text, uneven = _tables(characters)
    text = ""
    while len(text) < length:
        text += secrets.token_bytes(2 * length).translate(as_text, uneven).decode()
    return text[:length]


@lru_cache(maxsize=8)
def _tables(characters: str) -> tuple[bytes, bytes]:
    """Returns the character of each byte, and the bytes that are dropped: they would be uneven."""
    number = len(characters)
    as_text = bytes(ord(characters[byte % number]) for byte in range(256))
    return as_text, bytes(range(256 // number * number, 256))
