"""Finds another encoding in which a text reads much better by its letters, which is no proof."""

import re
from collections.abc import Callable

from incidents.importing import common_characters, letter_statistics
from incidents.importing.encoded_twice import is_text_encoded_twice
from incidents.importing.encoding_samples import decoded, share_of_lines
from incidents.importing.encodings import NAMED_SINGLE_BYTE, SINGLE_BYTE
from incidents.importing.letter_statistics import Reading
from incidents.importing.reading import CP949, MARK, UTF8, UTF8_MARKED

_MOST_WORDS = 2_000  # whose letters are judged
_WORD = re.compile(rb"[^\s\d,;:|\"'@/()_.&+\-]{1,32}")
_ASCII_LETTER = re.compile("[A-Za-z]")
_FEWEST_TWICE, _SHARE_TWICE = 4, 10  # words, and one of how many
# A text that is CP949 has been proven to be; see _found_in.
_WITHOUT_PROOF = frozenset([*NAMED_SINGLE_BYTE, *common_characters.ASIAN]) - {CP949}
_MOST_OF_LINES = 0.98  # that another encoding must be able to decode


def likely_other(encoding: str, sample: bytes) -> str:
    """Returns another encoding in which the text reads much better, by its letters, or ""."""
    if encoding in (UTF8, UTF8_MARKED):
        return _decoded_wrongly(sample.removeprefix(MARK))
    if sample.isascii() or encoding not in _WITHOUT_PROOF:
        return ""
    return _other_characters(encoding, sample) or other_letters(encoding, sample)


def _decoded_wrongly(sample: bytes) -> str:
    """Returns the encoding of text in UTF-8 that was decoded as windows-1252 before, or "".

    Most of UTF-8 is right, so that rare letters and lists of units show nothing.
    """
    words = letter_statistics.words_of(decoded(sample, UTF8))
    twice = sum(map(is_text_encoded_twice, words))
    if twice >= _FEWEST_TWICE and twice * _SHARE_TWICE >= len(words):
        return UTF8
    western = _as_western(sample)
    with_letters = sum(any(map(str.isalpha, _ASCII_LETTER.sub("", word))) for word in words)
    if western.isascii() or 2 * with_letters < len(words):
        return ""
    clearly = letter_statistics.reads_clearly_better
    return _other_characters("windows-1252", western) or other_letters(
        "windows-1252", western, reads_better=clearly
    )


def _other_characters(encoding: str, sample: bytes) -> str:
    """Returns another Asian encoding in which the words are of frequent characters, or ""."""
    own = common_characters.common_in(letter_statistics.words_of(decoded(sample, encoding)))
    readings = {
        other: common_characters.common_in(letter_statistics.words_of(decoded(sample, other)))
        for other in common_characters.ASIAN
        if other != encoding and share_of_lines(sample, other) > _MOST_OF_LINES
    }
    best = max(readings, key=lambda one: readings[one], default="")
    return best if best and common_characters.read_better(readings[best], own) else ""


def other_letters(
    encoding: str,
    sample: bytes,
    *,
    reads_better: Callable[[Reading, Reading], bool] = letter_statistics.reads_better,
) -> str:
    """Returns another single-byte encoding in which the letters are those of a language, or ""."""
    if encoding not in NAMED_SINGLE_BYTE:
        return ""
    sample = _some_words(sample)
    words = letter_statistics.words_of(decoded(sample, encoding))
    own = letter_statistics.read(words)
    readings = {
        other: letter_statistics.read(found)
        for other in SINGLE_BYTE
        if (found := letter_statistics.words_of(decoded(sample, other))) != words
        and share_of_lines(sample, other) > _MOST_OF_LINES
    }
    best = max(readings, key=lambda one: readings[one].total, default="")
    return best if best and reads_better(readings[best], own) else ""


def _some_words(sample: bytes) -> bytes:
    """Returns different words that are not ASCII, a line each, from all over the sample.

    Each single-byte encoding ends words at the same ASCII bytes.
    """
    words = list(dict.fromkeys(word for word in _WORD.findall(sample) if not word.isascii()))
    return b"\n".join(words[:: len(words) // _MOST_WORDS + 1])


def _as_western(sample: bytes) -> bytes:
    """Returns text in UTF-8 in windows-1252, or b"" if a tenth of it is not in that encoding."""
    text = decoded(sample, UTF8)
    western = text.encode("windows-1252", "ignore")
    lost = len(text) - len(western)
    return western if 10 * lost <= sum(byte > 0x7F for byte in western) else b""
