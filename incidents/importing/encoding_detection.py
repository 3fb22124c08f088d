"""Detects the encoding of a file, and checks the one that a person declared.

Two encodings are detected: UTF-8, and CP949 if its text consists of the syllables that Korean
really uses; UTF-16 follows from its mark or its zero bytes. Every other encoding is a guess. The
refusal names it, and a person declares it after a look at the rows.
"""

import codecs
import re
from collections.abc import Callable
from itertools import islice

import charset_normalizer

from incidents.importing import common_characters, letter_statistics
from incidents.importing.encodings import (
    ISO2022_JP,
    ISO2022_KR,
    SINGLE_BYTE,
    UTF16,
    UTF16_BE,
    UTF16_LE,
    codec_of,
    named,
)
from incidents.importing.formats.base import MAX_ROW_BYTES
from incidents.importing.korean_text import (
    CONTROLS,
    LEAST_COMMON_HANGUL,
    MANY_BYTES,
    RUNS,
    count_common_hangul,
)
from incidents.importing.letter_statistics import Reading
from incidents.importing.reading import (
    CP949,
    MARK,
    UTF8,
    UTF8_MARKED,
    File,
    ImportRefusedError,
    nul_byte,
    opened,
)
from incidents.importing.refusals import RefusalMessages

WINDOW_BYTES = 1 << 20
_MOST_LINES = 4_096  # of a sample that are tried
_FEW = 8  # syllables
_LITTLE = 64  # bytes above ASCII, which do not distinguish one Western encoding from another
_GUESSES = {
    **dict.fromkeys(("cp932", "shift_jis", "shift_jis_2004", "shift_jisx0213"), "shift_jis"),
    **dict.fromkeys(("euc_jp", "euc_jis_2004", "euc_jisx0213"), "euc-jp"),
    **dict.fromkeys(("gb2312", "gbk", "gb18030"), "gb18030"),
    **dict.fromkeys(("big5", "cp950", "big5hkscs"), "big5"),
    **{f"cp{number}": f"windows-{number}" for number in range(1250, 1259)},
    "koi8_r": "koi8-r",
}
_ESCAPES = {b"\x1b$)C": ISO2022_KR, b"\x1b$B": ISO2022_JP, b"\x1b$@": ISO2022_JP}
_SHIFT = re.compile(rb"\x1b\$?[()*+$]")  # to another character set, in the manner of ISO 2022
_ALONE = re.compile(rb"(?<![A-Za-z\x80-\xff])[\x80-\xff]+(?![A-Za-z\x80-\xff])")
_ACCENTED = re.compile("[\u00c0-\u024f]+")
_FEWEST_WORDS = 6
_MOST_WORDS = 2_000  # whose letters are judged
_WORD = re.compile(rb"[^\s\d,;:|\"'@/()_.&+\-]{1,32}")
_ASCII_LETTER = re.compile("[A-Za-z]")
_FEWEST_TWICE, _SHARE_TWICE = 4, 10  # words, and one of how many
# A text that is CP949 has been proven to be; see _found_in.
_WITHOUT_PROOF = frozenset([*SINGLE_BYTE, *common_characters.ASIAN]) - {CP949}
_MOST_OF_LINES = 0.98  # that another encoding must be able to decode
_ABBREVIATION = 3  # letters at most
# Signs that no language writes after a letter, or before a word. The common ones stand in brands
# and in ranges, as LEGO\u00ae and Mon\u2013Fri.
_AFTER = (
    "\u00a1\u00a2\u00a4-\u00a6\u00a8\u00ac\u00ad\u00af\u00b1\u00b6\u00b8\u00bf\u02c6-\u02dd\u2020-\u2022\u2030"
    "\u221a-\u2264\u25ca\ufb01\ufb02"
)
_BEFORE = "\u00a2\u00a4-\u00a6\u00a8\u00ac\u00ad\u00af\u00b1\u00b4\u00b6\u00b8"
_ODD_SIGN = re.compile(rf"[^\W\d_][{_AFTER}]|^[{_BEFORE}](?=[^\W\d_])")
_COMMON_SIGN = re.compile(
    r"[^\W\d_](?:[\u00a3\u00a7\u00a9\u00ae\u00b0\u20ac\u2122\u201a]|"
    r"[\u00ab\u00bb\u2013\u2014\u2018\u201c-\u201e](?=[^\W\d_]))"
)
_TOKEN = re.compile(r"[^\s\d,;:|\"'\u2019@/()_.&+-]{3,}")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_OTHER_SCRIPT = re.compile("[\u0370-\u052f\u0590-\u06ff\u0e00-\u0e7f]+")
_WHOLE_PART = 3  # letters of another script that are a part of a word, as in `VIP` and `клиент`
_PRIVATE = re.compile("[\ue000-\uf8ff]")
_KANA = re.compile("[\u3041-\u30fe]")


def encoding_of(file: File, label: str) -> tuple[str, str]:
    """Returns the encoding of a file: what the label says if the bytes agree, else what is found.

    Also returns another encoding in which the text reads much better, or "". Then the letters are
    most likely wrong, which is no proof. `label` is a name that a person declared, or "". Raises
    ImportRefusedError if the label is unknown or the bytes are in another encoding, and if the
    encoding could only be guessed.
    """
    name = file.path.name
    declared, sample = named(label, name), _sample(file)
    encoding = _marked(file)
    if encoding:
        _refuse_other_than_marked(declared, encoding, name)
    else:
        encoding = _without_mark(declared, sample, name)
    if encoding in (UTF8, UTF8_MARKED) and _is_encoded_twice(sample):
        raise ImportRefusedError(RefusalMessages.ENCODED_TWICE.stored(file=name))
    return encoding, _likely_other(encoding, sample)


def _refuse_other_than_marked(declared: str, marked: str, name: str) -> None:
    kind = UTF8 if marked == UTF8_MARKED else UTF16
    if declared and declared.removesuffix("-le").removesuffix("-be") != kind:
        why = RefusalMessages.MARKED.stored(file=name, said=declared, found=kind.upper())
        raise ImportRefusedError(why)


def _without_mark(declared: str, sample: bytes, name: str) -> str:
    """Returns the declared encoding, or else the one that is found for certain."""
    found = _found_in(sample)
    if not declared and not found:
        raise ImportRefusedError(_why_not_detected(sample, name))
    if not declared or (declared == UTF16 and found in (UTF16_LE, UTF16_BE)):
        return found
    if found != declared:
        _refuse_declared(declared, found, sample, name)
    return declared


def _refuse_declared(declared: str, found: str, sample: bytes, name: str) -> None:
    """Raises ImportRefusedError unless the bytes can be what was declared."""
    can_be = _can_be(declared, sample)
    if sample.isascii() and can_be:
        return
    if declared == CP949 and can_be and _share_of_lines(sample, CP949) == 1:
        return
    if _is_little_evidence(found, declared, sample):
        found = ""
    found = found or (not can_be and looks_like(sample)) or ""
    found = found or _other_asian(declared, sample)
    if found and found != declared:
        why = RefusalMessages.OTHER_ENCODING.stored(file=name, said=declared, found=found)
        raise ImportRefusedError(why)
    if not can_be or _is_no_word(declared, sample):
        raise ImportRefusedError(RefusalMessages.NOT_THAT.stored(file=name, said=declared))


def _other_asian(declared: str, sample: bytes) -> str:
    """Returns the encoding that text shows which was declared as Chinese, or "".

    Kana in Shift_JIS have first bytes that begin rare characters in GBK and none in Big5. The kana
    of EUC-JP have the same bytes in GBK.
    """
    if declared not in ("gb18030", "big5"):
        return ""
    if _kana(sample) == "shift_jis":
        return "shift_jis"
    is_much = len(b"".join(RUNS.findall(sample))) >= 2 * _FEW
    return _hanzi(sample) if declared == "big5" and is_much else ""


def _is_no_word(declared: str, sample: bytes) -> bool:
    """Returns whether most words are such as no language writes, if the text is what was declared.

    Big5 read as GBK has characters that Unicode leaves to private use. A single-byte encoding is
    refused only if the text reads well in another one.
    """
    text = _decoded(sample, declared)
    if declared == "gb18030":
        return len(_PRIVATE.findall(text)) * 10 > sum(not sign.isascii() for sign in text)
    return (
        declared in SINGLE_BYTE
        and _has_odd_words(_words(text))
        and any(_reads_well(sample, other) for other in SINGLE_BYTE if other != declared)
    )


def _likely_other(encoding: str, sample: bytes) -> str:
    """Returns another encoding in which the text reads much better, by its letters, or ""."""
    if encoding in (UTF8, UTF8_MARKED):
        return _decoded_wrongly(sample.removeprefix(MARK))
    if sample.isascii() or encoding not in _WITHOUT_PROOF:
        return ""
    return _other_characters(encoding, sample) or _other_letters(encoding, sample)


def _decoded_wrongly(sample: bytes) -> str:
    """Returns the encoding of text in UTF-8 that was decoded as windows-1252 before, or "".

    Most of UTF-8 is right, so that rare letters and lists of units show nothing.
    """
    words = letter_statistics.words_of(_decoded(sample, UTF8))
    twice = sum(map(is_text_encoded_twice, words))
    if twice >= _FEWEST_TWICE and twice * _SHARE_TWICE >= len(words):
        return UTF8
    western = _as_western(sample)
    with_letters = sum(any(map(str.isalpha, _ASCII_LETTER.sub("", word))) for word in words)
    if western.isascii() or 2 * with_letters < len(words):
        return ""
    clearly = letter_statistics.reads_clearly_better
    return _other_characters("windows-1252", western) or _other_letters(
        "windows-1252", western, reads_better=clearly
    )


def _other_characters(encoding: str, sample: bytes) -> str:
    """Returns another Asian encoding in which the words are of frequent characters, or ""."""
    own = common_characters.common_in(letter_statistics.words_of(_decoded(sample, encoding)))
    readings = {
        other: common_characters.common_in(letter_statistics.words_of(_decoded(sample, other)))
        for other in common_characters.ASIAN
        if other != encoding and _share_of_lines(sample, other) > _MOST_OF_LINES
    }
    best = max(readings, key=lambda one: readings[one], default="")
    return best if best and common_characters.read_better(readings[best], own) else ""


def _other_letters(
    encoding: str,
    sample: bytes,
    *,
    reads_better: Callable[[Reading, Reading], bool] = letter_statistics.reads_better,
) -> str:
    """Returns another single-byte encoding in which the letters are those of a language, or ""."""
    if encoding not in SINGLE_BYTE:
        return ""
    sample = _some_words(sample)
    words = letter_statistics.words_of(_decoded(sample, encoding))
    own = letter_statistics.read(words)
    readings = {
        other: letter_statistics.read(found)
        for other in SINGLE_BYTE
        if (found := letter_statistics.words_of(_decoded(sample, other))) != words
        and _share_of_lines(sample, other) > _MOST_OF_LINES
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
    text = _decoded(sample, UTF8)
    western = text.encode("windows-1252", "ignore")
    lost = len(text) - len(western)
    return western if 10 * lost <= sum(byte > 0x7F for byte in western) else b""


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
    words = _words(_decoded(sample, encoding)) if _can_be(encoding, sample) else set()
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


def _is_little_evidence(found: str, declared: str, sample: bytes) -> bool:
    """Returns whether the sample could show an encoding by chance, so that a person is believed.

    A few syllables may be chance. In UTF-8, Asian text has characters of three bytes.
    """
    if sample.isascii():
        return False
    if found == CP949:
        return count_common_hangul(_decoded(sample, CP949))[1] < _FEW
    is_asian = declared not in (UTF8, UTF8_MARKED, *SINGLE_BYTE)
    return found == UTF8 and is_asian and not MANY_BYTES.search(_decoded(sample, UTF8))


def _why_not_detected(sample: bytes, name: str) -> str:
    if b"\0" in sample:
        return str(nul_byte(name, sample[: sample.index(b"\0")].count(b"\n") + 1))
    if guess := looks_like(sample):
        return RefusalMessages.LOOKS_LIKE.stored(file=name, found=guess)
    return RefusalMessages.NEITHER_ENCODING.stored(file=name)


def _is_encoded_twice(sample: bytes) -> bool:
    """Returns whether most lines are UTF-8 that was taken for windows-1252 and encoded again.

    An export then has "ë¯¼" for "민".
    """
    lines = _lines(sample.removeprefix(MARK))
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


# ---------------------------------------------------------------- what the bytes show


def _marked(file: File) -> str:
    """Returns the encoding that a byte order mark shows, or ""."""
    with opened(file) as stream:
        start = stream.read(4)
    if start.startswith(MARK):
        return UTF8_MARKED
    return UTF16 if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else ""


def _sample(file: File) -> bytes:
    """Returns whole lines: the first MiB that is not ASCII, or the last one if all are."""
    window = b""
    with opened(file) as stream:
        while more := stream.read(WINDOW_BYTES):
            window = more
            if not window.isascii() or b"\0" in window or b"\x1b" in window:
                return window + stream.readline(MAX_ROW_BYTES)
    return window


def _found_in(sample: bytes) -> str:
    """Returns UTF-8, CP949 or a form of UTF-16 if the sample shows it for certain, else ""."""
    if found := _utf16_by_zeros(sample):
        return found
    if sample.isascii() and _SHIFT.search(sample):
        return ""
    shares = {encoding: _share_of_lines(sample, encoding) for encoding in (UTF8, CP949)}
    if shares[UTF8] >= max(0.5, shares[CP949]):
        return UTF8
    is_korean = shares[CP949] >= 0.5 and _share_of_common_hangul(sample, CP949)
    if is_korean and is_korean >= LEAST_COMMON_HANGUL:
        return CP949
    return UTF8 if shares[UTF8] >= 0.5 else ""


def _utf16_by_zeros(sample: bytes) -> str:
    """Returns the form of UTF-16 in which the first KiB has by far the most ASCII characters.

    An ASCII character there is a zero and a byte below 128. The zero in U+AE00 (글) is none.
    """
    head = sample[: 1 << 10]
    pairs = list(zip(head[0::2], head[1::2], strict=False))
    big = sum(first == 0 < second < 128 for first, second in pairs)
    little = sum(second == 0 < first < 128 for first, second in pairs)
    if big + little < max(2, len(head) // 8):
        return ""
    encoding = UTF16_BE if big > little else UTF16_LE
    is_text = head.decode(encoding, "replace").count("\ufffd") * 32 <= len(head)
    return encoding if min(big, little) * 8 < big + little and is_text else ""


def _can_decode(data: bytes, encoding: str) -> bool:
    try:
        data.decode(codec_of(encoding))
    except UnicodeDecodeError:
        return False
    return True


def _lines(sample: bytes) -> list[bytes]:
    """Returns the first _MOST_LINES lines that are not ASCII."""
    lines = (line for line in sample.splitlines() if not line.isascii())
    return list(islice(lines, _MOST_LINES))


def _share_of_lines(sample: bytes, encoding: str) -> float:
    """Returns the share (0 to 1) of the lines that are not ASCII that an encoding can decode."""
    lines = _lines(sample)
    return sum(_can_decode(line, encoding) for line in lines) / len(lines) if lines else 1.0


def _share_of_common_hangul(sample: bytes, encoding: str) -> float:
    """Returns the share of common Hangul in the characters that are not ASCII.

    Only lines count that the encoding can decode.
    """
    characters, common = count_common_hangul(_decoded(sample, encoding))
    return common / characters if characters else 0.0


def _decoded(sample: bytes, encoding: str) -> str:
    """Returns the lines of the sample that the encoding can decode, as text."""
    codec = codec_of(encoding)
    lines = (line.decode(codec) for line in _lines(sample) if _can_decode(line, encoding))
    return "\n".join(lines)


def _can_be(encoding: str, sample: bytes) -> bool:
    """Returns whether text of a declared encoding could have these bytes."""
    if encoding == CP949:
        return _share_of_common_hangul(sample, CP949) >= LEAST_COMMON_HANGUL or sample.isascii()
    if encoding in (UTF16, UTF16_LE, UTF16_BE):
        return False  # its zeros or its mark would have been found
    if encoding in (ISO2022_KR, ISO2022_JP):
        return _can_decode(sample, encoding)
    if encoding.startswith("iso-8859-") and CONTROLS.search(sample.decode("latin-1")):
        return False  # printable characters of windows-1252
    return _share_of_lines(sample, encoding) >= 0.5


# ---------------------------------------------------------------- guesses


def looks_like(sample: bytes) -> str:
    """Returns the encoding that the bytes look like, or "". It is a guess."""
    for escape, encoding in _ESCAPES.items():
        if escape in sample and sample.isascii():
            return encoding
    if _share_of_common_hangul(sample, "johab") >= LEAST_COMMON_HANGUL:
        return "johab"
    runs = RUNS.findall(sample)
    if runs and sum(len(run) == 1 for run in runs) >= 0.7 * len(runs) and not _kana(sample):
        western = "windows-1252" if _can_decode(sample, "windows-1252") else "iso-8859-1"
        return _other_letters(western, sample) or western
    if kana := _kana(sample):
        return kana
    if hanzi := _hanzi(sample):
        return hanzi
    best = charset_normalizer.from_bytes(sample[: 1 << 18], cp_isolation=list(_GUESSES)).best()
    guess = _GUESSES.get(best.encoding, "") if best else ""
    is_little = len(b"".join(runs)) < _LITTLE and _can_decode(sample, "windows-1252")
    if is_little and guess.startswith("windows-"):
        return _other_letters("windows-1252", sample) or "windows-1252"
    return guess


def _hanzi(sample: bytes) -> str:
    """Returns the Chinese encoding in which nearly all characters are common ones, or "".

    GB 2312 and Big5 have the common characters first, in the rows of these first bytes. A short
    text shows no more, and charset_normalizer takes it for Western text. Bytes beside a Latin
    letter are accented letters, such as those of ASSUNÇÃO.
    """
    words = _ALONE.findall(sample)
    pairs = [word[at : at + 2] for word in words for at in range(0, len(word) - 1, 2)]
    if 2 * len(pairs) < 0.7 * len(b"".join(RUNS.findall(sample))):
        return ""
    for encoding, first, last in (("gb18030", 0xB0, 0xD7), ("big5", 0xA4, 0xC6)):
        common = sum(first <= pair[0] <= last and pair[1] >= 0xA1 for pair in pairs)
        if pairs and common >= 0.9 * len(pairs):
            return encoding
    return ""


def _kana(sample: bytes) -> str:
    """Returns the Japanese encoding in which a tenth of the characters are kana, or ""."""
    for encoding in ("euc-jp", "shift_jis"):
        text = _decoded(sample, encoding)
        characters = sum(not sign.isascii() for sign in text)
        kana = len(_KANA.findall(text))
        if _share_of_lines(sample, encoding) >= 0.5 and kana * 10 >= max(characters, 1):
            return encoding
    return ""
