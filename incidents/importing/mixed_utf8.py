"""Recognises cells of UTF-8 in a file of another encoding, as `MÃ¼ller` for `Müller`.

So it is where files of two programs were joined. CP949 has a test of its own in korean_text.
"""

from functools import lru_cache

from incidents.importing import common_characters, letter_statistics
from incidents.importing.encodings import NAMED_SINGLE_BYTE, codec_of
from incidents.importing.korean_text import CONTROLS, MANY_BYTES
from incidents.importing.reading import UTF8

# Of other alphabets, a single pair of letters may be UTF-8 by chance; of Thai many pairs are.
_LATIN = frozenset(
    ["mac-roman", "mac-latin2", "mac-turkish", "cp437", "cp775", "cp850", "cp852", "cp857", "cp858"]
    + [f"windows-{number}" for number in (1250, 1252, 1254, 1257, 1258)]
    + [f"iso-8859-{number}" for number in (1, 2, 3, 4, 9, 10, 13, 14, 15, 16)]
)
_OTHERS = frozenset(NAMED_SINGLE_BYTE) - _LATIN - {"iso-8859-11"}
_ASIAN = frozenset(["gb18030", "big5", "big5-hkscs", "shift_jis", "euc-jp"])


def may_hide_in(encoding: str) -> bool:
    """Returns whether `text_in` can find UTF-8 in a file of the encoding."""
    return encoding in _LATIN or encoding in _OTHERS or encoding in _ASIAN


def text_in(cell: str, encoding: str) -> str:
    """Returns the text of a cell that was UTF-8 and was decoded otherwise; "" if it was not.

    Its bytes must be UTF-8, and its letters more likely those of a language then.
    """
    return "" if cell.isascii() else _text_in(cell, encoding)


@lru_cache(maxsize=1 << 10)
def _text_in(cell: str, encoding: str) -> str:
    try:
        text = cell.encode(codec_of(encoding)).decode(UTF8)
    except UnicodeError:
        return ""
    signs = [sign for sign in text if not sign.isascii()]
    is_text = any(map(str.isalpha, signs)) and not CONTROLS.search(text)
    if not is_text or (len(signs) < 2 and encoding not in _LATIN):
        return ""
    if encoding in _ASIAN:
        is_utf8 = all(map(MANY_BYTES.match, signs)) and _common(text) >= _common(cell)
    else:
        is_utf8 = _total(text) > _total(cell)
    return text if is_utf8 else ""


def _common(text: str) -> int:
    return common_characters.common_in([text])[0]


def _total(text: str) -> float:
    return letter_statistics.read(letter_statistics.words_of(text)).total
