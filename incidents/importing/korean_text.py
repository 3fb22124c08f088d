"""Recognises Korean text, and what another encoding becomes when it is decoded as CP949."""

import re

from incidents.importing.common_hangul import COMMON_HANGUL
from incidents.importing.reading import CP949, UTF8

# Real Korean text has at least 0.95, other text at most 0.27; see common_hangul.
LEAST_COMMON_HANGUL = 0.6
RUNS = re.compile(rb"[\x80-\xff]+")
CONTROLS = re.compile("[\u0080-\u009f]")
MANY_BYTES = re.compile("[\u0800-\uffff\U00010000-\U0010ffff]")  # three or four in UTF-8
_UTF8_RUN = re.compile(
    rb"\n((?:[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3})+)(?=\n)"
)
# Of two bytes, as in `Antônio`: the letters around it show that it is no syllable.
_UTF8_BETWEEN_LETTERS = re.compile(rb"[A-Za-z][\xc2-\xdf][\x80-\xbf](?=[A-Za-z])")
_WORDS = re.compile(r"([A-Za-z]?)([^\x00-\x7f]+)(?=([A-Za-z]?))")


def count_common_hangul(text: str) -> tuple[int, int]:
    """Returns how many characters are not ASCII, and how many of these are common Hangul.

    A single syllable between two Latin letters does not count as common: it is what CP949 makes of
    two accented letters inside a word, such as those of ASSUNÇÃO.
    """
    characters = common = 0
    for found in _WORDS.finditer(text):
        before, run, after = found.groups()
        characters += len(run)
        if len(run) > 1 or not (before and after):
            common += sum(sign in COMMON_HANGUL for sign in run)
    return characters, common


def utf8_in_cp949(cell: str) -> str:
    """Returns the text of a cell that was UTF-8 in a file of CP949; "" if it was CP949.

    `cell` was decoded as CP949. A cell counts as UTF-8 if its bytes are UTF-8, and either a
    character has three bytes or the text is not of common Hangul.
    """
    if cell.isascii():
        return ""
    try:
        text = cell.encode(CP949, "surrogateescape").decode(UTF8)
    except UnicodeError:
        return ""
    if CONTROLS.search(text):
        return ""
    characters, common = count_common_hangul(cell)
    is_korean = common >= LEAST_COMMON_HANGUL * characters
    return "" if is_korean and not MANY_BYTES.search(text) else text


def may_hold_utf8(data: bytes) -> bool:
    """Returns whether a cell in the bytes of a CP949 file could be UTF-8; see `utf8_in_cp949`.

    Such a cell has a run of bytes above ASCII that could be UTF-8 alone, or between two letters.
    """
    if _UTF8_BETWEEN_LETTERS.search(data):
        return True
    lines = b"\n".join((b"", *set(RUNS.findall(data)), b""))  # found faster than in the data
    for run in _UTF8_RUN.findall(lines):
        try:
            text = run.decode(CP949)
        except UnicodeDecodeError:
            return True
        if utf8_in_cp949(text):
            return True
    return False
