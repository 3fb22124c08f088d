"""Guesses the encoding of a file for a refusal that names it, so that a person declares it."""

import re

from incidents.importing.encoding_samples import decoded, share_of_lines
from incidents.importing.encodings import ISO2022_JP, ISO2022_KR
from incidents.importing.korean_text import RUNS
from incidents.importing.likely_encodings import likely_characters, likely_letters

_ESCAPES = {b"\x1b$)C": ISO2022_KR, b"\x1b$B": ISO2022_JP, b"\x1b$@": ISO2022_JP}
_ALONE = re.compile(rb"(?<![A-Za-z\x80-\xff])[\x80-\xff]+(?![A-Za-z\x80-\xff])")
_DOUBLE_BYTES = re.compile(rb"\x0e[^\x0f]*\x0f")
_KANA = re.compile("[\u3041-\u30fe]")
# Half-width ones have two bytes in EUC-JP only. In Shift_JIS each byte of another language is one.
_ANY_KANA = re.compile("[\u3041-\u30fe\uff66-\uff9f]")


def looks_like(sample: bytes) -> tuple[str, str]:
    """Returns the encoding that the bytes look like, and another one if that is nearly as likely.

    Each is "" if there is none. They are guesses.
    """
    for escape, encoding in _ESCAPES.items():
        if escape in sample and sample.isascii():
            return encoding, ""
    if _is_half_width_kana(RUNS.findall(sample)):
        return "shift_jis", ""
    letters = likely_letters(sample)
    if letters.are_likely:
        asian = likely_characters(sample)
    else:
        asian = kana_encoding(sample) or likely_characters(sample) or hanzi_encoding(sample)
    return (asian, "") if asian else (letters.encoding, letters.other)


def hanzi_encoding(sample: bytes) -> str:
    """Returns the Chinese encoding in which nearly all characters are common ones, or "".

    GB 2312 and Big5 have the common characters first, in the rows of these first bytes. A short
    text shows no more. Bytes next to a Latin
    letter are accented letters, such as those of ASSUNÇÃO.
    """
    words = _ALONE.findall(sample)
    if _has_odd_words(words):
        return ""
    pairs = [word[at : at + 2] for word in words for at in range(0, len(word) - 1, 2)]
    if 2 * len(pairs) < 0.7 * len(b"".join(RUNS.findall(sample))):
        return ""
    for encoding, first, last in (("gb18030", 0xB0, 0xD7), ("big5", 0xA4, 0xC6)):
        common = sum(first <= pair[0] <= last and pair[1] >= 0xA1 for pair in pairs)
        if pairs and common >= 0.9 * len(pairs):
            return encoding
    return ""


def kana_encoding(sample: bytes) -> str:
    """Returns the Japanese encoding in which a tenth of the characters are kana, or ""."""
    for encoding, signs in (("euc-jp", _ANY_KANA), ("shift_jis", _KANA)):
        text = decoded(sample, encoding)
        characters = sum(not sign.isascii() for sign in text)
        kana = len(signs.findall(text))
        if share_of_lines(sample, encoding) >= 0.5 and kana * 10 >= max(characters, 1):
            return encoding
    return "shift_jis" if _is_half_width_kana(RUNS.findall(sample)) else ""


def _is_half_width_kana(runs: list[bytes]) -> bool:
    """Returns whether the text consists of half-width kana, as names in bank files do.

    They have one byte each. The capital letters of other alphabets lack the bytes from 0xB1 to
    0xBF, or those from 0xD0 on.
    """
    text = b"".join(runs)
    is_in_range = all(0xA6 <= byte <= 0xDF for byte in text)
    first_rows = sum(0xB1 <= byte <= 0xBF for byte in text)
    last_rows = sum(byte >= 0xD0 for byte in text)
    is_long = len(text) >= 3 * len(runs) > 0 and _has_odd_words(runs)
    return is_in_range and is_long and 8 * min(first_rows, last_rows) > len(text)


def _has_odd_words(words: list[bytes]) -> bool:
    """Returns whether a quarter of the words have an odd number of bytes.

    So it is with one byte a character, and hardly ever with two.
    """
    return 4 * sum(len(word) % 2 for word in words) >= len(words) > 0


def is_ebcdic(sample: bytes) -> bool:
    """Returns whether nearly all characters are ASCII if the bytes are EBCDIC of a mainframe.

    Asian characters stand there between two signs.
    """
    text = _DOUBLE_BYTES.sub(b"", sample[:4096])
    plain = sum(map(_is_plain, text.decode("cp037")))
    return bool(text) and not text.isascii() and plain * 10 >= 9 * len(text)


def _is_plain(sign: str) -> bool:
    return sign == "\x85" or (sign.isascii() and (sign.isprintable() or sign in "\t\r\n"))
