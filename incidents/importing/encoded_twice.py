"""Recognises text that was encoded as UTF-8 twice, as `ë¯¼` for `민`."""

from incidents.importing.encoding_samples import lines_of
from incidents.importing.korean_text import CONTROLS
from incidents.importing.reading import MARK, UTF8


def is_encoded_twice(sample: bytes) -> bool:
    """Returns whether most lines are UTF-8 that was taken for windows-1252 and encoded again.

    An export then has "ë¯¼" for "민".
    """
    lines = lines_of(sample.removeprefix(MARK))
    twice = sum(map(_is_line_encoded_twice, lines))
    return bool(lines) and 2 * twice > len(lines)


def _is_line_encoded_twice(line: bytes) -> bool:
    try:
        return is_text_encoded_twice(line.decode(UTF8))
    except UnicodeError:
        return False


def is_text_encoded_twice(text: str) -> bool:
    """Returns whether a text is UTF-8 that was read as windows-1252, as `ë¯¼` for `민`."""
    try:
        once = b"".join(map(_byte_of, text))
        return not (once.isascii() or CONTROLS.search(once.decode(UTF8)))
    except UnicodeError:
        return False


def _byte_of(sign: str) -> bytes:
    """Returns the byte that windows-1252 shows as this character. Raises UnicodeEncodeError."""
    return sign.encode("latin-1" if sign <= "\x9f" else "windows-1252")
