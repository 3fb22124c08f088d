"""Measures how much of a sample of bytes could be text of an encoding."""

from itertools import islice

from incidents.importing.encodings import (
    ISO2022_JP,
    ISO2022_KR,
    UTF16,
    UTF16_BE,
    UTF16_LE,
    codec_of,
)
from incidents.importing.korean_text import CONTROLS, LEAST_COMMON_HANGUL, count_common_hangul
from incidents.importing.reading import CP949

_MOST_LINES = 4_096  # of a sample that are tried


def lines_of(sample: bytes) -> list[bytes]:
    """Returns the first _MOST_LINES lines that are not ASCII."""
    lines = (line for line in sample.splitlines() if not line.isascii())
    return list(islice(lines, _MOST_LINES))


def can_decode(data: bytes, encoding: str) -> bool:
    """Returns whether the bytes are text of an encoding."""
    try:
        data.decode(codec_of(encoding))
    except UnicodeDecodeError:
        return False
    return True


def share_of_lines(sample: bytes, encoding: str) -> float:
    """Returns the share (0 to 1) of the lines that are not ASCII that an encoding can decode."""
    lines = lines_of(sample)
    return sum(can_decode(line, encoding) for line in lines) / len(lines) if lines else 1.0


def share_of_common_hangul(sample: bytes, encoding: str) -> float:
    """Returns the share of common Hangul in the characters that are not ASCII.

    Only lines count that the encoding can decode.
    """
    characters, common = count_common_hangul(decoded(sample, encoding))
    return common / characters if characters else 0.0


def decoded(sample: bytes, encoding: str) -> str:
    """Returns the lines of the sample that the encoding can decode, as text."""
    codec = codec_of(encoding)
    lines = (line.decode(codec) for line in lines_of(sample) if can_decode(line, encoding))
    return "\n".join(lines)


def can_be(encoding: str, sample: bytes) -> bool:
    """Returns whether text of a declared encoding could have these bytes."""
    if encoding == CP949:
        return share_of_common_hangul(sample, CP949) >= LEAST_COMMON_HANGUL or sample.isascii()
    if encoding in (UTF16, UTF16_LE, UTF16_BE):
        return False  # its zeros or its mark would have been found
    if encoding in (ISO2022_KR, ISO2022_JP):
        return can_decode(sample, encoding)
    if encoding.startswith("iso-8859-") and CONTROLS.search(sample.decode("latin-1")):
        return False  # printable characters of windows-1252
    return share_of_lines(sample, encoding) >= 0.5
