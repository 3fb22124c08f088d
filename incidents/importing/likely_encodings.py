"""Finds another encoding in which a text reads much better by its letters, which is no proof."""

import re
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import NamedTuple

from incidents.importing import common_characters, letter_statistics
from incidents.importing.encoded_twice import is_text_encoded_twice
from incidents.importing.encoding_samples import decoded, share_of_lines
from incidents.importing.encodings import NAMED_SINGLE_BYTE
from incidents.importing.letter_statistics import Reading
from incidents.importing.reading import CP949, MARK, UTF8, UTF8_MARKED

_MOST_WORDS = 2_000  # whose letters are judged
_WORD = re.compile(rb"[^\s\d,;:|\"'@/()_.&+\-]{1,32}")
_APOSTROPHE = re.compile(r"(?<=\w)\u2019(?=\w)")
_ASCII_LETTER = re.compile("[A-Za-z]")
_FEWEST_TWICE, _SHARE_TWICE = 4, 10  # words, and one of how many
# A text that is CP949 has been proven to be; see _found_in.
_WITHOUT_PROOF = frozenset(
    [*NAMED_SINGLE_BYTE, *common_characters.ASIAN, "johab", "big5-hkscs"]
) - {CP949}
# The first of equals is taken: kana have the same bytes in GB 2312 as in EUC-JP.
_GUESSED = ("euc-jp", "shift_jis", "gb18030", "big5", "johab")
_ASCII = bytes(range(0x80))
_MOST_OF_LINES = 0.98  # that another encoding must be able to decode
_OLD = frozenset(one for one in NAMED_SINGLE_BYTE if one.startswith(("cp", "mac")))  # DOS and Mac
_USUAL_FIRST = tuple(dict.fromkeys(("windows-1252", *NAMED_SINGLE_BYTE)))
# Of sums of logarithms of probabilities.
_PRICE_OF_CAPITALS, _MARKS = 1.0, "\u2013\u2014\u2026\u2022"
_PRICE_OF_OTHERS, _PRICE_OF_OLD, _PRICE_OF_LOST, _CLOSE = 0.5, 3.0, 7.0, 4.0


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
    return _of_frequent_characters(sample, common_characters.ASIAN, encoding, own)


def likely_characters(sample: bytes) -> str:
    """Returns the Asian encoding in which the words are of frequent characters, or ""."""
    return _of_frequent_characters(sample, _GUESSED)


def _of_frequent_characters(
    sample: bytes, encodings: Iterable[str], own: str = "", found: tuple[int, float] = (0, 0.0)
) -> str:
    readings = {
        other: common_characters.common_in(letter_statistics.words_of(decoded(sample, other)))
        for other in encodings
        if other != own and share_of_lines(sample, other) > _MOST_OF_LINES
    }
    best = max(readings, key=lambda one: readings[one], default="")
    return best if best and common_characters.read_better(readings[best], found) else ""


def other_letters(
    encoding: str,
    sample: bytes,
    *,
    reads_better: Callable[[Reading, Reading], bool] = letter_statistics.reads_better,
) -> str:
    """Returns another single-byte encoding in which the letters are those of a language, or ""."""
    if encoding not in NAMED_SINGLE_BYTE:
        return ""
    ranked = _ranked(sample, encoding)
    own = next(one for one in ranked if one.encoding == encoding)
    best = next((one for one in ranked if one.words != own.words), own)
    return best.encoding if reads_better(best.reading, own.reading) else ""


class LikelyLetters(NamedTuple):
    """The single-byte encoding in which a text reads best."""

    encoding: str
    other: str  # another one in which it reads nearly as well, or ""
    are_likely: bool  # whether its letters are those of a language


def likely_letters(sample: bytes) -> LikelyLetters:
    """Returns the single-byte encoding in which a text reads best; "" if it is text in none."""
    ranked = _ranked(sample)
    if not ranked or not letter_statistics.may_be_text(ranked[0].reading):
        return LikelyLetters("", "", are_likely=False)
    best, others = ranked[0], [one for one in ranked if one.words != ranked[0].words]
    nearest = min(others, key=lambda one: _distance(best, one), default=best)
    is_close = nearest is not best and _distance(best, nearest) < _CLOSE
    are_likely = letter_statistics.is_language(best.reading)
    return LikelyLetters(best.encoding, nearest.encoding if is_close else "", are_likely)


def _distance(best: "_Ranked", other: "_Ranked") -> float:
    """Returns how much better the best encoding reads; less if only it has capitals in words.

    Programs leave such capitals, so that they do not show a wrong encoding by themselves.
    """
    further = sum(map(_has_capital_inside, best.words)) - sum(map(_has_capital_inside, other.words))
    return best.reading.total - other.reading.total - max(0, further) * _PRICE_OF_CAPITALS


def _has_capital_inside(word: str) -> bool:
    """Returns whether a capital or a mark follows a small letter, as in HÄlÅne and Bego–a."""
    pairs = pairwise(word)
    return any(one.islower() and (sign.isupper() or sign in _MARKS) for one, sign in pairs)


class _Ranked(NamedTuple):
    encoding: str
    words: set[str]
    reading: Reading  # with what speaks against the encoding in its total
    seen: int  # the signs that stand in words, or are apostrophes


def _ranked(sample: bytes, declared: str = "") -> list[_Ranked]:
    """Returns how well a text reads in each single-byte encoding that it can be in, the best first.

    The declared one is there in any case. Of encodings in which it is the same text, the most usual
    one comes first.
    """
    sample = _some_words(sample)
    found = []
    for encoding in _USUAL_FIRST:
        if encoding == declared or share_of_lines(sample, encoding) > _MOST_OF_LINES:
            text = decoded(sample, encoding)
            words = letter_statistics.words_of(text)
            reading = letter_statistics.read(words)
            seen = reading.signs + len(_APOSTROPHE.findall(text))
            found.append(_Ranked(encoding, words, reading, seen))
    most = max((one.seen for one in found), default=0)
    priced = [one._replace(reading=_priced(one, most)) for one in found]
    return sorted(priced, key=lambda one: -one.reading.total)


def _priced(one: _Ranked, most: int) -> Reading:
    """Returns a reading, worse by what speaks against its encoding.

    Few files have it; or signs are digits of another script, or blanks, of which words have none.
    """
    rare = _PRICE_OF_OLD if one.encoding in _OLD else _PRICE_OF_OTHERS
    price = 0.0 if one.encoding == _USUAL_FIRST[0] else rare
    price += _PRICE_OF_LOST * (most - one.seen)
    return one.reading._replace(total=one.reading.total - price)


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
    return western if 10 * lost <= len(western.translate(None, _ASCII)) else b""
