"""Recognises a declared encoding in which most words are such as no language writes."""

import re

from incidents.importing.encoding_samples import can_be, decoded
from incidents.importing.encodings import NAMED_SINGLE_BYTE, SINGLE_BYTE

_ACCENTED = re.compile("[\u00c0-\u024f]+")
_FEWEST_WORDS = 6
_ABBREVIATION = 3  # letters at most
# Signs that no language writes after a letter, or before a word. The common ones stand in brands
# and in ranges, as LEGO\u00ae and Mon\u2013Fri.
_AFTER = (
    "\u00a1\u00a2\u00a4-\u00a6\u00a8\u00ac\u00ad\u00af\u00b1\u00b6\u00b8\u00bf\u00f7\u02c6-\u02dd\u2020-\u2022\u2030"
    "\u221a-\u2264\u25ca\ufb01\ufb02"
)
_BEFORE = "\u00a2\u00a4-\u00a6\u00a8\u00ac\u00ad\u00af\u00b1\u00b4\u00b6\u00b8\u00d7\u00f7"
_ODD_SIGN = re.compile(rf"[^\W\d_][{_AFTER}]|^[{_BEFORE}]+(?=[^\W\d_])")
_COMMON_SIGN = re.compile(
    r"[^\W\d_](?:[\u00a3\u00a7\u00a9\u00ae\u00b0\u20ac\u2122\u201a]|"
    r"[\u00ab\u00bb\u2013\u2014\u2018\u201c-\u201e](?=[^\W\d_]))"
)
_TOKEN = re.compile(r"[^\s\d,;:|\"'\u2019@/()_.&+-]{3,}")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_OTHER_SCRIPT = re.compile("[\u0370-\u052f\u0590-\u06ff\u0e00-\u0e7f]+")
_WHOLE_PART = 3  # letters of another script that are a part of a word, as in `VIP` and `клиент`
_PRIVATE = re.compile("[\ue000-\uf8ff]")


def has_no_words(declared: str, sample: bytes) -> bool:
    """Returns whether most words are such as no language writes, if the text is what was declared.

    Big5 read as GBK has characters that Unicode leaves to private use. A single-byte encoding is
    refused only if the text reads well in another one.
    """
    text = decoded(sample, declared)
    if declared == "gb18030":
        return len(_PRIVATE.findall(text)) * 10 > sum(not sign.isascii() for sign in text)
    return (
        declared in NAMED_SINGLE_BYTE
        and _has_odd_words(_words(text))
        and any(_reads_well(sample, other) for other in SINGLE_BYTE if other != declared)
    )


def _words(text: str) -> set[str]:
    """Returns the different words that are not ASCII; a value that repeats shows nothing more."""
    return {word for word in _TOKEN.findall(text) if not word.isascii()}


def _has_odd_words(words: set[str]) -> bool:
    """Returns whether most words are odd, a third of them by more than a common sign."""
    odd = sum(map(_is_odd_word, words))
    with_sign = sum(bool(_COMMON_SIGN.search(word)) and not _is_odd_word(word) for word in words)
    return (
        len(words) >= _FEWEST_WORDS and 3 * odd >= len(words) and 2 * (odd + with_sign) > len(words)
    )


def _reads_well(sample: bytes, encoding: str) -> bool:
    """Returns whether hardly any words are odd in a single-byte encoding."""
    words = _words(decoded(sample, encoding)) if can_be(encoding, sample) else set()
    return len(words) >= _FEWEST_WORDS and 10 * sum(map(_is_odd_word, words)) <= len(words)


def _is_odd_word(word: str) -> bool:
    """Returns whether no language writes such a word.

    It consists of accented letters alone, as `Èâàí` for `Иван`, and is no abbreviation; has a
    capital letter after a small one, as `хБЮМ`, or between others, as `JŸrgen`; has single letters
    of another script, as `Љwik`, or a sign within, as `S‡nchez`.
    """
    if _ACCENTED.fullmatch(word):
        return len(word) > _ABBREVIATION or not word.isupper()
    if _ODD_SIGN.search(word):
        return True
    others = _OTHER_SCRIPT.findall(word)
    if others and _LATIN.search(word):
        return max(map(len, others)) < _WHOLE_PART
    triples = zip(word, word[1:], f"{word[2:]} ", strict=False)
    return any(
        not second.isascii() and second.isupper() and (first.islower() or third.islower())
        for first, second, third in triples
    )
